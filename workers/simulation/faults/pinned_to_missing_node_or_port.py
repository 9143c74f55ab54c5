"""B9: a release wants a port of the node that an agent already has, or names a node that is gone.

Scheduler's words: pkg/scheduler/framework/plugins/nodeports ("node(s) didn't have free ports for the requested pod
ports"). A pod bound to a node that does not exist never meets the scheduler: no event, and the pod garbage collector
deletes it after a while (pkg/controller/podgc).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, next_version, rollout_of, workload_thing
from workers.simulation.cluster import Json, Pod, Stuck
from workers.simulation.fates import unschedulable
from workers.simulation.rollout import new_pod, retire, roll_out
from workers.simulation.world import World

FAULT = "pinned_to_missing_node_or_port"
OPTIONS: Mapping[str, Any] = {"port": 9100, "node": ""}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it, nodes, gone = world.workload(victim), len(world.nodes), str(options["node"])

    def edit(template: Json) -> None:
        next_version(template)
        if gone:
            template["spec"]["nodeName"] = gone
        else:
            ports = template["spec"]["containers"][0].setdefault("ports", [])
            ports.append(
                {
                    "name": "agent",
                    "containerPort": int(options["port"]),
                    "hostPort": int(options["port"]),
                    "protocol": "TCP",
                }
            )

    def nowhere(_world: World, pod: Pod) -> None:
        pod.node = ""
        pod.stuck = Stuck("scheduling", "", "", pod.created)

    text = (
        f"0/{nodes} nodes are available: {nodes} node(s) didn't have free ports for the requested pod ports. "
        f"preemption: 0/{nodes} nodes are available: {nodes} No preemption victims found for incoming pod."
    )
    revision = roll_out(world, it, at, edit, fate=nowhere if gone else unschedulable(text))
    if gone:
        for pod in [p for p in it.pods if p.revision is revision]:
            _collected(world, pod, nowhere)
    found = gone if gone else "event.reason = FailedScheduling and message ~ didn't have free ports"
    return Blow((workload_thing(it),), at, rollout_of(it, revision), evidence=(found,))


def _collected(world: World, pod: Pod, fate: Any) -> None:
    """The collector looks every twenty seconds and waits for forty before it deletes; the controller makes another."""
    at, n = pod.created, 0
    while True:
        lives = world.between(44, 66, "podgc", pod.name, n)
        if at + lives > world.now - 3:
            return
        retire(pod, at + lives)
        at, n = at + lives + 0.2, n + 1
        pod = new_pod(world, pod.workload, pod.revision, at, fate)
