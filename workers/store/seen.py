"""Keys of events that were handled. Slack and webhooks deliver more than once, and Bolt does not remember."""

from __future__ import annotations

from datetime import datetime

from workers.store.engine import Database


class Seen:
    def __init__(self, database: Database) -> None:
        self._db = database

    def first_time(self, key: str, at: datetime) -> bool:
        """True for exactly one caller, in whatever process."""
        raise NotImplementedError

    def forget(self, before: datetime) -> int:
        """Drops keys seen before then; says how many."""
        raise NotImplementedError
