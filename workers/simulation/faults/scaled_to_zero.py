"""E10: somebody, or something, sets the replicas to zero."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

from workers.simulation.blow import Altered, Blow, workload_thing
from workers.simulation.promql.syntax import duration
from workers.simulation.rollout import scale
from workers.simulation.world import World

FAULT = "scaled_to_zero"
OPTIONS = {"manager": "kubectl", "lasts": ""}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    before = it.replicas(at)
    scale(world, it, at, 0, manager=options["manager"])
    until = inf
    if options["lasts"]:
        until = at + duration(options["lasts"])
        scale(world, it, until, before, manager=options["manager"])
    thing = workload_thing(it)
    return Blow(
        (thing,),
        at,
        Altered("scale", thing, at, (str(thing),)),
        until,
        (f"replicas of {victim} are 0 or message ~ Scaled down replica set {victim}-",),
    )
