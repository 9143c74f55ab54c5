"""I7: the cache is full and refuses writes; hits fall, its users fail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, workload_thing
from workers.simulation.world import EdgeEffect, Gauge, LogNote, World

FAULT = "cache_unavailable"
OPTIONS = {"share": 0.56}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    top, level, began = it.part.uses_mib * 1.6 * 2**20, it.part.uses_mib * 0.86 * 2**20, at - 5400
    world.gauges.append(
        Gauge(
            "redis_memory_used_bytes",
            {"service": victim},
            lambda t: float(int(min(top * 1.0004, level + (top - level) * (t - began) / 5400))),
            began,
        )
    )
    world.edges.append(EdgeEffect("*", victim, "oom", at, share=float(options["share"])))
    users = [s.name for s in world.company.services if victim in s.dependencies]
    peer = next((p.ip for n in users for p in world.workload(n).pods if p.ip and p.exists(at)), "")
    texts = (
        "# WARNING: maxmemory reached, policy is noeviction: write commands are refused",
        f"# Client id={{n}} addr={peer}:4{{n}} sent a command that was refused: OOM command not allowed when used memory > 'maxmemory'.",  # noqa: E501
    )
    world.log_notes.append(LogNote(victim, at, world.now, 8, "warning", texts))
    return Blow(
        (workload_thing(it),),
        at,
        None,
        evidence=("log ~ OOM command not allowed", "metric redis_memory_used_bytes >= 95%"),
    )
