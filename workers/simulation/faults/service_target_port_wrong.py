"""F3: the Service sends to a port on which nobody listens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Altered, Blow, Thing
from workers.simulation.cluster import Json
from workers.simulation.world import World

FAULT = "service_target_port_wrong"
OPTIONS: Mapping[str, Any] = {"port": 9090, "manager": "argocd-controller"}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.service(victim)

    def change(spec: Json) -> None:
        spec["ports"] = [{**spec["ports"][0], "targetPort": int(options["port"])}]

    world.change_service(it, at, change, str(options["manager"]), {"f:spec": {"f:ports": {}}})
    thing = Thing("Service", it.namespace, it.name)
    return Blow(
        (thing,),
        at,
        Altered("service", thing, at, (str(thing), f"svc/{it.name}")),
        evidence=(f"targetPort of Service {victim} is {options['port']}",),
    )
