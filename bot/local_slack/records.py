"""What a workspace consists of. Frozen: a change is a new record, so that an edit can still show what was before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Team:
    id: str
    name: str
    domain: str


@dataclass(frozen=True)
class Person:
    id: str
    name: str
    """The handle, as in @amira."""
    real_name: str
    title: str = ""
    color: str = "4b5563"
    timezone: str = "Europe/Berlin"


@dataclass(frozen=True)
class App:
    """Anything that posts by itself: the installed app and the alerting apps."""

    id: str
    name: str
    bot_id: str
    bot_user_id: str | None = None
    """None for an incoming webhook: its messages are `subtype: bot_message` and have no user."""
    color: str = "4b5563"


@dataclass(frozen=True)
class Channel:
    id: str
    name: str
    kind: str = "channel"
    """`channel_type` of Slack's events: channel (public), group (private), im, mpim."""
    members: frozenset[str] = frozenset()
    topic: str = ""
    purpose: str = ""
    archived: bool = False
    created: int = 0


@dataclass(frozen=True)
class Reaction:
    name: str
    users: tuple[str, ...]


@dataclass(frozen=True)
class File:
    id: str
    name: str
    title: str
    mimetype: str
    user: str
    created: int
    size: int
    alt: str = ""


@dataclass(frozen=True)
class Message:
    channel: str
    ts: str
    text: str = ""
    """As stored: `&`, `<` and `>` are escaped, links and mentions are in angle brackets."""
    user: str | None = None
    bot_id: str | None = None
    app_id: str | None = None
    subtype: str | None = None
    username: str | None = None
    icons: Json | None = None
    blocks: tuple[Json, ...] = ()
    attachments: tuple[Json, ...] = ()
    thread_ts: str | None = None
    broadcast: bool = False
    client_msg_id: str | None = None
    inviter: str | None = None
    edited: tuple[str, str] | None = None
    """(user, ts) of the last edit."""
    metadata: Json | None = None
    reactions: tuple[Reaction, ...] = ()
    files: tuple[File, ...] = ()
    ephemeral_for: str | None = None
    """The only person who sees it; never in history."""
    streaming: str | None = None
    """in_progress | completed, for messages that are streamed."""
    stream_mode: str = "timeline"

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts


@dataclass(frozen=True)
class View:
    """A modal or an App Home, as an app defined it, in front of one person."""

    id: str
    user: str
    definition: Json
    """The checked view with every id filled in: type, title, blocks, private_metadata …"""
    hash: str
    root_id: str
    previous_id: str | None = None
    external_id: str = ""


@dataclass(frozen=True)
class Session:
    """An agent's session in a thread."""

    channel: str
    thread_ts: str
    status: str = ""
    """processing | active | suspended | closed; empty when only a hint was set."""
    title: str = ""
    hint: str = ""
    """The rotating line of assistant.threads.setStatus."""
    loading: tuple[str, ...] = ()
    prompts: tuple[Json, ...] = ()


@dataclass(frozen=True)
class Trigger:
    """What lets an app open a modal: one use, three seconds."""

    id: str
    user: str
    view_id: str | None
    expires: float
    used: bool = False


@dataclass(frozen=True)
class ResponseUrl:
    """A door that an interaction leaves open: five uses in thirty minutes."""

    token: str
    user: str
    channel: str
    message_ts: str | None
    thread_ts: str | None
    replaces: bool
    """Whether an answer without flags replaces the message that was acted on."""
    expires: float
    uses_left: int
