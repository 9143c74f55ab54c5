"""B1: a release selects nodes by a label that none has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, next_version, rollout_of, workload_thing
from workers.simulation.cluster import Json
from workers.simulation.fates import unschedulable
from workers.simulation.rollout import roll_out
from workers.simulation.world import World

FAULT = "node_selector_unmatched"
OPTIONS: Mapping[str, Any] = {"label": "node.kubernetes.io/pool", "value": "general-arm"}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    nodes = len(world.nodes)

    def edit(template: Json) -> None:
        next_version(template)
        template["spec"]["nodeSelector"] = {str(options["label"]): str(options["value"])}

    text = f"0/{nodes} nodes are available: {nodes} node(s) didn't match Pod's node affinity/selector. preemption: 0/{nodes} nodes are available: {nodes} Preemption is not helpful for scheduling."  # noqa: E501
    revision = roll_out(world, it, at, edit, fate=unschedulable(text))
    return Blow(
        (workload_thing(it),),
        revision.created,
        rollout_of(it, revision),
        evidence=(f"event.reason = FailedScheduling and message ~ selector and object ~ {victim}-",),
    )
