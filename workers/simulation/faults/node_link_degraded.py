"""H6: the network of one node loses packets; whatever is on it, whoever calls it, times out now and then.

node_exporter: node_netstat_Tcp_RetransSegs and the interface's node_network_receive_drop_total. The node stays Ready.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf
from typing import Any

from workers.simulation.blow import Blow, Thing, node_named
from workers.simulation.world import EdgeEffect, Gauge, World

FAULT = "node_link_degraded"
OPTIONS = {"share": 0.28}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    node, share = node_named(world, victim), float(options["share"])

    def counted(usual: float, more: float) -> Callable[[float], float]:
        return lambda t: float(int((t - node.booted) * usual + max(0.0, t - at) * more))

    labels = {"node": node.name}
    world.gauges.append(Gauge("node_netstat_Tcp_RetransSegs", labels, counted(0.41, 214), at))
    card = {**labels, "device": "eth0", "job": "node-exporter", "instance": f"{node.ip}:9100"}
    world.gauges.append(Gauge("node_network_receive_drop_total", card, counted(0.0004, 173)))
    world.gauges.append(Gauge("node_network_receive_errs_total", {**labels, "device": "eth0"}, counted(0, 88), at))
    for service in world.company.services:
        for callee in service.dependencies:
            effect = EdgeEffect(service.name, callee, "timeout", at, share=share, node=node.name)
            world.edges.append(effect)
            world.edges.append(
                EdgeEffect(service.name, callee, "slow", at, share=share, slow_seconds=1.1, node=node.name)
            )
    for part in (*world.company.services, *world.company.stores):
        pods = [p for p in world.workload(part.name, part.namespace).pods if p.deleted == inf and p.is_ready(at)]
        here = sum(1 for p in pods if p.node == node.name)
        if here:
            world.edges.append(EdgeEffect("*", part.name, "reset", at, share=share * here / len(pods)))
    return Blow(
        (Thing("Node", "", node.name),),
        at,
        None,
        evidence=(f"metric node_netstat_Tcp_RetransSegs of {node.name} > 3x before",),
    )
