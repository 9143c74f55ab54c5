"""C2: a claim asks for more than any prepared volume has; it stays pending, and so does its pod."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, Thing, next_version, rollout_of
from workers.simulation.cluster import Json, Note
from workers.simulation.fates import unschedulable
from workers.simulation.rollout import roll_out
from workers.simulation.world import DAY, World

FAULT = "pvc_matches_no_volume"
OPTIONS = {"gib": 200, "label": "archive"}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    claim, nodes = f"{victim}-archive", len(world.nodes)
    volume = {
        "capacity": {"storage": "100Gi"},
        "accessModes": ["ReadWriteOnce"],
        "persistentVolumeReclaimPolicy": "Retain",
        "storageClassName": "local-disks",
        "volumeMode": "Filesystem",
        "local": {"path": "/mnt/disks/ssd0"},
    }
    world.put(
        "PersistentVolume",
        "",
        f"archive-{victim}-0",
        at - 40 * DAY,
        {"spec": volume, "status": {"phase": "Available"}},
        labels={"tier": options["label"]},
    )
    world.put(
        "StorageClass",
        "",
        "local-disks",
        at - 41 * DAY,
        {"provisioner": "kubernetes.io/no-provisioner", "reclaimPolicy": "Retain", "volumeBindingMode": "Immediate"},
    )
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": f"{options['gib']}Gi"}},
        "selector": {"matchLabels": {"tier": options["label"]}},
        "storageClassName": "local-disks",
        "volumeMode": "Filesystem",
    }
    made = world.put(
        "PersistentVolumeClaim",
        it.namespace,
        claim,
        at - 0.8,
        {"spec": spec, "status": {"phase": "Pending"}},
        finalizers=["kubernetes.io/pvc-protection"],
    )
    count = 1 + int((world.now - at) // 15)
    message = "no persistent volumes available for this claim and no storage class is set"
    world.note(
        Note(
            "PersistentVolumeClaim",
            it.namespace,
            claim,
            made["metadata"]["uid"],
            "FailedBinding",
            message,
            at - 0.6,
            at - 0.6 + 15 * (count - 1),
            count,
            False,
            "persistentvolume-controller",
        )
    )

    def edit(template: Json) -> None:
        next_version(template)
        template["spec"]["volumes"].append({"name": "archive", "persistentVolumeClaim": {"claimName": claim}})
        template["spec"]["containers"][0]["volumeMounts"].append({"name": "archive", "mountPath": "/archive"})

    text = (
        f"0/{nodes} nodes are available: pod has unbound immediate PersistentVolumeClaims. "
        f"preemption: 0/{nodes} nodes are available: {nodes} Preemption is not helpful for scheduling."
    )
    revision = roll_out(world, it, at, edit, fate=unschedulable(text))
    thing = Thing("PersistentVolumeClaim", it.namespace, claim, (f"Deployment {it.namespace}/{victim}",))
    return Blow((thing,), at, rollout_of(it, revision), evidence=(f"{claim} is Pending",))
