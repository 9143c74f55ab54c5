"""B10: the scheduler stands still: new pods stay Pending without any event; its lease is stale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, Thing, next_version
from workers.simulation.fates import unschedulable
from workers.simulation.rollout import roll_out
from workers.simulation.world import World

FAULT = "scheduler_not_running"
OPTIONS: Mapping[str, Any] = {}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    lease = world.objects["Lease"][("kube-system", "kube-scheduler")]
    lease["spec"]["renewTime"] = at
    lease["metadata"]["resourceVersion"] = world.resource_version(at, "kube-scheduler")
    it = world.workload(victim)
    began = at + world.between(40, 110, "release", victim)
    roll_out(world, it, began, lambda template: (next_version(template), None)[1], fate=unschedulable(""))
    names = (
        "Pod kube-system/kube-scheduler",
        "Deployment kube-system/kube-scheduler",
        "cluster_component kube-scheduler",
    )
    thing = Thing("Lease", "kube-system", "kube-scheduler", names)
    return Blow((thing,), at, None, evidence=("lease kube-scheduler",))
