"""What was read of a cluster, as analyzers see it: raw objects by kind, and the look-ups that all of them need.

Nothing here does I/O. A kind that could not be read is not the same as a kind of which there is none: before an
analyzer concludes from an absence it asks `knows(kind)`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar

from skills.contract import Entity, Gap, LogLine
from skills.kubernetes import events as event_shapes
from skills.kubernetes.events import Event
from skills.kubernetes.kinds import SYSTEM_NAMESPACE
from skills.kubernetes.objects import (
    Object,
    controller,
    created,
    dig,
    entity,
    labels,
    latest,
    mapping,
    maps,
    name,
    namespace,
    notes,
    number,
    text,
    time_of,
)
from skills.kubernetes.pods import is_ready, live
from skills.kubernetes.selectors import matches, matches_map

WORKLOAD_KINDS = (
    "Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job", "ReplicaSet", "ReplicationController",
    "Rollout", "DeploymentConfig",
)  # fmt: skip
_STALE = timedelta(hours=1)
_DEPLOYMENT_CONFIG = "openshift.io/deployment-config.name"


@dataclass(frozen=True)
class Workload:
    """What a person would roll back: a Deployment, StatefulSet, DaemonSet, CronJob, Rollout, DeploymentConfig, or a Job
    or ReplicaSet of its own."""

    entity: Entity
    obj: Object

    @property
    def template(self) -> Object:
        if self.entity.kind == "CronJob":
            return mapping(self.obj, "spec", "jobTemplate", "spec", "template")
        return mapping(self.obj, "spec", "template")

    @property
    def pod_spec(self) -> Object:
        return mapping(self.template, "spec")

    @property
    def pod_labels(self) -> dict[str, str]:
        return labels(self.template)

    @property
    def containers(self) -> list[Object]:
        return maps(self.pod_spec, "containers")

    @property
    def replicas(self) -> int:
        """As wanted; 1 where the field is left out. Meaningless for DaemonSets and Jobs."""
        wanted = dig(self.obj, "spec", "replicas")
        return wanted if isinstance(wanted, int) else 1


@dataclass(frozen=True)
class Snapshot:
    objects: Mapping[str, tuple[Object, ...]]
    """By kind; includes those of kube-system."""
    namespaces: tuple[str, ...]
    """Those that were looked into, the alert's first."""
    complete: frozenset[str]
    """Kinds that were read to the end in every one of these namespaces."""
    now: datetime
    gaps: tuple[Gap, ...] = ()
    logs: Mapping[tuple[str, str, str, bool], tuple[LogLine, ...]] = field(default_factory=dict)
    """Tails by (namespace, pod, container, previous), of the few containers that crash or are not ready."""
    earlier: Mapping[tuple[str, str, str, bool], tuple[LogLine, ...]] = field(default_factory=dict)
    """What the same containers said before the onset, of those that complain and ran then already."""
    link_base: str | None = None
    complete_in: frozenset[tuple[str, str]] = frozenset()
    """(kind, namespace) of what was read to the end there, though perhaps not in the others."""
    memo: dict[str, Any] = field(init=False, default_factory=dict, compare=False, repr=False)
    """What has been worked out from this snapshot once, by the module that did."""

    def hearing(
        self,
        logs: Mapping[tuple[str, str, str, bool], tuple[LogLine, ...]],
        gaps: Iterable[Gap] = (),
        earlier: Mapping[tuple[str, str, str, bool], tuple[LogLine, ...]] | None = None,
    ) -> Snapshot:
        """The same objects with logs; what has been worked out from the objects is kept."""
        heard = replace(self, logs=logs, gaps=(*self.gaps, *gaps), earlier=earlier or {})
        known = {f.name for f in fields(self)} - {"memo"}
        heard.__dict__.update({k: v for k, v in self.__dict__.items() if k not in known})
        return heard

    # --- objects ---------------------------------------------------------------------------------------------------

    def all(self, kind: str) -> tuple[Object, ...]:
        """Everything of a kind, other namespaces included."""
        return self.objects.get(kind, ())

    @cached_property
    def _inside(self) -> dict[str, tuple[Object, ...]]:
        places = {*self.namespaces, ""}
        return {kind: tuple(o for o in found if namespace(o) in places) for kind, found in self.objects.items()}

    def of(self, kind: str) -> tuple[Object, ...]:
        """Those of a kind in the namespaces of interest, and those of the cluster."""
        return self._inside.get(kind, ())

    def system(self, kind: str) -> tuple[Object, ...]:
        return tuple(o for o in self.all(kind) if namespace(o) == SYSTEM_NAMESPACE)

    def knows(self, kind: str, place: str | None = None) -> bool:
        """Whether an object of the kind that is not here does not exist: in all of the namespaces, or in that one."""
        return kind in self.complete or (place is not None and (kind, place) in self.complete_in)

    @cached_property
    def _by_name(self) -> dict[tuple[str, str, str], Object]:
        return {(k, namespace(o), name(o)): o for k, found in self.objects.items() for o in found}

    def find(self, kind: str, place: str | None, called: str) -> Object | None:
        return self._by_name.get((kind, place or "", called))

    # --- time ------------------------------------------------------------------------------------------------------

    @cached_property
    def clock(self) -> datetime:
        """The time at which this was so: `now`, or the newest time that any object tells of where that is an hour back.

        A cluster that was recorded yesterday is not a cluster in which nothing happened since.
        """
        newest = latest(
            [e.last for e in self.events if e.last and e.last <= self.now]
            + [time_of(dig(lease, "spec", "renewTime")) for lease in self.all("Lease")]
            + [at for each in (*self.all("Node"), *self.all("Pod")) for at in _times(each) if at <= self.now]
        )
        return newest if newest is not None and newest < self.now - _STALE else self.now

    # --- events ----------------------------------------------------------------------------------------------------

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """Oldest first."""
        found = [event_shapes.read(raw) for raw in self.all("Event")]
        return tuple(sorted(found, key=lambda e: (e.last or self.now, e.first or self.now)))

    @cached_property
    def _events_by_object(self) -> dict[tuple[str, str, str], list[Event]]:
        found: dict[tuple[str, str, str], list[Event]] = defaultdict(list)
        for event in self.events:
            place = "" if event.kind in ("Node", "PersistentVolume") else event.namespace
            found[(event.kind, place, event.name)].append(event)
        return found

    def events_of(self, kind: str, obj: Object, *reasons: str) -> list[Event]:
        """Oldest first; all reasons when none is given."""
        found = self._events_by_object.get((kind, namespace(obj), name(obj)), [])
        return [e for e in found if not reasons or e.reason in reasons]

    def events_about(self, target: Entity, *reasons: str) -> list[Event]:
        found = self._events_by_object.get((target.kind, target.namespace or "", target.name), [])
        return [e for e in found if not reasons or e.reason in reasons]

    # --- pods and workloads ----------------------------------------------------------------------------------------

    @property
    def pods(self) -> tuple[Object, ...]:
        return self.of("Pod")

    @cached_property
    def workloads(self) -> tuple[Workload, ...]:
        found = []
        for kind in WORKLOAD_KINDS:
            for obj in self.of(kind):
                owned = kind in ("Job", "ReplicaSet", "ReplicationController") and controller(obj)
                if not owned and not (kind == "Deployment" and (namespace(obj), name(obj)) in self._lent):
                    found.append(Workload(entity(kind, obj), self._templated(kind, obj)))
        return tuple(found)

    @cached_property
    def _lent(self) -> dict[tuple[str, str], Object]:
        """(namespace, name) of Deployments that an Argo Rollout takes its template from (spec.workloadRef): the Rollout
        runs the pods, and the Deployment is scaled to nothing on purpose."""
        references = [(namespace(o), mapping(o, "spec", "workloadRef")) for o in self.all("Rollout")]
        return {
            (place, text(ref, "name")): self.find("Deployment", place, text(ref, "name")) or {}
            for place, ref in references
            if text(ref, "kind") == "Deployment"
        }

    def _templated(self, kind: str, obj: Object) -> Object:
        ref = text(obj, "spec", "workloadRef", "name") if kind == "Rollout" else ""
        template = mapping(self._lent.get((namespace(obj), ref)), "spec", "template") if ref else None
        return {**obj, "spec": {**mapping(obj, "spec"), "template": template}} if template else obj

    def workload(self, target: Entity) -> Workload | None:
        obj = self.find(target.kind, target.namespace, target.name)
        known = obj is not None and target.kind in WORKLOAD_KINDS
        return Workload(target, self._templated(target.kind, obj)) if obj is not None and known else None

    def owner_of(self, obj: Object, kind: str = "Pod") -> Entity:
        """The workload at the end of the owner chain; the object itself when nothing owns it."""
        owner = controller(obj)
        place, owner_kind, owner_name = namespace(obj), text(owner, "kind"), text(owner, "name")
        if not owner_kind or owner_kind == "Node":
            return entity(kind, obj)
        parent = self.find(owner_kind, place, owner_name)
        if parent is not None:
            grand = controller(parent)
            if grand and owner_kind in ("ReplicaSet", "Job", "ReplicationController"):
                return Entity(kind=text(grand, "kind"), namespace=place, name=text(grand, "name"))
        elif owner_kind == "ReplicaSet" and (template_hash := labels(obj).get("pod-template-hash")):
            return Entity(kind="Deployment", namespace=place, name=owner_name.removesuffix(f"-{template_hash}"))
        elif owner_kind == "ReplicaSet" and (template_hash := labels(obj).get("rollouts-pod-template-hash")):
            return Entity(kind="Rollout", namespace=place, name=owner_name.removesuffix(f"-{template_hash}"))
        elif owner_kind == "ReplicationController" and (config := notes(obj).get(_DEPLOYMENT_CONFIG)):
            return Entity(kind="DeploymentConfig", namespace=place, name=config)
        elif owner_kind == "Job" and (scheduled := re.fullmatch(r"(.+)-\d{8,10}", owner_name)):
            return Entity(kind="CronJob", namespace=place, name=scheduled.group(1))
        return Entity(kind=owner_kind, namespace=place, name=owner_name)

    @cached_property
    def _pods_by_owner(self) -> dict[Entity, list[Object]]:
        found: dict[Entity, list[Object]] = defaultdict(list)
        for pod in self.all("Pod"):
            found[self.owner_of(pod)].append(pod)
        return found

    def pods_of(self, target: Entity) -> list[Object]:
        """Those that were read; of a crowded namespace perhaps not all."""
        return self._pods_by_owner.get(target, [])

    def pod_count(self, target: Entity) -> int:
        """Pods that the workload has and that should be serving, by its own status where not all pods were read."""
        if self.knows("Pod", target.namespace):
            return len(live(self.pods_of(target)))
        status = mapping(self.find(target.kind, target.namespace, target.name), "status")
        return max(number(status, "replicas"), number(status, "currentNumberScheduled"), number(status, "active"))

    @cached_property
    def owners(self) -> tuple[Entity, ...]:
        """Every workload that has pods or an object, in the namespaces of interest."""
        here = [w.entity for w in self.workloads]
        return tuple(dict.fromkeys([*here, *(self.owner_of(p) for p in self.pods)]))

    # --- services --------------------------------------------------------------------------------------------------

    def selected_by(self, service: Object) -> list[Object]:
        """Pods that the Service's selector matches; none for a Service without a selector."""
        selector = mapping(service, "spec", "selector")
        rarest = _rarest(self._pods_by_label, namespace(service), selector)
        return [p for p in rarest if matches_map(selector, labels(p))]

    @cached_property
    def _pods_by_label(self) -> dict[tuple[str, str, str], list[Object]]:
        return _by_label((namespace(p), labels(p), p) for p in self.all("Pod"))

    @cached_property
    def _workloads_by_label(self) -> dict[tuple[str, str, str], list[Workload]]:
        return _by_label((w.entity.namespace or "", w.pod_labels, w) for w in self.workloads)

    @cached_property
    def _pods_by_namespace(self) -> dict[str, list[Object]]:
        found: dict[str, list[Object]] = defaultdict(list)
        for pod in self.all("Pod"):
            found[namespace(pod)].append(pod)
        return found

    def _pods_in(self, place: str) -> list[Object]:
        return self._pods_by_namespace.get(place, [])

    def pods_matching(self, place: str, selector: Mapping[str, object]) -> list[Object]:
        """Pods of a namespace that a LabelSelector matches."""
        return [p for p in self._pods_in(place) if matches(selector, labels(p))]

    def workloads_behind(self, service: Object) -> list[Workload]:
        """Workloads whose pod template the Service selects, whether or not they have pods."""
        selector = mapping(service, "spec", "selector")
        rarest = _rarest(self._workloads_by_label, namespace(service), selector)
        return [w for w in rarest if matches_map(selector, w.pod_labels)]

    def services_of(self, target: Entity) -> list[Object]:
        """Services that select the workload's pods or template."""
        return self._services_by_owner.get(target, [])

    @cached_property
    def _services_by_owner(self) -> dict[Entity, list[Object]]:
        found: dict[Entity, list[Object]] = defaultdict(list)
        for service in self.of("Service"):
            owners = [self.owner_of(p) for p in self.selected_by(service)]
            for owner in dict.fromkeys([*owners, *(w.entity for w in self.workloads_behind(service))]):
                found[owner].append(service)
        return found

    @cached_property
    def _slices(self) -> dict[tuple[str, str], list[Object]]:
        found: dict[tuple[str, str], list[Object]] = defaultdict(list)
        for each in self.all("EndpointSlice"):
            found[(namespace(each), labels(each).get("kubernetes.io/service-name", ""))].append(each)
        return found

    def ready_addresses(self, service: Object) -> int | None:
        """Ready endpoints of the Service; None when endpoints could not be read."""
        place, called = namespace(service), name(service)
        if "EndpointSlice" in self.complete:
            endpoints = [e for s in self._slices.get((place, called), []) for e in maps(s, "endpoints")]
            return sum(1 for e in endpoints if dig(e, "conditions", "ready") is not False)
        if "Endpoints" in self.complete:
            found = self.find("Endpoints", place, called) or {}
            return sum(len(maps(subset, "addresses")) for subset in maps(found, "subsets"))
        if mapping(service, "spec", "selector") and self.knows("Pod", place):
            return sum(1 for p in self.selected_by(service) if is_ready(p))
        return None

    def has_no_endpoints(self, service: Object) -> bool:
        """Nobody is selected, ready or not, as far as pods or endpoints tell."""
        place = namespace(service)
        if self.knows("Pod", place):
            return not live(self.selected_by(service))
        known = self.knows("EndpointSlice", place) and mapping(service, "spec", "selector")
        return bool(known) and not any(maps(s, "endpoints") for s in self._slices.get((place, name(service)), []))

    def victims_of(self, target: Entity) -> tuple[Entity, ...]:
        """Services that have nobody ready to answer because of this workload."""
        return tuple(entity("Service", s) for s in self.services_of(target) if self.ready_addresses(s) == 0)


Held = TypeVar("Held")


def _by_label(labelled: Iterable[tuple[str, Mapping[str, str], Held]]) -> dict[tuple[str, str, str], list[Held]]:
    """(namespace, key, value) to what carries that label: a look-up in place of a comparison of all with all."""
    found: dict[tuple[str, str, str], list[Held]] = defaultdict(list)
    for place, carried, each in labelled:
        for key, value in carried.items():
            found[(place, key, value)].append(each)
    return found


def _rarest(index: Mapping[tuple[str, str, str], list[Held]], place: str, selector: Mapping[str, object]) -> list[Held]:
    """The fewest that carry one of the selector's labels; none for an empty selector, which selects nothing."""
    return min((index.get((place, k, str(v)), []) for k, v in selector.items()), key=len, default=[])


def _times(obj: Object) -> list[datetime]:
    """When something about the object was last observed: its conditions, and the creation of the object."""
    stamps = [c.get(k) for c in maps(obj, "status", "conditions") for k in ("lastHeartbeatTime", "lastTransitionTime")]
    return [at for at in (created(obj), *(time_of(s) for s in stamps)) if at]
