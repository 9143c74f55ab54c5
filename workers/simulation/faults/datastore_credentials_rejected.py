"""I1: the password in the Secret was rotated, the running pods still have the old one in their environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Altered, Blow, Thing, workload_thing
from workers.simulation.cluster import Json
from workers.simulation.company import SimulationError, Store
from workers.simulation.world import EdgeEffect, LogNote, World

FAULT = "datastore_credentials_rejected"
OPTIONS: Mapping[str, Any] = {}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    stores = [
        p for n in it.part.dependencies if isinstance(p := world.company.parts[n], Store) and p.engine == "postgres"
    ]
    if not stores:
        raise SimulationError(f"{victim} has no database whose password could be rotated")
    store, secret = stores[0], f"{victim}-db"

    def rotate(body: Json) -> None:
        body["metadata"].setdefault("annotations", {})["vault.security/rotated"] = "true"

    world.edit("Secret", it.namespace, secret, at, rotate, "external-secrets", {"f:data": {"f:password": {}}})
    began = at + world.between(3, 9, "rotated", victim)
    world.edges.append(EdgeEffect(victim, store.name, "auth", began, began + 150, share=0.46))
    world.edges.append(EdgeEffect(victim, store.name, "auth", began + 150, share=0.97))
    texts = (
        f'password authentication failed for user "{store.user}"',
        f'connection authorized failed: Role "{store.user}" has a new password since the last reload',
    )
    world.log_notes.append(LogNote(store.name, began, world.now, 22, "fatal", texts[:1]))
    change = Altered("secret", Thing("Secret", it.namespace, secret), at, (f"Secret {it.namespace}/{secret}",))
    return Blow(
        (workload_thing(it),),
        began,
        change,
        evidence=("log ~ password authentication failed", f"Secret {secret} newer than the pods of {victim}"),
    )
