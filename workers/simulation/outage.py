"""What becomes of the pods of a node that is lost, at the pace of the node lifecycle and taint eviction controllers.

Forty seconds without a heartbeat and the node is NotReady; after five minutes its pods are marked for deletion, and
those of Deployments are made anew elsewhere. (kubernetes.io/docs/concepts/architecture/nodes/#condition)
"""

from __future__ import annotations

from math import inf

from workers.simulation.blow import node_note
from workers.simulation.cluster import NodeState, Note, Pod, Workload
from workers.simulation.fates import healthy
from workers.simulation.rollout import new_pod
from workers.simulation.world import EdgeEffect, World

NOTICED_SECONDS = 40
EVICTION_SECONDS = 300


def not_ready(world: World, node: NodeState, noticed: float) -> None:
    text = f"Node {node.name} status is now: NodeNotReady"
    world.note(node_note(node, "NodeNotReady", text, noticed, noticed, component="node-controller"))


def settle_elsewhere(world: World, nodes: list[NodeState], at: float) -> None:
    """Pods that the record already placed there for a later moment were in truth placed on other nodes."""
    others = [n for n in world.nodes.values() if n not in nodes]
    names = {n.name for n in nodes}
    for it in world.workloads.values():
        for pod in it.pods:
            if pod.node in names and pod.created > at and it.kind != "DaemonSet":
                pod.node = others[len(pod.name) % len(others)].name


def pods_on(world: World, node: NodeState, at: float) -> list[tuple[Workload, list[Pod]]]:
    found = []
    for it in list(world.workloads.values()):
        mine = [p for p in it.pods if p.node == node.name and p.deleted == inf and p.failed > at > p.created]
        if mine:
            found.append((it, mine))
    return found


def silence(world: World, node: NodeState, at: float) -> None:
    """The kubelet does not report any more: calls to its pods time out until their endpoints are withdrawn."""
    node.silent = at
    noticed = at + NOTICED_SECONDS
    not_ready(world, node, noticed)
    for it, mine in pods_on(world, node, at):
        if it.kind in ("Deployment", "StatefulSet"):
            share = len(mine) / max(1, len(it.present(at)))
            world.edges.append(EdgeEffect("*", it.name, "timeout", at, noticed, share=share))
        for pod in mine:
            pod.lost = at
        evict(world, it, mine, noticed)


def evict(world: World, it: Workload, pods: list[Pod], noticed: float) -> None:
    """Events, and replacements where a controller makes them."""
    gone = noticed + EVICTION_SECONDS
    for pod in pods:
        world.note(_of(pod, "NodeNotReady", "Node is not ready", noticed, "node-controller", warning=True))
        if gone < world.now and it.kind != "DaemonSet":
            text = f"Marking for deletion Pod {pod.namespace}/{pod.name}"
            world.note(_of(pod, "TaintManagerEviction", text, gone, "taint-eviction-controller"))
        if gone < world.now and it.kind == "Deployment":
            new_pod(world, it, it.revision, gone + 0.4, healthy)


def _of(pod: Pod, reason: str, message: str, at: float, component: str, *, warning: bool = False) -> Note:
    return Note("Pod", pod.namespace, pod.name, pod.uid, reason, message, at, at, 1, warning, component)
