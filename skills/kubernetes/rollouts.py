"""Revisions of workloads and what each of them changed.

Deployments keep one ReplicaSet a revision (annotation deployment.kubernetes.io/revision); StatefulSets and DaemonSets
keep ControllerRevisions, whose `data` is a patch that replaces the template.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise

from skills.contract import Change, Entity, Window
from skills.kubernetes import cite, writes
from skills.kubernetes.differences import Difference, of_templates, owner_of_field, restarted_at
from skills.kubernetes.objects import (
    Object,
    condition,
    controller,
    created,
    dig,
    earliest,
    mapping,
    name,
    namespace,
    notes,
    number,
    text,
    time_of,
)
from skills.kubernetes.snapshot import Snapshot, Workload

_REVISION = "deployment.kubernetes.io/revision"
_ROLLOUT_REVISION = "rollout.argoproj.io/revision"


@dataclass(frozen=True)
class Revision:
    number: int
    at: datetime | None
    """When it became the current one."""
    template: Object
    source: Object
    """The ReplicaSet or ControllerRevision."""
    kind: str
    came_back: bool = False
    """A rollback: an older template under a new number."""


def revisions(snapshot: Snapshot, workload: Workload) -> list[Revision]:
    """Oldest first; the last one is current. Empty when none could be read."""
    if workload.entity.kind in ("Deployment", "Rollout"):
        return _of_deployment(snapshot, workload)
    owned = sorted(_owned(snapshot, "ControllerRevision", workload.entity), key=lambda r: number(r, "revision"))
    return [_of_controller(workload, each, owned[:i]) for i, each in enumerate(owned)]


def _of_controller(workload: Workload, each: Object, older: Sequence[Object]) -> Revision:
    """A rollback gives an old ControllerRevision a new number (pkg/controller/history UpdateControllerRevision): made
    before those that it follows, it tells nothing of when it came back, but whoever wrote the template does."""
    made = created(each)
    came_back = any(made is not None and (at := created(o)) is not None and at > made for o in older)
    at = time_of(owner_of_field(workload.obj, "spec", "template")[1]) if came_back else made
    template = mapping(each, "data", "spec", "template")
    return Revision(number(each, "revision"), at, template, each, "ControllerRevision", came_back)


def _of_deployment(snapshot: Snapshot, workload: Workload) -> list[Revision]:
    found = []
    for each in _owned(snapshot, "ReplicaSet", workload.entity):
        revision = _number(notes(each).get(_REVISION, "") or notes(each).get(_ROLLOUT_REVISION, ""))
        came_back = bool(notes(each).get("deployment.kubernetes.io/revision-history"))
        at = _scaled_up_at(snapshot, workload, each) if came_back else created(each)
        found.append(Revision(revision, at, mapping(each, "spec", "template"), each, "ReplicaSet", came_back))
    return sorted(found, key=lambda r: (r.number, r.at is not None, r.at))


def _scaled_up_at(snapshot: Snapshot, workload: Workload, replica_set: Object) -> datetime | None:
    called = name(replica_set)
    events = snapshot.events_about(workload.entity, "ScalingReplicaSet")
    ups = [e.first for e in events if f"replica set {called} " in f"{e.message} " and "Scaled up" in e.message]
    progress = time_of(dig(condition(workload.obj, "Progressing"), "lastUpdateTime"))
    return ups[-1] if ups else progress


def _owned(snapshot: Snapshot, kind: str, target: Entity) -> list[Object]:
    """Objects of a kind that the target controls."""
    index: dict[Entity, list[Object]] | None = snapshot.memo.get(f"owned {kind}")
    if index is None:
        index = defaultdict(list)
        for obj in snapshot.of(kind):
            owner = controller(obj)
            index[Entity(kind=text(owner, "kind"), namespace=namespace(obj) or None, name=text(owner, "name"))].append(
                obj
            )
        snapshot.memo[f"owned {kind}"] = index
    return index.get(target, [])


def _number(value: str) -> int:
    return int(value) if value.isdigit() else 0


@dataclass(frozen=True)
class Rollout:
    """The step from one revision to the next."""

    workload: Entity
    before: Revision
    after: Revision

    @cached_property
    def differences(self) -> tuple[Difference, ...]:
        return tuple(of_templates(self.before.template, self.after.template))

    @property
    def id(self) -> str:
        return f"rollout/{self.workload.namespace}/{self.workload.name}/{self.after.number}"


def rollouts(snapshot: Snapshot, workload: Workload) -> list[Rollout]:
    """Oldest first."""
    return [Rollout(workload.entity, old, new) for old, new in pairwise(revisions(snapshot, workload))]


def latest(snapshot: Snapshot, target: Entity) -> Rollout | None:
    """The rollout that led to the current revision."""
    known: dict[Entity, Rollout | None] = snapshot.memo.setdefault("latest rollouts", {})
    if target not in known:
        workload = snapshot.workload(target)
        found = revisions(snapshot, workload)[-2:] if workload else []
        known[target] = Rollout(target, *found) if len(found) == 2 else None
    return known[target]


def find(rollout: Rollout | None, path: str, container: str = "") -> Difference | None:
    """What the rollout did to a path such as `resources.limits.memory`, in any container or the named one."""
    for difference in rollout.differences if rollout else ():
        if difference.path.startswith(path) and container in ("", difference.container):
            return difference
    return None


_AT_ONCE = timedelta(hours=1)


def made(rollout: Rollout | None, pod: Object) -> bool:
    """Whether the rollout made this pod. One that came long after replaces a pod that did well on the same template:
    what it lacks is no work of that rollout."""
    at, born = rollout.after.at if rollout else None, created(pod)
    return rollout is not None and (at is None or born is None or born - at < _AT_ONCE)


def as_change(snapshot: Snapshot, rollout: Rollout) -> Change | None:
    at = rollout.after.at
    if at is None:
        return None
    told = "; ".join(str(d) for d in rollout.differences[:8])
    if not told:
        told = "restart" if restarted_at(rollout.after.template) else "no difference in the pod template"
    if rollout.after.came_back:
        told = f"rolled back: {told}"
    words = f"{rollout.workload.kind} {rollout.workload.name} revision {rollout.after.number}: {told}"
    author = notes(rollout.after.source).get("kubernetes.io/change-cause")
    return Change(
        id=rollout.id,
        at=at,
        entity=rollout.workload,
        summary=told,
        kind="rollout",
        author=author,
        evidence=(cite.seen(snapshot, rollout.after.kind, rollout.after.source, words, verb="get", at=at),),
    )


def changes(snapshot: Snapshot, window: Window) -> list[Change]:
    """Rollouts, new workloads, scaling, edits in place, configuration and node changes, oldest first."""
    steps = [r for w in snapshot.workloads for r in rollouts(snapshot, w)]
    steps = [r for r in steps if r.after.at and window.start <= r.after.at <= window.end]
    found = [c for r in steps if (c := as_change(snapshot, r))]
    found += [c for w in snapshot.workloads if (c := _creation(snapshot, w))]
    found += [c for w in snapshot.workloads for c in _scalings(snapshot, w)]
    found += _only(writes.of(snapshot), found)
    found += _nodes(snapshot)
    return sorted((c for c in found if window.start <= c.at <= window.end), key=lambda c: (c.at, c.id))


def _only(written: Iterable[Change], told: Sequence[Change]) -> Iterator[Change]:
    """Without what events or revisions tell better."""
    known = [c for c in told if c.kind in ("rollout", "scale")]
    for change in written:
        if change.kind != "scale" or not any(
            c.entity == change.entity and abs((c.at - change.at).total_seconds()) < _TOGETHER for c in known
        ):
            yield change


def _creation(snapshot: Snapshot, workload: Workload) -> Change | None:
    at = created(workload.obj)
    if at is None or workload.entity.kind == "Job":
        return None
    oldest = _oldest(snapshot, workload.entity.namespace or "")
    if oldest is None or (at - oldest).total_seconds() < 60:
        return None
    target = workload.entity
    words = (
        f"{target.kind} {target.name} was created {at:%Y-%m-%dT%H:%M:%SZ}, the oldest of its neighbours "
        f"{oldest:%Y-%m-%dT%H:%M:%SZ}"
    )
    return Change(
        id=f"created/{target.namespace}/{target.name}",
        at=at,
        entity=target,
        summary="created (or deleted and created again)",
        kind="rollout",
        evidence=(cite.seen(snapshot, target.kind, workload.obj, words, at=at),),
    )


def _oldest(snapshot: Snapshot, place: str) -> datetime | None:
    known: dict[str, datetime | None] = snapshot.memo.setdefault("oldest workloads", {})
    if place not in known:
        known[place] = earliest(created(w.obj) for w in snapshot.workloads if w.entity.namespace == place)
    return known[place]


_TOGETHER = 60.0
"""Seconds within which the steps of one scaling are told."""


def _scalings(snapshot: Snapshot, workload: Workload) -> list[Change]:
    """Changes of the replica count that no rollout explains: one ReplicaSet goes up or down while no other moves."""
    found: list[Change] = []
    events = [e for e in snapshot.events_about(workload.entity, "ScalingReplicaSet") if e.first]
    for event in events:
        at = event.first
        assert at is not None
        near = [e for e in events if e.first and abs((e.first - at).total_seconds()) < _TOGETHER]
        if len({_set_of(e.message) for e in near}) > 1:
            continue
        told = (cite.told(snapshot, event),)
        last = found[-1] if found else None
        if last and (at - last.at).total_seconds() < _TOGETHER and _way(last.summary) == _way(event.message):
            found[-1] = replace(last, summary=_joined(last.summary, event.message), evidence=(*last.evidence, *told))
            continue
        found.append(
            Change(
                id=f"scale/{workload.entity.namespace}/{workload.entity.name}/{at:%Y%m%dT%H%M%SZ}",
                at=at,
                entity=workload.entity,
                summary=event.message,
                kind="scale",
                evidence=told,
            )
        )
    return found


_COUNTS = re.compile(r" (from|to) (\d+)")


def _joined(one: str, other: str) -> str:
    """`... from 4 to 2` and `... from 2 to 0`, in whatever order, are one way from 4 to 0."""
    counts = [dict(_COUNTS.findall(message)) for message in (one, other)]
    if not all("to" in c for c in counts):
        return one
    ends, starts = ([int(c[word]) for c in counts if word in c] for word in ("to", "from"))
    down = _way(one).endswith("down")
    start = f" from {(max if down else min)(starts)}" if starts else ""
    return f"{_way(one)} replica set {_set_of(one)}{start} to {(min if down else max)(ends)}"


def _set_of(message: str) -> str:
    return message.split(" replica set ")[-1].split(" ")[0]


def _way(message: str) -> str:
    return message.split(" replica set ")[0]


_NODE_EVENTS = ("NodeNotReady", "NodeReady", "Rebooted", "NodeNotSchedulable", "NodeSchedulable", "RemovingNode",
                "RegisteredNode", "DeletingNode")  # fmt: skip


def _nodes(snapshot: Snapshot) -> list[Change]:
    found = []
    for event in snapshot.events:
        if event.kind == "Node" and event.reason in _NODE_EVENTS and event.last:
            found.append(
                Change(
                    id=f"node/{event.name}/{event.reason}/{event.last:%Y%m%dT%H%M%SZ}",
                    at=event.last,
                    entity=Entity(kind="Node", name=event.name),
                    summary=f"{event.reason}: {event.message}",
                    kind="node",
                    evidence=(cite.told(snapshot, event),),
                )
            )
    return found
