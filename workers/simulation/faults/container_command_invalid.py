"""D6: a release starts a program that is not in its image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, next_version, rollout_of, workload_thing
from workers.simulation.cluster import Json
from workers.simulation.fates import crash_loop
from workers.simulation.rollout import roll_out
from workers.simulation.world import World

FAULT = "container_command_invalid"
OPTIONS: Mapping[str, Any] = {"command": "/app/entrypoint.sh"}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)

    def edit(template: Json) -> None:
        next_version(template)
        template["spec"]["containers"][0]["command"] = [str(options["command"])]

    message = f'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "{options["command"]}": stat {options["command"]}: no such file or directory: unknown'  # noqa: E501
    fate = crash_loop(lambda _n: 0.2, exit_code=128, reason="StartError", message=message)
    revision = roll_out(world, it, at, edit, fate=fate)
    onset = min(r.ended for p in it.pods if p.revision is revision for r in p.runs[p.main])
    return Blow(
        (workload_thing(it),),
        onset,
        rollout_of(it, revision),
        evidence=(f"lastState.reason = StartError and pod ~ {victim}-*",),
    )
