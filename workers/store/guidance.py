"""Guidance: what people told Gumshoe about an alert type. Every version is kept, and none is saved unconfirmed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from workers.domain import Guidance, Proposal, Reading
from workers.store.engine import Database


class GuidanceBook:
    def __init__(self, database: Database) -> None:
        self._db = database

    def add(
        self,
        customer: str,
        alert_type: str,
        labels: Mapping[str, str],
        text: str,
        readings: Sequence[Reading],
        author: str,
        at: datetime,
    ) -> Guidance:
        raise NotImplementedError

    def edit(self, guidance_id: str, text: str, readings: Sequence[Reading], author: str, at: datetime) -> Guidance:
        """The next version. Raises NoSuchRecord for an unknown or removed one."""
        raise NotImplementedError

    def remove(self, guidance_id: str, author: str, at: datetime) -> Guidance:
        """Its versions stay. Raises NoSuchRecord for an unknown or removed one."""
        raise NotImplementedError

    def get(self, guidance_id: str) -> Guidance | None:
        """The latest version, which may say `removed`."""
        raise NotImplementedError

    def list(self, customer: str, alert_type: str | None = None) -> tuple[Guidance, ...]:
        """What holds now, by alert type; with `alert_type` only what would apply to that type."""
        raise NotImplementedError

    def matching(self, customer: str, alert_type: str, labels: Mapping[str, str]) -> tuple[Guidance, ...]:
        """What applies to such an alert, the most specific first (exact before glob, then by number of labels)."""
        raise NotImplementedError

    def versions(self, guidance_id: str) -> tuple[Guidance, ...]:
        """Oldest first."""
        raise NotImplementedError

    def propose(
        self,
        customer: str,
        alert_type: str,
        labels: Mapping[str, str],
        text: str,
        readings: Sequence[Reading],
        author: str,
        at: datetime,
        guidance_id: str | None = None,
    ) -> str:
        """The id of a proposal; nothing holds until it is confirmed. `guidance_id` names the guidance it would change."""
        raise NotImplementedError

    def confirm(self, proposal_id: str, at: datetime) -> Guidance:
        """Saves what was proposed; a second confirmation gives the same version again. Raises NoSuchRecord."""
        raise NotImplementedError

    def proposal(self, proposal_id: str) -> Proposal | None:
        raise NotImplementedError
