"""E13: a release took a workload's memory limit away and made it important; it grows, and the kubelet evicts others.

Ranking and message: kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction (usage above requests first,
then priority); pkg/kubelet/eviction/helpers.go words the message.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

from workers.simulation.blow import Blow, next_version, node_note, rollout_of, workload_thing
from workers.simulation.cluster import Json, Memory, NodeState, Pod, Workload
from workers.simulation.fates import healthy
from workers.simulation.quantities import amount
from workers.simulation.rollout import new_pod, roll_out
from workers.simulation.world import World

FAULT = "unlimited_neighbour"
OPTIONS = {"minutes": 6.0, "evicted": 3}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    world.put(
        "PriorityClass",
        "",
        "batch-critical",
        at - 40 * 86400,
        {"value": 100000, "globalDefault": False, "preemptionPolicy": "Never"},
    )

    def edit(template: Json) -> None:
        next_version(template)
        template["spec"].update(priorityClassName="batch-critical", priority=100000)
        template["spec"]["containers"][0]["resources"].pop("limits", None)

    seconds = float(options["minutes"]) * 60
    total = world.company.nodes.memory_gib * 2**30 * 0.968

    def grows(world: World, pod: Pod) -> None:
        healthy(world, pod)
        pod.memory = Memory(it.part.uses_mib * 2**20, slope=total * 0.75 / seconds, cap=total * 0.77)

    revision = roll_out(world, it, at, edit, fate=grows)
    mine = [p for p in it.pods if p.revision is revision and p.deleted == inf]
    onset = min(p.created for p in mine) + seconds * 0.9
    for node in {p.node: world.nodes[p.node] for p in mine}.values():
        _pressure(world, node, onset, it, int(options["evicted"]))
    return Blow(
        (workload_thing(it),),
        onset,
        rollout_of(it, revision),
        evidence=(f"pod ~ {victim}-* and limits ~ no memory limit", "MemoryPressure"),
    )


def _pressure(world: World, node: NodeState, at: float, by: Workload, evicted: int) -> None:
    text = "kubelet has insufficient memory available"
    node.conditions["MemoryPressure"] = (True, at, "KubeletHasInsufficientMemory", text)
    node.taints.append({"key": "node.kubernetes.io/memory-pressure", "effect": "NoSchedule", "timeAdded": at})
    low = f"Node {node.name} status is now: NodeHasInsufficientMemory"
    world.note(node_note(node, "NodeHasInsufficientMemory", low, at, at))
    count = 1 + int((world.now - at) // 10.6)
    world.note(
        node_note(
            node, "EvictionThresholdMet", "Attempting to reclaim memory", at + 0.6, world.now - 4, count, warning=True
        )
    )
    here = [
        p
        for w in world.workloads.values()
        if w.kind == "Deployment" and w is not by and w.namespace in world.company.application_namespaces
        for p in w.pods
        if p.node == node.name and p.deleted == inf and p.is_ready(at)
    ]
    here.sort(key=lambda p: p.workload.part.uses_mib - amount(p.workload.part.memory[0]) / 2**20, reverse=True)
    for i, pod in enumerate(here[:evicted]):
        when = at + 3 + 39 * i
        used, free = int(pod.workload.part.uses_mib * 1029), 94 - 6 * i
        pod.evicted = f"The node was low on resource: memory. Threshold quantity: 100Mi, available: {free}Mi. Container {pod.main} was using {used}Ki, request is {pod.workload.part.memory[0]}, has larger consumption of memory. "  # noqa: E501
        pod.failed = when
        for run in pod.runs[pod.main]:
            if run.ended == inf:
                run.ended, run.exit_code, run.reason = when, 137, "Error"
        new_pod(world, pod.workload, pod.revision, when + 0.3, healthy)
