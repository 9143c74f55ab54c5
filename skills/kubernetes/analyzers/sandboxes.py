"""Pods that get no network or no sandbox: the node's CNI or its runtime (H6, H2), before any container is tried.

Event FailedCreatePodSandBox of the kubelet; the words are those of containerd and cri-o around those of the CNI plugin
("plugin type=... failed (add): ..."), such as a VPC without free addresses or a daemon that does not answer.
"""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import datetime, timedelta

from skills.contract import Entity, Focus, Symptom, Window
from skills.kubernetes import cite
from skills.kubernetes.events import Event
from skills.kubernetes.objects import Object, created, earliest, text
from skills.kubernetes.pods import is_pending
from skills.kubernetes.snapshot import Snapshot

NAME = "kubernetes.sandboxes"
_REASONS = ("FailedCreatePodSandBox", "FailedKillPod", "NetworkNotReady")
_PATIENCE = timedelta(seconds=60)
_FRESH = timedelta(minutes=15)
_RUNTIME = re.compile(
    r"containerd\.sock|crio\.sock|connection error|runtime .*not (ready|running)|Unavailable desc", re.I
)
_ADDRESSES = re.compile(r"failed to assign an IP|no (free |available )?IP addresses|IP addresses available in range|"
                        r"ipam|address pool|InsufficientFreeAddresses", re.IGNORECASE)  # fmt: skip


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    by_node: dict[str, list[tuple[Object, Event]]] = defaultdict(list)
    for pod in snapshot.pods:
        born = created(pod)
        if not is_pending(pod) or not text(pod, "spec", "nodeName") or (born and snapshot.clock - born < _PATIENCE):
            continue
        events = [e for e in snapshot.events_of("Pod", pod, *_REASONS) if e.last and snapshot.clock - e.last < _FRESH]
        if events and (events[-1].count > 1 or len(events) > 1):
            by_node[text(pod, "spec", "nodeName")].append((pod, events[-1]))
    return [_symptom(snapshot, node, found, len(by_node)) for node, found in by_node.items()]


def _symptom(snapshot: Snapshot, node: str, found: list[tuple[Object, Event]], nodes: int) -> Symptom:
    said = found[0][1]
    runtime, addresses = _RUNTIME.search(said.message), _ADDRESSES.search(said.message)
    faults: tuple[str, ...] = ("node_link_degraded", "container_runtime_stopped")
    why = "the network plugin does not set it up"
    if runtime and not addresses:
        faults, why = faults[::-1], "the runtime does not answer"
    elif addresses:
        why = "there is no free address for it"
    return Symptom(
        analyzer=NAME,
        entity=Entity(kind="Node", name=node),
        faults=faults,
        summary=f"Node {node}: {len(found)} pod(s) get no sandbox, {why}"
        + (f" (and so on {nodes - 1} other node(s))" if nodes > 1 else "")
        + f": {said.message[:200]}.",
        specificity=0.7 if nodes == 1 else 0.55,
        evidence=tuple(cite.told(snapshot, e) for _, e in found[:2]),
        onset=earliest(e.first for _, e in found),
        victims=tuple(dict.fromkeys(snapshot.owner_of(p) for p, _ in found)),
    )
