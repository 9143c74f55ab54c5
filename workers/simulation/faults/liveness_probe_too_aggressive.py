"""E6: a release gives a slow start too little time; the container is killed before it has started."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, next_version, rollout_of, workload_thing
from workers.simulation.cluster import Json
from workers.simulation.fates import crash_loop
from workers.simulation.rollout import roll_out
from workers.simulation.world import World

FAULT = "liveness_probe_too_aggressive"
OPTIONS: Mapping[str, Any] = {"period": 2}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)

    def edit(template: Json) -> None:
        next_version(template)
        template["spec"]["containers"][0]["livenessProbe"].update(
            initialDelaySeconds=1, periodSeconds=options["period"], timeoutSeconds=1, failureThreshold=1
        )

    where = f"{{ip}}:{it.part.port}"
    text = f'Get "http://{where}/healthz": dial tcp {where}: connect: connection refused'
    fate = crash_loop(lambda _n: 3.2, exit_code=143, ready=False, message=f"liveness:{text}")
    revision = roll_out(world, it, at, edit, fate=fate)
    onset = min(r.ended for p in it.pods if p.revision is revision for r in p.runs[p.main])
    return Blow(
        (workload_thing(it),),
        onset,
        rollout_of(it, revision),
        evidence=(f"event.reason = Unhealthy and message ~ Liveness and object ~ {victim}-",),
    )
