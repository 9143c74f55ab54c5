"""Memory against its limit: killed (E1), climbing between kills (E2).

Metrics: cAdvisor container_memory_working_set_bytes, which is what the kubelet compares; kube-state-metrics
kube_pod_container_resource_limits and kube_pod_container_status_last_terminated_reason.
"""

from __future__ import annotations

from datetime import datetime

from skills.contract import Symptom
from skills.prometheus.endings import gone_since, told
from skills.prometheus.look import Look, Question, workload
from skills.series import bytes_shown, change_point, compare, last, longest_climb, slope_per_hour, values

QUESTIONS = (
    Question(
        "working_set",
        'max by (namespace, pod, container) (container_memory_working_set_bytes{{ns},container!="",container!="POD"})',
        shows="memory working set",
        unit="bytes",
    ),
    Question(
        "memory_limit",
        'kube_pod_container_resource_limits{{ns},resource="memory"}',
        shows="memory limit",
        unit="bytes",
    ),
    Question("oom_killed", 'kube_pod_container_status_last_terminated_reason{{ns},reason="OOMKilled"} == 1'),
    Question(
        "restarts",
        "sum by (namespace, pod, container) (increase(kube_pod_container_status_restarts_total{{ns}}[10m]))",
        shows="restarts in ten minutes",
    ),
)


def analyze(look: Look) -> list[Symptom]:
    sets, limits = look.by_container("working_set"), look.by_container("memory_limit")
    killed = look.by_container("oom_killed")
    found: dict[str, Symptom] = {}
    keys = set(sets) | set(killed)
    # A pod is known as killed for as long as it is there; one that was replaced says nothing of its successors.
    ended = {k: end for k in keys if (end := gone_since(killed.get(k) or sets[k], look))}
    for key in sorted(keys, key=lambda k: (k in ended, k)):
        namespace, pod, container = key
        entity = workload(namespace, pod)
        end = ended.get(key)
        limit = last(limits[key]) if key in limits else None
        series = sets.get(key)
        used = compare(series, look.window, look.baseline) if series else None
        full = bool(limit and used and used.peak and used.peak >= 0.95 * limit)
        if key not in killed and not full:
            continue
        climb = longest_climb(series.points) if series else ()
        slope = slope_per_hour(climb)
        leaking = bool(
            limit and slope and len(climb) >= 12 and slope > 0.05 * limit and climb[0][1] < 0.8 * climb[-1][1]
        )
        lowered = _lowered(look, key)
        evidence = []
        if key in killed:
            evidence.append(
                look.excerpt("oom_killed", f"container {container} of {pod} was last terminated as OOMKilled", entity)
            )
        if used and used.peak is not None:
            text = f"working set of container {container} of {pod} peaks at {bytes_shown(used.peak)}"
            text += f" (baseline mean {bytes_shown(used.before)})" + (
                f" of a limit of {bytes_shown(limit)}" if limit else ""
            )
            evidence.append(look.excerpt("working_set", text, entity))
        if lowered:
            evidence.append(look.excerpt("memory_limit", f"memory limit of {entity.name} went from {lowered}", entity))
        faults = (
            ("memory_leak", "memory_limit_too_low")
            if leaking and not lowered
            else ("memory_limit_too_low", "memory_leak")
        )
        found.setdefault(
            str(entity),
            Symptom(
                analyzer="prometheus.memory",
                entity=entity,
                faults=faults,
                summary=f"{entity.name} {'reached' if end else 'reaches'} its memory limit"
                + (f" of {bytes_shown(limit)}" if limit else "")
                + told(end),
                specificity=(0.75 if key in killed else 0.5) + (0.1 if lowered or leaking else 0.0),
                evidence=tuple(evidence),
                onset=_first_restart(look, key),
                ongoing=end is None,
            ),
        )
    return list(found.values())


def _lowered(look: Look, key: tuple[str, str, str]) -> str | None:
    """`512Mi to 128Mi` when pods of the same workload had a higher limit before."""
    namespace, pod, container = key
    owner = workload(namespace, pod)
    levels: list[tuple[float, float]] = []
    for (ns, other, name), series in look.by_container("memory_limit").items():
        if (ns, name) == (namespace, container) and workload(ns, other) == owner and series.points:
            levels += [(series.points[0][0].timestamp(), v) for v in values(series)[:1]]
            levels += [(series.points[-1][0].timestamp(), v) for v in values(series)[-1:]]
    if not levels:
        return None
    levels.sort()
    first, final = levels[0][1], levels[-1][1]
    return f"{bytes_shown(first)} to {bytes_shown(final)}" if final < 0.9 * first else None


def _first_restart(look: Look, key: tuple[str, str, str]) -> datetime | None:
    series = look.by_container("restarts").get(key)
    moment = change_point(series.points) if series else None
    return moment.at if moment and moment.after > moment.before else None
