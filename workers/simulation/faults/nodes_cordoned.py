"""B5: all nodes but a full one were cordoned for maintenance and never returned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Altered, Blow, Thing, next_version, workload_thing
from workers.simulation.fates import unschedulable
from workers.simulation.rollout import roll_out
from workers.simulation.world import World

FAULT = "nodes_cordoned"
OPTIONS: Mapping[str, Any] = {}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    nodes = list(world.nodes.values())
    for i, node in enumerate(nodes):
        node.cordoned = at + 4.1 * i
        # kubectl cordon gives no field manager of its own; the node controller adds its taint right after.
        node.edits.append((node.cordoned, "kubectl", {"f:spec": {"f:unschedulable": {}}}))
        node.edits.append((node.cordoned + 0.1, "kube-controller-manager", {"f:spec": {"f:taints": {}}}))
    began = at + world.between(120, 200, "release", victim)
    text = (
        f"0/{len(nodes)} nodes are available: {len(nodes)} node(s) were unschedulable. "
        f"preemption: 0/{len(nodes)} nodes are available: {len(nodes)} Preemption is not helpful for scheduling."
    )
    roll_out(world, it, began, lambda template: (next_version(template), None)[1], fate=unschedulable(text))
    things = tuple(Thing("Node", "", n.name) for n in nodes)
    thing = workload_thing(it)
    culprit = Thing(thing.kind, thing.namespace, thing.name, (*thing.aliases, *(str(t) for t in things)))
    change = Altered("node", things[0], at, tuple(str(t) for t in things))
    return Blow((culprit,), began, change, evidence=("event.reason = FailedScheduling and message ~ unschedulable",))
