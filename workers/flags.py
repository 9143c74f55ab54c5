"""Recorded flag events as the changes that skills reckon with."""

from __future__ import annotations

from collections.abc import Iterable

from skills.contract import Change, Entity, Excerpt
from workers.domain import FlagEvent


def as_changes(events: Iterable[FlagEvent], environment: str) -> tuple[Change, ...]:
    """Those of the environment (empty: of any), in their order. Production and prod are one."""
    return tuple(
        _change(e) for e in events if not environment or not e.environment or _alike(e.environment, environment)
    )


def _alike(a: str, b: str) -> bool:
    a, b = sorted((a.casefold(), b.casefold()), key=len)
    return b.startswith(a)


def _change(event: FlagEvent) -> Change:
    flag = Entity(kind="feature_flag", name=event.flag)
    where = f" in {event.environment}" if event.environment else ""
    by = f" by {event.author}" if event.author else ""
    told = f"flag {event.flag}{where}: {event.summary} at {event.at:%Y-%m-%dT%H:%M:%SZ}{by}"
    touched = [Entity(kind="Service", name=service) for service in event.services]
    evidence = tuple(
        Excerpt(
            told + (f" (touches {entity.name})" if entity != flag else ""),
            "flag events by webhook",
            link=event.link or None,
            entity=entity,
            at=event.at,
        )
        for entity in (touched or [flag])
    )
    return Change(
        f"flag/{event.flag}/{event.id}", event.at, flag, event.summary, "flag", event.author or None, evidence
    )
