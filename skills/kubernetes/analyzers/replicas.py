"""Workloads that should have pods and do not: scaled to zero (E10), stuck rollout (E12), autoscaler (E11)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from skills.contract import Entity, Excerpt, Focus, Symptom, Window
from skills.kubernetes import cite, references
from skills.kubernetes.asmeant import over_target
from skills.kubernetes.differences import owner_of_field
from skills.kubernetes.events import Event
from skills.kubernetes.objects import (
    Object,
    condition,
    dig,
    entity,
    labels,
    mapping,
    maps,
    name,
    namespace,
    number,
    text,
    time_of,
)
from skills.kubernetes.pods import is_ready, live
from skills.kubernetes.snapshot import Snapshot, Workload

NAME = "kubernetes.replicas"
_LONG_AGO, _LATELY = timedelta(days=1), timedelta(hours=2)
_SCALED = re.compile(r"replica set (?P<name>\S+)(?: from (?P<before>\d+))? to (?P<to>\d+)(?: from (?P<was>\d+))?")
_SCALED_KINDS = ("Deployment", "StatefulSet", "ReplicaSet", "Rollout", "DeploymentConfig")
_ON_DEMAND = ("serving.knative.dev/service", "scaledobject.keda.sh/name", "autoscaling.knative.dev/class")


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    found: list[Symptom | None] = [_zero(snapshot, w) for w in snapshot.workloads]
    found += [_came_back(snapshot, w) for w in snapshot.workloads if w.entity.kind == "Deployment"]
    found += [_rollout(snapshot, w) for w in snapshot.workloads if w.entity.kind in ("Deployment", "StatefulSet")]
    found += [_autoscaler(snapshot, h, focus) for h in snapshot.of("HorizontalPodAutoscaler")]
    return [s for s in found if s]


# --- E10 -----------------------------------------------------------------------------------------------------------


def _zero(snapshot: Snapshot, workload: Workload) -> Symptom | None:
    target = workload.entity
    if target.kind not in _SCALED_KINDS or dig(workload.obj, "spec", "replicas") != 0:
        return None
    services = snapshot.services_of(target)
    names = {name(s) for s in services}
    callers = [
        r.workload
        for r in references.every(snapshot)
        if r.host.partition(".")[0] in names and r.workload != target and live(snapshot.pods_of(r.workload))
    ]
    events = [
        e
        for e in snapshot.events_about(target, "ScalingReplicaSet", "SuccessfulDelete")
        if (step := _step(e.message)) is None or step[2] == 0
    ]
    manager, stamp = owner_of_field(workload.obj, "spec", "replicas")
    at = events[-1].last if events else time_of(stamp)
    if at is None and not maps(workload.obj, "metadata", "managedFields"):
        # Scaling moves no condition: it happened at some time after the last rollout, which bounds it only when young.
        rolled = time_of(dig(condition(workload.obj, "Progressing"), "lastUpdateTime"))
        at = rolled if rolled is not None and snapshot.clock - rolled < _LATELY else None
    in_vain = _called_in_vain(snapshot, names)
    others_ready = any(n for s in services if (n := snapshot.ready_addresses(s)))
    on_demand = any(k in str(mapping(workload.obj, "metadata")) for k in _ON_DEMAND)
    specificity = 0.95 if callers else 0.8 if services else 0.5
    if at is None and not callers:
        specificity *= 0.5
    specificity = 0.95 if in_vain else specificity
    specificity = 0.3 if others_ready or on_demand else specificity
    if at is not None and snapshot.clock - at > _LONG_AGO:
        # Switched off days ago: a leftover, unless somebody has called it in vain ever since.
        specificity *= 0.7 if callers or in_vain else 0.4
    told = f"{target.kind} {target.name} spec.replicas 0" + (f", written by {manager}" if manager else "")
    return Symptom(
        analyzer=NAME,
        entity=target,
        faults=("scaled_to_zero",),
        summary=f"{target.kind} {target.name} is scaled to zero; {len(callers)} workload(s) call its Service.",
        specificity=specificity,
        evidence=(cite.about(snapshot, target, told, at=at), *(cite.told(snapshot, e) for e in events[-1:])),
        onset=at,
        victims=(*(entity("Service", s) for s in services), *dict.fromkeys(callers)),
    )


_IN_VAIN = re.compile(r"refused|no route to host|timed? ?out|unreachable|unavailable|failed to connect", re.IGNORECASE)


def _called_in_vain(snapshot: Snapshot, services: Iterable[str]) -> bool:
    """Whether a log line that was read complains of one of these Services; callers may know them from files that
    nobody else reads."""
    shapes = [re.compile(rf"(?<![\w.-]){re.escape(s)}(?![\w-])") for s in services]
    return any(
        _IN_VAIN.search(line.text) and any(shape.search(line.text) for shape in shapes)
        for lines in snapshot.logs.values()
        for line in lines
    )


def _step(message: str) -> tuple[str, int | None, int] | None:
    """(ReplicaSet, from, to) of `Scaled down replica set x to 0 from 3` or, later, `... from 3 to 0`."""
    match = _SCALED.search(message)
    if match is None:
        return None
    before = match["before"] or match["was"]
    return match["name"], int(before) if before else None, int(match["to"])


def _came_back(snapshot: Snapshot, workload: Workload) -> Symptom | None:
    """Scaled to zero and up again within the events' memory. A rollout and its undoing move several ReplicaSets."""
    target = workload.entity
    down: Event | None = None
    events = snapshot.events_about(target, "ScalingReplicaSet")
    if len({step[0] for e in events if (step := _step(e.message))}) != 1:
        return None
    for event in events:
        step = _step(event.message)
        if step and step[2] == 0:
            down = event
        elif step and down and (gone := _step(down.message)) and gone[0] == step[0] and workload.replicas > 0:
            words = f"{target.kind} {target.name} was scaled to zero and is back at {workload.replicas} replicas"
            return Symptom(
                analyzer=NAME,
                entity=target,
                faults=("scaled_to_zero",),
                summary=f"{words} since {event.last:%H:%M:%S}." if event.last else f"{words}.",
                specificity=0.85,
                evidence=(cite.told(snapshot, down), cite.told(snapshot, event)),
                onset=down.first,
                victims=tuple(entity("Service", s) for s in snapshot.services_of(target)),
                ongoing=False,
            )
    return None


