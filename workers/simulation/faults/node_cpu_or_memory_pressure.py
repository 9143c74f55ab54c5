"""H4: a node runs out of memory outside of its pods; the kubelet evicts, and what stays there is slow."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

from workers.simulation.blow import Blow, Thing
from workers.simulation.cluster import Note
from workers.simulation.company import Service, SimulationError
from workers.simulation.fates import healthy
from workers.simulation.rollout import new_pod
from workers.simulation.world import Gauge, OwnEffect, World

FAULT = "node_cpu_or_memory_pressure"
OPTIONS = {"evicted": 3}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    index = victim.removeprefix("node-")
    if not index.isdigit() or int(index) >= len(world.nodes):
        raise SimulationError(f"the victim must be node-0 to node-{len(world.nodes) - 1}, not {victim!r}")
    node = list(world.nodes.values())[int(index)]
    node.conditions["MemoryPressure"] = (
        True,
        at,
        "KubeletHasInsufficientMemory",
        "kubelet has insufficient memory available",
    )
    node.taints.append({"key": "node.kubernetes.io/memory-pressure", "effect": "NoSchedule", "timeAdded": at})
    total = world.company.nodes.memory_gib * 2**30 * 0.968
    began = at - 900

    def available(t: float) -> float:
        return float(int(total * (0.33 - 0.325 * min(1.0, (t - began) / 900)) + 4e6 * (t % 7)))

    world.gauges.append(Gauge("node_memory_MemAvailable_bytes", {"node": node.name}, available, began))
    world.gauges.append(
        Gauge("node_load1", {"node": node.name}, lambda t: round(5.2 + min(14.0, (t - began) / 60) + t % 1.3, 2), began)
    )
    world.note(
        Note(
            "Node",
            "",
            node.name,
            node.name,
            "NodeHasInsufficientMemory",
            f"Node {node.name} status is now: NodeHasInsufficientMemory",
            at,
            at,
            1,
            False,
            "kubelet",
            node.name,
        )
    )
    world.note(
        Note(
            "Node",
            "",
            node.name,
            node.name,
            "EvictionThresholdMet",
            "Attempting to reclaim memory",
            at + 1,
            world.now - 6,
            int((world.now - at) // 11) + 1,
            True,
            "kubelet",
            node.name,
        )
    )
    world.note(
        Note(
            "Node",
            "",
            node.name,
            node.name,
            "SystemOOM",
            "System OOM encountered, victim process: fluent-bit, pid: 218734",
            at - 20,
            at - 20,
            1,
            True,
            "kubelet",
            node.name,
        )
    )
    here = [
        p
        for w in world.workloads.values()
        if w.kind == "Deployment"
        for p in w.pods
        if p.node == node.name and p.deleted == inf and p.is_ready(at)
    ]
    for i, pod in enumerate(here[: int(options["evicted"])]):
        when = at + 4 + 37 * i
        used = int(pod.workload.part.uses_mib * 1040)
        pod.evicted = f"The node was low on resource: memory. Threshold quantity: 100Mi, available: {81 - 7 * i}Mi. Container {pod.main} was using {used}Ki, request is {pod.workload.part.memory[0]}, has larger consumption of memory. "  # noqa: E501
        pod.failed = when
        for run in pod.runs[pod.main]:
            if run.ended == inf:
                run.ended, run.exit_code, run.reason = when, 137, "Error"
        new_pod(world, pod.workload, pod.revision, when + 0.3, healthy)
    for pod in here[int(options["evicted"]) :]:
        if isinstance(pod.workload.part, Service):
            world.own.append(OwnEffect(pod.workload.name, "slow", at - 60, factor=11.0, node=node.name))
    thing = Thing("Node", "", node.name)
    return Blow(
        (thing,), at, None, evidence=(f"condition MemoryPressure of {node.name} is True", "event.reason = Evicted")
    )
