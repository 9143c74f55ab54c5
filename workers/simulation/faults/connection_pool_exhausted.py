"""I4: a service was scaled out, and its pools together ask for more connections than the database has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Altered, Blow, Thing, workload_thing
from workers.simulation.company import SimulationError, Store
from workers.simulation.rollout import scale
from workers.simulation.world import EdgeEffect, Gauge, LogNote, World

FAULT = "connection_pool_exhausted"
OPTIONS = {"service": "", "replicas": 9, "share": 0.38}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    store = world.company.parts[victim]
    if not isinstance(store, Store):
        raise SimulationError(f"{victim} is no data store")
    users = [s.name for s in world.company.services if victim in s.dependencies]
    grown = world.workload(options["service"] or users[0])
    scale(world, grown, at, int(options["replicas"]), manager="kubectl")
    began, top = at + world.between(35, 60, "pool"), float(store.max_connections)
    # Some are at work, and three are kept for superusers: what fills it is idle, in the pools.
    idle = {"service": victim, "state": "idle"}
    world.gauges.append(Gauge("pg_stat_activity_count", idle, lambda t: top - 3 - (int(t // 17) % 2), began))
    world.edges.append(EdgeEffect("*", victim, "pool", began, share=float(options["share"])))
    texts = (
        "sorry, too many clients already",
        "remaining connection slots are reserved for roles with the SUPERUSER attribute",
    )
    world.log_notes.append(LogNote(victim, began, world.now, 26, "fatal", texts))
    it = world.workload(victim)
    thing = workload_thing(it)
    other = workload_thing(grown)
    culprit = Thing(thing.kind, thing.namespace, thing.name, (*thing.aliases, str(other)))
    return Blow(
        (culprit,),
        began,
        Altered("scale", other, at, (str(other),)),
        evidence=("log ~ too many clients already", "metric pg_stat_activity_count >= 95%"),
    )
