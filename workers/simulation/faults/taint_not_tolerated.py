"""B4: every node gets a taint that the workload does not tolerate; its next pods find no place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Altered, Blow, Thing, next_version, workload_thing
from workers.simulation.fates import unschedulable
from workers.simulation.rollout import roll_out
from workers.simulation.world import World

FAULT = "taint_not_tolerated"
OPTIONS = {"key": "dedicated", "value": "batch"}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    nodes = list(world.nodes.values())
    for i, node in enumerate(nodes):
        node.taints.append({"key": options["key"], "value": options["value"], "effect": "NoSchedule"})
        node.edits.append((at + 0.4 * i, "kubectl-taint", {"f:spec": {"f:taints": {}}}))
        node.labels[f"node-pool.{world.company.domain}/role"] = options["value"] if i % 2 else "mixed"
    began = at + world.between(60, 140, "release", victim)
    text = (
        f"0/{len(nodes)} nodes are available: {len(nodes)} node(s) had untolerated taint {{{options['key']}: {options['value']}}}. "  # noqa: E501
        f"preemption: 0/{len(nodes)} nodes are available: {len(nodes)} Preemption is not helpful for scheduling."
    )
    roll_out(world, it, began, lambda template: (next_version(template), None)[1], fate=unschedulable(text))
    things = tuple(Thing("Node", "", n.name) for n in nodes)
    change = Altered("node", things[0], at, tuple(str(t) for t in things))
    return Blow(
        (workload_thing(it),),
        began,
        change,
        evidence=(f"event.reason = FailedScheduling and message ~ untolerated taint and object ~ {victim}-",),
    )
