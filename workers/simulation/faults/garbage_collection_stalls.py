"""K4: a setting of the heap makes a service stop for seconds to collect garbage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, next_version, rollout_of, workload_thing
from workers.simulation.cluster import Json
from workers.simulation.rollout import roll_out
from workers.simulation.world import LogNote, OwnEffect, World

FAULT = "garbage_collection_stalls"
OPTIONS = {"slow": 26}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    python = it.part.language == "python"

    def edit(template: Json) -> None:
        next_version(template)
        setting = {"name": "GC_THRESHOLD", "value": "700000,2,2"} if python else {"name": "GOGC", "value": "4"}
        template["spec"]["containers"][0]["env"].append(setting)

    revision = roll_out(world, it, at, edit)
    onset = min(s for p in it.pods if p.revision is revision for s, _ in p.ready_spans())
    world.own.append(OwnEffect(victim, "slow", onset, factor=float(options["slow"]), revision=revision.number))
    world.own.append(OwnEffect(victim, "cpu", onset, factor=0.35, revision=revision.number))
    world.own.append(OwnEffect(victim, "gc", onset, share=0.47, factor=1.9, revision=revision.number))
    world.log_notes.append(LogNote(victim, onset, world.now, 8, "warning", _trace(python), revision.number, "raw"))
    slow = ("event loop blocked for {ms}ms",) if python else ("slow request: {ms}ms before the first byte",)
    world.log_notes.append(LogNote(victim, onset, world.now, 5, "warning", slow, revision.number))
    return Blow(
        (workload_thing(it),),
        onset,
        rollout_of(it, revision),
        evidence=("log ~ unreachable, 0 uncollectable|ms clock",),
    )


def _trace(python: bool) -> tuple[str, ...]:
    """gc.set_debug(gc.DEBUG_STATS) of CPython (Modules/gcmodule.c), and GODEBUG=gctrace=1 (runtime/extern.go)."""
    if python:
        return (
            "gc: collecting generation 2...\ngc: objects in each generation: {n} 4{n} 17{n}204\n"
            "gc: objects in permanent generation: 0\ngc: done, 2{n} unreachable, 0 uncollectable, 1.{n}s elapsed",
        )
    return (
        "gc 4{n} @{ms}.214s 58%: 0.21+{ms}+0.11 ms clock, 0.43+121{n}/{ms}/0.8+0.22 ms cpu, 226->231->118 MB, "
        "123 MB goal, 0 MB stacks, 0 MB globals, 2 P",
    )
