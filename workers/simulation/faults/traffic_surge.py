"""K1: far more requests come than the company can answer; nothing inside has changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, Thing, workload_thing
from workers.simulation.innocent import autoscale
from workers.simulation.world import Surge, World

FAULT = "traffic_surge"
OPTIONS = {"factor": 4.4, "ramp_minutes": 4}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    entry = world.company.entry_to(victim).name
    ramp = float(options["ramp_minutes"]) * 60
    world.surges.append(Surge(at, world.now + 1, float(options["factor"]), entry, ramp))
    for service in world.company.services:
        if service.hpa and at + ramp + 90 < world.now:
            high = service.hpa[1]
            middle = (world.workload(service.name).replicas(at) + high) // 2
            autoscale(world, service.name, at + ramp * 0.5, middle)
            if high > middle:
                autoscale(world, service.name, at + ramp + 45, high)
    thing = workload_thing(world.workload(victim))
    culprit = Thing(
        thing.kind, thing.namespace, thing.name, (*thing.aliases, str(workload_thing(world.workload(entry))))
    )
    rate = "metric http_requests_total"
    return Blow(
        (culprit,),
        at,
        None,
        evidence=(f"{rate} of {victim} > 1.4x before or {rate} of {entry} > 1.4x before",),
    )
