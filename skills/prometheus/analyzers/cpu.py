"""CPU at its limit: throttled by the limit (E3), driven by traffic (K1), or burning at equal traffic (E4).

Metrics: cAdvisor container_cpu_* and kube-state-metrics kube_pod_container_resource_limits. What separates the three
is rate, usage and limit together (faults.md, E3 and E4).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from skills.contract import Entity, Series, Symptom
from skills.prometheus.look import Look, Question, workload
from skills.series import ChangePoint, change_point, compare, last, shown

QUESTIONS = (
    Question(
        "throttled",
        'sum by (namespace, pod, container) (rate(container_cpu_cfs_throttled_periods_total{{ns},container!=""}[5m])) '
        '/ sum by (namespace, pod, container) (rate(container_cpu_cfs_periods_total{{ns},container!=""}[5m]))',
        shows="share of throttled CPU periods",
        unit="ratio",
        level=0.25,
    ),
    Question(
        "cpu_usage",
        'sum by (namespace, pod, container) (rate(container_cpu_usage_seconds_total{{ns},container!~"|POD"}[5m]))',
        shows="CPU usage",
        unit="cores",
    ),
    Question("cpu_limit", 'kube_pod_container_resource_limits{{ns},resource="cpu"}', shows="CPU limit", unit="cores"),
)
THROTTLED = 0.25
"""Share of CFS periods; the alert CPUThrottlingHigh of the kubernetes-mixin fires at the same value."""


def analyze(look: Look) -> list[Symptom]:
    usage, limits = look.by_container("cpu_usage"), look.by_container("cpu_limit")
    found = []
    for key, series in look.by_container("throttled").items():
        ratio = compare(series, look.window, look.baseline)
        if ratio.now is None or ratio.now < THROTTLED:
            continue
        namespace, pod, container = key
        entity = workload(namespace, pod)
        moment = change_point(series.points)
        always = ratio.before is not None and ratio.before >= 0.8 * ratio.now
        evidence = [
            look.excerpt(
                "throttled",
                f"container {container} of {pod} was throttled in {shown(100 * ratio.now)}% of its CPU periods"
                f" (baseline {shown(100 * ratio.before) if ratio.before is not None else 'none'}%)",
                entity,
            )
        ]
        used = compare(usage[key], look.window, look.baseline) if key in usage else None
        limit = compare(limits[key], look.window, look.baseline) if key in limits else None
        lowered = bool(limit and limit.before and limit.now and limit.now < 0.9 * limit.before)
        if used and used.now is not None:
            text = f"container {container} of {pod} uses {shown(used.now)} cores (baseline {shown(used.before)})"
            if limit and limit.now:
                text += f" of a limit of {shown(limit.now)}" + (
                    f", lowered from {shown(limit.before)}" if lowered else ""
                )
            evidence.append(look.excerpt("cpu_usage", text, entity))
        found.append(
            Symptom(
                analyzer="prometheus.cpu",
                entity=entity,
                faults=("cpu_throttled_by_limit", "cpu_hot_loop", "traffic_surge"),
                summary=f"{entity.name} is throttled by its CPU limit",
                specificity=0.3 if always else 0.85 if lowered else 0.7,
                evidence=tuple(evidence),
                onset=moment.at if moment and moment.after > moment.before and not always else None,
            )
        )
    return _one_per_workload(found) + _hot(look)


def _hot(look: Look) -> list[Symptom]:
    """Usage of a workload's pods that jumped and stays: something computes more than before, or is asked for more.

    Compared by the mean of its pods: a release brings pods with new names, which have no past of their own.
    """
    pods: dict[tuple[Entity, str], list[Series]] = defaultdict(list)
    for (namespace, pod, container), series in look.by_container("cpu_usage").items():
        pods[(workload(namespace, pod), container)].append(series)
    found = []
    for (entity, container), each in pods.items():
        level = change_point(_mean(each))
        if level is None or level.explained < 0.5 or level.after < max(0.3, 3 * max(level.before, 0.02)):
            continue
        if (last(each[-1]) or 0.0) < 0.5 * level.after and len(each) == 1:
            continue
        text = f"{container} of {entity.name} uses {shown(level.after)} cores a pod, {shown(level.before)} before"
        asked = _asked(look, entity)
        faults: tuple[str, ...] = ("cpu_hot_loop", "traffic_surge", "garbage_collection_stalls")
        weight = 0.55
        if asked is not None:
            text += f", at {shown(asked.after)} requests/s, {shown(asked.before)} before"
            flat = asked.after < 1.5 * asked.before
            faults = faults if flat else ("traffic_surge", "cpu_hot_loop")
            weight = 0.8 if flat else 0.6
        found.append(
            Symptom(
                analyzer="prometheus.cpu",
                entity=entity,
                faults=faults,
                summary=text,
                specificity=weight,
                evidence=(look.excerpt("cpu_usage", text, entity, level.at),),
                onset=level.at,
            )
        )
    return _one_per_workload(found)


def _mean(each: Sequence[Series]) -> tuple[tuple[datetime, float], ...]:
    """Pods come and go: at each moment the mean of those that were there."""
    at: dict[datetime, list[float]] = defaultdict(list)
    for series in each:
        for moment, value in series.points:
            if math.isfinite(value):
                at[moment].append(value)
    return tuple((moment, sum(values) / len(values)) for moment, values in sorted(at.items()))


def _asked(look: Look, entity: Entity) -> ChangePoint | None:
    """What the service of that name is asked: its rate before and since it changed; the same twice if it did not."""
    for series in look.ask("requests"):
        labels = series.labels
        name = labels.get("service") or labels.get("app") or labels.get("job")
        if name != entity.name or labels.get("namespace", "") != (entity.namespace or ""):
            continue
        rate = compare(series, look.window, look.baseline)
        if rate.now is None or rate.before is None:
            return None
        moment = change_point(series.points)
        if moment is not None and moment.explained > 0.6:
            return moment
        return ChangePoint(look.window.start, rate.before, rate.now, 0.0)
    return None


def _one_per_workload(symptoms: list[Symptom]) -> list[Symptom]:
    best: dict[str, Symptom] = {}
    for symptom in symptoms:
        key = str(symptom.entity)
        if key not in best or symptom.specificity > best[key].specificity:
            best[key] = symptom
    return list(best.values())
