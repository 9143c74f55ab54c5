"""Feedback: what people think of a finding. Rows are only ever added; what counts is read off them.

A reaction stands on the message until it is taken back, so a person may have several, of which the last counts; taking
that one back lets the one before it count again. Buttons are one switch: each press replaces the press before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from workers.domain import Feedback, Vote
from workers.store.engine import Database
from workers.store.errors import NoSuchRecord
from workers.store.tables import feedback, investigations

Via = Literal["reaction", "button"]


class FeedbackRows:
    def __init__(self, database: Database) -> None:
        self._db = database

    def record(
        self,
        investigation_id: str,
        person: str,
        vote: Vote,
        via: Via,
        at: datetime,
        *,
        parts: Sequence[str] = (),
        true_cause: str = "",
        note: str = "",
    ) -> Feedback:
        """Raises NoSuchRecord for an unknown investigation."""
        details = {"parts": tuple(parts), "true_cause": true_cause, "note": note}
        with self._db.write() as connection:
            return _add(connection, investigation_id, person, vote, via, at, **details)

    def explain(
        self,
        investigation_id: str,
        person: str,
        at: datetime,
        *,
        parts: Sequence[str] = (),
        true_cause: str = "",
        note: str = "",
    ) -> Feedback | None:
        """Adds the drill-down to the person's present vote; None when there is none (any more)."""
        details = {"parts": tuple(parts), "true_cause": true_cause, "note": note}
        with self._db.write() as connection:
            now = counting(rows_of(connection, investigation_id)).get(person)
            if now is None:
                return None
            return _add(connection, investigation_id, person, now.vote, now.via, at, **details)

    def withdraw(self, investigation_id: str, person: str, vote: Vote, via: Via, at: datetime) -> Feedback:
        """Takes that vote back, and only that one: whatever else the person said stands.

        Raises NoSuchRecord for an unknown investigation.
        """
        with self._db.write() as connection:
            return _add(connection, investigation_id, person, vote, via, at, withdrawn=True)

    def current(self, investigation_id: str) -> dict[str, Feedback]:
        """Person -> the vote that counts."""
        return counting(self.history(investigation_id))

    def corrections(self) -> tuple[tuple[str, Feedback], ...]:
        """Investigations of which somebody says now what was really true, with the last who did, oldest first."""
        with self._db.read() as connection:
            asked = sa.select(feedback.c.investigation_id).where(feedback.c.true_cause != "").distinct()
            ids = sorted(connection.execute(asked).scalars())
            standing = [(i, counting(rows_of(connection, i)).values()) for i in ids]
        last = ((i, max(told, key=lambda f: (f.created_at, int(f.id)))) for i, votes in standing
                if (told := [f for f in votes if f.vote == "wrong" and f.true_cause]))  # fmt: skip
        return tuple(sorted(last, key=lambda row: (row[1].created_at, row[0])))

    def history(self, investigation_id: str) -> tuple[Feedback, ...]:
        """Every row, oldest first."""
        with self._db.read() as connection:
            return rows_of(connection, investigation_id)


def counting(rows: Iterable[Feedback]) -> dict[str, Feedback]:
    """Person -> the vote that counts, from the rows of one investigation, oldest first."""
    standing: dict[str, dict[str, Feedback]] = {}
    for row in rows:
        votes = standing.setdefault(row.person, {})
        slot = "button" if row.via == "button" else f"reaction {row.vote}"
        if not row.withdrawn:
            votes.pop(slot, None)  # put at the end: the last one counts
            votes[slot] = row
        elif slot in votes and votes[slot].vote == row.vote:
            del votes[slot]
    return {person: list(votes.values())[-1] for person, votes in standing.items() if votes}


def rows_of(connection: sa.Connection, investigation_id: str) -> tuple[Feedback, ...]:
    """Every row by the time of what people did, which is not always the order in which Slack tells it."""
    statement = (
        sa.select(feedback)
        .where(feedback.c.investigation_id == investigation_id)
        .order_by(feedback.c.created_at, feedback.c.id)
    )
    return tuple(as_record(row) for row in connection.execute(statement).mappings())


def as_record(row: sa.RowMapping) -> Feedback:
    return Feedback.model_validate({**row, "id": str(row["id"])})


def _add(
    connection: sa.Connection, investigation_id: str, person: str, vote: Vote, via: Via, at: datetime, **more: Any
) -> Feedback:
    if not connection.execute(sa.select(investigations.c.id).where(investigations.c.id == investigation_id)).first():
        raise NoSuchRecord(f"feedback on the unknown investigation {investigation_id!r}")
    given = Feedback(id="", investigation_id=investigation_id, person=person, vote=vote, via=via, created_at=at, **more)
    values = given.model_dump(exclude={"id"})
    number = connection.execute(sa.insert(feedback).values(**values).returning(feedback.c.id)).scalar_one()
    return given.model_copy(update={"id": str(number)})
