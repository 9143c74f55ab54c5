"""E3: a release lowers the CPU limit; the container is throttled and everything it does becomes slow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, next_version, rollout_of, workload_thing
from workers.simulation.cluster import Json
from workers.simulation.rollout import roll_out
from workers.simulation.templates import set_limit
from workers.simulation.world import OwnEffect, World

FAULT = "cpu_throttled_by_limit"
OPTIONS = {"limit": "40m", "slow": 38, "throttled": 0.83}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)

    def edit(template: Json) -> None:
        next_version(template)
        set_limit(template, "cpu", options["limit"])

    revision = roll_out(world, it, at, edit)
    onset = min(s for p in it.pods if p.revision is revision for s, _ in p.ready_spans())
    number = revision.number
    world.own.append(OwnEffect(victim, "slow", onset, factor=float(options["slow"]), revision=number))
    world.own.append(OwnEffect(victim, "throttle", onset, share=float(options["throttled"]), revision=number))
    world.own.append(OwnEffect(victim, "cpu", onset, factor=10.0, revision=number))
    return Blow(
        (workload_thing(it),),
        onset,
        rollout_of(it, revision),
        evidence=(
            f"metric container_cpu_cfs_throttled_periods_total of {victim} > 25%",
            f"limits.cpu of {victim} = {options['limit']}",
        ),
    )
