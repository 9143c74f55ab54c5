"""Disruption budgets that let no pod go although all are healthy: nodes that hold them cannot be drained (E12).

policy/v1 PodDisruptionBudget status: disruptionsAllowed, currentHealthy, desiredHealthy, expectedPods. A refused
eviction leaves no event of its own (429 `Cannot evict pod as it would violate the pod's disruption budget`); who drains
says so: Karpenter `DisruptionBlocked` `pdb prevents pod evictions` and `FailedDraining`, Cluster API `FailedDrainNode`,
cluster-autoscaler `ScaleDownFailed`; after `kubectl drain` the node stays cordoned.
"""

from __future__ import annotations

import re
from datetime import datetime

from skills.contract import Focus, Symptom, Window
from skills.kubernetes import cite
from skills.kubernetes.events import Event
from skills.kubernetes.objects import Object, dig, earliest, mapping, maps, name, namespace, number, text, time_of
from skills.kubernetes.snapshot import Snapshot

NAME = "kubernetes.drains"
SAID = re.compile(
    r"disruption ?budget|\bpdbs?\b|\bevict(?:ion|ing|ed)?\b.{0,80}(?:fail|cannot|violate|waiting)|drain", re.IGNORECASE
)
"""Words of events and alerts about evictions that do not come about."""
_REASONS = (
    "DisruptionBlocked",
    "FailedDraining",
    "FailedDrainNode",
    "ScaleDownFailed",
    "NodeDrainFailed",
    "FailedDrain",
    "Unconsolidatable",
    "EvictionBlocked",
)


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    return [s for budget in snapshot.of("PodDisruptionBudget") if (s := _symptom(snapshot, budget, focus))]


def _symptom(snapshot: Snapshot, budget: Object, focus: Focus) -> Symptom | None:
    status = mapping(budget, "status")
    healthy, least = number(status, "currentHealthy"), number(status, "desiredHealthy")
    if number(status, "disruptionsAllowed") or not number(status, "expectedPods") or healthy < least:
        return None  # where pods are unhealthy the budget does what it is for
    pods = snapshot.pods_matching(namespace(budget), mapping(budget, "spec", "selector"))
    cordoned = {name(n): n for n in snapshot.all("Node") if dig(n, "spec", "unschedulable") is True}
    waiting = [p for p in pods if text(p, "spec", "nodeName") in cordoned]
    told = [e for e in snapshot.events if _blames(e, budget, {text(p, "spec", "nodeName") for p in pods})]
    asked = name(budget) in (focus.labels.get("poddisruptionbudget"), focus.labels.get("pdb"))
    if not (waiting or told or asked) or not pods:
        return None
    owner = snapshot.owner_of(pods[0])
    demanded = {k: v for k, v in mapping(budget, "spec").items() if k in ("minAvailable", "maxUnavailable")}
    figures = (
        f"PodDisruptionBudget {name(budget)} {demanded}: disruptionsAllowed 0, currentHealthy {healthy}, "
        f"desiredHealthy {least}, expectedPods {number(status, 'expectedPods')}"
    )
    hosts = [text(p, "spec", "nodeName") for p in waiting]
    evidence = [
        cite.seen(snapshot, "PodDisruptionBudget", budget, figures),
        *(cite.told(snapshot, e) for e in told[-2:]),
    ]
    evidence += [
        cite.seen(snapshot, "Pod", p, f"pod {name(p)} is still on {text(p, 'spec', 'nodeName')}, which is cordoned")
        for p in waiting[:2]
    ]
    where = f"; {', '.join(dict.fromkeys(hosts))} cannot be drained" if hosts else ""
    return Symptom(
        analyzer=NAME,
        entity=owner,
        faults=("rollout_deadlocked", "nodes_cordoned") if waiting else ("rollout_deadlocked",),
        summary=f"{owner.kind} {owner.name}: its disruption budget {name(budget)} {demanded} lets no pod go although "
        f"all {healthy} are healthy{where}.",
        specificity=0.92 if told else 0.85 if asked else 0.6,
        evidence=tuple(evidence),
        onset=earliest(e.first for e in told) or earliest(_cordoned_at(cordoned[h]) for h in hosts),
        victims=tuple(e for e in dict.fromkeys(snapshot.owner_of(p) for p in waiting) if e != owner),
    )


def _blames(event: Event, budget: Object, hosts: set[str]) -> bool:
    """By the budget's own name, or by a node that holds its pods and cannot be emptied."""
    words = event.message
    if event.reason not in _REASONS and not SAID.search(words):
        return False
    if re.search(rf"(?<![\w-]){re.escape(name(budget))}(?![\w-])", words):
        return True
    about = event.name if event.kind in ("Node", "NodeClaim", "Machine") else ""
    return bool(SAID.search(words)) and event.is_warning and about in hosts


def _cordoned_at(node: Object) -> datetime | None:
    taints = maps(node, "spec", "taints")
    return next(
        (time_of(t.get("timeAdded")) for t in taints if t.get("key") == "node.kubernetes.io/unschedulable"), None
    )
