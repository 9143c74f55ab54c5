"""Investigations: who runs one, how far it is, what people asked of it, and its one ending.

A run holds a fencing token, the attempt that `claim` gave it. Every write of a run names it, and one with an older
token raises StaleAttempt: two overlapping runs can never both be heard.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Literal

import sqlalchemy as sa

from workers.domain import Finding, Incident, Instructions, Investigation, Progress
from workers.store.announcements import Announcer
from workers.store.engine import Database, new_id
from workers.store.errors import NoSuchRecord, StaleAttempt
from workers.store.rows import incident_by_id, investigation_by_id, investigation_record
from workers.store.tables import findings, incidents, investigations, spans, steering, traces

UNFINISHED = ("queued", "running")


class Investigations:
    def __init__(self, database: Database) -> None:
        self._db = database

    def get(self, investigation_id: str) -> Investigation | None:
        with self._db.read() as connection:
            return investigation_by_id(connection, investigation_id)

    def of_incident(self, incident_id: str) -> tuple[Investigation, ...]:
        """Oldest first: the alert's own, then what was asked later."""
        with self._db.read() as connection:
            return _selected(connection, investigations.c.incident_id == incident_id)

    def start_follow_up(
        self, incident_id: str, question: str, by: str, at: datetime, *, follows: str | None, key: str
    ) -> Investigation:
        """A queued investigation of a question in the thread, with a living status post of its own there.

        Idempotent by `key`. Raises NoSuchRecord for an unknown incident.
        """
        with self._db.write() as connection:
            incident = _existing(connection, incident_id)
            made, new = create(self._db, connection, incident, at, key=key, question=question, by=by, follows=follows)
            if new:
                Announcer(self._db, connection, at).asked(incident, made)
            return made

    def again(self, incident_id: str, by: str, at: datetime, *, key: str) -> Investigation:
        """A queued investigation of the alert itself, anew; the incident's living message shows it from now on.

        Idempotent by `key`. Raises NoSuchRecord for an unknown incident.
        """
        with self._db.write() as connection:
            incident = _existing(connection, incident_id)
            made, new = create(self._db, connection, incident, at, key=key, by=by)
            if new:
                Announcer(self._db, connection, at).again(incident, made)
            return made

    def claim(self, investigation_id: str, model: str, at: datetime) -> Investigation | None:
        """Takes it over: attempt + 1, running. None when it has ended or does not exist."""
        taking = {
            "attempt": investigations.c.attempt + 1,
            "state": "running",
            "model": model,
            "started_at": sa.func.coalesce(
                investigations.c.started_at, sa.literal(at, investigations.c.started_at.type)
            ),
            "alive_at": at,
        }
        going = sa.and_(investigations.c.id == investigation_id, investigations.c.state.in_(UNFINISHED))
        statement = sa.update(investigations).where(going).values(**taking).returning(investigations)
        with self._db.write() as connection:
            row = connection.execute(statement).mappings().first()
            return None if row is None else investigation_record(connection, row)

    def heartbeat(self, investigation_id: str, attempt: int, at: datetime) -> None:
        """Tells the sweep that the run is alive. Raises StaleAttempt."""
        with self._db.write() as connection:
            hold(connection, investigation_id, attempt)
            _change(connection, investigation_id, alive_at=at)

    def progress(self, investigation_id: str, attempt: int, progress: Progress) -> None:
        """Stores how far it is, and lets its status post be said anew. Raises StaleAttempt."""
        with self._db.write() as connection:
            made = hold(connection, investigation_id, attempt)
            _change(connection, investigation_id, progress=progress.model_dump(mode="json"))
            Announcer(self._db, connection, made.created_at).progressed(investigation_id)

    def get_progress(self, investigation_id: str) -> Progress | None:
        statement = sa.select(investigations.c.progress).where(investigations.c.id == investigation_id)
        with self._db.read() as connection:
            stored = connection.execute(statement).scalar_one_or_none()
            return None if stored is None else Progress.model_validate(stored)

    def instructions(self, investigation_id: str) -> Instructions:
        """What people asked of it so far; empty for an unknown one."""
        found = self.get(investigation_id)
        return Instructions(stop_by=found.stop_requested_by, steering=found.steering) if found else Instructions()

    def request_stop(self, investigation_id: str, by: str, at: datetime) -> bool:
        """Asks it to stop; the first to ask is kept. False when it had ended already or does not exist."""
        with self._db.write() as connection:
            found = _locked(connection, investigation_id)
            if found is None or found.state not in UNFINISHED:
                return False
            if found.stop_requested_by is None:
                _change(connection, investigation_id, stop_requested_by=by, stop_requested_at=at)
            return True

    def steer(self, investigation_id: str, text: str, by: str, at: datetime) -> bool:
        """Passes on what a person said. False when it had ended already or does not exist: then it is a follow-up."""
        with self._db.write() as connection:
            found = _locked(connection, investigation_id)
            if found is None or found.state not in UNFINISHED:
                return False
            said = {"investigation_id": investigation_id, "text": text, "person": by, "at": at}
            connection.execute(sa.insert(steering).values(**said))
            return True

    def finish(
        self,
        investigation_id: str,
        attempt: int,
        finding: Finding | None,
        at: datetime,
        *,
        state: Literal["done", "stopped", "failed"] = "done",
        error: str = "",
    ) -> None:
        """Finding, state, trace and posts in one transaction. Raises StaleAttempt, also when it had ended: an
        investigation has exactly one answer."""
        with self._db.write() as connection:
            made = hold(connection, investigation_id, attempt)
            incident = _existing(connection, made.incident_id)
            _change(connection, investigation_id, state=state, ended_at=at, error=error)
            if finding is not None:
                connection.execute(sa.insert(findings).values(**_finding_row(incident, made, finding, at)))
            outcome = finding.verdict if finding is not None and state == "done" else state
            closing = sa.update(traces).where(traces.c.investigation_id == investigation_id)
            connection.execute(closing.values(t1=at, outcome=outcome))
            Announcer(self._db, connection, at).finished(incident, made, with_detail=finding is not None)

    def unfinished(self, now: datetime, older_than_seconds: float) -> list[Investigation]:
        """Queued or running without a sign of life for that long: what the sweep enqueues again."""
        silent = investigations.c.alive_at <= now - timedelta(seconds=older_than_seconds)
        with self._db.read() as connection:
            return list(_selected(connection, sa.and_(investigations.c.state.in_(UNFINISHED), silent)))

    def spent(self, customer: str, since: datetime) -> float:
        """Dollars of the customer's investigations that were created since then, as far as they are recorded."""
        total = (
            sa.select(sa.func.coalesce(sa.func.sum(spans.c.dollars), 0.0))
            .join(traces, spans.c.trace_id == traces.c.id)
            .join(investigations, traces.c.investigation_id == investigations.c.id)
            .where(investigations.c.customer == customer, investigations.c.created_at >= since)
            # A run and a plan may carry the sum of what is below them.
            .where(spans.c.op.not_in(("invoke_agent", "plan")))
        )
        with self._db.read() as connection:
            return float(connection.execute(total).scalar_one())


