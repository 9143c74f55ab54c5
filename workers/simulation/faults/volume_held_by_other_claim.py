"""C3: a workload's claim was deleted and made anew; the volume with its data is still reserved for the old one.

The volume keeps the uid of the deleted claim in spec.claimRef and is Released
(kubernetes.io/docs/concepts/storage/persistent-volumes/#reclaiming, Retain). A claim that names it gets the event
FailedBinding "volume ... already bound to a different claim." (pv_controller.go of the persistentvolume controller).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, Thing, next_version, rollout_of
from workers.simulation.cluster import Json, Note
from workers.simulation.fates import unschedulable
from workers.simulation.rollout import roll_out
from workers.simulation.world import DAY, World

FAULT = "volume_held_by_other_claim"
OPTIONS: Mapping[str, Any] = {"claim": "", "gib": 50}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it, nodes = world.workload(victim), len(world.nodes)
    claim = str(options["claim"] or f"{victim}-state")
    storage, provisioner = world.company.nodes.storage
    volume, born = f"pvc-{world.uid('held', victim)}", world.founded + 77 * DAY
    size = {"storage": f"{options['gib']}Gi"}
    world.put(
        "PersistentVolume",
        "",
        volume,
        born,
        {
            "spec": {
                "capacity": size,
                "accessModes": ["ReadWriteOnce"],
                "claimRef": {
                    "kind": "PersistentVolumeClaim",
                    "apiVersion": "v1",
                    "namespace": it.namespace,
                    "name": claim,
                    "uid": world.uid("old claim", victim),
                },
                "persistentVolumeReclaimPolicy": "Retain",
                "storageClassName": storage,
                "volumeMode": "Filesystem",
                "csi": {"driver": provisioner, "volumeHandle": f"{volume}-handle", "fsType": "ext4"},
            },
            "status": {"phase": "Released"},
        },
        finalizers=["kubernetes.io/pv-protection"],
    )
    made = world.put(
        "PersistentVolumeClaim",
        it.namespace,
        claim,
        at - 0.9,
        {
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": size},
                "storageClassName": storage,
                "volumeMode": "Filesystem",
                "volumeName": volume,
            },
            "status": {"phase": "Pending"},
        },
        labels=dict(it.selector),
        finalizers=["kubernetes.io/pvc-protection"],
    )
    count = 1 + int((world.now - at) // 15)
    text = f'volume "{volume}" already bound to a different claim.'
    note = Note(
        "PersistentVolumeClaim", it.namespace, claim, made["metadata"]["uid"], "FailedBinding", text, at - 0.7, 0
    )
    last = at - 0.7 + 15 * (count - 1)
    world.note(
        Note(
            **{
                **note.__dict__,
                "last": last,
                "count": count,
                "warning": True,
                "component": "persistentvolume-controller",
            }
        )
    )

    def edit(template: Json) -> None:
        next_version(template)
        template["spec"]["volumes"].append({"name": "state", "persistentVolumeClaim": {"claimName": claim}})
        mounts = template["spec"]["containers"][0]["volumeMounts"]
        mounts.append({"name": "state", "mountPath": f"/var/lib/{victim}/state"})

    waits = (
        f"0/{nodes} nodes are available: pod has unbound immediate PersistentVolumeClaims. "
        f"preemption: 0/{nodes} nodes are available: {nodes} Preemption is not helpful for scheduling."
    )
    revision = roll_out(world, it, at, edit, fate=unschedulable(waits))
    names = (f"PersistentVolume {volume}", f"Deployment {it.namespace}/{victim}")
    thing = Thing("PersistentVolumeClaim", it.namespace, claim, names)
    return Blow(
        (thing,),
        at,
        rollout_of(it, revision),
        evidence=("event.reason = FailedBinding and message ~ already bound to a different claim",),
    )
