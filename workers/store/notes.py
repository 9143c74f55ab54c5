"""Small facts that outlive a process and fit nowhere else: key and text."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from workers.store.engine import Database
from workers.store.tables import notes


class Notes:
    def __init__(self, database: Database) -> None:
        self._db = database

    def get(self, key: str) -> str | None:
        with self._db.read() as connection:
            return connection.execute(sa.select(notes.c.text).where(notes.c.key == key)).scalar_one_or_none()

    def put(self, key: str, text: str, at: datetime) -> None:
        with self._db.write() as connection:
            self._db.upsert(connection, notes, {"key": key, "text": text, "at": at})

    def remove(self, key: str) -> bool:
        """False when there was none."""
        with self._db.write() as connection:
            return connection.execute(sa.delete(notes).where(notes.c.key == key)).rowcount > 0
