"""E4: a release burns CPU on every request, with no limit changed and no more traffic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, next_version, rollout_of, workload_thing
from workers.simulation.quantities import amount
from workers.simulation.rollout import roll_out
from workers.simulation.world import LogNote, OwnEffect, World

FAULT = "cpu_hot_loop"
OPTIONS = {"slow": 24}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    revision = roll_out(world, it, at, lambda template: (next_version(template), None)[1])
    onset = min(s for p in it.pods if p.revision is revision for s, _ in p.ready_spans())
    world.own.append(OwnEffect(victim, "slow", onset, factor=float(options["slow"]), revision=revision.number))
    limit = amount(it.revision.template["spec"]["containers"][0]["resources"]["limits"]["cpu"])
    number = revision.number  # one thread spins: near the limit, and hardly ever throttled by it
    world.own.append(OwnEffect(victim, "cpu", onset, factor=limit * 0.955, revision=number))
    world.own.append(OwnEffect(victim, "throttle", onset, share=0.06, revision=number))
    lines = ("slow handler: {ms}ms in rules.match for client {id}", "event loop blocked for {ms}ms")
    world.log_notes.append(LogNote(victim, onset, world.now, 7, "warning", lines, revision.number))
    return Blow(
        (workload_thing(it),),
        onset,
        rollout_of(it, revision),
        evidence=(f"metric container_cpu_usage_seconds_total of {victim} > 2x before",),
    )
