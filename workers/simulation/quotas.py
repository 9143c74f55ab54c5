"""A namespace's quota of one resource is lowered below what the next replica needs: scaling up is refused."""

from __future__ import annotations

from collections.abc import Callable

from workers.simulation.blow import Altered, Blow, Thing
from workers.simulation.quantities import amount
from workers.simulation.refusals import pod_prefix, refuse_scaling
from workers.simulation.world import World, managed

NAME = "compute"


def exhaust(
    world: World,
    victim: str,
    at: float,
    more: int,
    resource: str,
    written: Callable[[float], str],
    settled: Callable[[float], float],
) -> Blow:
    """`resource`: cpu or memory; `written`: an amount of it as Kubernetes writes it; `settled`: the limit as a person
    would set it."""
    it, asked = world.workload(victim), f"requests.{resource}"
    request = amount(it.revision.template["spec"]["containers"][0]["resources"]["requests"][resource])
    used = sum(
        amount(c.get("resources", {}).get("requests", {}).get(resource, "0"))
        for w in world.workloads.values()
        if w.namespace == it.namespace
        for p in w.present(at)
        if p.failed > at
        for c in p.revision.template["spec"]["containers"]
    )
    limit = written(settled(used + request * 0.6))
    hard = {"requests.cpu": "40", "requests.memory": "96Gi", "pods": "120", asked: limit}
    edits = [managed("kubectl-edit", at, {"f:spec": {"f:hard": {f"f:{asked}": {}}}})]
    born = world.founded + 86400.0
    world.put("ResourceQuota", it.namespace, NAME, born, {"spec": {"hard": hard}}, managedFields=edits)
    version = world.resource_version(at, NAME)
    world.objects["ResourceQuota"][(it.namespace, NAME)]["metadata"]["resourceVersion"] = version
    scaled_at = at + world.between(70, 130, "scaled", victim)
    message = (
        f'pods "{pod_prefix(it)}" is forbidden: exceeded quota: {NAME}, requested: {asked}={written(request)}, '
        f"used: {asked}={written(used)}, limited: {asked}={limit}"
    )
    refuse_scaling(world, it, scaled_at, it.replicas(at) + more, message)
    quota = Thing("ResourceQuota", it.namespace, NAME)
    namespace = Thing("Namespace", "", it.namespace, (f"ResourceQuota {it.namespace}/{NAME}",))
    change = Altered("quota", quota, at, (str(quota), f"quota/{NAME}"))
    return Blow((namespace,), scaled_at, change, evidence=("event.reason = FailedCreate and message ~ exceeded quota",))
