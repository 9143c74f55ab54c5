"""Findings: what was concluded, and how often that was right. Written by `investigations.finish`."""

from __future__ import annotations

import sqlalchemy as sa

from workers.domain import Band, Feedback, Finding
from workers.store.engine import Database
from workers.store.feedback import as_record, counting
from workers.store.tables import feedback, findings


class Findings:
    def __init__(self, database: Database) -> None:
        self._db = database

    def get(self, investigation_id: str) -> Finding | None:
        return self._first(findings.c.investigation_id == investigation_id)

    def latest_of_incident(self, incident_id: str) -> Finding | None:
        return self._first(findings.c.incident_id == incident_id)

    def track_record(self, customer: str, alert_type: str) -> dict[Band, tuple[int, int]]:
        """{band: (right, total)} of the findings that people judged; a band that nobody judged is absent.

        A finding counts once, right when more people say right than wrong; "can't tell" alone does not judge it.
        """
        statement = (
            sa.select(findings.c.band, feedback)
            .join(feedback, feedback.c.investigation_id == findings.c.investigation_id)
            .where(findings.c.customer == customer, findings.c.alert_type == alert_type, findings.c.band.is_not(None))
            .order_by(feedback.c.created_at, feedback.c.id)
        )
        judged: dict[tuple[Band, str], list[Feedback]] = {}
        with self._db.read() as connection:
            for row in connection.execute(statement).mappings():
                judged.setdefault((row["band"], row["investigation_id"]), []).append(as_record(row))
        record: dict[Band, tuple[int, int]] = {}
        for (band, _), rows in judged.items():
            votes = [vote.vote for vote in counting(rows).values()]
            right, wrong = votes.count("right"), votes.count("wrong")
            if right or wrong:
                so_far = record.get(band, (0, 0))
                record[band] = (so_far[0] + (right > wrong), so_far[1] + 1)
        return record

    def _first(self, condition: sa.ColumnElement[bool]) -> Finding | None:
        statement = sa.select(findings.c.body).where(condition).order_by(findings.c.at.desc()).limit(1)
        with self._db.read() as connection:
            body = connection.execute(statement).scalar_one_or_none()
            return None if body is None else Finding.model_validate(body)
