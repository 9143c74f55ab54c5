"""What was not investigated, and why: silence must be explainable (`/gumshoe why`)."""

from __future__ import annotations

import sqlalchemy as sa

from workers.domain import Ignored
from workers.store.engine import Database
from workers.store.tables import ignored as table


class IgnoredRows:
    def __init__(self, database: Database) -> None:
        self._db = database

    def record(self, ignored: Ignored) -> None:
        with self._db.write() as connection:
            put(connection, ignored)

    def recent(self, customer: str, limit: int = 20) -> tuple[Ignored, ...]:
        """The newest first."""
        statement = (
            sa.select(table)
            .where(table.c.customer == customer)
            .order_by(table.c.at.desc(), table.c.id.desc())
            .limit(limit)
        )
        with self._db.read() as connection:
            return tuple(Ignored.model_validate(row) for row in connection.execute(statement).mappings())


def put(connection: sa.Connection, ignored: Ignored) -> None:
    """Records it, once for each incident and reason: an alert that is sent again every minute would flood the list."""
    if ignored.incident_id is not None:
        same = sa.and_(table.c.incident_id == ignored.incident_id, table.c.reason == ignored.reason)
        if connection.execute(sa.select(table.c.id).where(table.c.customer == ignored.customer, same)).first():
            return
    connection.execute(sa.insert(table).values(**ignored.model_dump()))
