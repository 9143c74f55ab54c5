"""D4: a release was built for another CPU; the kernel cannot run it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, next_version, rollout_of, workload_thing
from workers.simulation.cluster import Json
from workers.simulation.fates import crash_loop
from workers.simulation.rollout import roll_out
from workers.simulation.world import World

FAULT = "image_wrong_architecture"
OPTIONS: Mapping[str, Any] = {}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    python = it.part.language == "python"

    def edit(template: Json) -> None:
        next_version(template)

    message = f"exec /usr/local/bin/{'python' if python else victim}: exec format error"
    fate = crash_loop(lambda _n: 0.3, exit_code=255, reason="Error", message=message)
    revision = roll_out(world, it, at, edit, fate=fate)
    onset = min(r.ended for p in it.pods if p.revision is revision for r in p.runs[p.main])
    return Blow((workload_thing(it),), onset, rollout_of(it, revision), evidence=("log ~ exec format error",))
