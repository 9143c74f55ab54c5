"""A2: the namespace's memory quota is lowered; when more replicas are asked for, none can be created."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Altered, Blow, Thing
from workers.simulation.quantities import amount, mebibytes
from workers.simulation.refusals import pod_prefix, refuse_scaling
from workers.simulation.world import World, managed

FAULT = "memory_quota_exhausted"
OPTIONS = {"more": 2}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    request = amount(it.revision.template["spec"]["containers"][0]["resources"]["requests"]["memory"])
    used = sum(
        amount(c.get("resources", {}).get("requests", {}).get("memory", "0"))
        for w in world.workloads.values()
        if w.namespace == it.namespace
        for p in w.present(at)
        if p.failed > at
        for c in p.revision.template["spec"]["containers"]
    )
    hard = used + request * 0.6
    name, thing = "compute", Thing("Namespace", it.namespace, it.namespace, (f"ResourceQuota {it.namespace}/compute",))
    thing = Thing("Namespace", "", it.namespace, (f"ResourceQuota {it.namespace}/compute",))
    before = {"requests.cpu": "40", "requests.memory": "96Gi", "pods": "120"}
    before["requests.memory"] = mebibytes(int(hard / 2**20) * 2**20)
    edits = [managed("kubectl-edit", at, {"f:spec": {"f:hard": {"f:requests.memory": {}}}})]
    world.put(
        "ResourceQuota", it.namespace, name, world.founded + 86400.0, {"spec": {"hard": before}}, managedFields=edits
    )
    world.objects["ResourceQuota"][(it.namespace, name)]["metadata"]["resourceVersion"] = world.resource_version(
        at, name
    )
    scaled_at = at + world.between(70, 130, "scaled", victim)
    message = (
        f'pods "{pod_prefix(it)}" is forbidden: exceeded quota: {name}, requested: requests.memory={mebibytes(request)}, '  # noqa: E501
        f"used: requests.memory={mebibytes(used)}, limited: requests.memory={before['requests.memory']}"
    )
    refuse_scaling(world, it, scaled_at, it.replicas(at) + int(options["more"]), message)
    quota = Thing("ResourceQuota", it.namespace, name)
    change = Altered("quota", quota, at, (str(quota), f"quota/{name}"))
    return Blow((thing,), scaled_at, change, evidence=("event.reason = FailedCreate and message ~ exceeded quota",))
