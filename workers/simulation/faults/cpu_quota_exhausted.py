"""A1: the namespace's CPU quota is lowered; when more replicas are asked for, none can be created."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation import quotas
from workers.simulation.blow import Blow
from workers.simulation.quantities import cores
from workers.simulation.world import World

FAULT = "cpu_quota_exhausted"
OPTIONS = {"more": 2}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    more = int(options["more"])
    return quotas.exhaust(world, victim, at, more, "cpu", lambda n: cores(round(n, 3)), lambda n: round(n, 2))
