"""F7: a release points one dependency to a host that does not exist, or to a port where nobody listens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, next_version, rollout_of, workload_thing
from workers.simulation.cluster import Json
from workers.simulation.company import SimulationError, Store
from workers.simulation.rollout import roll_out
from workers.simulation.world import EdgeEffect, World

FAULT = "dependency_address_wrong"
OPTIONS = {"dependency": "", "host": "", "port": 0}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    callee = options["dependency"] or _called(world, victim)
    port = str(options["port"] or "")
    wrong = port or options["host"] or f"{callee}-svc"
    found = [e for e in it.revision.template["spec"]["containers"][0]["env"] if callee in str(e.get("value", ""))]
    if not found:
        raise SimulationError(f"{victim} has no variable with the address of {callee}")

    def edit(template: Json) -> None:
        next_version(template)
        for entry in template["spec"]["containers"][0]["env"]:
            if entry["name"] == found[0]["name"]:
                head = entry["value"].rpartition(":")[0]
                entry["value"] = f"{head}:{port}" if port else entry["value"].replace(callee, str(wrong), 1)

    revision = roll_out(world, it, at, edit)
    onset = min(s for p in it.pods if p.revision is revision for s, _ in p.ready_spans())
    if port:
        host = found[0]["value"].rpartition("//")[2].rpartition(":")[0]
        detail = {"host": f"{host}:{port}", "address": f"{world.service(callee).cluster_ip}:{port}"}
        world.edges.append(EdgeEffect(victim, callee, "timeout", onset, detail=detail))
    else:
        world.edges.append(EdgeEffect(victim, callee, "no_such_host", onset, detail={"host": str(wrong)}))
    return Blow(
        (workload_thing(it),),
        onset,
        rollout_of(it, revision),
        evidence=(f"env {found[0]['name']} of {victim} names {wrong}", f"log ~ {wrong}"),
    )


def _called(world: World, victim: str) -> str:
    """The first thing that it calls and that is no data store: the address of a store is I3."""
    called: tuple[str, ...] = world.workload(victim).part.dependencies
    found = next((c for c in called if not isinstance(world.company.parts[c], Store)), None)
    if found is None:
        raise SimulationError(f"{victim} calls nothing but data stores, whose addresses are datastore_endpoint_wrong")
    return found
