"""Channels by name and by id. A customer's file may name either; Slack's events carry ids, its methods want them."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

_ID = re.compile(r"^[CDG][A-Z0-9]{6,}$")
RELOAD_SECONDS = 60.0
_PAGES = 20


class Channels:
    """A cache of conversations.list, read again when an unknown name or id is asked for (at most once a minute)."""

    def __init__(self, client: WebClient, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._monotonic = monotonic
        self._names: dict[str, str] = {}
        self._read_at: float | None = None
        self._lock = threading.Lock()

    def id_of(self, channel: str) -> str:
        """The id; what is no name that Slack knows comes back unchanged, and Slack will say what is wrong with it."""
        if channel in self._names:
            return channel
        found = self._by_name(channel)
        if found is None and not _ID.match(channel):
            self._reload()
            found = self._by_name(channel)
        return found or channel

    def name_of(self, channel_id: str) -> str:
        """The name without #; empty when Slack does not tell it."""
        if channel_id not in self._names and not channel_id.startswith("D"):  # direct messages have no name
            self._look_up(channel_id)
        return self._names.get(channel_id, "")

    def renamed(self, channel_id: str, name: str) -> None:
        self._names[channel_id] = name

    def _by_name(self, name: str) -> str | None:
        return next((i for i, n in self._names.items() if n == name.removeprefix("#")), None)

    def _look_up(self, channel_id: str) -> None:
        try:
            channel = self._client.conversations_info(channel=channel_id).get("channel") or {}
        except (SlackApiError, SlackClientError, OSError):
            return
        self._names[channel_id] = str(channel.get("name") or "")

    def _reload(self) -> None:
        with self._lock:
            if self._read_at is not None and self._monotonic() - self._read_at < RELOAD_SECONDS:
                return
            self._read_at = self._monotonic()
            cursor: str | None = None
            for _ in range(_PAGES):
                try:
                    page = self._client.conversations_list(
                        types="public_channel,private_channel", exclude_archived=True, limit=200, cursor=cursor
                    )
                except (SlackApiError, SlackClientError, OSError):
                    return
                self._names.update({c["id"]: c.get("name", "") for c in page.get("channels") or ()})
                cursor = (page.get("response_metadata") or {}).get("next_cursor")
                if not cursor:
                    return
