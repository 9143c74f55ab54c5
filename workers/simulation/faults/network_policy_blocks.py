"""F9: a policy lets only some pods reach the workload; the others' packets are dropped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Altered, Blow, Thing
from workers.simulation.world import EdgeEffect, World, managed

FAULT = "network_policy_blocks"
OPTIONS = {"name": "", "allowed": "monitoring"}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    name = options["name"] or f"{victim}-ingress"
    rule = {"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": options["allowed"]}}}]}
    spec = {"podSelector": {"matchLabels": dict(it.selector)}, "policyTypes": ["Ingress"], "ingress": [rule]}
    world.put(
        "NetworkPolicy",
        it.namespace,
        name,
        at,
        {"spec": spec},
        managedFields=[managed("kubectl-client-side-apply", at, {"f:spec": {}}, api_version="networking.k8s.io/v1")],
    )
    world.edges.append(EdgeEffect("*", victim, "timeout", at + 1.2))
    thing = Thing("NetworkPolicy", it.namespace, name)
    return Blow(
        (thing,),
        at,
        Altered("policy", thing, at, (str(thing),)),
        evidence=(f"NetworkPolicy {name}", f"log ~ timed out|timeout|deadline exceeded and {victim}"),
    )
