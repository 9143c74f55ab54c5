"""I9: a third party answers with 503 or limits us; nothing inside has changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, Thing
from workers.simulation.company import External, SimulationError
from workers.simulation.world import EdgeEffect, World

FAULT = "external_dependency_failing"
OPTIONS = {"kind": "http_503", "share": 0.71}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    part = world.company.parts[victim]
    if not isinstance(part, External):
        raise SimulationError(f"{victim} is no external system")
    world.edges.append(EdgeEffect("*", victim, options["kind"], at, share=float(options["share"])))
    return Blow(
        (Thing("external", "", part.host, (f"external {victim}", part.host)),),
        at,
        None,
        evidence=(f"log ~ 503|429|timed out|timeout and log ~ {part.host}",),
    )
