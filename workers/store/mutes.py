"""Mutes: alert types that a customer does not want investigated for a while."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from workers.domain import Mute
from workers.store.engine import Database


class Mutes:
    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, customer: str, alert_type: str, until: datetime | None, author: str, at: datetime) -> Mute:
        """Mutes an alert type (exact, or a glob with * and ?); a mute of the same type is replaced."""
        raise NotImplementedError

    def remove(self, customer: str, alert_type: str) -> bool:
        """False when there was none."""
        raise NotImplementedError

    def active(self, customer: str, at: datetime) -> tuple[Mute, ...]:
        """By alert type."""
        raise NotImplementedError

    def is_muted(self, customer: str, alert_type: str, at: datetime, file_globs: Iterable[str] = ()) -> bool:
        """By a mute, or by one of the patterns in the customer's file."""
        raise NotImplementedError
