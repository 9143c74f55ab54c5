"""F2: the Service's selector was widened and matches another workload's pods as well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Altered, Blow, Thing
from workers.simulation.cluster import Json
from workers.simulation.world import World

FAULT = "service_selects_foreign_pods"
OPTIONS: Mapping[str, Any] = {"label": "team", "manager": "argocd-controller"}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.service(victim)

    def change(spec: Json) -> None:
        spec["selector"] = {
            str(options["label"]): world.workload(victim).selector.get(str(options["label"]))
            or world.workload(victim).labels[str(options["label"])]
        }

    world.change_service(it, at, change, str(options["manager"]), {"f:spec": {"f:selector": {}}})
    thing = Thing("Service", it.namespace, it.name)
    return Blow(
        (thing,),
        at,
        Altered("service", thing, at, (str(thing), f"svc/{it.name}")),
        evidence=(f"Service {victim} selector {options['label']}=*",),
    )
