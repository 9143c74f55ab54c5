"""Pods that the kubelet rejected or ended by itself: the scheduler was bypassed or saw another node than there is now.

status.reason and message of pkg/kubelet/lifecycle/predicate.go (OutOfcpu, NodeAffinity, NodePorts,
UnexpectedAdmissionError), pkg/kubelet/sysctl and apparmor admission, nodeshutdown and preemption: "Pod was rejected:
Node didn't have enough resource: cpu, requested: 2000, used: 3000, capacity: 4000". They stay as Failed pods for days
(the garbage collector keeps 12,500), so only fresh ones of a workload that lacks pods are a cause.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from skills.contract import Entity, Focus, Symptom, Window
from skills.kubernetes import cite
from skills.kubernetes.objects import Object, created, earliest, latest, mapping, name, text
from skills.kubernetes.pods import ended_at
from skills.kubernetes.refusals import lacks_pods
from skills.kubernetes.snapshot import Snapshot

NAME = "kubernetes.rejections"
_FRESH = timedelta(hours=1)
_OF_THE_POD = {
    "OutOfcpu": "cpu_requests_do_not_fit",
    "OutOfmemory": "memory_requests_do_not_fit",
    "OutOfpods": "cpu_requests_do_not_fit",
    "NodePorts": "pinned_to_missing_node_or_port",
    "NodeAffinity": "node_affinity_unmatched",
    "SysctlForbidden": "security_context_rejected",
    "AppArmor": "security_context_rejected",
    "Preempting": "preempted_by_priority",
    "PodOSNotSupported": "image_wrong_architecture",
}
_OF_THE_NODE = {"NodeShutdown": "node_rebooted", "Terminated": "node_rebooted", "Shutdown": "node_rebooted"}


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    by_cause: dict[tuple[Entity, str], list[Object]] = defaultdict(list)
    for pod in snapshot.pods:
        reason = text(pod, "status", "reason")
        if text(pod, "status", "phase") != "Failed":
            continue
        if reason in _OF_THE_POD:
            fault = _OF_THE_POD[reason]
            if reason == "NodeAffinity" and not mapping(pod, "spec", "affinity", "nodeAffinity"):
                fault = "node_selector_unmatched"
            by_cause[(snapshot.owner_of(pod), fault)].append(pod)
        elif reason in _OF_THE_NODE and text(pod, "spec", "nodeName"):
            by_cause[(Entity(kind="Node", name=text(pod, "spec", "nodeName")), _OF_THE_NODE[reason])].append(pod)
    return [_symptom(snapshot, target, fault, pods) for (target, fault), pods in by_cause.items()]


def _symptom(snapshot: Snapshot, target: Entity, fault: str, pods: list[Object]) -> Symptom:
    last = latest(ended_at(p) for p in pods)
    fresh = last is not None and snapshot.clock - last < _FRESH
    owners = tuple(dict.fromkeys(snapshot.owner_of(p) for p in pods))
    stands = fresh and any(lacks_pods(snapshot, o) for o in owners)
    pod = max(pods, key=lambda p: str(created(p)))
    words = f"pod {name(pod)} {text(pod, 'status', 'reason')}: {text(pod, 'status', 'message')}"
    return Symptom(
        analyzer=NAME,
        entity=target,
        faults=(fault,),
        summary=f"{target.kind} {target.name}: {len(pods)} pod(s) were turned away by the kubelet: {words}.",
        specificity=0.9 if stands else 0.5 if fresh else 0.15,
        evidence=(cite.seen(snapshot, "Pod", pod, words, at=ended_at(pod)),),
        onset=earliest(ended_at(p) for p in pods),
        victims=owners,
        ongoing=stands,
    )
