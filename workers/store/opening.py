"""What one message with alerts leads to: joined or opened, investigated or not, and what is said about it.

Everything here runs inside the transaction of `incidents.open`, which holds the customer's lock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa

from workers.domain import Alert, Ignored, Incident, Investigation, Opened, Place
from workers.store import ignored as ignored_rows
from workers.store import joining
from workers.store.announcements import Announcer, in_thread
from workers.store.engine import Database, new_id
from workers.store.investigations import create
from workers.store.rows import incident_by_id, investigation_by_id
from workers.store.tables import arrivals, incidents, investigations


@dataclass(frozen=True)
class Arrival:
    """The arguments of `incidents.open`."""

    customer: str
    alerts: tuple[Alert, ...]
    at: datetime
    place: Place | None
    message_ts: str | None
    event_key: str | None
    muted: bool
    per_hour: int
    dry_run: bool
    shadow: Place | None
    webhook_place: Place | None
    source_channel: str
    alerts_per_incident: int

    @property
    def firing(self) -> Sequence[Alert]:
        return [a for a in self.alerts if a.status == "firing"][: self.alerts_per_incident]

    @property
    def news(self) -> Sequence[Alert]:
        return [a for a in self.alerts if a.status != "firing"]


class Opening:
    """One arrival on its way through the rules."""

    def __init__(self, database: Database, connection: sa.Connection, arrival: Arrival) -> None:
        self._db = database
        self._connection = connection
        self._arrival = arrival
        self._announcer = Announcer(database, connection, arrival.at)

    def decide(self) -> Opened:
        came = self._arrival
        earlier = self._answered_before()
        if earlier is not None:
            return earlier
        joining.close_due(self._connection, came.customer, came.at)
        incident_id, new = self._incident_of_firing()
        known = joining.mark_known(self._connection, came.customer, came.news, came.at)
        for touched in dict.fromkeys([*([incident_id] if incident_id else []), *known]):
            joining.settle(self._connection, touched, came.at)
            if not (new and touched == incident_id):
                self._announcer.changed(touched)
        opened = self._answer(incident_id, new) if incident_id else self._news_of(known)
        self._remember(opened)
        return opened

    def _incident_of_firing(self) -> tuple[str | None, bool]:
        """The incident that the firing alerts are now part of, and whether it is new."""
        came, firing = self._arrival, self._arrival.firing
        if not firing:
            return None, False
        found = joining.find_open(self._connection, came.customer, firing, came.at)
        incident_id = found or self._new_incident(firing)
        joining.add_alerts(self._connection, came.customer, incident_id, firing, came.at, came.alerts_per_incident)
        return incident_id, found is None

    def _new_incident(self, firing: Sequence[Alert]) -> str:
        came, first = self._arrival, firing[0]
        values: dict[str, Any] = {
            "id": new_id("i"),
            "customer": came.customer,
            "state": "open",
            "alert_type": first.alert_type,
            "service": first.service,
            "environment": first.environment,
            "title": first.title,
            "severity": first.severity,
            "dry_run": came.dry_run,
            "opened_at": came.at,
            "news_at": came.at,
            "previous_id": joining.last_closed(self._connection, came.customer, firing),
        }
        if came.place and came.message_ts and not came.dry_run:
            thread = in_thread(came.place, came.message_ts)
            values |= {"team_id": thread.team_id, "channel": thread.channel, "thread_ts": thread.thread_ts}
        self._connection.execute(sa.insert(incidents).values(**values))
        return str(values["id"])

    def _answer(self, incident_id: str, new: bool) -> Opened:
        investigation, ignored = None, None
        if new or not self._has_investigation(incident_id):
            investigation, ignored = self._begin(incident_id)
        elif not self._is_quiet(incident_id):
            self._point_to(incident_id)
        return Opened(
            incident=self._read(incident_id),
            investigation=investigation,
            joined=not new,
            new=new,
            ignored=ignored,
        )

    def _news_of(self, known: Sequence[str]) -> Opened:
        incident = self._read(known[0]) if known else None
        return Opened(incident=incident, investigation=None, joined=bool(known), new=False, ignored=None)

    def _begin(self, incident_id: str) -> tuple[Investigation | None, Ignored | None]:
        """An investigation with its posts, or the reason why there is none."""
        came = self._arrival
        if came.muted:
            return None, self._ignore(incident_id, "muted", "this alert type is muted")
        if self._begun_within_the_hour() >= came.per_hour:
            limit = f"{came.per_hour} investigations an hour are this customer's limit"
            return None, self._ignore(incident_id, "limit", limit)
        change = sa.update(incidents).where(incidents.c.id == incident_id).values(dry_run=came.dry_run)
        self._connection.execute(change)
        incident = self._read(incident_id)
        question = next((a.asked for a in came.firing if a.asked), "")
        investigation, _ = create(
            self._db, self._connection, incident, came.at, key=f"alert {incident_id}", question=question
        )
        self._say_so(incident, investigation)
        if not came.dry_run:
            return investigation, None
        where = "the answer goes to the shadow channel" if came.shadow else "the answer is only recorded"
        return investigation, self._ignore(incident_id, "dry_run", f"dry run: {where}")

    def _say_so(self, incident: Incident, investigation: Investigation) -> None:
        came = self._arrival
        if came.dry_run:
            if came.shadow:
                self._announcer.opened_elsewhere(incident, investigation, came.shadow)
        elif came.place and came.message_ts:
            self._announcer.opened_by_message(incident, investigation, came.place, came.message_ts)
        elif own := came.webhook_place or came.place:
            self._announcer.opened_elsewhere(incident, investigation, own)

    def _point_to(self, incident_id: str) -> None:
        came = self._arrival
        if came.place and came.message_ts:
            self._announcer.joined(self._read(incident_id), came.place, came.message_ts)

    def _is_quiet(self, incident_id: str) -> bool:
        """A dry run says nothing where people would see it."""
        dry_run = sa.select(incidents.c.dry_run).where(incidents.c.id == incident_id)
        return self._arrival.dry_run or self._connection.execute(dry_run).scalar_one()

    def _ignore(self, incident_id: str, reason: Literal["limit", "muted", "dry_run"], detail: str) -> Ignored:
        came = self._arrival
        record = Ignored(
            customer=came.customer,
            at=came.at,
            what=came.firing[0].title or came.firing[0].alert_type,
            reason=reason,
            detail=detail,
            channel=came.source_channel,
            incident_id=incident_id,
        )
        ignored_rows.put(self._connection, record)
        return record

    def _has_investigation(self, incident_id: str) -> bool:
        statement = sa.select(investigations.c.id).where(investigations.c.incident_id == incident_id).limit(1)
        return self._connection.execute(statement).first() is not None

    def _begun_within_the_hour(self) -> int:
        """Investigations of alerts; what people asked beyond them is theirs."""
        came = self._arrival
        nobody_asked = sa.and_(investigations.c.customer == came.customer, investigations.c.asked_by == "")
        statement = (
            sa.select(sa.func.count())
            .select_from(investigations)
            .where(nobody_asked, investigations.c.created_at > came.at - timedelta(hours=1))
        )
        return self._connection.execute(statement).scalar_one()

    def _answered_before(self) -> Opened | None:
        came = self._arrival
        if came.event_key is None:
            return None
        same = sa.and_(arrivals.c.customer == came.customer, arrivals.c.event_key == came.event_key)
        row = self._connection.execute(sa.select(arrivals).where(same)).mappings().first()
        if row is None:
            return None
        investigation = None
        if row["investigation_id"] is not None:
            investigation = investigation_by_id(self._connection, row["investigation_id"])
        return Opened(
            incident=self._read(row["incident_id"]) if row["incident_id"] else None,
            investigation=investigation,
            joined=row["joined"],
            new=row["new"],
            ignored=Ignored.model_validate(row["ignored"]) if row["ignored"] else None,
        )

    def _remember(self, opened: Opened) -> None:
        came = self._arrival
        values = {
            "customer": came.customer,
            "event_key": came.event_key,
            "channel": came.place.channel if came.place else None,
            "message_ts": came.message_ts,
            "incident_id": opened.incident.id if opened.incident else None,
            "investigation_id": opened.investigation.id if opened.investigation else None,
            "joined": opened.joined,
            "new": opened.new,
            "ignored": opened.ignored.model_dump(mode="json") if opened.ignored else None,
            "at": came.at,
        }
        self._connection.execute(sa.insert(arrivals).values(**values))

    def _read(self, incident_id: str) -> Incident:
        found = incident_by_id(self._connection, incident_id)
        assert found is not None
        return found
