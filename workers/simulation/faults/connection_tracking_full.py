"""G4: the connection-tracking table of a node is full; new connections from and to it are dropped, old ones live on.

node_exporter's conntrack collector shows entries and limit; the node problem detector's network-problem plug-in (its
config/network-custom-plugin-monitor.json) reports ConntrackFull, "Conntrack table full".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from workers.simulation.blow import Blow, Thing, node_named, node_note
from workers.simulation.world import EdgeEffect, Gauge, World

FAULT = "connection_tracking_full"
OPTIONS = {"share": 0.34, "minutes": 22}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    node, began = node_named(world, victim), at - float(options["minutes"]) * 60

    def entries(t: float) -> float:
        grown = min(1.0, (t - began) / (at - began))
        return float(int(3300 + (131071 - 3300) * grown**1.4) - int(t // 13) % 19)

    world.gauges.append(Gauge("node_nf_conntrack_entries", {"node": node.name}, entries, began))
    world.gauges.append(
        Gauge(
            "node_nf_conntrack_stat_drop",
            {"node": node.name, "job": "node-exporter", "instance": f"{node.ip}:9100"},
            lambda t: float(int(max(0.0, t - at) * 61)),
            began,
        )
    )
    share = float(options["share"])
    for service in world.company.services:
        for callee in service.dependencies:
            world.edges.append(EdgeEffect(service.name, callee, "timeout", at, share=share, node=node.name))
    count = 1 + int((world.now - at) // 30)
    note = node_note(
        node, "ConntrackFull", "Conntrack table full", at + 9, at + 9 + 30 * (count - 1), count, warning=True
    )
    world.note(replace(note, component="network-custom-plugin-monitor"))
    thing = Thing("Node", "", node.name)
    return Blow(
        (thing,),
        at,
        None,
        evidence=("metric node_nf_conntrack_entries >= 95% or event.reason = ConntrackFull",),
    )