# --- E12 -----------------------------------------------------------------------------------------------------------


def _rollout(snapshot: Snapshot, workload: Workload) -> Symptom | None:
    target, status = workload.entity, mapping(workload.obj, "status")
    progress = condition(workload.obj, "Progressing")
    pods = live(snapshot.pods_of(target))
    if target.kind == "StatefulSet":
        return _stateful(snapshot, workload, pods)
    behind = bool(status) and number(status, "updatedReplicas") < workload.replicas
    strategy = mapping(workload.obj, "spec", "strategy", "rollingUpdate")
    greedy = str(strategy.get("maxUnavailable")) == "100%" and str(strategy.get("maxSurge")) in ("0", "0%")
    unready = pods and not any(is_ready(p) for p in pods)
    if dig(workload.obj, "spec", "paused") is True and behind:
        why, specificity = "it is paused in the middle of a rollout", 0.85
    elif greedy and unready and number(status, "readyReplicas") == 0 and workload.replicas > 1:
        why, specificity = "maxUnavailable 100% with maxSurge 0 took every old pod away before a new one was ready", 0.8
    elif text(progress, "reason") == "ProgressDeadlineExceeded" and not unready and all(is_ready(p) for p in pods):
        why, specificity = "its progress deadline passed although its pods are ready", 0.45
    else:
        return None
    evidence: list[Excerpt] = [cite.stated(snapshot, "Deployment", workload.obj, "Progressing")] if progress else []
    told = f"Deployment {target.name} strategy {strategy}, paused {dig(workload.obj, 'spec', 'paused') is True}"
    return Symptom(
        analyzer=NAME,
        entity=target,
        faults=("rollout_deadlocked",),
        summary=f"Deployment {target.name}: {why}.",
        specificity=specificity,
        evidence=(*evidence, cite.about(snapshot, target, told, verb="get")),
        onset=time_of(progress.get("lastTransitionTime")),
        victims=snapshot.victims_of(target),
    )


