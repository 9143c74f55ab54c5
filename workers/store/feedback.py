"""Feedback: what people think of a finding. Rows are only ever added; what counts is read off them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from workers.domain import Feedback, Vote
from workers.store.engine import Database

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
        raise NotImplementedError

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
        raise NotImplementedError

    def withdraw(self, investigation_id: str, person: str, vote: Vote, via: Via, at: datetime) -> Feedback:
        """Takes that vote back, and only that one: whatever else the person said stands.

        Raises NoSuchRecord for an unknown investigation.
        """
        raise NotImplementedError

    def current(self, investigation_id: str) -> dict[str, Feedback]:
        """Person -> the vote that counts."""
        raise NotImplementedError

    def history(self, investigation_id: str) -> tuple[Feedback, ...]:
        """Every row, oldest first."""
        raise NotImplementedError
