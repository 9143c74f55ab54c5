"""D9: a release needs a migration or module that is not there; it ends while it starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, next_version, rollout_of, workload_thing
from workers.simulation.fates import crash_loop
from workers.simulation.rollout import roll_out
from workers.simulation.world import World

FAULT = "boot_dependency_missing"
OPTIONS = {"error": ""}

_PYTHON = 'Traceback (most recent call last):\n  File "/app/{pkg}/main.py", line 31, in <module>\n    from {pkg}.schema import verify\n  File "/app/{pkg}/schema.py", line 22, in verify\n    connection.execute(PROBE)\n{error}'  # noqa: E501
_GO = "panic: {error}\n\ngoroutine 1 [running]:\nmain.mustMigrate(...)\n\t/src/cmd/main.go:57 +0x2e5\nmain.main()\n\t/src/cmd/main.go:33 +0x1b"  # noqa: E501


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    python = it.part.language == "python"
    error = options["error"] or (
        'psycopg.errors.UndefinedTable: relation "reservation_slots" does not exist'
        if python
        else 'ERROR: relation "reservation_slots" does not exist (SQLSTATE 42P01)'
    )
    message = (_PYTHON if python else _GO).format(pkg=victim, error=error)
    fate = crash_loop(lambda _n: 2.6, exit_code=1 if python else 2, message=message)
    revision = roll_out(world, it, at, lambda template: (next_version(template), None)[1], fate=fate)
    onset = min(r.ended for p in it.pods if p.revision is revision for r in p.runs[p.main])
    return Blow(
        (workload_thing(it),),
        onset,
        rollout_of(it, revision),
        evidence=(f"state.waiting.reason = CrashLoopBackOff and pod ~ {victim}-*", f"log ~ {error[:40]}"),
    )
