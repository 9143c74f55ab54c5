"""What was not investigated, and why: silence must be explainable (`/gumshoe why`)."""

from __future__ import annotations

from workers.domain import Ignored
from workers.store.engine import Database


class IgnoredRows:
    def __init__(self, database: Database) -> None:
        self._db = database

    def record(self, ignored: Ignored) -> None:
        raise NotImplementedError

    def recent(self, customer: str, limit: int = 20) -> tuple[Ignored, ...]:
        """The newest first."""
        raise NotImplementedError
