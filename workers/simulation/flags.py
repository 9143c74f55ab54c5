"""Feature flags of the world: which were switched, and the webhooks by which the system that keeps them tells.

A flag that a fault switches is told from what the world records of it: the write of its ConfigMap, and the snapshot
that the service logged. The innocent ones were switched hours and days ago.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from workers.domain import FlagEvent
from workers.simulation import clock, dice
from workers.simulation.deliveries import Deliveries
from workers.simulation.world import World

_OBJECT = "feature-flags"
_SNAPSHOT = re.compile(r"^flag snapshot changed: (?P<flag>\S+)=(?P<value>true|false)$")
_INNOCENT = ("express-shipping", "compact-header", "guest-wishlist", "new-empty-state", "async-receipts")


def switched(world: World) -> tuple[FlagEvent, ...]:
    """Oldest first."""
    found = [*_innocent(world), *_recorded(world)]
    return tuple(sorted(found, key=lambda e: (e.at, e.flag)))


def webhook(event: FlagEvent) -> dict[str, Any]:
    """The body in which an event is told to /webhooks/flags/CUSTOMER."""
    before, _, after = event.summary.partition(" -> ")
    return {
        "id": event.id,
        "flag": event.flag,
        "at": clock.seconds(event.at.timestamp()),
        "from": before == "true",
        "to": after == "true",
        "environment": event.environment,
        "services": list(event.services),
        "author": event.author,
    }


def _recorded(world: World) -> list[FlagEvent]:
    found = []
    for (_, name), body in world.objects.get("ConfigMap", {}).items():
        if name != _OBJECT:
            continue
        for entry in body["metadata"].get("managedFields", ()):
            at = entry["time"]
            for note in world.log_notes:
                match = next((m for text in note.texts if (m := _SNAPSHOT.match(text))), None)
                if match and 0 <= note.start - at < 10 and isinstance(at, float):
                    found.append(_event(world, match["flag"], note.workload, at, match["value"] == "true"))
    return found


def _innocent(world: World) -> list[FlagEvent]:
    found = []
    for i, flag in enumerate(_INNOCENT[: 2 + dice.number(world.seed, "flags") % 3]):
        at = world.now - world.between(3.5, 90, "flag switched", i) * 3600
        services = world.company.services
        service = services[dice.number(world.seed, "flag of", i) % len(services)].name
        found.append(_event(world, flag, service, at, world.chance("flag to", i) < 0.7))
    return found


def _event(world: World, flag: str, service: str, at: float, on: bool) -> FlagEvent:
    made = Deliveries(world)
    team = made.team(world.company.service(service))
    return FlagEvent(
        id=dice.hexadecimal(24, world.seed, "flag event", flag, round(at, 3)),
        customer=world.company.name,
        at=datetime.fromtimestamp(round(at, 3), UTC),
        flag=flag,
        summary="false -> true" if on else "true -> false",
        environment=world.company.environment,
        services=(service,),
        author=team[dice.number(world.seed, "switched by", flag) % 3].login,
    )
