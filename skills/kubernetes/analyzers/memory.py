"""Containers killed for memory: a limit below normal use (E1), a leak (E2), or a node that ran out.

Sources: kubelet ConvertPodStatus sets reason OOMKilled from the runtime's status; containerd reports a kill during
start-up as "container init was OOM-killed (memory limit too low?)" (runc libcontainer/process_linux.go).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from skills.contract import Entity, Excerpt, Focus, Symptom, Window
from skills.kubernetes import cite, rollouts
from skills.kubernetes.objects import Object, dig, earliest, is_terminating, latest, name, number, text, time_of
from skills.kubernetes.pods import (
    container_spec,
    container_statuses,
    init_statuses,
    is_finished,
    is_ready,
    name_of,
    pod_started,
    uptime,
    waiting,
)
from skills.kubernetes.quantities import quantity, size
from skills.kubernetes.snapshot import Snapshot
from skills.kubernetes.stores import is_cache

NAME = "kubernetes.memory"
_SHORT, _LONG = timedelta(minutes=10), timedelta(hours=1)
_RECENT = timedelta(days=1)
_TINY = 32 * 2**20


@dataclass(frozen=True)
class Kill:
    pod: Object
    status: Object
    ended: datetime | None
    lived: timedelta | None
    words: str


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    kills: dict[tuple[Entity, str], list[Kill]] = defaultdict(list)
    for pod in snapshot.pods:
        if is_terminating(pod):
            continue
        for status in [*container_statuses(pod), *init_statuses(pod)]:
            kill = _kill(pod, status)
            if kill:
                kills[(snapshot.owner_of(pod), name_of(status))].append(kill)
    return [s for (owner, container), found in kills.items() if (s := _symptom(snapshot, owner, container, found))]


def _kill(pod: Object, status: Object) -> Kill | None:
    for state in ("state", "lastState"):
        end = dig(status, state, "terminated")
        if text(end, "reason") == "OOMKilled" or "OOM-killed" in text(end, "message"):
            return Kill(pod, status, time_of(dig(end, "finishedAt")), uptime(end), _words(pod, status, end))
    reason, message = waiting(status)
    if "OOM-killed" in message:
        return Kill(pod, status, None, None, f"container {name_of(status)} waiting {reason}: {message}")
    return None


def _words(pod: Object, status: Object, end: Object) -> str:
    lived = uptime(end)
    after = f" after {_span(lived)}" if lived is not None else ""
    return (
        f"pod {name(pod)} container {name_of(status)} terminated {text(end, 'reason')} exit "
        f"{number(end, 'exitCode')}{after}"
        f" at {text(end, 'finishedAt')}, restarts {number(status, 'restartCount')}"
    )


def _span(lived: timedelta) -> str:
    seconds = int(lived.total_seconds())
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"


def _symptom(snapshot: Snapshot, owner: Entity, container: str, kills: list[Kill]) -> Symptom | None:
    kill = max(kills, key=lambda k: (number(k.status, "restartCount"), k.ended is not None))
    limit = dig(container_spec(kill.pod, container), "resources", "limits", "memory")
    if quantity(limit) is None:
        return _without_limit(snapshot, owner, container, kill)
    rollout = rollouts.latest(snapshot, owner)
    lowered = rollouts.find(rollout, "resources.limits.memory", container)
    evidence = [cite.seen(snapshot, "Pod", kill.pod, kill.words, at=kill.ended)]
    evidence.append(cite.seen(snapshot, "Pod", kill.pod, f"container {container} limits.memory {limit}", verb="get"))
    faults: tuple[str, ...]
    change, onset = None, earliest([k.ended for k in kills])
    lived = min((k.lived for k in kills if k.lived is not None), default=None)
    usual = _neighbours_limit(snapshot, owner, container)
    recent = rollout is not None and rollout.after.at is not None and snapshot.clock - rollout.after.at < _RECENT
    if rollout and lowered and _is_lower(lowered.before, lowered.after) and (recent or lived is None or lived < _LONG):
        change, onset = rollout.id, rollout.after.at or onset
        faults, specificity = ("memory_limit_too_low", "memory_leak"), 0.95
        why = (
            f"its memory limit went {lowered.before or 'from none'} -> {lowered.after} in revision "
            f"{rollout.after.number}"
        )
        evidence += _of_rollout(snapshot, rollout)
    elif (quantity(limit) or 0) <= _TINY or (usual and (quantity(limit) or 0) * 4 <= usual):
        faults, specificity = ("memory_limit_too_low", "memory_leak"), 0.92
        why = f"its limit is only {limit}" + (f", containers of the same image have {size(usual)}" if usual else "")
        onset = earliest([pod_started(k.pod) for k in kills]) if lived is None or lived < _SHORT else onset
    elif lived is not None and lived >= _LONG:
        faults, specificity = ("memory_leak", "memory_limit_too_low"), 0.7
        why = f"it ran for {_span(lived)} before it reached {limit}, so memory grew slowly"
        if rollout and rollouts.find(rollout, "image", container):
            change = rollout.id
    else:
        faults, specificity = (
            ("memory_limit_too_low", "memory_leak"),
            0.85 if lived is not None and lived < _SHORT else 0.75,
        )
        why = f"it reached {limit}" + (f" within {_span(lived)} of starting" if lived is not None else "")
    if is_cache(container_spec(kill.pod, container)):
        faults = (*faults, "cache_unavailable")
    if starved := _starved_node(snapshot, kill):
        faults = (*faults, "node_cpu_or_memory_pressure")
        specificity = min(specificity, 0.7)
        evidence.append(starved)
    if owner.kind == "StatefulSet" and len(kills) == 1 and len(snapshot.pods_of(owner)) >= 3:
        # Members of a set hold shards: one that alone runs out of what suffices for its siblings may hold a hot one.
        faults = (*faults, "hot_key_or_shard")
        why += f"; its {len(snapshot.pods_of(owner)) - 1} siblings with the same limit were not killed"
    ongoing = _ongoing(snapshot, kills, lived)
    return Symptom(
        analyzer=NAME,
        entity=owner,
        faults=faults,
        summary=f"{owner.kind} {owner.name}: container {container} is OOMKilled "
        f"({number(kill.status, 'restartCount')} restarts); {why}.",
        specificity=specificity if ongoing else 0.2 if _is_old(snapshot, kills) else specificity - 0.3,
        evidence=tuple(evidence),
        onset=onset,
        victims=snapshot.victims_of(owner),
        change=change,
        ongoing=ongoing,
    )


def _of_rollout(snapshot: Snapshot, rollout: rollouts.Rollout) -> list[Excerpt]:
    change = rollouts.as_change(snapshot, rollout)
    return list(change.evidence) if change else []


def _is_lower(before: str, after: str) -> bool:
    old, new = quantity(before), quantity(after)
    return new is not None and (old is None or new < old)


def _neighbours_limit(snapshot: Snapshot, owner: Entity, container: str) -> float | None:
    """The median limit of other workloads that run the same image: what is usual for this program."""
    workload = snapshot.workload(owner)
    image = next((text(c, "image") for c in workload.containers if name_of(c) == container), "") if workload else ""
    limits = [
        found
        for other in snapshot.workloads
        if other.entity != owner
        for c in other.containers
        if text(c, "image") == image and image and (found := quantity(dig(c, "resources", "limits", "memory")))
    ]
    return sorted(limits)[len(limits) // 2] if len(limits) >= 2 else None


def _ongoing(snapshot: Snapshot, kills: list[Kill], lived: timedelta | None) -> bool:
    if any(not is_ready(k.pod) and not is_finished(k.pod) for k in kills):
        return True
    last = latest(k.ended for k in kills)
    patience = max(timedelta(minutes=10), 2 * (lived or timedelta()))
    return last is None or snapshot.clock - last < patience


def _is_old(snapshot: Snapshot, kills: list[Kill]) -> bool:
    last = latest(k.ended for k in kills)
    return last is not None and snapshot.clock - last > _RECENT


def _starved_node(snapshot: Snapshot, kill: Kill) -> Excerpt | None:
    """The node itself ran out at that time: the kernel's choice says little about the container's limit."""
    node = text(kill.pod, "spec", "nodeName")
    said = snapshot.events_about(Entity(kind="Node", name=node), "SystemOOM")
    near = [e for e in said if e.last and kill.ended and abs((e.last - kill.ended).total_seconds()) < 300]
    return cite.told(snapshot, near[-1]) if near else None


def _without_limit(snapshot: Snapshot, owner: Entity, container: str, kill: Kill) -> Symptom:
    """No limit of its own: the node's memory (or a parent group's) ran out, and the kernel picked this one."""
    node = text(kill.pod, "spec", "nodeName")
    old = _is_old(snapshot, [kill])
    return Symptom(
        analyzer=NAME,
        entity=owner,
        faults=("unlimited_neighbour", "memory_leak", "node_cpu_or_memory_pressure"),
        summary=f"{owner.kind} {owner.name}: container {container} has no memory limit and was OOMKilled on node "
        f"{node}.",
        specificity=0.2 if old else 0.5,
        ongoing=not old,
        evidence=(cite.seen(snapshot, "Pod", kill.pod, f"{kill.words}; no limits.memory", at=kill.ended),),
        onset=kill.ended,
        points_at=(Entity(kind="Node", name=node),) if node else (),
        victims=snapshot.victims_of(owner),
    )
