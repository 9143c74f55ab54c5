"""Incidents: which alerts belong together, which thread they have, and when it is over. DESIGN.md, section 3."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from workers.domain import Alert, Incident, Opened, Place
from workers.store.engine import Database


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
        closed by fingerprint or group key, or, within ten minutes of its opening, by service and environment; a
        person's question (`asked`) joins by fingerprint or group key alone. Recoveries mark what they recover;
        acknowledgements are news of a known alert and open nothing.
        """
        raise NotImplementedError

    def get(self, incident_id: str) -> Incident | None:
        raise NotImplementedError

    def by_thread(self, team_id: str, channel: str, thread_ts: str) -> Incident | None:
        """The incident whose thread this is."""
        raise NotImplementedError

    def by_message(self, channel: str, ts: str) -> Incident | None:
        """The incident to which a message belongs: the alert's own, one that joined, or any of our posts."""
        raise NotImplementedError

    def alerts(self, incident_id: str) -> tuple[Alert, ...]:
        """One for each fingerprint, oldest first, each with its present status."""
        raise NotImplementedError

    def recent(self, customer: str, limit: int = 20) -> tuple[Incident, ...]:
        """The newest first."""
        raise NotImplementedError

    def similar(
        self, customer: str, alert_type: str, service: str, before: datetime, limit: int = 5
    ) -> tuple[Incident, ...]:
        """Incidents opened before `before` of the same alert type, then of the same service; the newest first."""
        raise NotImplementedError

    def set_thread(self, incident_id: str, place: Place) -> None:
        """Gives the incident its thread, also to posts that wait for one. Raises NoSuchRecord."""
        raise NotImplementedError

    def close_due(self, now: datetime) -> int:
        """Closes what resolved thirty minutes ago and what had no news for a day; says how many."""
        raise NotImplementedError
