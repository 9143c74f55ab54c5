"""Investigations: who runs one, how far it is, what people asked of it, and its one ending.

A run holds a fencing token, the attempt that `claim` gave it. Every write of a run names it, and one with an older
token raises StaleAttempt: two overlapping runs can never both be heard.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from workers.domain import Finding, Instructions, Investigation, Progress
from workers.store.engine import Database


class Investigations:
    def __init__(self, database: Database) -> None:
        self._db = database

    def get(self, investigation_id: str) -> Investigation | None:
        raise NotImplementedError

    def of_incident(self, incident_id: str) -> tuple[Investigation, ...]:
        """Oldest first: the alert's own, then what was asked later."""
        raise NotImplementedError

    def start_follow_up(
        self, incident_id: str, question: str, by: str, at: datetime, *, follows: str | None, key: str
    ) -> Investigation:
        """A queued investigation of a question in the thread, with a living status post of its own there.

        Idempotent by `key`. Raises NoSuchRecord for an unknown incident.
        """
        raise NotImplementedError

    def again(self, incident_id: str, by: str, at: datetime, *, key: str) -> Investigation:
        """A queued investigation of the alert itself, anew; the incident's living message shows it from now on.

        Idempotent by `key`. Raises NoSuchRecord for an unknown incident.
        """
        raise NotImplementedError

    def claim(self, investigation_id: str, model: str, at: datetime) -> Investigation | None:
        """Takes it over: attempt + 1, running. None when it has ended or does not exist."""
        raise NotImplementedError

    def heartbeat(self, investigation_id: str, attempt: int, at: datetime) -> None:
        """Tells the sweep that the run is alive. Raises StaleAttempt."""
        raise NotImplementedError

    def progress(self, investigation_id: str, attempt: int, progress: Progress) -> None:
        """Stores how far it is, and lets its status post be said anew. Raises StaleAttempt."""
        raise NotImplementedError

    def get_progress(self, investigation_id: str) -> Progress | None:
        raise NotImplementedError

    def instructions(self, investigation_id: str) -> Instructions:
        """What people asked of it so far; empty for an unknown one."""
        raise NotImplementedError

    def request_stop(self, investigation_id: str, by: str, at: datetime) -> bool:
        """Asks it to stop; the first to ask is kept. False when it had ended already or does not exist."""
        raise NotImplementedError

    def steer(self, investigation_id: str, text: str, by: str, at: datetime) -> bool:
        """Passes on what a person said. False when it had ended already or does not exist: then it is a follow-up."""
        raise NotImplementedError

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
        raise NotImplementedError

    def unfinished(self, now: datetime, older_than_seconds: float) -> Sequence[Investigation]:
        """Queued or running without a sign of life for that long: what the sweep enqueues again."""
        raise NotImplementedError

    def spent(self, customer: str, since: datetime) -> float:
        """Dollars of the customer's investigations that were created since then, as far as they are recorded."""
        raise NotImplementedError
