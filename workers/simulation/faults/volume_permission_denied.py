"""C5: a release runs as another user, who may not write the service's directory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, next_version, rollout_of, workload_thing
from workers.simulation.cluster import Json
from workers.simulation.fates import crash_loop
from workers.simulation.rollout import roll_out
from workers.simulation.world import World

FAULT = "volume_permission_denied"
OPTIONS: Mapping[str, Any] = {"user": 65532}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    python = it.part.language == "python"

    def edit(template: Json) -> None:
        next_version(template)
        template["spec"]["containers"][0]["securityContext"]["runAsUser"] = int(options["user"])

    message = (
        f"Traceback (most recent call last):\n  File \"/app/{victim}/main.py\", line 44, in <module>\n    open(path, 'ab')\nPermissionError: [Errno 13] Permission denied: '/var/lib/{victim}/journal.log'"  # noqa: E501
        if python
        else f"open /var/lib/{victim}/journal.log: permission denied"
    )
    fate = crash_loop(lambda _n: 1.9, exit_code=1, reason="Error", message=message)
    revision = roll_out(world, it, at, edit, fate=fate)
    onset = min(r.ended for p in it.pods if p.revision is revision for r in p.runs[p.main])
    return Blow((workload_thing(it),), onset, rollout_of(it, revision), evidence=("log ~ ermission denied",))
