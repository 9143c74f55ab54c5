"""What was changed near the onset, read as a suspect: new image (J1), configuration (J3), flag (J2). Weak by itself:
a change is no cause until its effect is seen elsewhere."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from skills.contract import Entity, Focus, Symptom, Window
from skills.kubernetes import cite, references, rollouts
from skills.kubernetes.differences import drift, owner_of_field
from skills.kubernetes.objects import Object, created, entity, mapping, name, text, time_of
from skills.kubernetes.snapshot import Snapshot, Workload

NAME = "kubernetes.releases"
_BEFORE, _AFTER = timedelta(hours=2), timedelta(minutes=5)


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    onset = focus.started_at or window.end
    found: list[Symptom | None] = [_release(snapshot, w, onset) for w in snapshot.workloads]
    found += [_edited(snapshot, w) for w in snapshot.workloads]
    found += [_flags(snapshot, c, onset) for c in snapshot.of("ConfigMap")]
    return [s for s in found if s]


def _release(snapshot: Snapshot, workload: Workload, onset: datetime) -> Symptom | None:
    rollout = rollouts.latest(snapshot, workload.entity)
    change = rollouts.as_change(snapshot, rollout) if rollout else None
    if (
        rollout is None
        or change is None
        or not onset - _BEFORE <= change.at <= onset + _AFTER
        or not rollout.differences
    ):
        return None
    if rollouts.find(rollout, "image"):
        faults: tuple[str, ...] = ("code_defect_in_release", "contract_broken_between_services", "config_value_harmful")
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
        specificity=0.4 if minutes >= 0 else 0.2,
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


def _flags(snapshot: Snapshot, config: Object, onset: datetime) -> Symptom | None:
    """flagd's JSON: every flag reads ENABLED; what counts is a defaultVariant other than off."""
    at = time_of(owner_of_field(config, "data")[1]) or created(config)
    raised = [f for value in mapping(config, "data").values() if isinstance(value, str) for f in _raised(value)]
    target = entity("ConfigMap", config)
    recent = at is not None and onset - _BEFORE <= at <= onset + _AFTER
    if raised:
        words = f"ConfigMap {name(config)}: flag(s) not at their off variant: {', '.join(raised[:5])}"
        flag = Entity(kind="feature_flag", namespace=target.namespace, name=raised[0].partition("=")[0])
        seen = cite.seen(snapshot, "ConfigMap", config, words, verb="get", at=at)
        return Symptom(NAME, flag, ("feature_flag_harmful",), f"{words}.", 0.6 if recent else 0.45, (seen,), onset=at)
    born = created(config)
    if not recent or at is None or born is None or abs((at - born).total_seconds()) < 5:
        return None
    words = f"ConfigMap {name(config)} was written {at:%Y-%m-%dT%H:%M:%SZ}"
    users = [
        w.entity
        for w in snapshot.workloads
        if name(config) in json.dumps(w.pod_spec) and w.entity.namespace == target.namespace
    ]
    if not users:
        return None
    seen = cite.seen(snapshot, "ConfigMap", config, words, verb="get", at=at)
    return Symptom(
        NAME,
        users[0],
        ("config_value_harmful",),
        f"{words}; used by {', '.join(u.name for u in users[:5])}.",
        0.4,
        (seen,),
        onset=at,
        role="change",
    )


def _raised(value: str) -> list[str]:
    if '"defaultVariant"' not in value:
        return []
    try:
        flags = mapping(json.loads(value), "flags")
    except ValueError:
        return []
    return [
        f"{called}={text(flag, 'defaultVariant')}"
        for called, flag in flags.items()
        if "off" in mapping(flag, "variants")
        and text(flag, "defaultVariant") not in ("off", "")
        and text(flag, "state") == "ENABLED"
    ]
