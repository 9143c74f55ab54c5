"""Pods that nobody even tries to place: scheduler down (B10), pinned to a missing node (B9); and pods pushed out (B8).

A pod with spec.nodeName bypasses the scheduler. Preemption: event Preempted on the victim and its condition
DisruptionTarget, reason PreemptionByScheduler (pkg/scheduler/framework/preemption).
"""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import datetime, timedelta

from skills.contract import Entity, Excerpt, Focus, Symptom, Window
from skills.kubernetes import cite
from skills.kubernetes.objects import (
    Object,
    condition,
    created,
    dig,
    entity,
    latest,
    maps,
    name,
    namespace,
    number,
    text,
    time_of,
)
from skills.kubernetes.pods import is_pending, is_ready, live
from skills.kubernetes.refusals import lacks_pods
from skills.kubernetes.snapshot import Snapshot

NAME = "kubernetes.scheduler"
_PATIENCE = timedelta(seconds=45)
_DEFAULT = "default-scheduler"
_LEASE_IS_STALE = timedelta(seconds=60)
"""Leader election renews every 2 s and gives up after 10 s (component-base config v1alpha1 defaults)."""


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    found: list[Symptom | None] = [*_pinned(snapshot), *_preempted(snapshot), _silent(snapshot)]
    return [s for s in found if s]


def _silent(snapshot: Snapshot) -> Symptom | None:
    waiting = [
        p
        for p in snapshot.pods
        if is_pending(p)
        and not text(p, "spec", "nodeName")
        and not condition(p, "PodScheduled")
        and not snapshot.events_of("Pod", p, "FailedScheduling", "Scheduled")
        and (born := created(p)) is not None
        and snapshot.clock - born > _PATIENCE
    ]
    if not waiting:
        return None
    owners = tuple(dict.fromkeys(snapshot.owner_of(p) for p in waiting))
    pod = min(waiting, key=lambda p: created(p) or snapshot.now)
    told = (
        f"{len(waiting)} pods are Pending without any scheduling event, the oldest {name(pod)} since "
        f"{text(pod, 'metadata', 'creationTimestamp')}"
    )
    evidence = [cite.seen(snapshot, "Pod", pod, told)]
    custom = _asked(pod)
    if custom != _DEFAULT:
        return _symptom(
            owners[0], f"its pods ask for the scheduler {custom}, which does not act", 0.8, evidence, pod, owners
        )
    target, specificity, said = _state_of_scheduler(snapshot)
    if specificity < 0.9 and _placed_since(snapshot, pod):
        specificity = 0.3  # younger pods found a node: it works, and this one is another story
    return _symptom(target, f"kube-scheduler does not place pods: {told}", specificity, [*evidence, *said], pod, owners)


def _asked(pod: Object) -> str:
    return text(pod, "spec", "schedulerName") or _DEFAULT


def _placed_since(snapshot: Snapshot, pod: Object) -> bool:
    born = created(pod)
    return any(
        (at := created(p)) is not None and born is not None and at > born and not _by_daemon(p)
        for p in snapshot.all("Pod")
        if text(p, "spec", "nodeName") and _asked(p) == _asked(pod)
    )


def _by_daemon(pod: Object) -> bool:
    """Placed without the scheduler: by its kubelet (static pods), or pinned in its template."""
    return any(text(o, "kind") == "Node" for o in maps(pod, "metadata", "ownerReferences"))


def _state_of_scheduler(snapshot: Snapshot) -> tuple[Entity, float, list[Excerpt]]:
    """(the scheduler's pod or lease, specificity, what they tell). Managed clusters show neither pod."""
    pods = [p for p in snapshot.system("Pod") if name(p).startswith("kube-scheduler")]
    siblings = [
        p for p in snapshot.system("Pod") if name(p).startswith(("kube-apiserver-", "kube-controller-manager-"))
    ]
    lease = snapshot.find("Lease", "kube-system", "kube-scheduler")
    renewed = time_of(dig(lease, "spec", "renewTime"))
    newest = latest(time_of(dig(le, "spec", "renewTime")) for le in snapshot.all("Lease"))
    stale = renewed is not None and newest is not None and newest - renewed > _LEASE_IS_STALE
    down = [p for p in pods if not is_ready(p)]
    evidence = [
        cite.seen(snapshot, "Pod", p, f"pod {name(p)} phase {text(p, 'status', 'phase')}, Ready={is_ready(p)}")
        for p in (down or pods)[:1]
    ]
    if stale:
        words = f"lease kube-system/kube-scheduler was last renewed {dig(lease, 'spec', 'renewTime')}"
        evidence.append(Excerpt(words, "kubectl -n kube-system get lease kube-scheduler -o yaml"))
    absent = not pods and bool(siblings)
    if absent:
        words = f"no pod kube-scheduler in kube-system beside {', '.join(name(p) for p in siblings[:2])}"
        evidence.append(Excerpt(words, "kubectl -n kube-system get pods -l tier=control-plane"))
    if pods:
        target = entity("Pod", (down or pods)[0])
    elif lease is not None:
        target = entity("Lease", lease)
    else:
        target = Entity(kind="Pod", namespace="kube-system", name="kube-scheduler")
    if stale or absent or (pods and not any(is_ready(p) for p in pods)):
        return target, 0.96, evidence
    return target, 0.75 if snapshot.knows("Event") else 0.4, evidence


