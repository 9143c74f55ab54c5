"""A3: the namespace may have no more pods; when more replicas are asked for, none can be created."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

from workers.simulation.blow import Altered, Blow, Thing
from workers.simulation.refusals import pod_prefix, refuse_scaling
from workers.simulation.world import World, managed

FAULT = "pod_count_quota_exhausted"
OPTIONS = {"more": 2}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    count = sum(
        1 for w in world.workloads.values() if w.namespace == it.namespace for p in w.present(at) if p.failed == inf
    )
    edits = [managed("kubectl-edit", at, {"f:spec": {"f:hard": {"f:pods": {}}}})]
    world.put(
        "ResourceQuota",
        it.namespace,
        "objects",
        world.founded + 86400.0,
        {"spec": {"hard": {"pods": str(count), "services": "60"}}},
        managedFields=edits,
    )
    world.objects["ResourceQuota"][(it.namespace, "objects")]["metadata"]["resourceVersion"] = world.resource_version(
        at, "objects"
    )
    scaled_at = at + world.between(70, 130, "scaled", victim)
    message = f'pods "{pod_prefix(it)}" is forbidden: exceeded quota: objects, requested: pods=1, used: pods={count}, limited: pods={count}'  # noqa: E501
    refuse_scaling(world, it, scaled_at, it.replicas(at) + int(options["more"]), message)
    quota = Thing("ResourceQuota", it.namespace, "objects")
    thing = Thing("Namespace", "", it.namespace, (str(quota),))
    return Blow(
        (thing,),
        scaled_at,
        Altered("quota", quota, at, (str(quota),)),
        evidence=("event.reason = FailedCreate and message ~ limited: pods",),
    )
