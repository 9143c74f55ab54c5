"""Keys of events that were handled. Slack and webhooks deliver more than once, and Bolt does not remember."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from workers.store.engine import Database
from workers.store.tables import seen


class Seen:
    def __init__(self, database: Database) -> None:
        self._db = database

    def first_time(self, key: str, at: datetime) -> bool:
        """True for exactly one caller, in whatever process."""
        with self._db.write() as connection:
            return self._db.insert_new(connection, seen, {"key": key, "at": at})

    def forget(self, before: datetime) -> int:
        """Drops keys seen before then; says how many."""
        with self._db.write() as connection:
            return connection.execute(sa.delete(seen).where(seen.c.at < before)).rowcount
