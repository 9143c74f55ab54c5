"""The state of the workspace, in memory: who is there, what was said, and a journal of every change.

Knows nothing of HTTP, events or blocks. Every change gets a number; whoever looks on (the page, a test that waits)
asks for what came after the number that it has seen.
"""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from bot.local_slack.company import Company
from bot.local_slack.records import (
    App,
    Channel,
    File,
    Json,
    Message,
    Person,
    ResponseUrl,
    Session,
    Trigger,
    View,
)

JOURNAL = 20_000


@dataclass(frozen=True)
class Change:
    version: int
    kind: str
    """message | gone | channel | view | home | session | hello (an app connected or left)."""
    subject: object


class Workspace:
    """Everything is read and written under `lock`; `changed` wakes those who wait for a change."""

    def __init__(self, company: Company, clock: Callable[[], float], seed: int | None = None) -> None:
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.clock = clock
        self.team = company.team
        self.installed = company.installed
        self.people: dict[str, Person] = {person.id: person for person in company.people}
        self.apps: dict[str, App] = {app.id: app for app in (company.installed, *company.alerting)}
        self.channels: dict[str, Channel] = {room.id: room for room in company.rooms(int(clock()))}
        self.messages: dict[str, dict[str, Message]] = {channel: {} for channel in self.channels}
        self.ephemeral: dict[tuple[str, str], Message] = {}
        self.modals: dict[str, list[View]] = {}
        """Per person, the stack of open modals, the top one last."""
        self.homes: dict[str, View] = {}
        self.inputs: dict[tuple[str, str], Json] = {}
        """What a person put into a view or message (by its id): block_id -> action_id -> Slack's value object."""
        self.sessions: dict[tuple[str, str], Session] = {}
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.files: dict[str, tuple[File, bytes | None]] = {}
        self.address = ""
        """Where the page is served, with a slash at the end; links to messages, files and pictures begin with it."""
        self.closed = False
        self.version = 0
        self._journal: deque[Change] = deque(maxlen=JOURNAL)
        self._random = random.Random(seed)
        self._last_ts = 0

    # -- numbers -----------------------------------------------------------------------------------------------------

    def new_ts(self) -> str:
        """Seconds with six digits, as Slack's, and never the same twice."""
        with self.lock:
            self._last_ts = max(int(self.clock() * 1_000_000), self._last_ts + 1)
            return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def new_id(self, prefix: str, length: int = 10) -> str:
        with self.lock:
            return prefix + "".join(self._random.choices("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", k=length))

    # -- looking up --------------------------------------------------------------------------------------------------

    def channel(self, reference: str) -> Channel | None:
        """By id, by name, with or without the #."""
        if reference in self.channels:
            return self.channels[reference]
        name = reference.removeprefix("#")
        return next((room for room in self.channels.values() if room.name == name and room.kind != "im"), None)

    def person(self, reference: str) -> Person | None:
        """By id, by handle, with or without the @."""
        if reference in self.people:
            return self.people[reference]
        name = reference.removeprefix("@")
        return next((person for person in self.people.values() if person.name == name), None)

    def app(self, reference: str) -> App | None:
        """By app id, bot id, bot user id or name."""
        wanted = reference.lower()
        for app in self.apps.values():
            if wanted in {app.id.lower(), app.bot_id.lower(), (app.bot_user_id or "").lower(), app.name.lower()}:
                return app
        return None

    def is_user(self, user: str) -> bool:
        return user in self.people or any(app.bot_user_id == user for app in self.apps.values())

    def message(self, channel: str, ts: str) -> Message | None:
        return self.messages.get(channel, {}).get(ts)

    def thread(self, channel: str, ts: str) -> list[Message]:
        """The root and its replies, oldest first; only the message itself where there are none."""
        return [m for m in self.messages.get(channel, {}).values() if m.ts == ts or m.thread_ts == ts]

    def timeline(self, channel: str) -> Iterator[Message]:
        """What stands in the channel itself: no replies, except those also sent to the channel. Oldest first."""
        return (m for m in list(self.messages.get(channel, {}).values()) if not m.is_reply or m.broadcast)

    def direct(self, user: str, other: str) -> Channel:
        """The direct messages between two users, opened when they are first wanted."""
        with self.lock:
            pair = frozenset((user, other))
            for room in self.channels.values():
                if room.kind == "im" and room.members == pair:
                    return room
            room = Channel(self.new_id("D"), user, kind="im", members=pair, created=int(self.clock()))
            self.messages[room.id] = {}
            self.put_channel(room)
            return room

    # -- changing ----------------------------------------------------------------------------------------------------

    def put_message(self, message: Message) -> Message:
        with self.lock:
            if message.ephemeral_for:
                self.ephemeral[message.channel, message.ts] = message
            else:
                self.messages[message.channel][message.ts] = message
                root = message.thread_ts and self.message(message.channel, message.thread_ts)
                if root and root.thread_ts is None:
                    self.put_message(replace(root, thread_ts=root.ts))
            self.note("message", message)
            return message

    def remove_message(self, message: Message) -> None:
        with self.lock:
            self.ephemeral.pop((message.channel, message.ts), None)
            if not message.ephemeral_for:
                self.messages[message.channel].pop(message.ts, None)
            self.note("gone", message)

    def put_channel(self, room: Channel) -> Channel:
        with self.lock:
            self.channels[room.id] = room
            self.messages.setdefault(room.id, {})
            self.note("channel", room)
            return room

    def set_modals(self, user: str, stack: list[View]) -> None:
        with self.lock:
            self.modals[user] = stack
            self.note("view", user)

    def put_home(self, view: View) -> None:
        with self.lock:
            self.homes[view.user] = view
            self.note("home", view.user)

    def put_session(self, session: Session) -> Session:
        with self.lock:
            self.sessions[session.channel, session.thread_ts] = session
            self.note("session", session)
            return session

    def view(self, view_id: str) -> View | None:
        open_now = (view for stack in self.modals.values() for view in stack)
        return next((view for view in (*open_now, *self.homes.values()) if view.id == view_id), None)

    # -- looking on --------------------------------------------------------------------------------------------------

    def note(self, kind: str, subject: object) -> None:
        with self.lock:
            self.version += 1
            self._journal.append(Change(self.version, kind, subject))
            self.changed.notify_all()

    def close(self) -> None:
        """Sends those home who wait for a change."""
        with self.lock:
            self.closed = True
            self.changed.notify_all()

    def changes(self, since: int, timeout: float) -> list[Change] | None:
        """What came after `since`, waiting for it up to `timeout` seconds. None: too long ago, read everything anew."""
        with self.lock:
            if since > self.version or (self._journal and since < self._journal[0].version - 1):
                return None
            self.changed.wait_for(lambda: self.version > since or self.closed, timeout)
            return [change for change in self._journal if change.version > since]
