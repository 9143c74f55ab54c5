"""Incidents: which alerts belong together, which thread they have, and when it is over. DESIGN.md, section 3."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from workers.domain import Alert, Incident, Opened, Place
from workers.store import joining
from workers.store.engine import Database
from workers.store.errors import NoSuchRecord
from workers.store.opening import Arrival, Opening
from workers.store.outbox import set_thread
from workers.store.rows import incident_by_id, incident_record
from workers.store.tables import alerts as alert_rows
from workers.store.tables import arrivals, incidents, outbox


class Incidents:
    def __init__(self, database: Database) -> None:
        self._db = database

    def open(
        self,
        customer: str,
        alerts: Sequence[Alert],
        at: datetime,
        *,
        place: Place | None,
        message_ts: str | None,
        event_key: str | None,
        muted: bool = False,
        per_hour: int = 30,
        dry_run: bool = False,
        shadow: Place | None = None,
        webhook_place: Place | None = None,
        source_channel: str = "",
        alerts_per_incident: int = 500,
    ) -> Opened:
        """Joins the alerts of one message (or webhook body) to an incident of the customer, or opens one.

        One transaction, and idempotent by `event_key`: the same key gives the same answer, its investigation included,
        so that what was stored but not enqueued can be enqueued again. Firing alerts join an incident that is not
        closed by fingerprint or group key, or, within ten minutes of its opening, by service and environment; what a
        person asks (source `person`) opens one of its own, and `asked` is never a reason to join by service.
        Recoveries mark what they recover; acknowledgements are news of a known alert and open nothing.

        An incident that was muted or above the limit is investigated when its alert comes again and neither holds.
        """
        arrival = Arrival(
            customer=customer,
            alerts=tuple(alerts),
            at=at,
            place=place,
            message_ts=message_ts,
            event_key=event_key,
            muted=muted,
            per_hour=per_hour,
            dry_run=dry_run,
            shadow=shadow,
            webhook_place=webhook_place,
            source_channel=source_channel or (place.channel if place else ""),
            alerts_per_incident=alerts_per_incident,
        )
        with self._db.write() as connection:
            self._db.lock(connection, _lock(customer))
            return Opening(self._db, connection, arrival).decide()

    def get(self, incident_id: str) -> Incident | None:
        with self._db.read() as connection:
            return incident_by_id(connection, incident_id)

    def by_thread(self, team_id: str, channel: str, thread_ts: str) -> Incident | None:
        """The incident whose thread this is."""
        team = incidents.c.team_id.in_((team_id, "")) if team_id else sa.true()
        here = sa.and_(incidents.c.channel == channel, incidents.c.thread_ts == thread_ts, team)
        statement = sa.select(incidents).where(here).order_by(incidents.c.opened_at.desc()).limit(1)
        with self._db.read() as connection:
            row = connection.execute(statement).mappings().first()
            return None if row is None else incident_record(row)

    def by_message(self, channel: str, ts: str) -> Incident | None:
        """The incident to which a message belongs: the alert's own, one that joined, or any of our posts."""
        said = sa.select(outbox.c.incident_id).where(outbox.c.channel == channel, outbox.c.ts == ts)
        came = sa.select(arrivals.c.incident_id).where(arrivals.c.channel == channel, arrivals.c.message_ts == ts)
        with self._db.read() as connection:
            for statement in (said, came):
                found = connection.execute(statement.order_by(sa.desc("id"))).scalars()
                incident_id = next((one for one in found if one is not None), None)
                if incident_id is not None:
                    return incident_by_id(connection, incident_id)
        return None

    def alerts(self, incident_id: str) -> tuple[Alert, ...]:
        """One for each fingerprint, oldest first, each with its present status."""
        statement = (
            sa.select(alert_rows.c.body, alert_rows.c.status)
            .where(alert_rows.c.incident_id == incident_id)
            .order_by(alert_rows.c.position)
        )
        with self._db.read() as connection:
            rows = connection.execute(statement).all()
            return tuple(Alert.model_validate({**row.body, "status": row.status}) for row in rows)

    def recent(self, customer: str, limit: int = 20) -> tuple[Incident, ...]:
        """The newest first."""
        statement = sa.select(incidents).where(incidents.c.customer == customer)
        return self._records(statement.order_by(incidents.c.opened_at.desc()).limit(limit))

    def similar(
        self, customer: str, alert_type: str, service: str, before: datetime, limit: int = 5
    ) -> tuple[Incident, ...]:
        """Incidents opened before `before` of the same alert type, then of the same service; the newest first."""
        same_type = incidents.c.alert_type == alert_type
        alike = sa.or_(same_type, incidents.c.service == service) if service else same_type
        statement = (
            sa.select(incidents)
            .where(incidents.c.customer == customer, incidents.c.opened_at < before, alike)
            .order_by(sa.case((same_type, 0), else_=1), incidents.c.opened_at.desc())
            .limit(limit)
        )
        return self._records(statement)

    def set_thread(self, incident_id: str, place: Place) -> None:
        """Gives the incident its thread, also to posts that wait for one. Raises NoSuchRecord."""
        with self._db.write() as connection:
            if incident_by_id(connection, incident_id) is None:
                raise NoSuchRecord(f"there is no incident {incident_id!r}")
            set_thread(connection, incident_id, place)

    def close_due(self, now: datetime) -> int:
        """Closes what resolved thirty minutes ago and what had no news for a day; says how many."""
        with self._db.read() as connection:
            due = sa.select(incidents.c.customer).where(joining.is_due(now)).distinct()
            customers = connection.execute(due).scalars().all()
        closed = 0
        for customer in customers:
            with self._db.write() as connection:
                self._db.lock(connection, _lock(customer))
                closed += joining.close_due(connection, customer, now)
        return closed

    def _records(self, statement: sa.Select[tuple[object, ...]]) -> tuple[Incident, ...]:
        with self._db.read() as connection:
            return tuple(incident_record(row) for row in connection.execute(statement).mappings())


def _lock(customer: str) -> str:
    return f"incidents of {customer}"
