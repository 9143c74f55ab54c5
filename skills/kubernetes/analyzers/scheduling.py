"""Pods that no node takes: selector (B1), affinity (B2), anti-affinity (B3), taint (B4), cordon (B5), requests
(B6, B7),
host port (B9). The scheduler's message is read as counts per reason, then checked against the pod's spec and all nodes.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta

from skills.contract import Entity, Excerpt, Focus, Symptom, Window
from skills.kubernetes import cite, rollouts, unschedulable
from skills.kubernetes.objects import (
    Object,
    condition,
    created,
    maps,
    name,
    text,
    time_of,
)
from skills.kubernetes.pods import is_pending
from skills.kubernetes.selectors import node_matches_affinity, node_matches_selector
from skills.kubernetes.snapshot import Snapshot
from skills.kubernetes.unplaced import Stuck, Verdict, deadlocked, is_standing, verdict_on
from skills.kubernetes.unschedulable import Reason

NAME = "kubernetes.scheduling"


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    return [*(s for stuck in _stuck(snapshot) for s in _symptoms(snapshot, stuck)), *_gated(snapshot)]


def _gated(snapshot: Snapshot) -> list[Symptom]:
    """Pods whose schedulingGates somebody was to take away (a quota or capacity controller, Kueue): no leaf of the
    vocabulary says so, and the scheduler has no part in it."""
    by_owner: dict[Entity, list[Object]] = defaultdict(list)
    for pod in snapshot.pods:
        if text(condition(pod, "PodScheduled"), "reason") == "SchedulingGated":
            by_owner[snapshot.owner_of(pod)].append(pod)
    found = []
    for owner, pods in by_owner.items():
        gates = ", ".join(text(g, "name") for g in maps(pods[0], "spec", "schedulingGates")) or "?"
        who = f"{owner.kind} {owner.name}: {len(pods)} pod(s)"
        words = f"pod {name(pods[0])} SchedulingGated: scheduling gates {gates}"
        found.append(
            Symptom(
                analyzer=NAME,
                entity=owner,
                faults=(),
                summary=f"{who} wait for their scheduling gate {gates} to be lifted.",
                specificity=0.5,
                evidence=(cite.seen(snapshot, "Pod", pods[0], words),),
                onset=created(pods[0]),
                role="effect",
                victims=snapshot.victims_of(owner),
            )
        )
    return found


def _stuck(snapshot: Snapshot) -> list[Stuck]:
    by_owner: dict[tuple[Entity, str], list[tuple[Object, str, Excerpt]]] = defaultdict(list)
    for pod in snapshot.pods:
        if not is_pending(pod) or text(pod, "spec", "nodeName"):
            continue
        scheduled = condition(pod, "PodScheduled")
        if text(scheduled, "reason") == "SchedulingGated":
            continue  # the scheduler has not looked at it
        events = snapshot.events_of("Pod", pod, "FailedScheduling")
        message = text(scheduled, "message") if scheduled.get("status") == "False" else ""
        if message:
            said = cite.seen(
                snapshot,
                "Pod",
                pod,
                f"pod {name(pod)} PodScheduled=False {text(scheduled, 'reason')}: {message}",
                at=time_of(scheduled.get("lastTransitionTime")),
            )
        elif events:
            message, said = events[-1].message, cite.told(snapshot, events[-1])
        else:
            continue
        kinds = ",".join(sorted(r.kind for r in unschedulable.reasons(message)))
        by_owner[(snapshot.owner_of(pod), kinds)].append((pod, message, said))
    return [Stuck(owner, [p for p, _, _ in found], found[0][1], found[0][2]) for (owner, _), found in by_owner.items()]


def _symptoms(snapshot: Snapshot, stuck: Stuck) -> list[Symptom]:
    reasons = [r for r in unschedulable.reasons(stuck.message) if not r.is_control_plane]
    if not reasons:
        # Only control-plane nodes, or a wording that nobody knows yet: say that it cannot be scheduled, no more.
        return [_symptom(snapshot, stuck, Verdict((), "the scheduler finds no node", 0.3, role="effect"))]
    reasons = [r for r in _of_its_own_node(stuck, reasons) if not is_standing(snapshot, stuck, r, reasons)]
    if not reasons:
        return []
    eligible = max(sum(r.count for r in reasons), 1)
    lead = max(
        reasons, key=lambda r: (_per_pod(r), not _narrows(snapshot, stuck, r, reasons), r.count, -_ORDER.index(r.kind))
    )
    verdicts = []
    for reason in reasons:
        verdict = verdict_on(snapshot, stuck, reason, reasons)
        if verdict is None:
            continue
        verdict = deadlocked(snapshot, stuck, reason, verdict)
        share = 1.0 if _per_pod(reason) else min(1.0, reason.count / eligible)
        specificity = verdict.specificity if reason is lead else min(verdict.specificity, 0.45 + 0.3 * share)
        verdicts.append(replace(verdict, specificity=specificity))
    return [_symptom(snapshot, stuck, v) for v in verdicts]


def _narrows(snapshot: Snapshot, stuck: Stuck, reason: Reason, reasons: list[Reason]) -> bool:
    """A selector that some nodes match only narrows the choice: what rules those out is the trouble."""
    if reason.kind != "selector" or len(reasons) == 1:
        return False
    nodes = snapshot.all("Node")
    return any(node_matches_selector(stuck.spec, n) and node_matches_affinity(stuck.spec, n) for n in nodes)


def _of_its_own_node(stuck: Stuck, reasons: list[Reason]) -> list[Reason]:
    """Each pod of a DaemonSet is bound to one node by affinity: that the others do not match is how it is made."""
    rest = [r for r in reasons if r.kind not in ("selector", "prefilter")]
    return rest if rest and stuck.owner.kind == "DaemonSet" else reasons


_ORDER = (
    "volume_missing",
    "volume_lost",
    "volume_writer",
    "volume_unbound",
    "volume_bind",
    "ports",
    "selector",
    "volume_node",
    "anti_affinity",
    "pod_affinity",
    "spread",
    "taint",
    "cordoned",
    "memory",
    "cpu",
    "extended",
    "too_many_pods",
    "volume_count",
    "volume_space",
    "prefilter",
)


def _per_pod(reason: Reason) -> bool:
    """A reason that concerns the pod whatever the node."""
    return reason.kind in ("volume_missing", "volume_unbound", "volume_bind", "volume_lost")


def _symptom(snapshot: Snapshot, stuck: Stuck, verdict: Verdict) -> Symptom:
    rollout = rollouts.latest(snapshot, stuck.owner)
    changed = rollouts.find(rollout, verdict.path) if verdict.path and rollouts.made(rollout, stuck.pod) else None
    onset = time_of(condition(stuck.pod, "PodScheduled").get("lastTransitionTime")) or created(stuck.pod)
    evidence = [stuck.said, *verdict.evidence]
    why, change = verdict.why, None
    if rollout and changed:
        change, onset = rollout.id, rollout.after.at or onset
        why += f" (since revision {rollout.after.number}: {changed})"
        made = rollouts.as_change(snapshot, rollout)
        evidence += list(made.evidence) if made else []
    age = snapshot.clock - onset if onset else timedelta()
    return Symptom(
        analyzer=NAME,
        entity=stuck.owner,
        faults=verdict.faults,
        summary=f"{stuck.owner.kind} {stuck.owner.name}: {len(stuck.pods)} pod(s) cannot be scheduled: {why}.",
        # What has been pending for days is rarely what an alert of today is about.
        specificity=verdict.specificity * (0.3 if age > timedelta(days=7) else 0.6 if age > timedelta(days=3) else 1),
        evidence=tuple(evidence),
        onset=onset,
        role="effect" if verdict.role == "effect" else "cause",
        points_at=verdict.points_at,
        victims=snapshot.victims_of(stuck.owner),
        change=change,
    )
