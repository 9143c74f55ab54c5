"""Pods whose parts get in each other's way: init container stuck (D7), two containers on one port (E8)."""

from __future__ import annotations

from datetime import datetime, timedelta

from skills.contract import Entity, Excerpt, Focus, Symptom, Window
from skills.kubernetes import cite, references, rollouts
from skills.kubernetes.analyzers.crashes import last_words
from skills.kubernetes.objects import (
    Object,
    created,
    dig,
    entity,
    mapping,
    maps,
    name,
    namespace,
    number,
    strings,
    text,
    time_of,
)
from skills.kubernetes.podlogs import Tail
from skills.kubernetes.pods import container_spec, container_statuses, init_statuses, last_end, live, name_of, waiting
from skills.kubernetes.snapshot import Snapshot

NAME = "kubernetes.containers"
_STUCK, _LONG = timedelta(minutes=2), timedelta(minutes=10)
_OTHERS = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError", "CreateContainerError")


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    found: list[Symptom | None] = []
    for pod in live(snapshot.pods):
        found += [_init(snapshot, pod, s) for s in init_statuses(pod)]
        found.append(_ports(snapshot, pod))
    return [s for s in found if s]


def _init(snapshot: Snapshot, pod: Object, status: Object) -> Symptom | None:
    called, (reason, message) = name_of(status), waiting(status)
    begun = time_of(dig(status, "state", "running", "startedAt"))
    hangs = begun is not None and snapshot.clock - begun > _STUCK
    failed = mapping(status, "state", "terminated")
    crashes = reason == "CrashLoopBackOff" or (bool(failed) and number(failed, "exitCode") != 0) or (
        number(status, "restartCount") > 1 and status.get("ready") is not True
    )  # fmt: skip
    if reason in _OTHERS or not (hangs or crashes):
        return None
    owner = snapshot.owner_of(pod)
    spec = container_spec(pod, called)
    line = " ".join([*strings(spec, "command"), *strings(spec, "args")])
    asked = references.addresses(line)
    asked += [a for k, v in references.environment(spec).items() if k in line for a in references.addresses(v, k)]
    inside = [(h, p) for h, p, _ in asked if references.understand(snapshot, h, namespace(pod))]
    awaited = [(h, references.service_of(snapshot, h, namespace(pod))) for h, _ in inside]
    gone = [h for h, s in awaited if s is None]
    gone += [
        f"{h}:{p}"
        for (h, p), (_, s) in zip(inside, awaited, strict=True)
        if s is not None and p is not None and p not in references.ports_of(s)
    ]
    starved = [s for _, s in awaited if s is not None and snapshot.ready_addresses(s) == 0]
    end = last_end(status)
    state = f"running since {text(status, 'state', 'running', 'startedAt')}" if hangs else f"waiting {reason} {message}"
    state += f", last exit {number(end, 'exitCode')} ({text(end, 'reason')})" if end else ""
    words = f"pod {name(pod)} init container {called} {state}, {number(status, 'restartCount')} restarts"
    why = "never ends" if hangs else "crashes"
    why += f": it waits for {', '.join(gone)}, which does not exist" if gone and snapshot.knows("Service") else ""
    why += f": it waits for {', '.join(name(s) for s in starved)}" if starved else ""
    rollout = rollouts.latest(snapshot, owner)
    added = rollout if rollouts.find(rollout, "initContainer", called) else None
    evidence: list[Excerpt] = [cite.seen(snapshot, "Pod", pod, words)]
    if line:
        evidence.append(cite.seen(snapshot, "Pod", pod, f"init container {called} runs: {line}", verb="get"))
    return Symptom(
        analyzer=NAME,
        entity=owner,
        faults=("init_container_stuck",),
        summary=f"{owner.kind} {owner.name}: init container {called} {why}.",
        # Migrations and downloads take their minutes.
        specificity=0.5
        if starved
        else 0.94
        if gone
        else 0.9
        if crashes or begun is None or snapshot.clock - begun > _LONG
        else 0.6,
        evidence=(*evidence, *last_words(snapshot, pod, 2)),
        onset=added.after.at if added else created(pod),
        role="effect" if starved else "cause",
        points_at=tuple(entity("Service", s) for s in starved),
        victims=snapshot.victims_of(owner),
        change=added.id if added else None,
    )


def _ports(snapshot: Snapshot, pod: Object) -> Symptom | None:
    """Containers of a pod share its address: the second one that binds a port fails."""
    holders: dict[tuple[int, str], list[str]] = {}
    sidecars = [c for c in maps(pod, "spec", "initContainers") if text(c, "restartPolicy") == "Always"]
    for container in [*sidecars, *maps(pod, "spec", "containers")]:
        for port in maps(container, "ports"):
            key = (number(port, "containerPort"), text(port, "protocol") or "TCP")
            holders.setdefault(key, [])
            if name_of(container) not in holders[key]:
                holders[key].append(name_of(container))
    shared = {key: names for key, names in holders.items() if len(names) > 1}
    failing = {
        name_of(s)
        for s in container_statuses(pod)
        if s.get("ready") is not True or (number(s, "restartCount") > 0 and text(last_end(s), "reason") != "Completed")
    }
    for (shared_port, protocol), names in shared.items():
        victims = [n for n in names if n in failing]
        if not victims:
            continue
        said = _in_use(snapshot, pod, victims)
        owner = snapshot.owner_of(pod)
        words = (
            f"pod {name(pod)} containers {' and '.join(names)} both declare port {shared_port}/{protocol}; "
            f"{', '.join(victims)} fails"
        )
        return Symptom(
            analyzer=NAME,
            entity=owner,
            faults=("port_conflict_in_pod",),
            summary=f"{owner.kind} {owner.name}: {words}.",
            specificity=0.96 if said else 0.93,
            evidence=(cite.seen(snapshot, "Pod", pod, words), *said),
            onset=created(pod),
            victims=snapshot.victims_of(owner),
        )
    return None


def _in_use(snapshot: Snapshot, pod: Object, containers: list[str]) -> list[Excerpt]:
    for container in containers:
        for previous in (True, False):
            tail = Tail(namespace(pod), name(pod), container, previous)
            for line in snapshot.logs.get(tail.key, ()):
                if "in use" in line.text.lower() or "EADDRINUSE" in line.text:
                    return [
                        Excerpt(
                            line.text[:300],
                            tail.command,
                            entity=Entity(kind="Pod", namespace=namespace(pod), name=name(pod)),
                            at=line.at,
                        )
                    ]
    return []
