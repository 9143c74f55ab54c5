"""F5: the Service object is gone; its pods are well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Altered, Blow, Thing
from workers.simulation.world import World

FAULT = "service_deleted"
OPTIONS: Mapping[str, Any] = {}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.service(victim)
    it.specs.append((at, None))
    thing = Thing("Service", it.namespace, it.name)
    return Blow(
        (thing,),
        at,
        Altered("service", thing, at, (str(thing), f"svc/{it.name}")),
        evidence=(f"services ~ no Service {victim}", f'log ~ no such host|"Name or service not known" and {victim}'),
    )
