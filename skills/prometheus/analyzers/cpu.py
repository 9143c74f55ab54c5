"""CPU at its limit: throttled by the limit (E3), driven by traffic (K1), or burning at equal traffic (E4).

Metrics: cAdvisor container_cpu_* and kube-state-metrics kube_pod_container_resource_limits. What separates the three
is rate, usage and limit together (faults.md, E3 and E4).
"""

from __future__ import annotations

from skills.contract import Symptom
from skills.prometheus.look import Look, Question, workload
from skills.series import change_point, compare, shown

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
    """Usage that jumped and stays: something computes more than before."""
    found = []
    for (namespace, pod, container), series in look.by_container("cpu_usage").items():
        used = compare(series, look.window, look.baseline)
        if used.before is None or used.now is None or used.now < 0.3 or used.now < 3 * max(used.before, 0.02):
            continue
        moment = change_point(series.points)
        if moment is None or moment.explained < 0.6 or moment.after <= moment.before:
            continue
        entity = workload(namespace, pod)
        text = (
            f"container {container} of {pod} uses {shown(used.now)} cores against {shown(used.before)} in the baseline"
        )
        found.append(
            Symptom(
                analyzer="prometheus.cpu",
                entity=entity,
                faults=("cpu_hot_loop", "traffic_surge", "garbage_collection_stalls"),
                summary=f"{entity.name} uses {shown(used.now)} cores, {shown(used.before)} before",
                specificity=0.55,
                evidence=(look.excerpt("cpu_usage", text, entity, moment.at),),
                onset=moment.at,
            )
        )
    return _one_per_workload(found)


def _one_per_workload(symptoms: list[Symptom]) -> list[Symptom]:
    best: dict[str, Symptom] = {}
    for symptom in symptoms:
        key = str(symptom.entity)
        if key not in best or symptom.specificity > best[key].specificity:
            best[key] = symptom
    return list(best.values())
