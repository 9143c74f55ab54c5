"""G1: the network path of one workload has become slow; its own work has not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, workload_thing
from workers.simulation.world import EdgeEffect, World

FAULT = "link_latency"
OPTIONS = {"seconds": 1.4, "share": 0.9}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    seconds, share = float(options["seconds"]), float(options["share"])
    world.edges.append(EdgeEffect("*", victim, "slow", at, share=share, slow_seconds=seconds))
    return Blow(
        (workload_thing(world.workload(victim)),),
        at,
        None,
        evidence=(f"metric http_client_request_duration_seconds_sum of {victim} > 3x before",),
    )
