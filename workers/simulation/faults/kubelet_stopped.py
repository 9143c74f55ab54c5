"""H1: a node's kubelet falls silent; the node turns NotReady, its pods are replaced elsewhere after five minutes."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

from workers.simulation.blow import Blow, Thing
from workers.simulation.cluster import Note
from workers.simulation.company import SimulationError
from workers.simulation.fates import healthy
from workers.simulation.rollout import new_pod
from workers.simulation.world import EdgeEffect, World

FAULT = "kubelet_stopped"
OPTIONS: Mapping[str, Any] = {}
EVICTION_SECONDS = 300


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    index = victim.removeprefix("node-")
    if not index.isdigit() or int(index) >= len(world.nodes):
        raise SimulationError(f"the victim must be node-0 to node-{len(world.nodes) - 1}, not {victim!r}")
    node = list(world.nodes.values())[int(index)]
    node.silent = at
    noticed = at + 40
    note = Note(
        "Node",
        "",
        node.name,
        node.name,
        "NodeNotReady",
        f"Node {node.name} status is now: NodeNotReady",
        noticed,
        noticed,
        component="node-controller",
    )
    world.note(note)
    others = [n for n in world.nodes.values() if n is not node]
    for it in list(world.workloads.values()):
        for pod in it.pods:
            if pod.node == node.name and pod.created > at:  # placed in the world before the node fell silent in it
                pod.node = others[len(pod.name) % len(others)].name
        mine = [p for p in it.pods if p.node == node.name and p.deleted == inf and p.failed > at]
        if mine and it.kind in ("Deployment", "StatefulSet"):
            share = len(mine) / max(1, len(it.present(at)))
            world.edges.append(EdgeEffect("*", it.name, "timeout", at, noticed, share=share))
        for pod in mine:
            pod.lost = at
            world.note(
                Note(
                    "Pod",
                    pod.namespace,
                    pod.name,
                    pod.uid,
                    "NodeNotReady",
                    "Node is not ready",
                    noticed,
                    noticed,
                    1,
                    True,
                    "node-controller",
                )
            )
            gone = noticed + EVICTION_SECONDS
            if gone < world.now and it.kind != "DaemonSet":
                world.note(
                    Note(
                        "Pod",
                        pod.namespace,
                        pod.name,
                        pod.uid,
                        "TaintManagerEviction",
                        f"Marking for deletion Pod {pod.namespace}/{pod.name}",
                        gone,
                        gone,
                        component="taint-eviction-controller",
                    )
                )
            if gone < world.now and it.kind == "Deployment":
                new_pod(world, it, it.revision, gone + 0.4, healthy)
    thing = Thing("Node", "", node.name)
    return Blow(
        (thing,),
        at,
        None,
        evidence=(f"condition Ready of {node.name} is Unknown", "Kubelet stopped posting node status"),
    )
