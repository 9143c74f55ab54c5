"""E5: a release asks for liveness at a path or a port that does not exist; healthy containers are killed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, next_version, rollout_of, workload_thing
from workers.simulation.cluster import Json
from workers.simulation.fates import crash_loop
from workers.simulation.rollout import roll_out
from workers.simulation.world import World

FAULT = "liveness_probe_misconfigured"
OPTIONS: Mapping[str, Any] = {"path": "/health/live", "port": 0}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)

    def edit(template: Json) -> None:
        next_version(template)
        check = template["spec"]["containers"][0]["livenessProbe"]["httpGet"]
        if options["port"]:
            check["port"] = int(options["port"])
        else:
            check["path"] = options["path"]

    where = f"{{ip}}:{options['port']}"
    text = (
        f'Get "http://{where}/healthz": dial tcp {where}: connect: connection refused'
        if options["port"]
        else "HTTP probe failed with statuscode: 404"
    )
    fate = crash_loop(lambda _n: 42.0, exit_code=143, ready=True, message=f"liveness:{text}")
    revision = roll_out(world, it, at, edit, fate=fate)
    onset = min(r.ended for p in it.pods if p.revision is revision for r in p.runs[p.main])
    return Blow(
        (workload_thing(it),),
        onset,
        rollout_of(it, revision),
        evidence=(f"event.reason = Unhealthy and message ~ Liveness and object ~ {victim}-",),
    )
