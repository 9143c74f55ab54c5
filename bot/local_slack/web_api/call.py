"""One call of a Web API method: its decoded arguments, and the errors that it may answer with."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from bot.local_slack.records import Channel, Json, Message
from bot.local_slack.slack import Slack
from bot.local_slack.workspace import Workspace

_Item = TypeVar("_Item")

PLURAL = {"channel": "channels", "group": "groups", "im": "im", "mpim": "mpim"}


class ApiError(Exception):
    """The call is answered with `ok: false` and Slack's word for what is wrong."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.answer: Json = {"ok": False, "error": error, **more}


class RateLimited(Exception):
    """The call is answered with HTTP 429 and Retry-After."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"retry after {seconds} s")
        self.seconds = seconds


@dataclass(frozen=True)
class Method:
    run: Callable[[Call], Json]
    scopes: tuple[str, ...] = ()
    """Any one of them is enough. Empty: every token may call it."""
    required: tuple[str, ...] = ()
    app_token: bool = False
    """Called with the app's token (xapp-) instead of the bot's."""


@dataclass(frozen=True)
class Call:
    slack: Slack
    method: str
    args: Json

    @property
    def workspace(self) -> Workspace:
        return self.slack.workspace

    def text(self, name: str, default: str = "") -> str:
        value = self.args.get(name)
        return default if value is None else str(value)

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.args.get(name)
        return default if value is None else str(value).lower() in {"1", "true"}

    def number(self, name: str, default: int) -> int:
        try:
            return int(self.args.get(name) or default)
        except ValueError:
            raise invalid_arguments(f"must be an integer: {name}") from None

    def items(self, name: str) -> list[Any]:
        value = self.args.get(name) or []
        if not isinstance(value, list):
            raise invalid_arguments(f"must provide an array: {name}")
        return value

    def need(self, *scopes: str) -> None:
        """At least one of these scopes."""
        if scopes and not self.slack.grant.scopes & set(scopes):
            raise ApiError("missing_scope", needed=scopes[0], provided=",".join(sorted(self.slack.grant.scopes)))

    def channel(self, name: str = "channel", *, member: bool = False) -> Channel:
        """The channel that an argument names, if the app may know of it."""
        room = self.workspace.channels.get(self.text(name))
        hidden = room is not None and room.kind != "channel" and self.slack.bot_user not in room.members
        if room is None or hidden:
            raise ApiError("channel_not_found")
        if member and self.slack.bot_user not in room.members:
            raise ApiError("not_in_channel")
        return room

    def message(self, room: Channel, name: str = "ts", error: str = "message_not_found") -> Message:
        message = self.workspace.message(room.id, self.text(name))
        if message is None:
            raise ApiError(error)
        return message

    def page(self, items: Sequence[_Item], default: int, most: int = 1000) -> tuple[list[_Item], Json]:
        """One page of a list, and the `response_metadata` that leads to the next."""
        start = _offset(self.text("cursor"))
        end = start + max(1, min(self.number("limit", default), most))
        following = base64.b64encode(f"next:{end}".encode()).decode() if end < len(items) else ""
        return list(items[start:end]), {"next_cursor": following}


def _offset(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        return int(base64.b64decode(cursor, validate=True).decode().removeprefix("next:"))
    except (binascii.Error, ValueError):
        raise ApiError("invalid_cursor") from None


def invalid_arguments(*problems: str) -> ApiError:
    return ApiError("invalid_arguments", response_metadata={"messages": [f"[ERROR] {problem}" for problem in problems]})


def invalid(error: str, problems: Sequence[str]) -> ApiError:
    """Bad blocks or a bad view: Slack lists the problems twice."""
    messages = [f"[ERROR] {problem}" for problem in problems]
    return ApiError(error, errors=list(problems), response_metadata={"messages": messages})
