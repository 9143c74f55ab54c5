"""C1: a release claims a volume of a storage class that does not exist."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, Thing, next_version, rollout_of
from workers.simulation.cluster import Json, Note
from workers.simulation.fates import unschedulable
from workers.simulation.rollout import roll_out
from workers.simulation.world import World

FAULT = "storage_class_missing"
OPTIONS = {"class": "gp3-encrypted", "gib": 20}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    claim = f"{victim}-data"

    def edit(template: Json) -> None:
        next_version(template)
        template["spec"]["volumes"].append({"name": "data", "persistentVolumeClaim": {"claimName": claim}})
        template["spec"]["containers"][0]["volumeMounts"].append({"name": "data", "mountPath": f"/var/lib/{victim}"})

    spec = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": f"{options['gib']}Gi"}},
        "storageClassName": options["class"],
        "volumeMode": "Filesystem",
    }
    made = world.put(
        "PersistentVolumeClaim",
        it.namespace,
        claim,
        at - 0.8,
        {"spec": spec, "status": {"phase": "Pending"}},
        labels=dict(it.selector),
        finalizers=["kubernetes.io/pvc-protection"],
    )
    count = 1 + int((world.now - at) // 15)
    message = f'storageclass.storage.k8s.io "{options["class"]}" not found'
    world.note(
        Note(
            "PersistentVolumeClaim",
            it.namespace,
            claim,
            made["metadata"]["uid"],
            "ProvisioningFailed",
            message,
            at - 0.6,
            at - 0.6 + 15 * (count - 1),
            count,
            True,
            "persistentvolume-controller",
        )
    )
    nodes = len(world.nodes)
    text = f"0/{nodes} nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/{nodes} nodes are available: {nodes} Preemption is not helpful for scheduling."  # noqa: E501
    revision = roll_out(world, it, at, edit, fate=unschedulable(text))
    thing = Thing("PersistentVolumeClaim", it.namespace, claim, (f"Deployment {it.namespace}/{victim}",))
    return Blow((thing,), at, rollout_of(it, revision), evidence=("event.reason = ProvisioningFailed",))
