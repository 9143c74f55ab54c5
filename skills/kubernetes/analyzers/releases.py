"""What was released near the onset, read as a suspect: new image (J1), environment (J3). Weak by itself: a change is no
cause until its effect is seen elsewhere."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from skills.contract import Focus, Symptom, Window
from skills.kubernetes import cite, references, rollouts
from skills.kubernetes.differences import drift, owner_of_field
from skills.kubernetes.objects import time_of
from skills.kubernetes.snapshot import Snapshot, Workload

NAME = "kubernetes.releases"
_TUNES_MEMORY = re.compile(
    r"env\.(GOGC|GOMEMLIMIT|PYTHONGC\w*|MALLOC_\w+)=|env\.\w*(JAVA|JVM|JDK)\w*=.*-X(m[sxn]|X:\S*(GC|Heap|RAM))|"
    r"env\.NODE_OPTIONS=.*max.old.space",
    re.IGNORECASE,
)
"""Variables of a runtime's collector and heap."""
_BEFORE, _AFTER = timedelta(hours=2), timedelta(minutes=5)


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    onset = focus.started_at or window.end
    found: list[Symptom | None] = [_release(snapshot, w, onset) for w in snapshot.workloads]
    found += [_edited(snapshot, w) for w in snapshot.workloads]
    return [s for s in found if s]


def _release(snapshot: Snapshot, workload: Workload, onset: datetime) -> Symptom | None:
    rollout = rollouts.latest(snapshot, workload.entity)
    if rollout is None or rollout.after.at is None or not onset - _BEFORE <= rollout.after.at <= onset + _AFTER:
        return None
    change = rollouts.as_change(snapshot, rollout)
    if change is None or not rollout.differences:
        return None
    tuned = next((d for d in rollout.differences if _TUNES_MEMORY.search(f"{d.path}={d.after or d.before}")), None)
    specificity = 0.4 if rollout.after.at <= onset else 0.2
    if tuned:
        faults: tuple[str, ...] = ("garbage_collection_stalls", "memory_limit_too_low", "memory_leak")
        specificity += 0.1
    elif rollouts.find(rollout, "image"):
        faults = ("code_defect_in_release", "contract_broken_between_services", "config_value_harmful")
    elif difference := rollouts.find(rollout, "env."):
        points = references.addresses(f"{difference.before} {difference.after}", difference.path)
        faults = ("dependency_address_wrong", "config_value_harmful") if points else ("config_value_harmful",)
    elif rollouts.find(rollout, "resources.limits.cpu"):
        faults = ("cpu_throttled_by_limit",)
    else:
        faults = ("config_value_harmful",)
    minutes = int((onset - change.at).total_seconds() // 60)
    when = f"{minutes} min before the onset" if minutes >= 0 else f"{-minutes} min after the onset"
    return Symptom(
        analyzer=NAME,
        entity=workload.entity,
        faults=faults,
        summary=f"{workload.entity.kind} {workload.entity.name} was rolled out {when}: {change.summary}.",
        specificity=specificity,
        evidence=change.evidence,
        onset=change.at,
        role="change",
        change=change.id,
    )


def _edited(snapshot: Snapshot, workload: Workload) -> Symptom | None:
    """The live object departs from what was last applied: an edit that no manifest knows of."""
    told = [d for d in drift(workload.obj) if d.path != "replicas" and "annotations" not in d.path]
    if not told:
        return None
    manager, stamp = owner_of_field(workload.obj, "spec", "template")
    words = (
        f"{workload.entity.kind} {workload.entity.name} differs from its last-applied manifest: "
        f"{'; '.join(str(d) for d in told[:5])}"
    )
    addresses = any("env." in d.path and references.addresses(f"{d.before} {d.after}", d.path) for d in told)
    return Symptom(
        analyzer=NAME,
        entity=workload.entity,
        faults=("dependency_address_wrong", "config_value_harmful") if addresses else ("config_value_harmful",),
        summary=f"{words}" + (f" (written by {manager})." if manager else "."),
        specificity=0.6 if addresses else 0.4,
        evidence=(cite.about(snapshot, workload.entity, words, verb="get"),),
        onset=time_of(stamp),
        role="change",
    )
