"""G2: packets of one workload are lost: resets, late answers, retransmissions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, workload_thing
from workers.simulation.cluster import NodeState
from workers.simulation.world import EdgeEffect, Gauge, World

FAULT = "packet_loss"
OPTIONS = {"share": 0.17}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it, share = world.workload(victim), float(options["share"])
    world.edges.append(EdgeEffect("*", victim, "reset", at, share=share * 0.6))
    world.edges.append(EdgeEffect("*", victim, "timeout", at, share=share * 0.4))
    world.edges.append(EdgeEffect("*", victim, "slow", at, share=share, slow_seconds=0.9))
    for node in (world.nodes[p.node] for p in it.present(at) if p.node):

        def resent(t: float, node: NodeState = node) -> float:
            return float(int((t - node.booted) * 0.41 + max(0.0, t - at) * 38))

        world.gauges.append(Gauge("node_netstat_Tcp_RetransSegs", {"node": node.name}, resent, at))
    return Blow(
        (workload_thing(it),),
        at,
        None,
        evidence=("log ~ connection reset by peer", "metric node_netstat_Tcp_RetransSegs > 3x before"),
    )
