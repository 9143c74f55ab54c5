"""What suffers: workloads whose pods crash, are not ready, or are missing, with their last words. Effects, not causes:
an analyzer that knows the reason says so itself, and the log's own analyzers read the same lines.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from skills.contract import Entity, Excerpt, Focus, LogLine, Symptom, Window
from skills.kubernetes import cite, references
from skills.kubernetes.objects import Object, condition, earliest, entity, name, namespace, number, one_line, text
from skills.kubernetes.podlogs import Tail
from skills.kubernetes.pods import (
    container_statuses,
    init_statuses,
    is_ready,
    last_end,
    live,
    name_of,
    unready_since,
    waiting,
)
from skills.kubernetes.refusals import wanted
from skills.kubernetes.snapshot import Snapshot

NAME = "kubernetes.crashes"
_ERROR = re.compile(
    r"\b(error|fatal|panic|exception|traceback|failed|refused|denied|no such host|timed? ?out|unable|cannot|not "
    r"found)\b",
    re.IGNORECASE,
)
_GRACE = timedelta(seconds=30)


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    found = []
    for owner in snapshot.owners:
        symptom = _symptom(snapshot, owner)
        if symptom:
            found.append(symptom)
    return found


def _symptom(snapshot: Snapshot, owner: Entity) -> Symptom | None:
    pods = live(snapshot.pods_of(owner))
    unwell = [
        p for p in pods if not is_ready(p) and text(p, "status", "phase") in ("Running", "Pending", "Unknown", "")
    ]
    workload = snapshot.workload(owner)
    missing = max(0, wanted(workload) - snapshot.pod_count(owner)) if workload else 0
    if owner.kind in ("Job", "CronJob") or (not unwell and not missing):
        return None
    onset = earliest(unready_since(p) for p in unwell)
    states = [s for p in unwell for s in _states(p)]
    evidence: list[Excerpt] = []
    if unwell:
        worst = max(unwell, key=lambda p: sum(number(s, "restartCount") for s in container_statuses(p)))
        told = "; ".join(_states(worst)) or f"phase {text(worst, 'status', 'phase')}, {_why_not_ready(worst)}"
        evidence.append(cite.seen(snapshot, "Pod", worst, f"pod {name(worst)}: {told}"))
        evidence += last_words(snapshot, worst)
    if missing:
        words = f"{owner.kind} {owner.name} wants {missing} more pod(s) than there are"
        evidence.append(cite.about(snapshot, owner, words))
    young = onset is not None and snapshot.clock - onset < _GRACE
    crashing = any("CrashLoopBackOff" in s or "Error" in s for s in states)
    told = ", ".join(dict.fromkeys(_reasons(unwell))) or "not ready"
    parts = [f"{len(unwell)} of {len(pods)} pods are not ready ({told})"] if unwell else []
    parts += [f"{missing} pods are missing"] if missing else []
    return Symptom(
        analyzer=NAME,
        entity=owner,
        faults=(),
        summary=f"{owner.kind} {owner.name}: {'; '.join(parts)}.",
        specificity=0.1 if young else 0.35 if crashing else 0.25,
        evidence=tuple(evidence),
        onset=onset,
        role="effect",
        points_at=_named(snapshot, unwell, owner),
        victims=snapshot.victims_of(owner),
    )


def _states(pod: Object) -> list[str]:
    """`container app waiting CrashLoopBackOff, last exit 1 (Error), 6 restarts`"""
    found = []
    for status in [*init_statuses(pod), *container_statuses(pod)]:
        reason, message = waiting(status)
        end = last_end(status)
        if status.get("ready") is True or (not reason and not end):
            continue
        if text(status, "state", "terminated", "reason") == "Completed":
            continue
        words = f"container {name_of(status)}"
        words += f" waiting {reason}" if reason else ""
        words += f" ({one_line(message, 160)})" if message and "back-off" not in message else ""
        if end:
            words += f", last exit {number(end, 'exitCode')} ({text(end, 'reason')})"
            words += f" {one_line(text(end, 'message'), 200)}" if text(end, "message") else ""
        words += f", {number(status, 'restartCount')} restarts"
        found.append(words)
    return found


def _reasons(pods: list[Object]) -> list[str]:
    found = []
    for pod in pods:
        reasons = [waiting(s)[0] for s in [*init_statuses(pod), *container_statuses(pod)] if waiting(s)[0]]
        found += [r for r in reasons if r != "PodInitializing"] or [_why_not_ready(pod)]
    return found


def _why_not_ready(pod: Object) -> str:
    for kind in ("PodScheduled", "Initialized", "ContainersReady", "Ready"):
        found = condition(pod, kind)
        if found.get("status") == "False":
            return text(found, "reason") or kind
    return text(pod, "status", "reason") or "not ready"


def last_words(snapshot: Snapshot, pod: Object, most: int = 3) -> list[Excerpt]:
    """The most telling lines of the pod's logs: those that sound like errors, else the very last one."""
    found = []
    for status in [*init_statuses(pod), *container_statuses(pod)]:
        for previous in (True, False):
            tail = Tail(namespace(pod), name(pod), name_of(status), previous)
            lines = snapshot.logs.get(tail.key, ())
            telling = [line for line in lines if _ERROR.search(line.text)][-2:] or list(lines[-1:])
            found += [_line(tail, line, pod) for line in telling]
            if telling:
                break
    return found[:most]


def _line(tail: Tail, line: LogLine, pod: Object) -> Excerpt:
    at = line.at if line.at.year > 1970 else None
    return Excerpt(one_line(line.text, 400), tail.command, entity=entity("Pod", pod), at=at)


def _named(snapshot: Snapshot, pods: list[Object], owner: Entity) -> tuple[Entity, ...]:
    """Services that the last words name: what the workload was talking to when it failed."""
    found: list[Entity] = []
    for pod in pods:
        for (place, called, _, _), lines in snapshot.logs.items():
            if (place, called) != (namespace(pod), name(pod)):
                continue
            for line in lines[-40:]:
                if not _ERROR.search(line.text):
                    continue
                for host in _hosts(line.text):
                    service = references.service_of(snapshot, host, place)
                    if service is not None and name(service) != owner.name:
                        found.append(entity("Service", service))
    return tuple(dict.fromkeys(found))


def _hosts(said: str) -> list[str]:
    lookups = re.findall(
        r"lookup ([a-z0-9][a-z0-9.-]*)|getaddrinfo (?:ENOTFOUND|EAI_AGAIN) ([a-z0-9][a-z0-9.-]*)|host "
        r"'([a-z0-9][a-z0-9.-]*)'",
        said,
    )
    return [h for group in lookups for h in group if h] + [h for h, _, _ in references.addresses(said)]
