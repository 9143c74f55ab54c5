"""A4: a release is to call a new Service, and the namespace's quota on Services refused to create it.

A refused object leaves nothing behind: no Service, no event on one. What can be seen is the quota at its limit
(kubernetes.io/docs/concepts/policy/resource-quotas: "services"), a name that nobody can resolve, and what the delivery
tool said of its failed sync: Argo CD's application controller writes OperationCompleted, "Sync operation ... failed".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation import dice
from workers.simulation.blow import Blow, Thing, next_version, rollout_of
from workers.simulation.cluster import Json, Note
from workers.simulation.company import Service, SimulationError
from workers.simulation.rollout import roll_out
from workers.simulation.world import DAY, EdgeEffect, World

FAULT = "service_object_quota_exhausted"
OPTIONS = {"dependency": "", "service": ""}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    called = [n for n in it.part.dependencies if isinstance(world.company.parts[n], Service)]
    callee = str(options["dependency"] or (called[0] if called else ""))
    found = [e for e in it.revision.template["spec"]["containers"][0]["env"] if callee in str(e.get("value", ""))]
    if not callee or not found:
        raise SimulationError(f"{victim} calls no service by a variable")
    wanted = str(options["service"] or f"{callee}-internal")
    there = sum(1 for (space, _), s in world.services.items() if space == it.namespace and s.spec(at))
    world.put(
        "ResourceQuota",
        it.namespace,
        "object-counts",
        world.founded + 64 * DAY,
        {"spec": {"hard": {"services": str(there), "configmaps": "80", "persistentvolumeclaims": "40"}}},
    )

    def edit(template: Json) -> None:
        next_version(template)
        for entry in template["spec"]["containers"][0]["env"]:
            if entry["name"] == found[0]["name"]:
                entry["value"] = entry["value"].replace(callee, wanted, 1)

    revision = roll_out(world, it, at, edit)
    onset = min(s for p in it.pods if p.revision is revision for s, _ in p.ready_spans())
    refused = (
        f'services "{wanted}" is forbidden: exceeded quota: object-counts, requested: services=1, '
        f"used: services={there}, limited: services={there}"
    )
    commit = dice.hexadecimal(40, world.seed, "commit", victim)
    text = f"Sync operation to {commit} failed: one or more objects failed to apply, reason: {refused}"
    tries = 1 + min(5, int((world.now - at) // 45))
    world.note(
        Note(
            "Application",
            it.namespace,
            victim,
            world.uid("Application", victim),
            "OperationCompleted",
            text,
            at + 3,
            at + 3 + 45 * (tries - 1),
            tries,
            True,
            "argocd-application-controller",
            api_version="argoproj.io/v1alpha1",
        )
    )
    world.edges.append(EdgeEffect(victim, callee, "no_such_host", onset, detail={"host": wanted}))
    names = (f"ResourceQuota {it.namespace}/object-counts", f"Service {it.namespace}/{wanted}")
    thing = Thing("Namespace", "", it.namespace, names)
    return Blow(
        (thing,),
        onset,
        rollout_of(it, revision),
        evidence=("message ~ exceeded quota: object-counts", f"log ~ {wanted}"),
    )
