"""The picture of the decisive series stands in the thread once, beneath the answer, whatever Slack does."""

from __future__ import annotations

import base64
import json
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.delivery import Poster
from bot.delivery.uploads import Upload, share
from config.customers import Customer
from config.settings import Settings
from skills.contract import Chart
from tests.bot import records
from tests.bot.workspace import Room, workspace
from workers.domain import Place, Post
from workers.pictures import draw
from workers.queue import Queue
from workers.store import Store

POINTS = tuple((records.AT + timedelta(seconds=30 * i), 0.001 if i < 40 else 0.31) for i in range(80))
DRAWN = draw(Chart("share of requests to checkout that fail", "ratio", POINTS, POINTS[40][0], 0.05))
assert DRAWN
PICTURE = {"png": base64.b64encode(DRAWN.png).decode(), "title": DRAWN.title, "alt": DRAWN.alt}


def answered(room: Room, picture: dict[str, str] | None = PICTURE) -> str:
    """The ts of an alert whose investigation has ended with this picture."""
    alert = room.alert()
    records.answered(room.store, room.investigation(), picture=picture)
    return str(alert["ts"])


def files(room: Room, ts: str) -> list[dict[str, Any]]:
    return [file for m in room.slack.state().replies("alerts", ts) for file in m.get("files") or ()]


def post(room: Room) -> Post | None:
    return room.store.outbox.by_key(f"picture:{room.investigation().id}")


def is_sent(room: Room) -> bool:
    found = post(room)
    return found is not None and found.state == "sent"


def test_the_picture_stands_in_the_thread_beneath_the_answer_with_words_for_those_who_do_not_see_it(room: Room) -> None:
    ts = answered(room)
    room.until(lambda _: is_sent(room), "shared")
    (file,) = files(room, ts)
    assert file["title"] == "share of requests to checkout that fail"
    assert file["alt_txt"].endswith("0.1 % before 14:25, 31 % since; threshold 5 %")
    assert file["mimetype"] == "image/png"
    with urllib.request.urlopen(file["url_private"], timeout=5) as answer:
        assert answer.read() == DRAWN.png  # type: ignore[union-attr]  # asserted above
    kinds = [bool(m.get("files")) for m in room.slack.state().replies("alerts", ts)]
    assert kinds.index(True) > 0


def test_an_investigation_without_a_series_shares_nothing(room: Room) -> None:
    ts = answered(room, None)
    room.says(ts, "its memory limit went")
    assert post(room) is None
    assert not room.slack.calls("files.getUploadURLExternal")


@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
@pytest.mark.parametrize("kind", ["drop", "error", "drop_after", "error_after"])
def test_a_call_that_fails_or_whose_answer_is_lost_leaves_one_picture(room: Room, method: str, kind: str) -> None:
    room.slack.fail_calls(method, kind)
    ts = answered(room)
    room.until(lambda _: is_sent(room), "shared")
    assert len(files(room, ts)) == 1


def test_a_missing_right_to_upload_is_recorded_and_the_channel_goes_on(room: Room) -> None:
    room.slack.fail_calls("files.getUploadURLExternal", "slack_error", error="missing_scope")
    answered(room)
    room.until(lambda _: (found := post(room)) and found.state == "failed", "refused")
    room.store.outbox.add("acme", "notice", Place(channel="C0ALERTS"), "k", datetime.now(UTC), body={"text": "goes on"})
    room.until(lambda _: "goes on" in str(room.everything()), "the next")


def test_a_picture_that_a_dead_poster_shared_is_not_shared_again(
    settings: Settings, store: Store, queue: Queue, customer: Customer
) -> None:
    with workspace(settings, store, queue, {"acme": customer}, posting=False) as room:
        alert = room.alert()
        run = records.answered(room.store, room.investigation(), picture=PICTURE)
        poster = Poster(store, room.client, settings=settings)
        while (waiting := post(room)) and waiting.state == "waiting" and waiting.attempts == 0:
            for claimed in store.outbox.claim(datetime.now(UTC) - timedelta(seconds=61)):
                if claimed.kind != "picture":
                    poster._take(claimed)
                    store.outbox.sent(claimed.id, claimed.ts)
        name = f"share-of-requests-to-checkout-that-fail-{run.id}.png"
        upload = Upload(name, base64.b64decode(PICTURE["png"]), "", "")
        share(room.client, upload, channel="C0ALERTS", thread_ts=alert["ts"])
        Poster(store, room.client, settings=settings).drain()
        assert is_sent(room)
        assert len(files(room, alert["ts"])) == 1


def test_a_picture_that_cannot_be_read_is_no_reason_to_stop(room: Room) -> None:
    answered(room, {"png": "no base64!", "title": "", "alt": ""})
    room.until(lambda _: (found := post(room)) and found.state == "failed", "refused")
    assert json.dumps(room.everything())
