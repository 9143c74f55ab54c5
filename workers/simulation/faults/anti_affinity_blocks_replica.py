"""B3: replicas may not share a node, and there are to be more of them than nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Altered, Blow, workload_thing
from workers.simulation.fates import unschedulable
from workers.simulation.rollout import scale
from workers.simulation.world import World

FAULT = "anti_affinity_blocks_replica"
OPTIONS: Mapping[str, Any] = {}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    nodes = len(world.nodes)
    term = {"labelSelector": {"matchLabels": dict(it.selector)}, "topologyKey": "kubernetes.io/hostname"}
    for revision in it.revisions:
        revision.template["spec"]["affinity"] = {
            "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
        }
    scale(world, it, at, nodes, manager="kubectl")
    text = (
        f"0/{nodes} nodes are available: {nodes} node(s) didn't match pod anti-affinity rules. "
        f"preemption: 0/{nodes} nodes are available: {nodes} No preemption victims found for incoming pod."
    )
    scale(world, it, at + 0.4, nodes + 1, fate=unschedulable(text), manager="kubectl")
    thing = workload_thing(it)
    change = Altered("scale", thing, at, (str(thing),))
    return Blow(
        (thing,),
        at + 0.4,
        change,
        evidence=(f"event.reason = FailedScheduling and message ~ anti-affinity and object ~ {victim}-",),
    )
