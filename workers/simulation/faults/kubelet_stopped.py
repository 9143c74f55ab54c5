"""H1: a node's kubelet falls silent; the node turns NotReady, its pods are replaced elsewhere after five minutes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, Thing, node_named
from workers.simulation.outage import settle_elsewhere, silence
from workers.simulation.world import World

FAULT = "kubelet_stopped"
OPTIONS: Mapping[str, Any] = {}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    node = node_named(world, victim)
    settle_elsewhere(world, [node], at)
    silence(world, node, at)
    return Blow(
        (Thing("Node", "", node.name),),
        at,
        None,
        evidence=(f"condition Ready of {node.name} is Unknown", "Kubelet stopped posting node status"),
    )
