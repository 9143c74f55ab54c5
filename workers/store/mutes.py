"""Mutes: alert types that a customer does not want investigated for a while."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from workers.domain import Mute
from workers.store.engine import Database
from workers.store.globs import matches
from workers.store.tables import mutes


class Mutes:
    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, customer: str, alert_type: str, until: datetime | None, author: str, at: datetime) -> Mute:
        """Mutes an alert type (exact, or a glob with * and ?); a mute of the same type is replaced."""
        mute = Mute(customer=customer, alert_type=alert_type, until=until, author=author, created_at=at)
        with self._db.write() as connection:
            self._db.upsert(connection, mutes, mute.model_dump())
        return mute

    def remove(self, customer: str, alert_type: str) -> bool:
        """False when there was none."""
        statement = sa.delete(mutes).where(mutes.c.customer == customer, mutes.c.alert_type == alert_type)
        with self._db.write() as connection:
            return connection.execute(statement).rowcount > 0

    def active(self, customer: str, at: datetime) -> tuple[Mute, ...]:
        """By alert type."""
        holds = sa.or_(mutes.c.until.is_(None), mutes.c.until > at)
        statement = sa.select(mutes).where(mutes.c.customer == customer, holds).order_by(mutes.c.alert_type)
        with self._db.read() as connection:
            return tuple(Mute.model_validate(row) for row in connection.execute(statement).mappings())

    def is_muted(self, customer: str, alert_type: str, at: datetime, file_globs: Iterable[str] = ()) -> bool:
        """By a mute, or by one of the patterns in the customer's file."""
        patterns = (*file_globs, *(mute.alert_type for mute in self.active(customer, at)))
        return any(matches(pattern, alert_type) for pattern in patterns)
