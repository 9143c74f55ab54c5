"""G3: a zone is cut off: all its nodes fall silent at once, and what has its only pod there is gone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, Thing, node_named
from workers.simulation.outage import settle_elsewhere, silence
from workers.simulation.world import World

FAULT = "network_partition"
OPTIONS: Mapping[str, Any] = {}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    """The victim is any node of the zone."""
    zone = node_named(world, victim).zone
    nodes = [n for n in world.nodes.values() if n.zone == zone]
    settle_elsewhere(world, nodes, at)
    for node in nodes:
        node.silent = at  # so that nothing is made anew on another of them
    for i, node in enumerate(nodes):
        silence(world, node, at + 0.7 * i)
    thing = Thing("Node", "", nodes[0].name, (zone, f"zone {zone}", *(f"Node {n.name}" for n in nodes[1:])))
    return Blow(
        (thing,),
        at,
        None,
        evidence=("Kubelet stopped posting node status",),
    )
