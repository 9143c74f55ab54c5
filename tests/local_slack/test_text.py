"""What is escaped, what is linked, and what a person's client makes of their words."""

from __future__ import annotations

import pytest

from bot.local_slack.text import as_stored, from_person, rich_text


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("a < b & c > d", "a &lt; b &amp; c &gt; d"),
        ("already &lt;b&gt; &amp; so", "already &lt;b&gt; &amp; so"),
        ("<@U1> in <#C1|x> see <https://a.example/?x=1|here>", "<@U1> in <#C1|x> see <https://a.example/?x=1|here>"),
        ("<!here> and <b>", "<!here> and &lt;b&gt;"),
        ("see https://a.example/x?y=1&z=2.", "see <https://a.example/x?y=1&amp;z=2>."),
        ('"https://a.example/x\\"', '"<https://a.example/x>\\"'),
    ],
)
def test_text_is_stored_as_every_client_will_read_it(sent: str, stored: str) -> None:
    assert as_stored(sent) == stored


def test_names_that_a_person_types_become_mentions_and_nothing_else_does() -> None:
    typed = "@Gumshoe and @nobody in #alerts, mail a@amira.example"
    stored = from_person(typed, {"gumshoe": "U0GUMSHOE", "amira": "U0AMIRA"}, {"alerts": "C0ALERTS"})
    assert stored == "<@U0GUMSHOE> and @nobody in <#C0ALERTS|alerts>, mail a@amira.example"


def test_a_time_of_day_has_no_emoji_in_it() -> None:
    block = rich_text("since 13:12:19 :100:", "b")
    parts = block["elements"][0]["elements"]
    assert parts == [{"type": "text", "text": "since 13:12:19 "}, {"type": "emoji", "name": "100"}]


def test_rich_text_follows_the_mrkdwn() -> None:
    block = rich_text("*bold* `code` :eyes:\n&gt; quoted\n• item\n```x &lt; y```", "b")
    kinds = [element["type"] for element in block["elements"]]
    assert kinds == ["rich_text_section", "rich_text_quote", "rich_text_list", "rich_text_preformatted"]
    assert block["elements"][0]["elements"][0] == {"type": "text", "text": "bold", "style": {"bold": True}}
    assert block["elements"][3]["elements"][0]["text"] == "x < y"
