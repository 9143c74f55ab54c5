"""A2: the namespace's memory quota is lowered; when more replicas are asked for, none can be created."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation import quotas
from workers.simulation.blow import Blow
from workers.simulation.quantities import mebibytes
from workers.simulation.world import World

FAULT = "memory_quota_exhausted"
OPTIONS = {"more": 2}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    more = int(options["more"])
    return quotas.exhaust(world, victim, at, more, "memory", mebibytes, lambda n: int(n / 2**20) * 2**20)
