"""Nodes that are unwell: kubelet (H1), runtime (H2), pressure (H4, H5), reboot (H8), a cut-off zone (G3), bad disk
(C7).

Conditions are written by the kubelet (pkg/kubelet/nodestatus/setters.go) and, when it falls silent, by the node
lifecycle controller: status Unknown, reason NodeStatusUnknown, "Kubelet stopped posting node status.".
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timedelta

from skills.contract import Entity, Excerpt, Focus, Symptom, Window
from skills.kubernetes import cite
from skills.kubernetes.objects import (
    Object,
    condition,
    created,
    dig,
    holds,
    labels,
    latest,
    mapping,
    maps,
    name,
    namespace,
    text,
    time_of,
)
from skills.kubernetes.pods import is_pending
from skills.kubernetes.selectors import node_matches_affinity, node_matches_selector
from skills.kubernetes.snapshot import Snapshot

NAME = "kubernetes.nodes"
_ZONE = "topology.kubernetes.io/zone"
_RUNTIME = re.compile(r"container runtime is down|PLEG is not healthy|container runtime status check|rpc error|"
                      r"containerd\.sock|runtime is not running", re.IGNORECASE)  # fmt: skip
_EXTRA = {
    "ReadonlyFilesystem": ("disk_io_slow_or_failing", 0.9),
    "KernelDeadlock": ("disk_io_slow_or_failing", 0.6),
    "FrequentKubeletRestart": ("kubelet_stopped", 0.75),
    "FrequentContainerdRestart": ("container_runtime_stopped", 0.8),
    "FrequentDockerRestart": ("container_runtime_stopped", 0.8),
    "NTPProblem": ("node_clock_skew", 0.9),
    "ClockSkew": ("node_clock_skew", 0.9),
    "NetworkUnavailable": ("node_link_degraded", 0.7),
    "MemoryPressure": ("node_cpu_or_memory_pressure", 0.93),
    "DiskPressure": ("node_disk_pressure", 0.95),
    "PIDPressure": ("process_limit_exhausted", 0.7),
    "CorruptDockerOverlay2": ("disk_io_slow_or_failing", 0.75),
    "FilesystemCorruptionProblem": ("disk_io_slow_or_failing", 0.9),
    "KubeletProblem": ("kubelet_stopped", 0.8),
    "KubeletUnhealthy": ("kubelet_stopped", 0.8),
    "ContainerRuntimeProblem": ("container_runtime_stopped", 0.85),
    "ContainerRuntimeUnhealthy": ("container_runtime_stopped", 0.85),
    "VMEventScheduled": ("node_rebooted", 0.6),
    "PreemptScheduled": ("node_rebooted", 0.8),
    "TerminateScheduled": ("node_rebooted", 0.8),
    "RebootScheduled": ("node_rebooted", 0.8),
    "RedeployScheduled": ("node_rebooted", 0.7),
}
"""Conditions of the kubelet, of node-problem-detector (config/*.json) and of AKS."""
_HEALTHY_WHEN_TRUE = {
    "ContainerRuntimeReady": ("container_runtime_stopped", 0.85),
    "NetworkingReady": ("node_link_degraded", 0.8),
    "StorageReady": ("disk_io_slow_or_failing", 0.8),
}
"""Conditions of the EKS node monitoring agent, which are the other way round."""
_EVENTS = {
    "SystemOOM": ("node_cpu_or_memory_pressure", 0.8),
    "ImageGCFailed": ("node_disk_pressure", 0.6),
    "FreeDiskSpaceFailed": ("node_disk_pressure", 0.75),
    "EvictionThresholdMet": ("node_disk_pressure", 0.75),
    "FilesystemIsReadOnly": ("disk_io_slow_or_failing", 0.9),
    "IOError": ("disk_io_slow_or_failing", 0.85),
    "Ext4Error": ("disk_io_slow_or_failing", 0.85),
    "XfsShutdown": ("disk_io_slow_or_failing", 0.9),
    "TaskHung": ("disk_io_slow_or_failing", 0.65),
    "ContainerGCFailed": ("container_runtime_stopped", 0.6),
    "Rebooted": ("node_rebooted", 0.8),
    "SpotInterruption": ("node_rebooted", 0.85),
    "PreemptScheduled": ("node_rebooted", 0.85),
    "TerminateScheduled": ("node_rebooted", 0.8),
    "RebootScheduled": ("node_rebooted", 0.8),
    "ConntrackFull": ("connection_tracking_full", 0.93),
    "NTPIsDown": ("node_clock_skew", 0.85),
}
"""Events of the kubelet, of node-problem-detector (kernel-monitor.json, network-problem-monitor.json, ntp), of AKS and
of the AWS node termination handler."""
_JOINING = timedelta(minutes=5)
_NO_NETWORK = re.compile(r"NetworkPluginNotReady|cni plugin not initialized|network is not ready", re.IGNORECASE)
_START_UP = re.compile(r"unable to find data in memory cache|invalid capacity 0|stats? not available", re.IGNORECASE)
"""What a kubelet says of its disks before its first look at them."""


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    nodes = list(snapshot.all("Node"))
    found: list[Symptom] = []
    for node in nodes:
        found += _conditions(snapshot, node, nodes)
        found += _events(snapshot, node)
    return found + _gone(snapshot, {name(n) for n in nodes})


_LEFT = ("DeletingNode", "RemovingNode", "SpotInterruption", "PreemptScheduled", "TerminateScheduled")


def _gone(snapshot: Snapshot, there: set[str]) -> list[Symptom]:
    """Nodes that their cloud took away (cloud-node-lifecycle-controller: "... does not exist in the cloud provider").
    One that the autoscaler let go first is a saving and no incident."""
    found = []
    left = [e for e in snapshot.events if e.kind == "Node" and e.reason in _LEFT and e.name not in there and e.last]
    for event in {e.name: e for e in left}.values():
        said = snapshot.events_about(Entity(kind="Node", name=event.name))
        planned = any(e.reason.startswith(("ScaleDown", "Consolidat", "Disruption")) for e in said)
        recent = event.last is not None and snapshot.clock - event.last < timedelta(minutes=30)
        if planned or not recent or not snapshot.knows("Node"):
            continue
        found.append(
            Symptom(
                analyzer=NAME,
                entity=Entity(kind="Node", name=event.name),
                faults=("node_rebooted",),
                summary=f"Node {event.name} is gone: {event.reason}: {event.message}.",
                specificity=0.7,
                evidence=(cite.told(snapshot, event),),
                onset=event.first,
            )
        )
    return found


def _conditions(snapshot: Snapshot, node: Object, nodes: list[Object]) -> list[Symptom]:
    found: list[Symptom] = []
    faults: tuple[str, ...]
    born = created(node)
    if born is not None and snapshot.clock - born < _JOINING and condition(node, "Ready").get("status") != "True":
        return found  # it has just joined: its network and its drivers are still starting
    ready = condition(node, "Ready")
    words = text(ready, "message")
    if ready.get("status") == "Unknown":
        faults, specificity = ("kubelet_stopped", "node_rebooted", "network_partition"), 0.93
        if _is_cut_off(node, nodes):
            faults, specificity = ("network_partition", "kubelet_stopped"), 0.85
        found.append(
            _symptom(snapshot, node, faults, f"NotReady: {words}", specificity, _stated(snapshot, node, "Ready"))
        )
    elif ready.get("status") == "False":
        if "shutting down" in words:
            faults, specificity = ("node_rebooted",), 0.85
        elif _RUNTIME.search(words):
            faults, specificity = ("container_runtime_stopped",), 0.94
        elif _NO_NETWORK.search(words):
            faults, specificity = ("node_link_degraded", "container_runtime_stopped"), 0.75
        else:
            faults, specificity = ("kubelet_stopped", "container_runtime_stopped"), 0.6
        found.append(
            _symptom(snapshot, node, faults, f"NotReady: {words}", specificity, _stated(snapshot, node, "Ready"))
        )
    elif lag := _lease_lag(snapshot, node):
        lease = f"lease of node {name(node)} was last renewed {int(lag.total_seconds())} s before those of its peers"
        excerpt = Excerpt(lease, f"kubectl -n kube-node-lease get lease {name(node)} -o yaml")
        found.append(_symptom(snapshot, node, ("kubelet_stopped",), lease, 0.7, excerpt))
    for kind, (fault, specificity) in _HEALTHY_WHEN_TRUE.items():
        if condition(node, kind).get("status") == "False":
            told = f"{kind}: {text(condition(node, kind), 'message')}"
            found.append(_symptom(snapshot, node, (fault,), told, specificity, _stated(snapshot, node, kind)))
    for kind, (fault, specificity) in _EXTRA.items():
        if holds(node, kind):
            told = f"{kind}: {text(condition(node, kind), 'message')}"
            found.append(_symptom(snapshot, node, (fault,), told, specificity, _stated(snapshot, node, kind)))
    return found


def _is_cut_off(node: Object, nodes: list[Object]) -> bool:
    """All nodes of its zone, and only those, fell silent."""
    zone = labels(node).get(_ZONE, "")
    silent = Counter(labels(n).get(_ZONE, "") for n in nodes if condition(n, "Ready").get("status") == "Unknown")
    total = Counter(labels(n).get(_ZONE, "") for n in nodes)
    return bool(zone) and silent[zone] == total[zone] >= 2 and len(silent) == 1 < len(total)


def _lease_lag(snapshot: Snapshot, node: Object) -> timedelta | None:
    """How far the node's lease is behind the newest of all: the kubelet renews it every ten seconds."""
    leases = {
        name(le): time_of(dig(le, "spec", "renewTime"))
        for le in snapshot.all("Lease")
        if namespace(le) == "kube-node-lease"
    }
    newest, own = latest(leases.values()), leases.get(name(node))
    return newest - own if newest and own and newest - own > timedelta(seconds=60) else None


def _events(snapshot: Snapshot, node: Object) -> list[Symptom]:
    found = []
    for event in snapshot.events_about(Entity(kind="Node", name=name(node)), *_EVENTS):
        fault, specificity = _EVENTS[event.reason]
        if _START_UP.search(event.message):
            continue
        if event.reason == "EvictionThresholdMet" and "memory" in event.message:
            fault = "node_cpu_or_memory_pressure"
        recent = event.last is not None and snapshot.clock - event.last < timedelta(minutes=15)
        over = event.reason == "Rebooted" and holds(node, "Ready") and not recent
        told = f"{event.reason}: {event.message}"
        weight = specificity if recent else specificity * 0.6
        found.append(
            _symptom(snapshot, node, (fault,), told, weight, cite.told(snapshot, event), event.first, over=over)
        )
    return found


def _stated(snapshot: Snapshot, node: Object, kind: str) -> Excerpt:
    return cite.stated(snapshot, "Node", node, kind)


def _waiting_for(snapshot: Snapshot, node: Object) -> list[Object]:
    """Pods that were evicted from a node come back as pods without one, and may be made for that node alone."""
    waiting = [p for p in snapshot.pods if is_pending(p) and not text(p, "spec", "nodeName")]
    others = [n for n in snapshot.all("Node") if n is not node and holds(n, "Ready")]
    return [p for p in waiting if _suits(p, node) and not any(_suits(p, n) for n in others)]


def _suits(pod: Object, node: Object) -> bool:
    spec = mapping(pod, "spec")
    return node_matches_selector(spec, node) and node_matches_affinity(spec, node)


def _symptom(
    snapshot: Snapshot,
    node: Object,
    faults: tuple[str, ...],
    told: str,
    specificity: float,
    excerpt: Excerpt,
    onset: datetime | None = None,
    *,
    over: bool = False,
) -> Symptom:
    pods = [p for p in snapshot.pods if text(p, "spec", "nodeName") == name(node)]
    pods += _waiting_for(snapshot, node)
    victims = tuple(dict.fromkeys(snapshot.owner_of(p) for p in pods))
    evicted = [p for p in pods if text(p, "status", "reason") == "Evicted"][:1]
    evidence = [
        excerpt,
        *(cite.seen(snapshot, "Pod", p, f"pod {name(p)} Evicted: {text(p, 'status', 'message')}") for p in evicted),
    ]
    since = [
        time_of(c.get("lastTransitionTime"))
        for c in maps(node, "status", "conditions")
        if text(c, "type") in excerpt.text
    ]
    return Symptom(
        analyzer=NAME,
        entity=Entity(kind="Node", name=name(node)),
        faults=faults,
        summary=f"Node {name(node)} {told[:300]} ({len(victims)} workloads of {', '.join(snapshot.namespaces)} run "
        "there or wait for it).",
        # A node that runs nothing of what was asked about explains little.
        specificity=specificity if victims else specificity * 0.6,
        evidence=tuple(evidence),
        onset=onset or latest(since) or excerpt.at,
        victims=victims,
        ongoing=not over,
    )