def _symptom(
    target: Entity, why: str, specificity: float, evidence: list[Excerpt], pod: Object, victims: tuple[Entity, ...]
) -> Symptom:
    return Symptom(
        analyzer=NAME,
        entity=target,
        faults=("scheduler_not_running",),
        summary=f"{target.kind} {target.name}: {why}.",
        specificity=specificity,
        evidence=tuple(evidence),
        onset=created(pod),
        victims=victims,
    )


def _pinned(snapshot: Snapshot) -> list[Symptom]:
    if not snapshot.knows("Node"):
        return []
    nodes = [name(n) for n in snapshot.all("Node")]
    found = []
    for workload in snapshot.workloads:
        wanted = text(workload.pod_spec, "nodeName")
        if wanted and wanted not in nodes:
            words = f"{workload.entity.kind} {workload.entity.name} nodeName {wanted}; nodes are {', '.join(nodes[:8])}"
            found.append(
                Symptom(
                    analyzer=NAME,
                    entity=workload.entity,
                    faults=("pinned_to_missing_node_or_port",),
                    summary=f"{words}: its pods wait for a node that does not exist.",
                    specificity=0.96,
                    evidence=(cite.about(snapshot, workload.entity, words, verb="get"),),
                    onset=created(workload.obj),
                    victims=snapshot.victims_of(workload.entity),
                )
            )
    return found


def _preempted(snapshot: Snapshot) -> list[Symptom]:
    told: dict[Entity, list[tuple[Excerpt, datetime | None]]] = defaultdict(list)
    by: dict[Entity, dict[Entity, Excerpt]] = defaultdict(dict)
    for event in snapshot.events:
        if event.reason == "Preempted" and event.kind == "Pod" and event.namespace in snapshot.namespaces:
            owner = _owner(snapshot, event.namespace, event.name)
            if owner:
                told[owner].append((cite.told(snapshot, event), event.last))
                by[owner].update(_preemptor(snapshot, event.message, owner))
    for pod in snapshot.pods:
        target = condition(pod, "DisruptionTarget")
        if target.get("status") == "True" and text(target, "reason") == "PreemptionByScheduler":
            said = cite.stated(snapshot, "Pod", pod, "DisruptionTarget")
            told[snapshot.owner_of(pod)].append((said, time_of(target.get("lastTransitionTime"))))
    found = []
    for owner, events in told.items():
        pending = [p for p in live(snapshot.pods_of(owner)) if is_pending(p)]
        stands = bool(pending) or lacks_pods(snapshot, owner)
        room = f" by {', '.join(e.name for e in by[owner])}" if by[owner] else ""
        found.append(
            Symptom(
                analyzer=NAME,
                entity=owner,
                faults=("preempted_by_priority",),
                summary=f"{owner.kind} {owner.name}: pods were evicted for others of higher priority{room}; "
                f"{len(pending)} replacement(s) wait.",
                specificity=0.96 if stands else 0.4,
                evidence=tuple(
                    [e for e, _ in events[-2:]]
                    + list(by[owner].values())[:1]
                    + [
                        cite.seen(
                            snapshot, "Pod", p, f"pod {name(p)} priority {number(p, 'spec', 'priority')} is Pending"
                        )
                        for p in pending[:1]
                    ]
                ),
                onset=min((t for _, t in events if t), default=None),
                points_at=tuple(by[owner]),
                victims=snapshot.victims_of(owner),
                ongoing=stands,
            )
        )
    return found


_PREEMPTED = re.compile(r"Preempted by (?:a )?(?:pod )?(?P<who>\S+) on node")


def _preemptor(snapshot: Snapshot, message: str, victim: Entity) -> dict[Entity, Excerpt]:
    """Whose pod took the room, which the event names by its uid, before Kubernetes 1.26 by `namespace/name`."""
    match = _PREEMPTED.search(message)
    who = match["who"] if match else ""
    for pod in snapshot.all("Pod"):
        if who and who in (text(pod, "metadata", "uid"), f"{namespace(pod)}/{name(pod)}"):
            owner = snapshot.owner_of(pod)
            words = (
                f"pod {name(pod)} ({who}) of {owner.kind} {owner.name} has priority {number(pod, 'spec', 'priority')}"
            )
            return {owner: cite.seen(snapshot, "Pod", pod, words)} if owner != victim else {}
    return {}


def _owner(snapshot: Snapshot, place: str, pod: str) -> Entity | None:
    """The workload of a pod that is gone, by the name that its controller gave it."""
    known = snapshot.find("Pod", place, pod)
    if known is not None:
        return snapshot.owner_of(known)
    for made in snapshot.of("ReplicaSet"):
        if namespace(made) == place and pod.startswith(f"{name(made)}-"):
            return snapshot.owner_of(made, "ReplicaSet")
    named = [
        w.entity for w in snapshot.workloads if w.entity.namespace == place and pod.startswith(f"{w.entity.name}-")
    ]
    return max(named, key=lambda e: len(e.name), default=None)
