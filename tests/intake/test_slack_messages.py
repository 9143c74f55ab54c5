"""Which Slack events are alerts at all, and how Slack's markup is taken off."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from bot.intake import mrkdwn, read
from tests.intake.golden import payload

ALERT: dict[str, Any] = {
    "type": "message", "subtype": "bot_message", "bot_id": "B0AM", "ts": "1790000000.000100", "channel": "C0ALERTS",
    "attachments": [{"title": "[FIRING:1] Watchdog "}],
}  # fmt: skip


def event(**changes: Any) -> dict[str, Any]:
    inner = {**copy.deepcopy(ALERT), "event_ts": "1790000000.000100", **changes}
    return {"type": "event_callback", "event_id": "Ev1", "team_id": "T1", "event": inner}


def test_an_event_envelope_is_opened() -> None:
    assert read(event()).alerts[0].alert_type == "Watchdog"


def test_a_socket_mode_envelope_is_opened() -> None:
    assert read({"envelope_id": "e1", "type": "events_api", "payload": event()}).alerts


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"thread_ts": "1780000000.000100"}, "reply in a thread"),
        ({"subtype": "message_deleted"}, "message_deleted"),
        ({"subtype": "channel_join"}, "channel_join"),
        ({"subtype": None, "bot_id": None, "user": "U1"}, "a person wrote it"),
        ({"user": "USLACKBOT"}, "Slackbot"),
        ({"type": "reaction_added"}, "reaction_added"),
        ({"attachments": []}, "no text"),
    ],
)
def test_what_is_no_alert_says_why(changes: dict[str, Any], reason: str) -> None:
    assert reason in read(event(**changes)).reason


@pytest.mark.parametrize("own", ["B0AM", "U0SELF", "A0SELF"])
def test_own_posts_start_nothing(own: str) -> None:
    posted = event(user="U0SELF", bot_profile={"app_id": "A0SELF"})
    assert read(posted, own_bot_ids=frozenset({own})).reason == "it is the bot's own post"


def test_a_root_with_replies_is_no_reply() -> None:
    assert read(event(thread_ts="1790000000.000100")).alerts


def test_an_edit_that_resolves_reads_as_resolved() -> None:
    resolved = {**ALERT, "attachments": [{"title": "[RESOLVED] Watchdog "}]}
    changed = {
        "type": "message",
        "subtype": "message_changed",
        "channel": "C0ALERTS",
        "message": resolved,
        "previous_message": ALERT,
    }
    assert read(changed).alerts[0].status == "resolved"


def test_an_edit_that_only_adds_a_link_preview_is_left_alone() -> None:
    unfurled = {
        **ALERT,
        "attachments": [*ALERT["attachments"], {"from_url": "https://x.example.com", "title": "CRITICAL: page"}],
    }
    changed = {
        "type": "message",
        "subtype": "message_changed",
        "channel": "C0ALERTS",
        "message": unfurled,
        "previous_message": ALERT,
    }
    assert "link preview" in read(changed).reason


def test_several_attachments_that_are_alerts_each_are_several_alerts() -> None:
    message = {**ALERT, "attachments": [{"title": "[FIRING:1] DiskFull (db1)"}, {"title": "[FIRING:1] DiskFull (db2)"}]}
    assert len(read(message).alerts) == 2


def test_the_channel_of_the_event_is_not_overruled_by_nothing() -> None:
    text = {"text": "CRITICAL: stuck", "attachments": []}
    assert read(event(**text)).alerts[0].fingerprint == read(event(**text), channel="C0ALERTS").alerts[0].fingerprint


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("a &lt;b&gt; &amp;&amp; c", "a <b> && c"),
        ("&amp;lt;", "&lt;"),
        ("<https://x.example.com/a?b=1&amp;c=2|runbook>", "runbook"),
        ("<https://x.example.com>", "https://x.example.com"),
        ("<@U1> and <@U2|Bo> in <#C1|ops> <!channel> <!subteam^S1|@sre>", "@U1 and @Bo in #ops @channel @sre"),
        ("<!date^1790000000^{date}|Monday>", "Monday"),
        ("*bold* _it_ ~no~ `code`", "bold it no code"),
        ("snake_case_name 2*3*4 <now>", "snake_case_name 2*3*4 <now>"),
    ],
)
def test_markup_is_taken_off(raw: str, words: str) -> None:
    assert mrkdwn.plain(raw) == words


def test_emoji_codes_go_and_ports_and_times_stay() -> None:
    assert mrkdwn.without_emoji(":fire: db:5432:up at 12:30:45 🔥 :white_check_mark:") == "db:5432:up at 12:30:45"


def test_a_shortcut_on_an_alert_reads_that_alert() -> None:
    body = {**payload("slack-in-message-shortcut"), "message": ALERT}
    assert read(body).alerts[0].alert_type == "Watchdog"
