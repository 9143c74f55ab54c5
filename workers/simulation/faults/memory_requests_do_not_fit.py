"""B7: a release asks for more memory than any node has left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, next_version, rollout_of, workload_thing
from workers.simulation.cluster import Json
from workers.simulation.fates import unschedulable
from workers.simulation.rollout import roll_out
from workers.simulation.world import World

FAULT = "memory_requests_do_not_fit"
OPTIONS: Mapping[str, Any] = {"request": "14Gi"}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    nodes = len(world.nodes)

    def edit(template: Json) -> None:
        next_version(template)
        resources = template["spec"]["containers"][0]["resources"]
        resources["requests"]["memory"] = str(options["request"])
        resources["limits"]["memory"] = str(options["request"])

    text = f"0/{nodes} nodes are available: {nodes} Insufficient memory. preemption: 0/{nodes} nodes are available: {nodes} No preemption victims found for incoming pod."  # noqa: E501
    revision = roll_out(world, it, at, edit, fate=unschedulable(text))
    return Blow(
        (workload_thing(it),),
        revision.created,
        rollout_of(it, revision),
        evidence=(f"event.reason = FailedScheduling and message ~ Insufficient memory and object ~ {victim}-",),
    )
