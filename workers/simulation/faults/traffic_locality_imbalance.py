"""F11: a Service was told to stay local; callers on nodes without one of its pods get no answer.

kubernetes.io/docs/concepts/services-networking/service-traffic-policy: with internalTrafficPolicy Local and no endpoint
on the node, kube-proxy behaves as if there were none for that node, and drops the packets.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

from workers.simulation.blow import Altered, Blow, Thing
from workers.simulation.cluster import Json
from workers.simulation.company import SimulationError
from workers.simulation.world import EdgeEffect, World

FAULT = "traffic_locality_imbalance"
OPTIONS: Mapping[str, Any] = {"manager": "argocd-controller"}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.service(victim)

    def change(spec: Json) -> None:
        spec["internalTrafficPolicy"] = "Local"

    world.change_service(it, at, change, str(options["manager"]), {"f:spec": {"f:internalTrafficPolicy": {}}})
    here = {p.node for p in world.workload(victim).pods if p.deleted == inf and p.is_ready(at)}
    without = [n for n in world.nodes if n not in here]
    if not without:
        raise SimulationError(f"{victim} has a pod on every node")
    for node in without:
        world.edges.append(EdgeEffect("*", victim, "timeout", at + 1.1, node=node))
    thing = Thing("Service", it.namespace, it.name)
    return Blow(
        (thing,),
        at,
        Altered("service", thing, at, (str(thing), f"svc/{it.name}")),
        evidence=(f"internalTrafficPolicy of Service {victim} is Local",),
    )
