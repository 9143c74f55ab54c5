"""B8: a workload with a higher priority was started; the scheduler took its room from the victim's pods.

Event text: pkg/scheduler/framework/preemption ("Preempted by pod %v on node %v", with the preemptor's uid).
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

from workers.simulation.births import newcomer
from workers.simulation.blow import Altered, Blow, Thing, workload_thing
from workers.simulation.cluster import Note, Pod, Workload
from workers.simulation.fates import Fate, healthy, unschedulable
from workers.simulation.quantities import amount
from workers.simulation.rollout import new_pod, retire
from workers.simulation.world import World

FAULT = "preempted_by_priority"
OPTIONS: Mapping[str, Any] = {"newcomer": "risk-scoring", "priority": "tier-1", "value": 500000}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it, name = world.workload(victim), str(options["newcomer"])
    wanted = amount(it.revision.template["spec"]["containers"][0]["resources"]["requests"]["cpu"])
    each = round(wanted * 0.9, 2)
    world.put(
        "PriorityClass",
        "",
        str(options["priority"]),
        at - 700,
        {"value": int(options["value"]), "globalDefault": False, "preemptionPolicy": "PreemptLowerPriority"},
    )
    places: list[str] = []
    taken: list[Pod] = []
    for node in world.nodes:
        mine = [p for p in it.present(at) if p.node == node and p.deleted == inf]
        room = _free(world, node, at) + sum(wanted for _ in mine)
        places += [node] * int(room / each)
        taken += mine
    made = newcomer(world, it, name, at, priority=(str(options["priority"]), int(options["value"])), cpu=each)
    made.scale = [(at, len(places))]
    for i, node in enumerate(places):
        new_pod(world, made, made.revision, at + 0.1 + 0.02 * i, _on(node))
    made.revision.replicas = len(places)
    _preempt(world, it, taken, made, at)
    nodes = len(world.nodes)
    text = (
        f"0/{nodes} nodes are available: {nodes} Insufficient cpu. preemption: 0/{nodes} nodes are available: "
        f"{nodes} No preemption victims found for incoming pod."
    )
    for i in range(len(taken)):
        new_pod(world, it, it.revision, at + 1.9 + 0.05 * i, unschedulable(text))
    own, other = workload_thing(it), workload_thing(made)
    thing = Thing(own.kind, own.namespace, own.name, (*own.aliases, str(other), *other.aliases))
    return Blow(
        (thing,),
        at + 1.6,
        Altered("rollout", other, at, (str(other), name)),
        evidence=(f"event.reason = Preempted and object ~ {victim}-",),
    )


def _on(node: str) -> Fate:
    def fate(world: World, pod: Pod) -> None:
        pod.node = node
        healthy(world, pod)

    return fate


def _free(world: World, node: str, at: float) -> float:
    """Cores that no pod on the node has requested."""
    asked = sum(
        amount(c.get("resources", {}).get("requests", {}).get("cpu", "0") or "0")
        for w in world.workloads.values()
        for p in w.pods
        if p.node == node and p.exists(at) and p.failed > at
        for c in p.revision.template["spec"]["containers"]
    )
    return max(0.0, world.company.nodes.cpu - 0.08 - asked)


def _preempt(world: World, it: Workload, pods: list[Pod], by: Workload, at: float) -> None:
    for i, pod in enumerate(pods):
        mine = [p for p in by.pods if p.node == pod.node]
        text = f"Preempted by pod {mine[-1].uid if mine else by.pods[-1].uid} on node {pod.node}"
        when = at + 1.6 + 0.07 * i
        world.note(
            Note("Pod", pod.namespace, pod.name, pod.uid, "Preempted", text, when, when, component="default-scheduler")
        )
        retire(pod, when)
