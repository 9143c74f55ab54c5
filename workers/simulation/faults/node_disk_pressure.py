"""H5: a node's file system is full; the kubelet taints it and evicts."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

from workers.simulation.blow import Blow, Thing
from workers.simulation.cluster import Note
from workers.simulation.company import SimulationError
from workers.simulation.fates import healthy
from workers.simulation.rollout import new_pod
from workers.simulation.world import Gauge, World

FAULT = "node_disk_pressure"
OPTIONS = {"evicted": 2}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    index = victim.removeprefix("node-")
    if not index.isdigit() or int(index) >= len(world.nodes):
        raise SimulationError(f"the victim must be node-0 to node-{len(world.nodes) - 1}, not {victim!r}")
    node = list(world.nodes.values())[int(index)]
    node.conditions["DiskPressure"] = (True, at, "KubeletHasDiskPressure", "kubelet has disk pressure")
    node.taints.append({"key": "node.kubernetes.io/disk-pressure", "effect": "NoSchedule", "timeAdded": at})
    began = at - 3 * 3600

    def available(t: float) -> float:
        return float(int(85.9e9 * max(0.061, 0.6 - 0.53 * (t - began) / (at - began)) + 4096 * int(t % 97)))

    world.gauges.append(Gauge("node_filesystem_avail_bytes", {"node": node.name}, available, began))
    for reason, text, warning in (
        ("NodeHasDiskPressure", f"Node {node.name} status is now: NodeHasDiskPressure", False),
        ("EvictionThresholdMet", "Attempting to reclaim ephemeral-storage", True),
        (
            "FreeDiskSpaceFailed",
            "Failed to garbage collect required amount of images. Attempted to free 9126805504 bytes, but only found 0 bytes eligible to free.",  # noqa: E501
            True,
        ),
    ):
        world.note(
            Note(
                "Node",
                "",
                node.name,
                node.name,
                reason,
                text,
                at,
                world.now - 7 if warning else at,
                int((world.now - at) // 60) + 1 if warning else 1,
                warning,
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
        when = at + 5 + 41 * i
        pod.evicted = f"The node was low on resource: ephemeral-storage. Threshold quantity: 8053063680, available: {7601 - 13 * i}Mi. Container {pod.main} was using {1204 + 88 * i}Mi, request is 0, has larger consumption of ephemeral-storage. "  # noqa: E501
        pod.failed = when
        for run in pod.runs[pod.main]:
            if run.ended == inf:
                run.ended, run.exit_code, run.reason = when, 137, "Error"
        new_pod(world, pod.workload, pod.revision, when + 0.3, healthy)
    return Blow(
        (Thing("Node", "", node.name),),
        at,
        None,
        evidence=(f"condition DiskPressure of {node.name} is True", "event.reason = Evicted"),
    )
