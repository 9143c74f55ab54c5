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
        setting = {"name": "PYTHONGCTHRESHOLD", "value": "100000000"} if python else {"name": "GOGC", "value": "4"}
        template["spec"]["containers"][0]["env"].append(setting)

    revision = roll_out(world, it, at, edit)
    onset = min(s for p in it.pods if p.revision is revision for s, _ in p.ready_spans())
    world.own.append(OwnEffect(victim, "slow", onset, factor=float(options["slow"]), revision=revision.number))
    world.own.append(OwnEffect(victim, "cpu", onset, factor=0.35, revision=revision.number))
    lines = (
        ("gc: generation 2 collected {n}000 objects in {ms}ms, world stopped", "event loop blocked for {ms}ms")
        if python
        else ("gc {n} @{n}.21s 61%: 0.2+{ms}+0.1 ms clock, assist 2210 ms", "gc pause {ms}ms")
    )
    world.log_notes.append(LogNote(victim, onset, world.now, 11, "warning", lines, revision.number))
    return Blow((workload_thing(it),), onset, rollout_of(it, revision), evidence=("log ~ gc",))
