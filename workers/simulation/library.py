"""Scenarios by name: those of the library, each a file, and those that are composed from a number (`fresh-17`)."""

from __future__ import annotations

from functools import cache

from workers.simulation import fresh, scenario
from workers.simulation.scenario import Scenario


@cache
def load(name: str) -> Scenario:
    """Raises SimulationError."""
    return fresh.compose(name) if fresh.NAME.fullmatch(name) else scenario.load(name)
