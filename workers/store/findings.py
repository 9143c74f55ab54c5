"""Findings: what was concluded, and how often conclusions of that kind were right. Written by `investigations.finish`."""

from __future__ import annotations

from workers.domain import Band, Finding
from workers.store.engine import Database


class Findings:
    def __init__(self, database: Database) -> None:
        self._db = database

    def get(self, investigation_id: str) -> Finding | None:
        raise NotImplementedError

    def latest_of_incident(self, incident_id: str) -> Finding | None:
        raise NotImplementedError

    def track_record(self, customer: str, alert_type: str) -> dict[Band, tuple[int, int]]:
        """{band: (right, total)} of the findings that people judged; a band that nobody judged is absent.

        A finding counts once, right when more people say right than wrong; "can't tell" alone does not judge it.
        """
        raise NotImplementedError
