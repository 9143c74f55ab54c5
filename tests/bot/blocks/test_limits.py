"""Slack's limits and text rules hold, whatever telemetry says."""

from __future__ import annotations

import pytest

from bot.blocks import limits
from bot.blocks.message import actions, button, message, modal, section, sections

HOSTILE = "<!channel> <@U123> <https://evil.example.com|click> & `<#C1>`\x00\u202e"


def test_text_from_outside_forms_no_mention_and_no_link() -> None:
    safe = limits.quoted(HOSTILE, 500)
    assert "<" not in safe
    assert ">" not in safe
    assert "\u202e" not in safe
    assert "\x00" not in safe
    assert "&lt;!channel&gt;" in safe


def test_a_cut_says_how_much_is_missing_and_never_breaks_an_escape() -> None:
    for limit in range(40, 80):
        shortened = limits.cut(limits.escape("<&>" * 100), limit)
        assert limits.measure(shortened) <= limit
        assert "more)" in shortened
        head = shortened.split("…")[0]
        assert head.replace("&lt;", "").replace("&amp;", "").replace("&gt;", "") == ""


def test_a_brief_cut_never_breaks_an_escape_and_leaves_no_code_open() -> None:
    for limit in range(20, 60):
        short = limits.brief("limit `512Mi -> 128Mi` " * 5, limit)
        assert limits.measure(short) <= limit
        assert "&" not in short.replace("&gt;", "")
        assert short.endswith("…")
        assert short.count("`") % 2 == 0


def test_a_cut_never_breaks_a_link() -> None:
    text = "see " + limits.link("https://example.com/a", "the page") + " and more words" * 20
    shortened = limits.cut(text, 45)
    assert shortened.count("<") == shortened.count(">")


def test_a_cut_closes_the_code_that_it_opened() -> None:
    assert limits.cut("`" + "a" * 100 + "`", 40).split("…")[0].count("`") == 2


@pytest.mark.parametrize("url", ["javascript:alert(1)", "slack://x", "https://", "ftp://example.com", "", None])
def test_only_web_addresses_become_links(url: str | None) -> None:
    assert limits.link(url, "label") == "label"


def test_a_link_cannot_be_left_early() -> None:
    assert limits.link("https://example.com/?q=a|b>c&d", "a|b>") == "<https://example.com/?q=a%7Cb%3Ec&amp;d|a¦b&gt;>"


def test_addresses_in_telemetry_become_no_links_in_the_fallback_text_either() -> None:
    own = limits.link("https://gumshoe.example.com/i/1", "E1")
    text = message([f"GET http://evil.example.com failed {own}"], [section(["x"])]).text
    assert "http://evil" not in text
    assert own in text


def test_inline_code_cannot_be_ended_by_its_content() -> None:
    assert limits.code("a`b").count("`") == 2


def test_emoji_are_measured_as_slack_stores_them() -> None:
    assert limits.measure("👀") == 2
    assert limits.measure(limits.plain("👀" * 100, 75)) <= 75


def test_a_message_of_any_size_is_within_slacks_limits() -> None:
    lines = [limits.quoted("x" * 2900, 3000)] * 200
    said = message(lines, [section(["first"]), *sections(lines), actions("a", [button("Right", "vote_right")])])
    assert len(said.blocks) <= limits.BLOCKS
    assert all(limits.measure(b["text"]["text"]) <= limits.SECTION for b in said.blocks if b["type"] == "section")
    assert sum(limits.measure(b["text"]["text"]) for b in said.blocks if "text" in b) <= limits.MESSAGE_SUM
    assert limits.measure(said.text) <= limits.MESSAGE_TEXT
    assert said.blocks[-1]["type"] == "actions"
    assert any("more parts" in str(b) for b in said.blocks)


def test_metadata_of_a_modal_that_is_too_long_is_an_error_of_ours() -> None:
    with pytest.raises(ValueError, match="3001"):
        modal("a", "b", [], metadata="x" * 3001)
