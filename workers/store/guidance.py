"""Guidance: what people told Gumshoe about an alert type. Every version is kept, and none is saved unconfirmed."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from workers.domain import Guidance, Proposal, Reading
from workers.store.engine import Database, new_id
from workers.store.errors import NoSuchRecord
from workers.store.globs import is_glob, matches
from workers.store.tables import guidance, proposals


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
        with self._db.write() as connection:
            return _save(
                connection,
                Guidance(
                    id=new_id("g"),
                    customer=customer,
                    alert_type=alert_type,
                    labels=dict(labels),
                    text=text,
                    readings=tuple(readings),
                    author=author,
                    created_at=at,
                ),
            )

    def edit(self, guidance_id: str, text: str, readings: Sequence[Reading], author: str, at: datetime) -> Guidance:
        """The next version. Raises NoSuchRecord for an unknown or removed one."""
        with self._db.write() as connection:
            return self._next(connection, guidance_id, author, at, text=text, readings=tuple(readings))

    def remove(self, guidance_id: str, author: str, at: datetime) -> Guidance:
        """Its versions stay. Raises NoSuchRecord for an unknown or removed one."""
        with self._db.write() as connection:
            return self._next(connection, guidance_id, author, at, removed=True)

    def get(self, guidance_id: str) -> Guidance | None:
        """The latest version, which may say `removed`."""
        return next(reversed(self.versions(guidance_id)), None)

    def list(self, customer: str, alert_type: str | None = None) -> tuple[Guidance, ...]:
        """What holds now, by alert type; with `alert_type` only what would apply to that type."""
        held = (g for g in self._held(customer) if alert_type is None or matches(g.alert_type, alert_type))
        return tuple(sorted(held, key=lambda g: (g.alert_type, g.created_at)))

    def matching(self, customer: str, alert_type: str, labels: Mapping[str, str]) -> tuple[Guidance, ...]:
        """What applies to such an alert, the most specific first (exact before glob, then by number of labels)."""
        fits = (g for g in self.list(customer, alert_type) if g.labels.items() <= labels.items())
        return tuple(sorted(fits, key=lambda g: (is_glob(g.alert_type), -len(g.labels), -len(g.alert_type))))

    def versions(self, guidance_id: str) -> tuple[Guidance, ...]:
        """Oldest first."""
        with self._db.read() as connection:
            return _versions(connection, guidance_id)

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
        """The id of a proposal; nothing holds until it is confirmed. `guidance_id`: the guidance it would change."""
        proposal = Proposal(
            id=new_id("p"),
            customer=customer,
            alert_type=alert_type,
            labels=dict(labels),
            text=text,
            readings=tuple(readings),
            author=author,
            created_at=at,
            guidance_id=guidance_id,
        )
        with self._db.write() as connection:
            connection.execute(sa.insert(proposals).values(**proposal.model_dump(mode="json") | {"created_at": at}))
        return proposal.id

    def amend(self, proposal_id: str, readings: Sequence[Reading]) -> bool:
        """Other readings of the same words; False, and no effect, once it is confirmed or when there is none."""
        with self._db.write() as connection:
            self._db.lock(connection, f"proposal {proposal_id}")
            amended = connection.execute(
                sa.update(proposals)
                .where(proposals.c.id == proposal_id, proposals.c.confirmed_version.is_(None))
                .values(readings=[reading.model_dump(mode="json") for reading in readings])
            )
            return amended.rowcount == 1

    def confirm(self, proposal_id: str, at: datetime, readings: Sequence[Reading] | None = None) -> Guidance:
        """Saves what was proposed; a second confirmation gives the same version again. Raises NoSuchRecord.

        `readings`: those that the author saw, which count even when it was amended in that moment.
        """
        with self._db.write() as connection:
            self._db.lock(connection, f"proposal {proposal_id}")
            proposal = _proposal(connection, proposal_id)
            if proposal is None:
                raise NoSuchRecord(f"there is no proposal {proposal_id!r}")
            if proposal.confirmed_version is not None:
                versions = _versions(connection, str(proposal.guidance_id))
                return next(g for g in versions if g.version == proposal.confirmed_version)
            if readings is not None:
                proposal = proposal.model_copy(update={"readings": tuple(readings)})
            content = proposal.model_dump(include={"customer", "alert_type", "labels", "text", "readings"})
            if proposal.guidance_id is None:
                saved = _save(connection, Guidance(id=new_id("g"), author=proposal.author, created_at=at, **content))
            else:
                saved = self._next(connection, proposal.guidance_id, proposal.author, at, **content)
            connection.execute(
                sa.update(proposals)
                .where(proposals.c.id == proposal_id)
                .values(guidance_id=saved.id, confirmed_version=saved.version, confirmed_at=at)
            )
            return saved

    def proposal(self, proposal_id: str) -> Proposal | None:
        with self._db.read() as connection:
            return _proposal(connection, proposal_id)

    def _held(self, customer: str) -> builtins.list[Guidance]:
        newest = (
            sa.select(guidance.c.id, sa.func.max(guidance.c.version).label("version"))
            .where(guidance.c.customer == customer)
            .group_by(guidance.c.id)
            .subquery()
        )
        same = sa.and_(guidance.c.id == newest.c.id, guidance.c.version == newest.c.version)
        with self._db.read() as connection:
            rows = connection.execute(sa.select(guidance).join(newest, same)).mappings()
            return [g for g in map(Guidance.model_validate, rows) if not g.removed]

    def _next(self, connection: sa.Connection, guidance_id: str, author: str, at: datetime, **changes: Any) -> Guidance:
        self._db.lock(connection, f"guidance {guidance_id}")
        last = next(reversed(_versions(connection, guidance_id)), None)
        if last is None or last.removed:
            raise NoSuchRecord(f"there is no guidance {guidance_id!r} (any more)")
        head = {"version": last.version + 1, "author": author, "created_at": at}
        return _save(connection, Guidance.model_validate(last.model_dump() | changes | head))


def _save(connection: sa.Connection, new: Guidance) -> Guidance:
    connection.execute(sa.insert(guidance).values(**new.model_dump(mode="json") | {"created_at": new.created_at}))
    return new


def _versions(connection: sa.Connection, guidance_id: str) -> tuple[Guidance, ...]:
    statement = sa.select(guidance).where(guidance.c.id == guidance_id).order_by(guidance.c.version)
    return tuple(Guidance.model_validate(row) for row in connection.execute(statement).mappings())


def _proposal(connection: sa.Connection, proposal_id: str) -> Proposal | None:
    row = connection.execute(sa.select(proposals).where(proposals.c.id == proposal_id)).mappings().first()
    return None if row is None else Proposal.model_validate(row)
