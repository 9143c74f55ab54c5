"""F4: the Service speaks UDP where its pods speak TCP; callers wait in vain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Altered, Blow, Thing
from workers.simulation.cluster import Json
from workers.simulation.world import World

FAULT = "service_transport_wrong"
OPTIONS: Mapping[str, Any] = {"manager": "argocd-controller"}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.service(victim)

    def change(spec: Json) -> None:
        spec["ports"] = [{**spec["ports"][0], "protocol": "UDP"}]

    world.change_service(it, at, change, str(options["manager"]), {"f:spec": {"f:ports": {}}})
    thing = Thing("Service", it.namespace, it.name)
    return Blow(
        (thing,),
        at,
        Altered("service", thing, at, (str(thing), f"svc/{it.name}")),
        evidence=(f"{victim} UDP",),
    )
