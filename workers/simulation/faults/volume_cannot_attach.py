"""C4: a volume for one node is wanted on a second; the release's pod waits for it for ever."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

from workers.simulation.blow import Blow, next_version, rollout_of, workload_thing
from workers.simulation.cluster import Pod, Stuck
from workers.simulation.company import SimulationError
from workers.simulation.fates import place
from workers.simulation.rollout import roll_out
from workers.simulation.world import World

FAULT = "volume_cannot_attach"
OPTIONS: Mapping[str, Any] = {}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
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
