"""J5: a release answers wrongly without an error; only the business notices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, next_version, rollout_of, workload_thing
from workers.simulation.rollout import roll_out
from workers.simulation.world import OwnEffect, World

FAULT = "silent_wrong_result"
OPTIONS = {"left": 0.31}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    revision = roll_out(world, it, at, lambda template: (next_version(template), None)[1])
    onset = min(s for p in it.pods if p.revision is revision for s, _ in p.ready_spans())
    world.business_drops.append((onset, float(options["left"])))
    world.own.append(OwnEffect(victim, "wrong", onset, revision=revision.number))
    return Blow(
        (workload_thing(it),),
        onset,
        rollout_of(it, revision),
        evidence=("metric shop_orders_placed_total < 0.9x before",),
    )
