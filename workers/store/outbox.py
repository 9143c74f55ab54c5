"""The outbox: what is to be said in Slack, in order, once, whatever dies in between.

A post is stored in the transaction that gives the reason for it; a poster claims it, says it, and says that it did.
Within a channel posts go out in order: only the first unfinished one can be claimed. A `status` post is a living
row, one for each investigation: a bump raises its version and lets it wait again, and the poster, finding a ts on it,
edits the message instead of posting another.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from workers.domain import Place, Post, PostKind
from workers.store.engine import Database


class Outbox:
    def __init__(self, database: Database) -> None:
        self._db = database

    def add(
        self,
        customer: str,
        kind: PostKind,
        place: Place,
        key: str,
        at: datetime,
        *,
        incident_id: str | None = None,
        investigation_id: str | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Post:
        """A waiting post; the one that exists when the key is known."""
        raise NotImplementedError

    def claim(self, at: datetime, limit: int = 10) -> list[Post]:
        """Posts to say now, at most one a channel, oldest first; each is `sending` and belongs to the caller for
        sixty seconds."""
        raise NotImplementedError

    def sent(self, post_id: int, ts: str | None) -> None:
        """It was said as message `ts` (None for what is no message, like a reaction). A post that was bumped
        meanwhile waits again. The first message of an incident that had no thread becomes its thread."""
        raise NotImplementedError

    def retry(self, post_id: int, not_before: datetime, error: str) -> None:
        """It could not be said now; its channel waits with it."""
        raise NotImplementedError

    def fail(self, post_id: int, error: str) -> None:
        """It cannot be said; the channel goes on. A status post tries again when it is bumped."""
        raise NotImplementedError

    def get(self, post_id: int) -> Post | None:
        raise NotImplementedError

    def by_key(self, key: str) -> Post | None:
        raise NotImplementedError

    def of_incident(self, incident_id: str) -> tuple[Post, ...]:
        """In the order in which they were made."""
        raise NotImplementedError

    def posted(self, channel: str, ts: str) -> Post | None:
        """The post that became this message."""
        raise NotImplementedError

    def waiting_count(self) -> int:
        """Posts that are not said yet."""
        raise NotImplementedError