def _stateful(snapshot: Snapshot, workload: Workload, pods: list[Object]) -> Symptom | None:
    """Ordered StatefulSets wait for a broken pod of the old revision for ever (documented as forced rollback)."""
    status = mapping(workload.obj, "status")
    new = text(status, "updateRevision")
    broken = [p for p in pods if not is_ready(p)]
    # After a rollback the current revision is the wanted one again, and the broken pod of the one between stays.
    stale = [p for p in broken if (old := labels(p).get("controller-revision-hash", "")) and old != new]
    if not stale or not new:
        return None
    old = labels(stale[0])["controller-revision-hash"]
    words = (
        f"StatefulSet {workload.entity.name} wants revision {new}, but pod {name(stale[0])} of {old} is not "
        "ready and is not replaced"
    )
    return Symptom(
        analyzer=NAME,
        entity=workload.entity,
        faults=("rollout_deadlocked",),
        summary=f"{words}.",
        specificity=0.75,
        evidence=(cite.about(snapshot, workload.entity, words),),
        victims=snapshot.victims_of(workload.entity),
    )


# --- E11 -----------------------------------------------------------------------------------------------------------


# The API server's answer where no such group is registered (a metrics server that is down is "currently unable").
_UNSERVED = re.compile(r"could not find the requested resource \(get \S*metrics\.k8s\.io\)")


def _autoscaler(snapshot: Snapshot, hpa: Object, focus: Focus) -> Symptom | None:
    spec, status = mapping(hpa, "spec"), mapping(hpa, "status")
    ref = mapping(spec, "scaleTargetRef")
    target = Entity(kind=text(ref, "kind"), namespace=namespace(hpa), name=text(ref, "name"))
    active, able, limited = (condition(hpa, c) for c in ("ScalingActive", "AbleToScale", "ScalingLimited"))
    at_most = number(status, "currentReplicas") >= number(spec, "maxReplicas") > 0
    exists = snapshot.find(target.kind, namespace(hpa), target.name) is not None
    evidence: list[Excerpt] = []
    faults: tuple[str, ...] = ("autoscaler_misconfigured",)
    if not exists and snapshot.knows(target.kind):
        why, specificity, told = f"its target {target.kind} {target.name} does not exist", 0.93, "AbleToScale"
    elif able.get("status") == "False":
        why, specificity, told = f"{text(able, 'reason')}: {text(able, 'message')}", 0.9, "AbleToScale"
    elif active.get("status") == "False" and text(active, "reason") != "ScalingDisabled":
        message = text(active, "message")
        # Without a metrics server no autoscaler of the cluster works, and none ever did.
        lonely = "missing request" in message or sum(
            1 for h in snapshot.of("HorizontalPodAutoscaler") if condition(h, "ScalingActive").get("status") == "False"
        ) < max(2, len(snapshot.of("HorizontalPodAutoscaler")))
        why, told = f"{text(active, 'reason')}: {message}", "ScalingActive"
        specificity = 0.93 if "missing request" in message else 0.75 if lonely else 0.4
        if "might be unready" in message:
            specificity = 0.2  # its pods do not run: they are the trouble
        elif _UNSERVED.search(message) and name(hpa) != focus.labels.get("horizontalpodautoscaler", ""):
            specificity = 0.3
    elif limited.get("status") == "True" and text(limited, "reason") == "TooManyReplicas" and at_most:
        faults = ("autoscaler_misconfigured", "traffic_surge")
        why, specificity, told = (
            f"it is at its maximum of {number(spec, 'maxReplicas')} replicas",
            0.6,
            "ScalingLimited",
        )
        over = over_target(hpa)
        why += f" while {over}" if over else ""
        specificity = 0.75 if over else 0.35
    else:
        return None
    evidence.append(cite.stated(snapshot, "HorizontalPodAutoscaler", hpa, told))
    return Symptom(
        analyzer=NAME,
        entity=entity("HorizontalPodAutoscaler", hpa),
        faults=faults,
        summary=f"HorizontalPodAutoscaler {name(hpa)} cannot scale {target.name}: {why[:300]}.",
        specificity=specificity,
        evidence=tuple(evidence),
        onset=time_of(condition(hpa, told).get("lastTransitionTime")),
        victims=(target,),
    )
