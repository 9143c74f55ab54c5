"""E12: a release may neither add a pod (no room) nor take one away (strategy); it stands still."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, next_version, rollout_of, workload_thing
from workers.simulation.fates import unschedulable
from workers.simulation.rollout import roll_out
from workers.simulation.world import DAY, World

FAULT = "rollout_deadlocked"
OPTIONS: Mapping[str, Any] = {}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it, nodes = world.workload(victim), len(world.nodes)
    it.strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    selector = {"matchLabels": dict(it.selector)}
    world.put(
        "PodDisruptionBudget",
        it.namespace,
        victim,
        world.founded + 50 * DAY,
        {
            "spec": {"minAvailable": "100%", "selector": selector},
            "status": {
                "currentHealthy": it.replicas(at),
                "desiredHealthy": it.replicas(at),
                "disruptionsAllowed": 0,
                "expectedPods": it.replicas(at),
            },
        },
    )
    term = {"labelSelector": selector, "topologyKey": "topology.kubernetes.io/zone"}
    for revision in it.revisions:
        revision.template["spec"]["affinity"] = {
            "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
        }
    text = (
        f"0/{nodes} nodes are available: {nodes} node(s) didn't match pod anti-affinity rules. "
        f"preemption: 0/{nodes} nodes are available: {nodes} No preemption victims found for incoming pod."
    )
    made = roll_out(world, it, at, lambda template: (next_version(template), None)[1], fate=unschedulable(text))
    return Blow(
        (workload_thing(it),),
        at,
        rollout_of(it, made),
        evidence=(
            f"condition Progressing of {victim} is False",
            f"event.reason = FailedScheduling and object ~ {victim}-",
        ),
    )
