"""C4: a volume for one node is wanted on a second, or a release names a claim that nobody made; its pod waits."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

from workers.simulation.blow import Blow, Thing, next_version, rollout_of, workload_thing
from workers.simulation.cluster import Json, Pod, Stuck, Workload
from workers.simulation.company import SimulationError
from workers.simulation.fates import place, unschedulable
from workers.simulation.rollout import roll_out
from workers.simulation.world import World

FAULT = "volume_cannot_attach"
OPTIONS: Mapping[str, Any] = {"claim": ""}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    if options["claim"]:
        return _absent(world, it, at, str(options["claim"]))
    volumes = [
        v["persistentVolumeClaim"]["claimName"]
        for v in it.revision.template["spec"]["volumes"]
        if "persistentVolumeClaim" in v
    ]
    if not volumes:
        raise SimulationError(f"{victim} has no volume that could be attached twice")
    volume = world.objects["PersistentVolumeClaim"][(it.namespace, volumes[0])]["spec"]["volumeName"]
    users = [p.name for p in it.present(at) if p.deleted == inf]

    def waits(world: World, pod: Pod) -> None:
        started = place(world, pod)
        pod.runs = {c["name"]: [] for c in pod.revision.template["spec"]["containers"]}
        text = f'Multi-Attach error for volume "{volume}" Volume is already used by pod(s) {", ".join(users)}'
        pod.stuck = Stuck("container", "ContainerCreating", text, started)

    revision = roll_out(world, it, at, lambda template: (next_version(template), None)[1], fate=waits)
    return Blow(
        (workload_thing(it),),
        at,
        rollout_of(it, revision),
        evidence=("event.reason = FailedAttachVolume and message ~ Multi-Attach",),
    )


def _absent(world: World, it: Workload, at: float, claim: str) -> Blow:
    """The scheduler's words: pkg/scheduler/framework/plugins/volumebinding (persistentvolumeclaim "x" not found)."""
    nodes = len(world.nodes)

    def edit(template: Json) -> None:
        next_version(template)
        template["spec"]["volumes"].append({"name": "extra", "persistentVolumeClaim": {"claimName": claim}})
        mounts = template["spec"]["containers"][0]["volumeMounts"]
        mounts.append({"name": "extra", "mountPath": f"/var/lib/{it.name}/extra"})

    text = (
        f'0/{nodes} nodes are available: persistentvolumeclaim "{claim}" not found. '
        f"preemption: 0/{nodes} nodes are available: {nodes} Preemption is not helpful for scheduling."
    )
    revision = roll_out(world, it, at, edit, fate=unschedulable(text))
    own = workload_thing(it)
    thing = Thing(own.kind, own.namespace, own.name, (*own.aliases, f"PersistentVolumeClaim {it.namespace}/{claim}"))
    evidence = (f'event.reason = FailedScheduling and message ~ persistentvolumeclaim "{claim}" not found',)
    return Blow((thing,), at, rollout_of(it, revision), evidence=evidence)
