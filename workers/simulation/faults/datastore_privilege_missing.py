"""I2: a database role lost the privilege on one table; reads go on, writes fail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, workload_thing
from workers.simulation.company import SimulationError, Store
from workers.simulation.world import EdgeEffect, LogNote, World

FAULT = "datastore_privilege_missing"
OPTIONS = {"table": "invoices"}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    store, table = world.company.parts[victim], str(options["table"])
    if not isinstance(store, Store) or store.engine != "postgres":
        raise SimulationError(f"{victim} is no PostgreSQL")
    world.edges.append(EdgeEffect("*", victim, "privilege", at, writes_only=True, detail={"table": table}))
    world.log_notes.append(LogNote(victim, at, world.now, 13, "error", (f"permission denied for table {table}",)))
    return Blow((workload_thing(world.workload(victim)),), at, None, evidence=("log ~ permission denied for table",))
