"""What makes an alert fire although nothing is wrong, as the objects themselves say: a Job whose later try did the
work, an autoscaler without room that needs none, a quota that is used up and refuses nothing. The counterpart of the
analyzers: it tells why there is no trouble.
"""

from __future__ import annotations

from datetime import datetime

from skills.contract import Entity, Focus, Symptom
from skills.kubernetes import cite, refusals
from skills.kubernetes.objects import (
    Object,
    condition,
    created,
    dig,
    entity,
    holds,
    mapping,
    maps,
    name,
    namespace,
    number,
    text,
    time_of,
)
from skills.kubernetes.pods import is_ready, live
from skills.kubernetes.quantities import quantity
from skills.kubernetes.snapshot import Snapshot

NAME = "kubernetes.asmeant"
_RUN = ("job_name", "job", "cronjob", "exported_job")
_AUTOSCALER = ("horizontalpodautoscaler", "hpa")


def as_meant(snapshot: Snapshot, focus: Focus) -> list[Symptom]:
    """Only of what the alert names: elsewhere nobody asked."""
    named = {focus.labels.get(label, "") for label in (*_RUN, *_AUTOSCALER)} | {focus.service}
    found = [_job(snapshot, j) for j in snapshot.of("Job") if name(j) in named]
    found += [_autoscaler(snapshot, h) for h in snapshot.of("HorizontalPodAutoscaler") if name(h) in named]
    found += [_quota(snapshot, q) for q in snapshot.of("ResourceQuota") if name(q) in _quotas_of(focus)]
    return [s for s in found if s is not None]


def _job(snapshot: Snapshot, job: Object) -> Symptom | None:
    """Its failed pods are counted for as long as the Job is kept, and so an alert on them goes on after the work was
    done: by another pod of the same Job, as backoffLimit allows, or by the next run of its CronJob."""
    failed = number(job, "status", "failed")
    done: datetime | None = _done(job)
    if holds(job, "Complete") and failed and done:
        tries = "1 pod" if failed == 1 else f"{failed} pods"
        words = f"Job {name(job)} is Complete since {done:%Y-%m-%dT%H:%M:%SZ}: {tries} of it failed, and another did it"
        return _well(snapshot, "Job", job, words, done)
    owner = snapshot.owner_of(job, "Job")
    began = created(job)
    if owner.kind != "CronJob" or began is None or not (failed or holds(job, "Failed")):
        return None
    runs = [j for j in snapshot.of("Job") if snapshot.owner_of(j, "Job") == owner and (created(j) or began) > began]
    newest = max(runs, key=lambda j: created(j) or began, default=None)
    if newest is None or not holds(newest, "Complete") or (done := _done(newest)) is None:
        return None
    words = f"CronJob {owner.name}: {name(job)} failed, and its latest run {name(newest)} is Complete since"
    words += f" {done:%Y-%m-%dT%H:%M:%SZ}"
    return _well(snapshot, "Job", newest, words, done)


def _done(job: Object) -> datetime | None:
    return time_of(dig(job, "status", "completionTime")) or time_of(
        condition(job, "Complete").get("lastTransitionTime")
    )


def _autoscaler(snapshot: Snapshot, hpa: Object) -> Symptom | None:
    """minReplicas = maxReplicas fixes the number of replicas, and whoever writes both means it: such an autoscaler is
    at its maximum for ever. It is short only where a metric is above its target or replicas are missing."""
    least, most = number(hpa, "spec", "minReplicas") or 1, number(hpa, "spec", "maxReplicas")
    current = number(hpa, "status", "currentReplicas")
    # A maximum of one is what a forgotten default looks like as well.
    if least != most or current != most or number(hpa, "status", "desiredReplicas") != most:
        return None
    if any(holds_not(hpa, c) for c in ("AbleToScale", "ScalingActive")) or over_target(hpa):
        return None
    kind, target = text(hpa, "spec", "scaleTargetRef", "kind"), text(hpa, "spec", "scaleTargetRef", "name")
    pods = live(snapshot.pods_of(Entity(kind=kind, namespace=namespace(hpa), name=target)))
    if len(pods) < most or not all(is_ready(p) for p in pods):
        return None
    words = f"HorizontalPodAutoscaler {name(hpa)}: minReplicas = maxReplicas = {most}, and {len(pods)} of {most} pods"
    words += f" of {target} are ready" + (f", {used}" if (used := _used(hpa)) else "")
    return _well(snapshot, "HorizontalPodAutoscaler", hpa, words, None)


def _quotas_of(focus: Focus) -> set[str]:
    return {focus.labels.get("resourcequota", "")} - {""}


def _quota(snapshot: Snapshot, quota: Object) -> Symptom | None:
    """A quota that is used to the last has done its work; it is trouble from the first object that it refuses."""
    place = namespace(quota)
    hard, used = mapping(quota, "status", "hard"), mapping(quota, "status", "used")
    full = [r for r in hard if (most := quantity(hard[r])) and (quantity(used.get(r)) or 0.0) >= most]
    refused = any(r.owner.namespace == place and r.stands for r in refusals.of(snapshot))
    if not full or refused or refusals.without_pods(snapshot, place):
        return None
    told = ", ".join(f"{r} used {used.get(r)} of {hard[r]}" for r in full)
    words = f"ResourceQuota {name(quota)}: {told}; nothing is refused, and no workload of {place} lacks pods"
    return _well(snapshot, "ResourceQuota", quota, words, None)


def holds_not(hpa: Object, kind: str) -> bool:
    return text(condition(hpa, kind), "status") == "False"


def targets(hpa: Object) -> list[tuple[str, int, int]]:
    """(resource, utilisation now, target) in percent of requests."""
    wanted = {
        text(m, "resource", "name"): number(m, "resource", "target", "averageUtilization")
        for m in maps(hpa, "spec", "metrics")
    }
    now = {
        text(m, "resource", "name"): number(m, "resource", "current", "averageUtilization")
        for m in maps(hpa, "status", "currentMetrics")
    }
    return [(resource, now[resource], target) for resource, target in wanted.items() if target and resource in now]


def over_target(hpa: Object) -> str:
    """Current utilisation above the target by a tenth (the controller's tolerance)."""
    for resource, now, target in targets(hpa):
        if now > target * 1.1:
            return f"{resource} is at {now}% of requests, target {target}%"
    return ""


def _used(hpa: Object) -> str:
    return "; ".join(f"{resource} at {now}% of requests, target {target}%" for resource, now, target in targets(hpa))


def _well(snapshot: Snapshot, kind: str, obj: Object, words: str, since: datetime | None) -> Symptom:
    return Symptom(
        analyzer=NAME,
        entity=entity(kind, obj),
        faults=(),
        summary=f"{words}.",
        specificity=0.88,
        evidence=(cite.seen(snapshot, kind, obj, words),),
        onset=since,
        role="healthy",
    )
