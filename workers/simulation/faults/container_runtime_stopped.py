"""H2: the container runtime of a node is down; the kubelet lives and says so.

The condition's words are the kubelet's: pkg/kubelet/runtime.go ("container runtime is down") and
pkg/kubelet/pleg/generic.go ("pleg was last seen active ... ago; threshold is 3m0s"). The lease goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, Thing, node_named
from workers.simulation.outage import EVICTION_SECONDS, evict, not_ready, pods_on, settle_elsewhere
from workers.simulation.world import World

FAULT = "container_runtime_stopped"
OPTIONS: Mapping[str, Any] = {}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    node = node_named(world, victim)
    settle_elsewhere(world, [node], at)
    noticed = at + 34
    asleep = int(world.now - at)
    ago = f"{asleep // 60}m{asleep % 60}.{int(world.between(100, 999, 'pleg'))}s"
    text = f"[container runtime is down, PLEG is not healthy: pleg was last seen active {ago} ago; threshold is 3m0s]"
    node.conditions["Ready"] = (False, noticed, "KubeletNotReady", text)
    node.taints += [
        {"key": "node.kubernetes.io/not-ready", "effect": e, "timeAdded": noticed} for e in ("NoSchedule", "NoExecute")
    ]
    not_ready(world, node, noticed)
    gone = noticed + EVICTION_SECONDS
    for it, mine in pods_on(world, node, at):
        for pod in mine:
            for runs in pod.runs.values():
                if runs:
                    runs[-1].unready = min(runs[-1].unready, noticed)
            if gone < world.now and it.kind != "DaemonSet":
                pod.held = gone
        evict(world, it, mine, noticed)
    return Blow(
        (Thing("Node", "", node.name),),
        noticed,
        None,
        evidence=(f"condition Ready of {node.name} is False", "container runtime is down"),
    )
