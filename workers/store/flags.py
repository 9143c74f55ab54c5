"""Feature flags that were switched, as webhooks told: the only changes that no system can be asked for later."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from workers.domain import FlagEvent
from workers.store.engine import Database
from workers.store.tables import flag_events as table


class Flags:
    def __init__(self, database: Database) -> None:
        self._db = database

    def record(self, event: FlagEvent) -> bool:
        """False when it is known already: senders repeat what was not acknowledged in time."""
        values = {"customer": event.customer, "id": event.id, "at": event.at, "body": event.model_dump(mode="json")}
        with self._db.write() as connection:
            return self._db.insert_new(connection, table, values)

    def between(self, customer: str, start: datetime, end: datetime, limit: int = 200) -> tuple[FlagEvent, ...]:
        """Oldest first; of too many the latest."""
        statement = (
            sa.select(table.c.body)
            .where(table.c.customer == customer, table.c.at >= start, table.c.at <= end)
            .order_by(table.c.at.desc(), table.c.id)
            .limit(limit)
        )
        with self._db.read() as connection:
            found = [FlagEvent.model_validate(body) for body in connection.execute(statement).scalars()]
        return tuple(reversed(found))
