"""Whatever Slack does, a post is said once, in order, or its reason is recorded."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from bot.blocks.incident import notice
from bot.delivery import Poster
from bot.delivery.pace import Pace
from bot.delivery.slack import say
from bot.local_slack.control import text_of
from config.customers import Customer
from config.settings import Settings
from tests.bot import records
from tests.bot.workspace import Room, workspace
from workers.domain import Place, Post, PostKind, Progress
from workers.queue import Queue
from workers.store import Store

TEAM = "T0ACME"


def put(room: Room, key: str, text: str, channel: str = "C0ALERTS", kind: PostKind = "notice") -> Post:
    place = Place(team_id=TEAM, channel=channel)
    return room.store.outbox.add("acme", kind, place, key, datetime.now(UTC), body={"text": text})


def said(room: Room, text: str, channel: str = "alerts") -> int:
    return sum(text in text_of(m) for m in room.slack.state().messages(channel))


def state_of(room: Room, key: str) -> str:
    post = room.store.outbox.by_key(key)
    assert post
    return post.state


@pytest.mark.parametrize("kind", ["drop_after", "error_after"])
def test_a_post_whose_answer_was_lost_is_found_and_not_said_again(room: Room, kind: str) -> None:
    room.slack.fail_calls("chat.postMessage", kind)
    put(room, "k1", "hello once")
    room.until(lambda _: state_of(room, "k1") == "sent", "sent")
    assert said(room, "hello once") == 1
    assert len(room.slack.calls("chat.postMessage")) == 1


@pytest.mark.parametrize("kind", ["drop", "error"])
def test_a_post_that_did_not_arrive_is_said_again(room: Room, kind: str) -> None:
    room.slack.fail_calls("chat.postMessage", kind)
    put(room, "k1", "hello again")
    room.until(lambda _: state_of(room, "k1") == "sent", "sent")
    assert said(room, "hello again") == 1


def test_retry_after_is_honoured(room: Room) -> None:
    room.slack.fail_calls("chat.postMessage", "ratelimited", seconds=1)
    put(room, "k1", "patience")
    room.until(lambda _: state_of(room, "k1") == "sent", "sent")
    refused, accepted = room.slack.calls("chat.postMessage")
    assert accepted["at"] - refused["at"] >= 0.95


def test_blocks_that_slack_refuses_become_plain_text(room: Room) -> None:
    room.slack.fail_calls("chat.postMessage", "slack_error", error="invalid_blocks")
    put(room, "k1", "plain words")
    room.until(lambda _: state_of(room, "k1") == "sent", "sent")
    message = next(m for m in room.slack.state().messages("alerts") if "plain words" in text_of(m))
    assert not any(b["type"] == "section" for b in message.get("blocks", []))


def test_a_permanent_refusal_is_recorded_and_the_channel_goes_on(room: Room) -> None:
    put(room, "k1", "nobody hears", channel="C0NOSUCHCHANNEL")
    room.until(lambda _: state_of(room, "k1") == "failed", "refused")
    room.slack.fail_calls("chat.postMessage", "slack_error", error="is_archived")
    put(room, "k2", "archived")
    room.until(lambda _: state_of(room, "k2") == "failed", "refused")
    assert {room.store.outbox.by_key(k).error for k in ("k1", "k2")} == {"channel_not_found", "is_archived"}  # type: ignore[union-attr]  # both exist
    put(room, "k3", "life goes on")
    room.until(lambda _: state_of(room, "k3") == "sent", "sent")


def test_posts_of_a_channel_keep_their_order_through_failures(room: Room) -> None:
    room.slack.fail_calls("chat.postMessage", "error", times=2)
    for number in range(4):
        put(room, f"k{number}", f"line {number}")
    room.until(lambda _: said(room, "line 3"), "the last")
    lines = [text_of(m) for m in room.slack.state().messages("alerts") if "line" in text_of(m)]
    assert [next(n for n in range(4) if f"line {n}" in line) for line in lines] == [0, 1, 2, 3]


def test_outside_words_in_a_notice_can_call_nobody(room: Room) -> None:
    put(room, "k1", "<!channel> look <@U0AMIRA>")
    room.until(lambda _: state_of(room, "k1") == "sent", "sent")
    (call,) = room.slack.calls("chat.postMessage")
    assert "<!channel>" not in str(call["args"])


def test_updates_that_come_faster_than_slack_takes_them_merge(room: Room) -> None:
    alert = room.alert()
    room.says(alert["ts"], "Looking into")
    run = room.store.investigations.claim(room.investigation().id, "offline", records.AT)
    assert run
    for number in range(40):
        room.store.investigations.progress(run.id, run.attempt, Progress(phase="investigating", doing=f"step {number}"))
        time.sleep(0.01)
    room.says(alert["ts"], "step 39")
    assert len(room.slack.calls("chat.update")) < 15


def test_an_alert_by_webhook_gets_its_message_by_channel_name_and_its_thread(room: Room) -> None:
    opened = room.store.incidents.open(
        "acme",
        [records.alert()],
        records.AT,
        place=None,
        message_ts=None,
        event_key="w1",
        webhook_place=Place(team_id=TEAM, channel="C0ALERTS"),
    )
    assert opened.investigation
    records.answered(room.store, opened.investigation)
    head = room.until(
        lambda s: next((m for m in s.messages("alerts") if "[FIRING]" in text_of(m)), None), "the alert's message"
    )
    room.says(head["ts"], "its memory limit went")
    assert room.incident().place == Place(team_id=TEAM, channel="C0ALERTS", thread_ts=head["ts"])


def test_what_a_poster_said_before_it_died_is_not_said_again(
    settings: Settings, store: Store, queue: Queue, customer: Customer
) -> None:
    with workspace(settings, store, queue, {"acme": customer}, posting=False) as room:
        put(room, "k1", "said by the dead")
        (claimed,) = store.outbox.claim(datetime.now(UTC) - timedelta(seconds=61))
        say(room.client, notice("said by the dead"), key=claimed.key, channel="C0ALERTS", thread_ts=None, ts=None)
        Poster(store, room.client).drain()
        assert state_of(room, "k1") == "sent"
        assert said(room, "said by the dead") == 1
        assert store.outbox.by_key("k1").ts == room.slack.state().messages("alerts")[-1]["ts"]  # type: ignore[union-attr]  # it exists


def test_a_burst_goes_at_once_and_then_one_a_second() -> None:
    pace = Pace(burst=2)
    assert [pace.wait_seconds("C", update=False, now=0.0) for _ in range(3)] == [0, 0, 1.0]
    assert pace.wait_seconds("D", update=False, now=0.0) == 0
    assert pace.wait_seconds("C", update=True, now=0.0) == 0
    assert pace.wait_seconds("C", update=False, now=1.0) == 0
