"""Small facts that outlive a process and fit nowhere else: key and text."""

from __future__ import annotations

from datetime import datetime

from workers.store.engine import Database


class Notes:
    def __init__(self, database: Database) -> None:
        self._db = database

    def get(self, key: str) -> str | None:
        raise NotImplementedError

    def put(self, key: str, text: str, at: datetime) -> None:
        raise NotImplementedError

    def remove(self, key: str) -> bool:
        """False when there was none."""
        raise NotImplementedError
