"""Revisions of workloads and what each of them changed.

Deployments keep one ReplicaSet a revision (annotation deployment.kubernetes.io/revision); StatefulSets and DaemonSets
keep ControllerRevisions, whose `data` is a patch that replaces the template.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise

from skills.contract import Change, Entity, Window
from skills.kubernetes import cite
from skills.kubernetes.differences import (
    Difference,
    drift,
    last_write,
    of_templates,
    owner_of_field,
    plain_value,
    restarted_at,
)
from skills.kubernetes.objects import (
    Object,
    condition,
    controller,
    created,
    dig,
    earliest,
    entity,
    labels,
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
    if workload.entity.kind == "Deployment":
        return _of_deployment(snapshot, workload)
    owned = _owned(snapshot, "ControllerRevision", workload.entity)
    found = [
        Revision(number(r, "revision"), created(r), mapping(r, "data", "spec", "template"), r, "ControllerRevision")
        for r in owned
    ]
    return sorted(found, key=lambda r: r.number)


def _of_deployment(snapshot: Snapshot, workload: Workload) -> list[Revision]:
    found = []
    for each in _owned(snapshot, "ReplicaSet", workload.entity):
        revision = _number(notes(each).get(_REVISION, ""))
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
    found += _writes(snapshot)
    found += _nodes(snapshot)
    return sorted((c for c in found if window.start <= c.at <= window.end), key=lambda c: (c.at, c.id))


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


def _scalings(snapshot: Snapshot, workload: Workload) -> list[Change]:
    """Changes of the replica count that no rollout explains: one ReplicaSet goes up or down while no other moves."""
    found = []
    events = snapshot.events_about(workload.entity, "ScalingReplicaSet")
    for event in events:
        moved = [e for e in events if e.first and event.first and abs((e.first - event.first).total_seconds()) < 60]
        if event.first is None or len({e.message.split(" replica set ")[-1].split(" ")[0] for e in moved}) > 1:
            continue
        found.append(
            Change(
                id=f"scale/{workload.entity.namespace}/{workload.entity.name}/{event.first:%Y%m%dT%H%M%SZ}",
                at=event.first,
                entity=workload.entity,
                summary=event.message,
                kind="scale",
                evidence=(cite.told(snapshot, event),),
            )
        )
    return found


_WATCHED = ("Service", "ConfigMap", "NetworkPolicy", "Ingress", "ResourceQuota", "HorizontalPodAutoscaler", "Secret")
_CONTROLLERS = ("kube-controller-manager", "kubelet", "kube-scheduler", "cert-manager", "endpointslice", "kube-proxy")


def _writes(snapshot: Snapshot) -> list[Change]:
    """The last write to a configuring object by something else than a controller, from metadata.managedFields."""
    found = []
    oldest = earliest(created(w.obj) for w in snapshot.workloads)
    for kind in _WATCHED:
        for obj in snapshot.of(kind):
            manager, stamp = owner_of_field(obj, "data" if kind in ("ConfigMap", "Secret") else "spec")
            at, born = time_of(stamp), created(obj)
            if at is None:
                at, manager = born, ""
            if at is None or manager.startswith(_CONTROLLERS) or labels(obj).get("owner") == "helm":
                continue
            fresh = born is not None and abs((at - born).total_seconds()) < 5
            if fresh and oldest is not None and at - oldest < timedelta(minutes=5):
                continue  # made together with everything else
            told = "; ".join(str(d) for d in drift(obj)[:5]) or _keys(kind, obj)
            told = told or ("" if fresh else _fields(kind, obj))
            what = "created" if fresh else "changed"
            words = f"{kind} {name(obj)} {what} {at:%Y-%m-%dT%H:%M:%SZ}" + (f" by {manager}" if manager else "")
            found.append(
                Change(
                    id=id_of_write(kind, obj),
                    at=at,
                    entity=entity(kind, obj),
                    summary=f"{kind} {what}" + (f": {told}" if told else ""),
                    kind="config",
                    author=manager or None,
                    evidence=(
                        cite.seen(snapshot, kind, obj, words + (f": {told}" if told else ""), verb="get", at=at),
                    ),
                )
            )
    return found


def id_of_write(kind: str, obj: Object) -> str:
    return f"{kind.lower()}/{namespace(obj)}/{name(obj)}/{text(obj, 'metadata', 'resourceVersion')}"


def _keys(kind: str, obj: Object) -> str:
    """The keys that the last writer of a ConfigMap or Secret set, with the values of a ConfigMap."""
    keys = last_write(obj, "data").keys[:5]
    if kind == "ConfigMap":
        data = mapping(obj, "data")
        return ", ".join(f"{k} = {plain_value(k, data[k])}" for k in keys if k in data)
    return ", ".join(keys)


def _fields(kind: str, obj: Object) -> str:
    """What of a spec its last writer owns, where that is a part: an update owns only what it changed, and who applies
    whole manifests owns everything, which tells nothing."""
    keys = () if kind in ("ConfigMap", "Secret") else last_write(obj, "spec").keys
    return ", ".join(keys) if len(keys) < min(3, len(mapping(obj, "spec"))) else ""


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
