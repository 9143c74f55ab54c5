"""E1: a release lowers the memory limit below what the service usually needs; the kernel ends it again and again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, next_version, rollout_of, workload_thing
from workers.simulation.cluster import Json
from workers.simulation.fates import out_of_memory
from workers.simulation.quantities import mebibytes
from workers.simulation.rollout import roll_out
from workers.simulation.templates import set_limit
from workers.simulation.world import World

FAULT = "memory_limit_too_low"
OPTIONS = {"limit": ""}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    limit = options["limit"] or mebibytes(int(it.part.uses_mib * 0.42 / 32 + 1) * 32 * 2**20)

    def edit(template: Json) -> None:
        next_version(template)
        set_limit(template, "memory", limit)

    revision = roll_out(
        world,
        it,
        at,
        edit,
        fate=out_of_memory,
        fields={
            "f:spec": {
                "f:template": {
                    "f:spec": {
                        "f:containers": {
                            f'k:{{"name":"{victim}"}}': {"f:image": {}, "f:resources": {"f:limits": {"f:memory": {}}}}
                        }
                    }
                }
            }
        },
    )
    onset = min(r.ended for p in it.pods if p.revision is revision for r in p.runs[p.main])
    return Blow(
        (workload_thing(it),),
        onset,
        rollout_of(it, revision),
        evidence=(f"pod ~ {victim}-* and lastState.reason = OOMKilled", f"limits.memory of {victim} = {limit}"),
    )
