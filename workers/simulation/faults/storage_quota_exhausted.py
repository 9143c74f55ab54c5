"""A5: a StatefulSet is to have one more replica, and the namespace's quota on storage refuses its claim.

Events as the StatefulSet controller words them (pkg/controller/statefulset/stateful_pod_control.go: recordClaimEvent,
recordPodEvent).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Altered, Blow, Thing, workload_thing
from workers.simulation.cluster import Note
from workers.simulation.company import SimulationError, Store
from workers.simulation.quantities import amount, mebibytes
from workers.simulation.world import DAY, World

FAULT = "storage_quota_exhausted"
OPTIONS: Mapping[str, Any] = {}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    part = it.part
    if it.kind != "StatefulSet" or not isinstance(part, Store):
        raise SimulationError(f"{victim} is no StatefulSet with claims")
    claims = [c for (space, _), c in world.objects["PersistentVolumeClaim"].items() if space == it.namespace]
    used = sum(amount(c["spec"]["resources"]["requests"]["storage"]) for c in claims)
    hard = mebibytes(used + int(part.disk_gib * 0.4) * 2**30)
    world.put(
        "ResourceQuota",
        it.namespace,
        "storage",
        world.founded + 51 * DAY,
        {"spec": {"hard": {"requests.storage": hard}}},
    )
    count = it.replicas(at)
    it.scale.append((at, count + 1))
    it.edits.append((at, "kubectl", {"f:spec": {"f:replicas": {}}}))
    pod, claim = f"{victim}-{count}", f"data-{victim}-{count}"
    refused = (
        f'persistentvolumeclaims "{claim}" is forbidden: exceeded quota: storage, requested: '
        f"requests.storage={part.disk_gib}Gi, used: requests.storage={mebibytes(used)}, "
        f"limited: requests.storage={hard}"
    )
    texts = (
        f"create Claim {claim} for Pod {pod} in StatefulSet {victim} failed error: {refused}",
        f"create Pod {pod} in StatefulSet {victim} failed error: failed to create PVC {claim}: {refused}",
    )
    tries, pause, last = 1, 0.4, at + 0.3
    while last + pause < world.now:
        last, pause, tries = last + pause, min(pause * 2, 300.0), tries + 1
    for i, text in enumerate(texts):
        world.note(
            Note(
                "StatefulSet",
                it.namespace,
                victim,
                it.uid,
                "FailedCreate",
                text,
                at + 0.3 + 0.01 * i,
                last,
                tries,
                True,
                "statefulset-controller",
                api_version="apps/v1",
            )
        )
    quota = f"ResourceQuota {it.namespace}/storage"
    thing = Thing("Namespace", "", it.namespace, (quota, f"PersistentVolumeClaim {it.namespace}/{claim}"))
    scaled = workload_thing(it)
    return Blow(
        (thing,),
        at + 0.3,
        Altered("scale", scaled, at, (str(scaled),)),
        evidence=("event.reason = FailedCreate and message ~ limited: requests.storage",),
    )
