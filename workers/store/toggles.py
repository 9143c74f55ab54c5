"""Toggles: skills that people switched at run time, over what the customer's file says. Who and when is kept."""

from __future__ import annotations

from datetime import datetime

from workers.domain import Toggle
from workers.store.engine import Database


class Toggles:
    def __init__(self, database: Database) -> None:
        self._db = database

    def set(self, customer: str, skill: str, enabled: bool, author: str, at: datetime) -> Toggle:
        raise NotImplementedError

    def current(self, customer: str) -> dict[str, bool]:
        """Skill -> on; only those that somebody switched."""
        raise NotImplementedError

    def history(self, customer: str) -> tuple[Toggle, ...]:
        """Oldest first."""
        raise NotImplementedError
