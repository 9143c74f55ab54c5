"""What is said in Slack: in order, once, whatever dies in between."""

from __future__ import annotations

from datetime import timedelta

from tests.store.samples import CHANNEL, NOON, minutes, opened
from workers.domain import Place, Post, Progress
from workers.store import Store


def _post(store: Store, key: str, channel: str = "C1") -> Post:
    return store.outbox.add("acme", "notice", Place(channel=channel), key, NOON, body={"text": key})


def test_a_post_with_a_known_key_is_the_same_post(store: Store) -> None:
    assert _post(store, "a") == _post(store, "a", channel="C2")
    assert store.outbox.waiting_count() == 1


def test_a_channel_says_its_posts_in_order_and_channels_do_not_wait_for_each_other(store: Store) -> None:
    for key, channel in (("a", "C1"), ("b", "C1"), ("c", "C2")):
        _post(store, key, channel)
    assert [p.key for p in store.outbox.claim(NOON)] == ["a", "c"]
    assert store.outbox.claim(NOON) == [], "both channels are busy"
    store.outbox.sent(store.outbox.by_key("a").id, "1.0")
    assert [p.key for p in store.outbox.claim(NOON)] == ["b"]
    assert store.outbox.posted("C1", "1.0").key == "a"


def test_a_post_that_backs_off_holds_its_channel(store: Store) -> None:
    first, _ = _post(store, "a"), _post(store, "b")
    store.outbox.claim(NOON)
    store.outbox.retry(first.id, minutes(1), "429")
    assert store.outbox.claim(minutes(0.9)) == []
    (again,) = store.outbox.claim(minutes(1))
    assert (again.key, again.attempts, again.error) == ("a", 2, "429")


def test_a_post_that_cannot_be_said_lets_the_channel_go_on(store: Store) -> None:
    first, _ = _post(store, "a"), _post(store, "b")
    store.outbox.claim(NOON)
    store.outbox.fail(first.id, "is_archived")
    assert [p.key for p in store.outbox.claim(NOON)] == ["b"]
    assert store.outbox.get(first.id).state == "failed"


def test_a_post_whose_poster_died_is_claimed_again_after_a_minute(store: Store) -> None:
    _post(store, "a")
    store.outbox.claim(NOON)
    assert store.outbox.claim(NOON + timedelta(seconds=59)) == []
    (again,) = store.outbox.claim(NOON + timedelta(seconds=60))
    assert again.attempts == 2


def test_claim_takes_no_more_than_asked(store: Store) -> None:
    for number in range(5):
        _post(store, str(number), f"C{number}")
    assert [p.key for p in store.outbox.claim(NOON, limit=2)] == ["0", "1"]
    assert [p.key for p in store.outbox.claim(NOON)] == ["2", "3", "4"]


def test_a_status_post_is_one_living_row_that_a_newer_version_says_anew(store: Store) -> None:
    came = opened(store)
    (eyes,) = store.outbox.claim(NOON)
    store.outbox.sent(eyes.id, None)
    (status,) = store.outbox.claim(NOON)
    store.outbox.sent(status.id, "200.2")
    store.investigations.claim(came.investigation.id, "offline", NOON)
    assert store.outbox.claim(NOON) == []
    for _ in range(3):
        store.investigations.progress(came.investigation.id, 1, Progress(phase="investigating"))
    (edit,) = store.outbox.claim(NOON)
    assert (edit.id, edit.ts, edit.version, edit.attempts) == (status.id, "200.2", status.version + 3, 1)


def test_a_bump_while_the_post_is_being_said_is_not_lost(store: Store) -> None:
    came = opened(store)
    (eyes,) = store.outbox.claim(NOON)
    store.outbox.sent(eyes.id, None)
    (status,) = store.outbox.claim(NOON)
    store.investigations.claim(came.investigation.id, "offline", NOON)
    store.investigations.progress(came.investigation.id, 1, Progress(phase="investigating"))
    assert store.outbox.claim(NOON) == [], "it is being said"
    store.outbox.sent(status.id, "200.2")
    (edit,) = store.outbox.claim(NOON)
    assert (edit.ts, edit.version) == ("200.2", status.version + 1)
    store.outbox.sent(edit.id, "200.2")
    assert store.outbox.claim(NOON) == []


def test_a_status_post_that_failed_is_tried_again_with_the_next_version(store: Store) -> None:
    came = opened(store)
    for _ in range(2):
        (post,) = store.outbox.claim(NOON)
        store.outbox.fail(post.id, "fatal_error")
    store.investigations.claim(came.investigation.id, "offline", NOON)
    store.investigations.progress(came.investigation.id, 1, Progress(phase="first_look"))
    (status,) = store.outbox.claim(NOON)
    assert (status.kind, status.attempts) == ("status", 1)


def test_when_the_alerts_own_message_cannot_be_said_the_status_begins_the_thread(store: Store) -> None:
    came = opened(store, place=None, ts=None, webhook_place=CHANNEL)
    (own,) = store.outbox.claim(NOON)
    store.outbox.fail(own.id, "msg_too_long")
    (status,) = store.outbox.claim(NOON)
    store.outbox.sent(status.id, "300.3")
    assert store.incidents.get(came.incident.id).place.thread_ts == "300.3"
