"""A9: the namespace enforces a security level that the workload does not meet; its next pods are refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Altered, Blow, Thing, next_version, workload_thing
from workers.simulation.cluster import Json
from workers.simulation.refusals import refuse_rollout
from workers.simulation.world import World

FAULT = "pod_security_violation"
OPTIONS: Mapping[str, Any] = {"level": "restricted"}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    level = str(options["level"])
    label = "pod-security.kubernetes.io/enforce"

    def enforce(body: Json) -> None:
        body["metadata"]["labels"][label] = level

    world.edit(
        "Namespace", "", it.namespace, at, enforce, "kubectl-label", {"f:metadata": {"f:labels": {f"f:{label}": {}}}}
    )
    message = (
        f'pods "{it.name}-" is forbidden: violates PodSecurity "{level}:latest": unrestricted capabilities '
        f'(container "{victim}" must set securityContext.capabilities.drop=["ALL"]), seccompProfile (pod or container '
        f'"{victim}" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")'
    )
    began = at + world.between(40, 100, "release", victim)

    def edit(template: Json) -> None:
        next_version(template)

    revision = refuse_rollout(world, it, began, edit, message)
    space = Thing("Namespace", "", it.namespace)
    change = Altered("policy", space, at, (str(space), f"{it.name}-{revision.hash}"))
    return Blow(
        (workload_thing(it),),
        began,
        change,
        evidence=("event.reason = FailedCreate and message ~ violates PodSecurity",),
    )