def create(
    database: Database,
    connection: sa.Connection,
    incident: Incident,
    at: datetime,
    *,
    key: str,
    question: str = "",
    by: str = "",
    follows: str | None = None,
) -> tuple[Investigation, bool]:
    """A queued investigation, and whether it is new: the one that has the key is given back as it is."""
    dry_run = sa.select(incidents.c.dry_run).where(incidents.c.id == incident.id)
    values = {
        "id": new_id("v"),
        "incident_id": incident.id,
        "customer": incident.customer,
        "key": f"{incident.customer} {key}",
        "state": "queued",
        "question": question,
        "asked_by": by,
        "follows": follows,
        "trace_id": secrets.token_hex(16),
        "dry_run": connection.execute(dry_run).scalar_one(),
        "created_at": at,
        "alive_at": at,
    }
    new = database.insert_new(connection, investigations, values)
    return _selected(connection, investigations.c.key == values["key"])[0], new


def hold(connection: sa.Connection, investigation_id: str, attempt: int) -> Investigation:
    """The investigation, held until the transaction ends, if this attempt may write. Raises StaleAttempt."""
    found = _locked(connection, investigation_id)
    if found is None:
        raise StaleAttempt(f"there is no investigation {investigation_id!r}")
    if found.state != "running" or found.attempt != attempt:
        now = f"attempt {found.attempt} is {found.state}"
        raise StaleAttempt(f"attempt {attempt} of investigation {investigation_id} may not write: {now}")
    return found


def _locked(connection: sa.Connection, investigation_id: str) -> Investigation | None:
    statement = sa.select(investigations).where(investigations.c.id == investigation_id).with_for_update()
    row = connection.execute(statement).mappings().first()
    return None if row is None else investigation_record(connection, row)


def _selected(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> tuple[Investigation, ...]:
    statement = sa.select(investigations).where(condition).order_by(investigations.c.created_at, investigations.c.id)
    return tuple(investigation_record(connection, row) for row in connection.execute(statement).mappings().all())


def _change(connection: sa.Connection, investigation_id: str, **values: object) -> None:
    connection.execute(sa.update(investigations).where(investigations.c.id == investigation_id).values(**values))


def _existing(connection: sa.Connection, incident_id: str) -> Incident:
    found = incident_by_id(connection, incident_id)
    if found is None:
        raise NoSuchRecord(f"there is no incident {incident_id!r}")
    return found


def _finding_row(incident: Incident, made: Investigation, finding: Finding, at: datetime) -> dict[str, object]:
    return {
        "investigation_id": made.id,
        "incident_id": incident.id,
        "customer": incident.customer,
        "alert_type": incident.alert_type,
        "verdict": finding.verdict,
        "band": finding.causes[0].confidence.band if finding.causes else None,
        "body": finding.model_dump(mode="json", by_alias=True),
        "at": at,
    }
