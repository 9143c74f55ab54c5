"""The outbox: what is to be said in Slack, in order, once, whatever dies in between.

A post is stored in the transaction that gives the reason for it; a poster claims it, says it, and says that it did.
Within a channel posts go out in order: only the first unfinished one can be claimed. A `status` post is a living
row, one for each investigation: a bump raises its version and lets it wait again, and the poster, finding a ts on it,
edits the message instead of posting another.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from workers.domain import Place, Post, PostKind
from workers.store.engine import Database
from workers.store.tables import incidents, outbox

CLAIM_SECONDS = 60
UNFINISHED = ("waiting", "sending")


class Outbox:
    def __init__(self, database: Database) -> None:
        self._db = database

    def add(
        self,
        customer: str,
        kind: PostKind,
        place: Place,
        key: str,
        at: datetime,
        *,
        incident_id: str | None = None,
        investigation_id: str | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Post:
        """A waiting post; the one that exists when the key is known."""
        with self._db.write() as connection:
            put(
                self._db,
                connection,
                customer,
                kind,
                place,
                key,
                at,
                incident_id=incident_id,
                investigation_id=investigation_id,
                body=body,
            )
            row = connection.execute(sa.select(outbox).where(outbox.c.key == key)).mappings().one()
            return as_record(row)

    def claim(self, at: datetime, limit: int = 10) -> list[Post]:
        """Posts to say now, at most one a channel, oldest first; each is `sending` and belongs to the caller for
        sixty seconds."""
        firsts = sa.select(sa.func.min(outbox.c.id)).where(outbox.c.state.in_(UNFINISHED)).group_by(outbox.c.channel)
        waiting = sa.and_(outbox.c.state == "waiting", sa.or_(outbox.c.not_before.is_(None), outbox.c.not_before <= at))
        abandoned = sa.and_(outbox.c.state == "sending", outbox.c.claimed_at <= at - timedelta(seconds=CLAIM_SECONDS))
        due = sa.or_(waiting, abandoned)
        chosen = (
            sa.select(outbox.c.id)
            .where(outbox.c.id.in_(firsts), due)
            .order_by(outbox.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        taking = {
            "state": "sending",
            "attempts": outbox.c.attempts + 1,
            "claimed_at": at,
            "claimed_version": outbox.c.version,
        }
        with self._db.write() as connection:
            # Two statements: PostgreSQL may run a locking subquery of an update more than once, beyond its limit.
            ids = connection.execute(chosen).scalars().all()
            taken = sa.update(outbox).where(outbox.c.id.in_(ids), due).values(**taking).returning(outbox)
            rows = connection.execute(taken).mappings().all() if ids else []
            return sorted((as_record(row) for row in rows), key=lambda post: post.id)

    def sent(self, post_id: int, ts: str | None) -> None:
        """It was said as message `ts` (None for what is no message, like a reaction). A post that was bumped
        meanwhile waits again. The first message of an incident that had no thread becomes its thread."""
        state = sa.case((outbox.c.version > outbox.c.claimed_version, "waiting"), else_="sent")
        changes: dict[str, Any] = {"state": state, "attempts": 0, "not_before": None, "error": ""}
        if ts is not None:
            changes["ts"] = ts
        with self._db.write() as connection:
            post = _get(connection, post_id)
            # The incident is locked before its posts, as everywhere: two ways round would be a deadlock.
            if post and ts and post.kind in ("alert", "status") and post.place.thread_ts is None and post.incident_id:
                _begin_thread(connection, post.incident_id, post.place.model_copy(update={"thread_ts": ts}))
            connection.execute(sa.update(outbox).where(outbox.c.id == post_id).values(**changes))

    def retry(self, post_id: int, not_before: datetime, error: str) -> None:
        """It could not be said now; its channel waits with it."""
        with self._db.write() as connection:
            changes = {"state": "waiting", "not_before": not_before, "error": error}
            connection.execute(sa.update(outbox).where(outbox.c.id == post_id).values(**changes))

    def fail(self, post_id: int, error: str) -> None:
        """It cannot be said; the channel goes on. A status post tries again when it is bumped."""
        with self._db.write() as connection:
            changes = {"state": "failed", "not_before": None, "error": error}
            connection.execute(sa.update(outbox).where(outbox.c.id == post_id).values(**changes))

    def get(self, post_id: int) -> Post | None:
        with self._db.read() as connection:
            return _get(connection, post_id)

    def by_key(self, key: str) -> Post | None:
        return self._first(outbox.c.key == key)

    def of_incident(self, incident_id: str) -> tuple[Post, ...]:
        """In the order in which they were made."""
        statement = sa.select(outbox).where(outbox.c.incident_id == incident_id).order_by(outbox.c.id)
        with self._db.read() as connection:
            return tuple(as_record(row) for row in connection.execute(statement).mappings())

    def posted(self, channel: str, ts: str) -> Post | None:
        """The post that became this message."""
        return self._first(sa.and_(outbox.c.channel == channel, outbox.c.ts == ts))

    def waiting_count(self) -> int:
        """Posts that are not said yet."""
        statement = sa.select(sa.func.count()).select_from(outbox).where(outbox.c.state.in_(UNFINISHED))
        with self._db.read() as connection:
            return connection.execute(statement).scalar_one()

    def _first(self, condition: sa.ColumnElement[bool]) -> Post | None:
        with self._db.read() as connection:
            row = connection.execute(sa.select(outbox).where(condition).order_by(outbox.c.id)).mappings().first()
            return None if row is None else as_record(row)


def put(
    database: Database,
    connection: sa.Connection,
    customer: str,
    kind: PostKind,
    place: Place,
    key: str,
    at: datetime,
    *,
    incident_id: str | None = None,
    investigation_id: str | None = None,
    body: Mapping[str, Any] | None = None,
) -> None:
    """A waiting post, in the transaction that gives the reason for it; nothing when the key is known."""
    values = {
        "key": key,
        "customer": customer,
        "kind": kind,
        "team_id": place.team_id,
        "channel": place.channel,
        "thread_ts": place.thread_ts,
        "incident_id": incident_id,
        "investigation_id": investigation_id,
        "body": dict(body or {}),
        "state": "waiting",
        "created_at": at,
    }
    database.insert_new(connection, outbox, values)


def bump(connection: sa.Connection, which: sa.ColumnElement[bool], **changes: Any) -> None:
    """Lets status posts be said anew, with whatever the record says when the poster comes to them."""
    fresh = outbox.c.state.in_(("sent", "failed", "superseded"))
    statement = sa.update(outbox).where(outbox.c.kind == "status", which)
    connection.execute(
        statement.values(
            version=outbox.c.version + 1,
            state=sa.case((outbox.c.state == "sending", "sending"), else_="waiting"),
            attempts=sa.case((fresh, 0), else_=outbox.c.attempts),
            **changes,
        )
    )


def set_thread(connection: sa.Connection, incident_id: str, place: Place) -> None:
    """Gives the incident, and what waits to be said about it in that channel, its thread."""
    values = {"team_id": place.team_id, "channel": place.channel, "thread_ts": place.thread_ts}
    connection.execute(sa.update(incidents).where(incidents.c.id == incident_id).values(**values))
    homeless = sa.and_(
        outbox.c.incident_id == incident_id,
        outbox.c.channel == place.channel,
        outbox.c.thread_ts.is_(None),
        outbox.c.ts.is_(None),
        outbox.c.kind != "alert",
    )
    connection.execute(sa.update(outbox).where(homeless).values(thread_ts=place.thread_ts))


def as_record(row: sa.RowMapping) -> Post:
    place = Place(team_id=row["team_id"], channel=row["channel"], thread_ts=row["thread_ts"])
    return Post.model_validate({**row, "place": place})


def _get(connection: sa.Connection, post_id: int) -> Post | None:
    row = connection.execute(sa.select(outbox).where(outbox.c.id == post_id)).mappings().first()
    return None if row is None else as_record(row)


def _begin_thread(connection: sa.Connection, incident_id: str, place: Place) -> None:
    found = sa.select(incidents.c.thread_ts).where(incidents.c.id == incident_id).with_for_update()
    if connection.execute(found).scalar_one_or_none() is None:
        set_thread(connection, incident_id, place)
