"""Toggles: skills that people switched at run time, over what the customer's file says. Who and when is kept."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from workers.domain import Toggle
from workers.store.engine import Database
from workers.store.tables import toggles


class Toggles:
    def __init__(self, database: Database) -> None:
        self._db = database

    def set(self, customer: str, skill: str, enabled: bool, author: str, at: datetime) -> Toggle:
        toggle = Toggle(customer=customer, skill=skill, enabled=enabled, author=author, created_at=at)
        with self._db.write() as connection:
            connection.execute(sa.insert(toggles).values(**toggle.model_dump()))
        return toggle

    def current(self, customer: str) -> dict[str, bool]:
        """Skill -> on; only those that somebody switched."""
        return {toggle.skill: toggle.enabled for toggle in self.history(customer)}

    def history(self, customer: str) -> tuple[Toggle, ...]:
        """Oldest first."""
        with self._db.read() as connection:
            rows = connection.execute(sa.select(toggles).where(toggles.c.customer == customer).order_by(toggles.c.id))
            return tuple(Toggle.model_validate(row) for row in rows.mappings())
