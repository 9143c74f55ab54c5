"""I5: a query without an index holds locks; everything that asks this database waits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, workload_thing
from workers.simulation.world import EdgeEffect, Gauge, LogNote, OwnEffect, World

FAULT = "slow_query_or_lock"
OPTIONS = {"table": "orders", "seconds": 1.7, "locked": 0.18}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    table = options["table"]
    world.edges.append(EdgeEffect("*", victim, "slow", at, share=0.8, slow_seconds=float(options["seconds"])))
    world.edges.append(EdgeEffect("*", victim, "lock", at, share=float(options["locked"])))
    world.own.append(OwnEffect(victim, "cpu", at, factor=1.6))
    world.gauges.append(Gauge("pg_locks_count", {"service": victim}, lambda t: 41.0 + int(t // 23) % 13, at))
    world.gauges.append(
        Gauge("pg_stat_activity_max_tx_duration", {"service": victim}, lambda t: 60.0 + (t - at) % 700, at)
    )
    slow = (
        f"duration: {{ms}}.{{n}} ms  execute <unnamed>: SELECT * FROM {table} WHERE lower(reference) = $1 ORDER BY created_at DESC",  # noqa: E501
        "process {n} still waiting for ShareLock on transaction 88{n} after 1000.{n} ms",
        f"process {{n}} acquired RowExclusiveLock on relation {table} after {{ms}}.1 ms",
    )
    world.log_notes.append(LogNote(victim, at, world.now, 19, "warning", slow))
    world.log_notes.append(LogNote(victim, at + 5, world.now, 6, "error", ("canceling statement due to lock timeout",)))
    return Blow(
        (workload_thing(world.workload(victim)),),
        at,
        None,
        evidence=(
            "log ~ still waiting for ShareLock",
            "metric pg_locks_count > 3x before or peak of pg_locks_count > 3x before",
        ),
    )
