"""E7: a release asks for readiness at a path or port that does not exist; its pods run and never get traffic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, next_version, rollout_of, workload_thing
from workers.simulation.cluster import Json
from workers.simulation.fates import never_ready
from workers.simulation.rollout import roll_out
from workers.simulation.world import World

FAULT = "readiness_probe_misconfigured"
OPTIONS = {"path": "/health/ready", "port": 0, "recreate": False}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    if options["recreate"]:
        it.strategy = {"type": "Recreate"}

    def edit(template: Json) -> None:
        next_version(template)
        check = template["spec"]["containers"][0]["readinessProbe"]["httpGet"]
        if options["port"]:
            check["port"] = int(str(options["port"]))
        else:
            check["path"] = options["path"]

    revision = roll_out(world, it, at, edit, fate=never_ready)
    return Blow(
        (workload_thing(it),),
        at,
        rollout_of(it, revision),
        evidence=(f"event.reason = Unhealthy and message ~ Readiness and object ~ {victim}-",),
    )
