"""Sends the outbox: in order within a channel, no faster than Slack allows, and never twice.

A post is claimed for sixty seconds. What is not known to have been said (an answer was lost, a poster died) is looked
for in the channel by its metadata before it is said again. The record is read when a message is said, not when it was
asked for: updates that come faster than Slack takes them merge into one.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from slack_sdk import WebClient

from bot import links
from bot.delivery import cases, pictures
from bot.delivery.cases import PageLink
from bot.delivery.channels import Channels
from bot.delivery.pace import Pace
from bot.delivery.sessions import Sessions
from bot.delivery.slack import NeverSaid, PerhapsSaid, SayLater, call, find, say, speaking_client
from bot.delivery.uploads import share, shared_before
from config.settings import Settings
from workers.domain import Place, Post
from workers.queue import Queue
from workers.store import Store, StoreError

log = logging.getLogger(__name__)

IDLE_SECONDS = 0.1
NUDGED_SECONDS = 0.5
"""How long to wait for a nudge before looking all the same: nudges may be lost, and back-off ends by itself."""
FIRST_PAUSE = 1.0
"""Seconds before a post is tried again, doubled with every attempt."""
GIVE_UP_AFTER = timedelta(hours=6)
MESSAGES = ("status", "detail", "belief", "pointer", "alert", "notice", "reply")


def utc_now() -> datetime:
    return datetime.now(UTC)


def _pages(settings: Settings) -> PageLink:
    return links.pages(links.key(settings.link_key_file), links.base_url(settings))


def _no_page(investigation_id: str, evidence: str | None) -> str | None:
    return None


class Poster:
    def __init__(
        self,
        store: Store,
        client: WebClient,
        *,
        page: PageLink | None = None,
        settings: Settings | None = None,
        queue: Queue | None = None,
        clock: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
        pace: Pace | None = None,
        look_every: float = NUDGED_SECONDS,
        first_pause: float = FIRST_PAUSE,
    ) -> None:
        self._store = store
        self._client = speaking_client(client)
        self._queue = queue
        self._page = page or (_pages(settings) if settings else _no_page)
        self._clock = clock
        self._monotonic = monotonic
        self._pace = pace or Pace()
        self._look_every = look_every
        self._first_pause = first_pause
        self._channels = Channels(self._client)
        self._sessions = Sessions(self._client)
        self._held: list[tuple[float, Post]] = []
        """Claimed, and waiting for their turn in the channel: (when, post)."""

    def run(self, stop: threading.Event) -> None:
        """Until told to stop. A database that is away for a while is waited for."""
        while not stop.is_set():
            try:
                busy = self.step()
            except StoreError as trouble:
                log.error("the outbox cannot be read: %s", trouble)
                busy = False
                stop.wait(1)
            if not busy:
                self._rest(stop)
        self._let_go()

    def _let_go(self) -> None:
        """What was claimed and has not had its turn goes back, so that the next poster need not wait for it."""
        for _, post in self._held:
            self._store.outbox.retry(post.id, self._clock(), "the poster was stopped")
        self._held = []

    def _rest(self, stop: threading.Event) -> None:
        """Until somebody says that there is something to say, or a held post has its turn."""
        turn = min((when for when, _ in self._held), default=self._monotonic() + self._look_every) - self._monotonic()
        if self._queue is None:
            stop.wait(min(max(turn, 0.01), IDLE_SECONDS))
        else:
            self._queue.wait_nudge(min(max(turn, 0.01), self._look_every))

    def drain(self, seconds: float = 10.0) -> None:
        """Until nothing waits, at most `seconds`; for tests and one-shot commands."""
        end = self._monotonic() + seconds
        while self._monotonic() < end and (self._store.outbox.waiting_count() or self._held):
            if not self.step():
                time.sleep(0.02)

    def step(self) -> bool:
        """Says what is due; False when there was nothing."""
        if self._store.outbox.waiting_count():
            now = self._monotonic()
            self._held += [(now, post) for post in self._store.outbox.claim(self._clock())]
        due = [post for when, post in self._held if when <= self._monotonic()]
        for post in due:
            self._held = [(when, held) for when, held in self._held if held.id != post.id]
            self._take(post)
        return bool(due)

    def _take(self, post: Post) -> None:
        channel = self._channels.id_of(post.place.channel)
        wait = 0.0 if post.kind == "reaction" else self._wait(post, channel)
        if wait:
            self._held.append((self._monotonic() + wait, post))
            return
        try:
            self._say(post, channel)
        except NeverSaid as refused:
            log.error("post %s (%s) cannot be said: %s", post.key, post.kind, refused)
            self._store.outbox.fail(post.id, str(refused))
        except SayLater as later:
            self._later(post, str(later), later.seconds)
        except PerhapsSaid as unknown:
            self._later(post, f"no answer: {unknown}", None)

    def _wait(self, post: Post, channel: str) -> float:
        update = post.ts is not None or post.kind == "acknowledge"
        return self._pace.wait_seconds(channel, update=update, now=self._monotonic())

    def _later(self, post: Post, reason: str, seconds: float | None) -> None:
        now = self._clock()
        if now - post.created_at > GIVE_UP_AFTER and post.ts is None:
            self._store.outbox.fail(post.id, f"given up after {GIVE_UP_AFTER}: {reason}")
            return
        delay = min(60.0, self._first_pause * 2 ** min(post.attempts - 1, 8)) if seconds is None else seconds
        log.warning("post %s (%s) waits %.1f s: %s", post.key, post.kind, delay, reason)
        self._store.outbox.retry(post.id, now + timedelta(seconds=delay), reason)

    def _say(self, post: Post, channel: str) -> None:
        if post.kind == "reaction":
            self._react(post, channel)
        elif post.kind == "acknowledge" and not post.body.get("text"):
            self._refresh(post, channel)
        elif post.kind == "picture":
            self._picture(post, channel)
        else:
            self._message(post, channel)

    def _react(self, post: Post, channel: str) -> None:
        try:
            call(self._client, "reactions.add", channel=channel, name=post.body["name"], timestamp=post.body["ts"])
        except NeverSaid as refused:
            if not str(refused).startswith("already_reacted"):
                raise
        except PerhapsSaid as unknown:
            raise SayLater(str(unknown)) from unknown  # adding it twice is harmless
        self._store.outbox.sent(post.id, None)

    def _message(self, post: Post, channel: str) -> None:
        case = cases.load(self._store, post, self._page)
        message = cases.render(post, case, self._permalink)
        if message is None:
            self._store.outbox.fail(post.id, "there is nothing to say: its records are gone or have no finding")
            return
        ts = post.ts or self._said_before(post, channel)
        if ts is None or post.kind == "status":
            ts = say(self._client, message, key=post.key, channel=channel, thread_ts=post.place.thread_ts, ts=ts)
        if post.kind == "alert" and post.incident_id:
            thread = Place(team_id=post.place.team_id, channel=post.place.channel, thread_ts=ts)
            self._store.incidents.set_thread(post.incident_id, thread)
        self._store.outbox.sent(post.id, ts)
        log.info("said %s (%s) in %s", post.key, post.kind, channel)
        if case and post.kind == "status":
            self._sessions.show(case, channel, post.place.thread_ts)

    def _picture(self, post: Post, channel: str) -> None:
        upload = pictures.load(self._store, post)
        if upload is None:
            self._store.outbox.fail(post.id, "there is no picture in the trace")
            return
        thread = post.place.thread_ts
        if post.attempts <= 1 or not self._shared_before(upload.name, channel, thread):
            share(self._client, upload, channel=channel, thread_ts=thread)
        self._store.outbox.sent(post.id, None)
        log.info("shared %s in %s", post.key, channel)

    def _shared_before(self, name: str, channel: str, thread: str | None) -> bool:
        try:
            return shared_before(self._client, name, channel=channel, thread_ts=thread)
        except NeverSaid as refused:
            log.warning("cannot look for %s in %s: %s", name, channel, refused)
            return False

    def _said_before(self, post: Post, channel: str) -> str | None:
        if post.attempts <= 1:
            return None
        since = post.created_at.timestamp()
        try:
            return find(self._client, key=post.key, channel=channel, thread_ts=post.place.thread_ts, since=since)
        except NeverSaid as refused:
            # Without the right to read history the only choices are silence and, rarely, saying it twice.
            log.warning("cannot look for %s in %s: %s", post.key, channel, refused)
            return None

    def _refresh(self, post: Post, channel: str) -> None:
        """A vote changed: the living message shows the new counts."""
        posts = self._store.outbox.of_incident(post.incident_id) if post.incident_id else ()
        living = [p for p in posts if p.kind == "status" and p.investigation_id == post.investigation_id and p.ts]
        for status in living[-1:]:
            shown = status.model_copy(update={"id": post.id})
            case = cases.load(self._store, shown, self._page)
            if case:
                message = cases.living(case)
                say(self._client, message, key=status.key, channel=channel, thread_ts=None, ts=status.ts)
        self._store.outbox.sent(post.id, None)

    def _permalink(self, channel: str, ts: str) -> str | None:
        try:
            data = call(self._client, "chat.getPermalink", channel=self._channels.id_of(channel), message_ts=ts)
        except (NeverSaid, SayLater, PerhapsSaid):
            return None
        return str(data.get("permalink") or "") or None
