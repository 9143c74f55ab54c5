"""E2: since a release hours ago memory grows until the kernel ends the container, again and again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, next_version, rollout_of, workload_thing
from workers.simulation.cluster import Memory, Pod
from workers.simulation.fates import crash_loop, memory_limit
from workers.simulation.rollout import roll_out
from workers.simulation.world import World

FAULT = "memory_leak"
OPTIONS = {"minutes": 95}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)

    def leak(world: World, pod: Pod) -> None:
        limit, level = memory_limit(pod), it.part.uses_mib * 2**20
        seconds = float(options["minutes"]) * 60
        pod.memory = Memory(level, slope=(limit - level) / seconds, cap=limit)
        crash_loop(lambda _n: seconds, exit_code=137, reason="OOMKilled", ready=True)(world, pod)

    revision = roll_out(world, it, at, lambda template: (next_version(template), None)[1], fate=leak)
    return Blow(
        (workload_thing(it),),
        at,
        rollout_of(it, revision),
        evidence=(
            f"metric container_memory_working_set_bytes of {victim} > 1.1x before",
            f"lastState.reason = OOMKilled and pod ~ {victim}-*",
        ),
    )
