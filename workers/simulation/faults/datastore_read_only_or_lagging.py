"""I6: after a failover the database is read-only; reads go on, writes fail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, workload_thing
from workers.simulation.rollout import replace
from workers.simulation.world import EdgeEffect, Gauge, LogNote, World

FAULT = "datastore_read_only_or_lagging"
OPTIONS: Mapping[str, Any] = {}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    pod = it.present(at)[0]
    made = replace(world, pod, at)
    began = next(s for s, _ in made.ready_spans())
    world.edges.append(EdgeEffect("*", victim, "read_only", began, writes_only=True))
    labels = {
        "job": victim,
        "service": victim,
        "namespace": it.namespace,
        "pod": made.name,
        "instance": f"{made.ip}:9187",
    }
    world.gauges.append(Gauge("pg_replication_is_replica", labels, lambda _t: 1.0, began))
    world.log_notes.append(
        LogNote(
            victim,
            began - 3,
            began + 40,
            8,
            "info",
            (
                "entering standby mode",
                "database system is ready to accept read-only connections",
                "started streaming WAL from primary at 3/7A000000 on timeline 4",
            ),
        )
    )
    world.log_notes.append(
        LogNote(
            victim,
            began,
            world.now,
            17,
            "error",
            ("cannot execute INSERT in a read-only transaction", "cannot execute UPDATE in a read-only transaction"),
        )
    )
    return Blow((workload_thing(it),), began, None, evidence=("log ~ read-only transaction",))
