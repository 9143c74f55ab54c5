"""Pods that the kubelet evicted for the node's sake: pressure (H4, H5) and the neighbour that caused it (E13).

Message: "The node was low on resource: memory. Threshold quantity: ..., available: .... Container x was using ...,
request is 0, has larger consumption of memory." (pkg/kubelet/eviction/helpers.go). A pod that is refused because its
node is under pressure: "The node had condition: [DiskPressure]." (eviction_manager.go Admit).
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta

from skills.contract import Entity, Focus, Symptom, Window
from skills.kubernetes import cite, rollouts
from skills.kubernetes.kinds import SYSTEM_NAMESPACES
from skills.kubernetes.objects import Object, dig, earliest, holds, latest, maps, name, namespace, text
from skills.kubernetes.pods import ended_at, live
from skills.kubernetes.snapshot import Snapshot

NAME = "kubernetes.evictions"
_PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure")


_FRESH = timedelta(hours=2)
_CONDITION = re.compile(r"The node had condition: \[(\w+)\]")


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    by_node: dict[tuple[str, str], list[Object]] = defaultdict(list)
    for pod in snapshot.pods:
        message = text(pod, "status", "message")
        rejected = _CONDITION.search(message)
        if text(pod, "status", "reason") != "Evicted":
            continue
        if "low on resource" in message:
            resource = message.partition("low on resource:")[2].strip().partition(".")[0].strip("[] ")
            by_node[(text(pod, "spec", "nodeName"), resource)].append(pod)
        elif rejected:
            by_node[(text(pod, "spec", "nodeName"), rejected.group(1).removesuffix("Pressure").lower())].append(pod)
    found = [s for (node, resource), pods in by_node.items() for s in _symptoms(snapshot, node, resource, pods)]
    return [_surer(snapshot, s, found) for s in found]


def _surer(snapshot: Snapshot, symptom: Symptom, found: list[Symptom]) -> Symptom:
    """The one without a limit on every node that evicts, or whose limit was taken away: no coincidence any more."""
    if symptom.faults[:1] != ("unlimited_neighbour",) or not symptom.ongoing:
        return symptom
    rollout = rollouts.latest(snapshot, symptom.entity)
    removed = next((d for d in rollout.differences if d.path == "resources.limits.memory"), None) if rollout else None
    if rollout and removed and not removed.after:
        made = rollouts.as_change(snapshot, rollout)
        said = made.evidence if made else ()
        return replace(symptom, specificity=0.96, change=rollout.id, evidence=(*symptom.evidence, *said))
    places = sum(1 for s in found if s.faults[:1] == symptom.faults[:1] and s.entity == symptom.entity)
    nodes = sum(1 for s in found if s.entity.kind == "Node")
    return replace(symptom, specificity=0.95) if places == nodes > 1 else symptom


def _limited(pod: Object) -> bool:
    return any(dig(c, "resources", "limits", "memory") for c in maps(pod, "spec", "containers"))


def _symptoms(snapshot: Snapshot, node: str, resource: str, pods: list[Object]) -> list[Symptom]:
    owners = tuple(dict.fromkeys(snapshot.owner_of(p) for p in pods))
    evidence = [
        cite.seen(snapshot, "Pod", p, f"pod {name(p)} Evicted: {text(p, 'status', 'message')}") for p in pods[:2]
    ]
    fault = (
        "node_cpu_or_memory_pressure"
        if "memory" in resource
        else "process_limit_exhausted"
        if "pid" in resource
        else "node_disk_pressure"
    )
    onset, last = earliest(ended_at(p) for p in pods), latest(ended_at(p) for p in pods)
    # Evicted pods stay for days as Failed: what they tell may be long over.
    fresh = last is None or snapshot.clock - last < _FRESH
    presses = any(holds(n, c) for n in snapshot.all("Node") if name(n) == node for c in _PRESSURES)
    weight = 1.0 if fresh or presses else 0.25
    found = [
        Symptom(
            analyzer=NAME,
            entity=Entity(kind="Node", name=node or "(unknown)"),
            faults=(fault, "unlimited_neighbour"),
            summary=f"Node {node} was low on {resource} and evicted {len(pods)} pod(s) of "
            f"{', '.join(o.name for o in owners)}.",
            specificity=0.8 * weight,
            evidence=tuple(evidence),
            onset=onset,
            victims=owners,
            ongoing=fresh or presses,
        )
    ]
    hungry = [
        p
        for p in live(snapshot.all("Pod"))
        if text(p, "spec", "nodeName") == node
        and "memory" in resource
        and not _limited(p)
        and namespace(p) not in SYSTEM_NAMESPACES
        and snapshot.owner_of(p).kind != "DaemonSet"
    ]
    greedy = [o for p in hungry if (o := snapshot.owner_of(p)) not in owners]
    if len(set(greedy)) == 1:
        pod = next(p for p in hungry if snapshot.owner_of(p) == greedy[0])
        words = f"pod {name(pod)} on node {node} has no memory limit"
        found.append(
            Symptom(
                analyzer=NAME,
                entity=greedy[0],
                faults=("unlimited_neighbour", fault),
                summary=f"{greedy[0].kind} {greedy[0].name} runs without a memory limit on {node}, where others "
                "were evicted.",
                specificity=0.85 * weight,
                evidence=(*evidence[:1], cite.seen(snapshot, "Pod", pod, words, verb="get")),
                onset=onset,
                victims=owners,
                ongoing=fresh or presses,
            )
        )
    return found
