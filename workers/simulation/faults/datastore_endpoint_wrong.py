"""I3: a release has the wrong port for its database; every connection is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, next_version, rollout_of, workload_thing
from workers.simulation.cluster import Json
from workers.simulation.company import SimulationError, Store
from workers.simulation.rollout import roll_out
from workers.simulation.world import EdgeEffect, World

FAULT = "datastore_endpoint_wrong"
OPTIONS = {"port": 6432}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    stores = [
        n for n in it.part.dependencies if isinstance(p := world.company.parts[n], Store) and p.engine == "postgres"
    ]
    if not stores:
        raise SimulationError(f"{victim} has no database")
    port = str(options["port"])

    def edit(template: Json) -> None:
        next_version(template)
        for entry in template["spec"]["containers"][0]["env"]:
            if entry["name"] == "DB_PORT":
                entry["value"] = port

    revision = roll_out(world, it, at, edit)
    onset = min(s for p in it.pods if p.revision is revision for s, _ in p.ready_spans())
    space = world.workload(stores[0]).namespace
    host = f"{stores[0]}.{space}.svc.cluster.local" if space != it.namespace else stores[0]
    detail = {"host": f"{host}:{port}", "address": f"{world.service(stores[0]).cluster_ip}:{port}"}
    world.edges.append(EdgeEffect(victim, stores[0], "refused", onset, detail=detail))
    return Blow(
        (workload_thing(it),),
        onset,
        rollout_of(it, revision),
        evidence=(f"DB_PORT of {victim} is {port}", "log ~ Connection refused"),
    )
