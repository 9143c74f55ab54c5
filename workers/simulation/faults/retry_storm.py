"""K2: a short trouble made a caller retry, and the retries keep the callee overloaded long after it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, Thing, workload_thing
from workers.simulation.company import Service, SimulationError
from workers.simulation.world import EdgeEffect, LogNote, Surge, World

FAULT = "retry_storm"
OPTIONS = {"caller": "", "trigger_seconds": 100}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    part = world.company.service(victim)
    callers = [s for s in world.company.services if victim in s.dependencies and options["caller"] in ("", s.name)]
    if not callers:
        raise SimulationError(f"nobody calls {victim}")
    usual = _usual_rate(world, part)
    factor = max(4.0, part.capacity * part.replicas * 1.5 / max(0.05, usual))
    world.edges.append(EdgeEffect("*", victim, "timeout", at, at + float(options["trigger_seconds"]), share=0.85))
    for caller in callers:
        world.surges.append(Surge(at + 20, world.now + 1, factor, f"{caller.name}->{victim}"))
        lines = (
            f"retry 3/3 for {victim}: context deadline exceeded",
            f"retry 2/3 for {victim}: 503 Service Unavailable",
            f"retry 1/3 for {victim}: 503 Service Unavailable",
        )
        world.log_notes.append(LogNote(caller.name, at + 5, world.now, 30, "warning", lines))
    thing = workload_thing(world.workload(victim))
    others = tuple(str(workload_thing(world.workload(c.name))) for c in callers)
    return Blow(
        (Thing(thing.kind, thing.namespace, thing.name, (*thing.aliases, *others)),),
        at,
        None,
        evidence=(f"metric http_requests_total of {victim} > 2x before", "log ~ retry 3/3"),
    )


def _usual_rate(world: World, part: Service, depth: int = 0) -> float:
    """Requests a second at the mean of the day."""
    if depth > 8:
        return 0.0
    rate = part.entry_rate
    for caller in world.company.services:
        for route in caller.routes:
            if part.name in route.calls:
                rate += _usual_rate(world, caller, depth + 1) * route.share
    return rate
