"""Whose words are worth hearing although nothing about them deviates: where no log store is on, the logs of what the
alert is about, of what that calls, and of their stores, found by edges and bounded in number.

A request fails in a service that runs well because another that runs well refuses it: only the logs of the two tell.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import zip_longest

from skills.contract import Entity, Focus
from skills.kubernetes import topology
from skills.kubernetes.objects import Object, created, dig, maps, name, namespace, time_of
from skills.kubernetes.podlogs import MORE_LINES, PROXIES, Tail
from skills.kubernetes.pods import container_statuses, is_finished, is_ready, live, name_of, restarts
from skills.kubernetes.snapshot import WORKLOAD_KINDS, Snapshot, Workload
from skills.kubernetes.stores import runs_store

MOST = 24
"""Containers that are heard: each is a request, or two."""
_NAMING = ("deployment", "statefulset", "daemonset", "workload", "service", "service_name", "app", "container", "job")
_REPLICAS = 3


def witnesses(snapshot: Snapshot, focus: Focus) -> list[Tail]:
    """One pod of each workload, the nearest to the alert first, then others of its namespace that no edge leads to; as
    far as that leaves room a second one and a third, since one of many may be the only one in trouble."""
    pods = [_heard_first(snapshot, workload) for workload in _nearest(snapshot, focus)]
    rounds = [p for pod in zip_longest(*(p[:_REPLICAS] for p in pods)) for p in pod if p is not None]
    tails = [Tail(namespace(p), name(p), c, previous=False, lines=MORE_LINES) for p in rounds for c in _spoken(p)]
    return tails[:MOST]


def _heard_first(snapshot: Snapshot, workload: Entity) -> list[Object]:
    running = [p for p in live(snapshot.pods_of(workload)) if not is_finished(p)]
    return sorted(running, key=lambda p: (not is_ready(p), -restarts(p)))


def _spoken(pod: Object) -> list[str]:
    return [name_of(c) for c in maps(pod, "spec", "containers") if name_of(c) not in PROXIES][:1]


def _nearest(snapshot: Snapshot, focus: Focus) -> Iterator[Entity]:
    """Workloads in the order of their distance from the alert along what they depend on."""
    below: dict[Entity, list[Entity]] = defaultdict(list)
    called: set[Entity] = set()
    for edge in topology.edges(snapshot):
        below[edge.source].append(edge.target)
        called.add(edge.target)
    seen: dict[Entity, None] = dict.fromkeys(_alerted(snapshot, focus) or _entries(snapshot, below, called))
    for each in seen:
        if each.kind in WORKLOAD_KINDS:
            yield each
    edge_of = list(seen)
    while edge_of:
        edge_of = [t for e in edge_of for t in below.get(e, ()) if t not in seen and not seen.update({t: None})]
        yield from (e for e in edge_of if e.kind in WORKLOAD_KINDS)
    first = snapshot.namespaces[:1]
    rest = [w for w in snapshot.workloads if w.entity not in seen and w.entity.namespace in first]
    yield from (w.entity for w in sorted(rest, key=_speaks_last))


def _speaks_last(workload: Workload) -> tuple[bool, bool, str]:
    """A store seldom complains, its clients do; so do programs that serve rather than jobs."""
    serves = workload.entity.kind in ("Deployment", "StatefulSet")
    return not serves, any(runs_store(c) for c in workload.containers), workload.entity.name


def _alerted(snapshot: Snapshot, focus: Focus) -> list[Entity]:
    names = {focus.service, *(focus.labels.get(label, "") for label in _NAMING)} - {""}
    pods = {focus.labels.get("pod", ""), focus.labels.get("kubernetes_pod_name", "")} - {""}
    services = [s for s in snapshot.of("Service") if name(s) in names]
    found = [w.entity for w in snapshot.workloads if w.entity.name in names]
    found += [w.entity for s in services for w in snapshot.workloads_behind(s)]
    found += [snapshot.owner_of(p) for p in snapshot.pods if name(p) in pods]
    return list(dict.fromkeys(found))


def _entries(snapshot: Snapshot, below: dict[Entity, list[Entity]], called: set[Entity]) -> list[Entity]:
    """Where requests come in, when the alert names nobody: who calls others, and is called by none."""
    behind = {t for s in called if s.kind == "Service" for t in below.get(s, ())}
    return [w.entity for w in snapshot.workloads if below.get(w.entity) and w.entity not in behind]


def of_before(snapshot: Snapshot, since: datetime, heard: Iterable[tuple[str, str, str, bool]]) -> list[Tail]:
    """Those of the heard containers that ran before that time, and have run on since."""
    found = []
    for place, pod, container, previous in heard:
        obj = snapshot.find("Pod", place, pod)
        status = next((s for s in container_statuses(obj or {}) if name_of(s) == container), {})
        begun = time_of(dig(status, "state", "running", "startedAt")) or created(obj)
        if not previous and (begun is None or begun < since):
            found.append(Tail(place, pod, container, previous=False))
    return found


def writer(snapshot: Snapshot, tail: Tail) -> Entity:
    pod = snapshot.find("Pod", tail.namespace, tail.pod)
    return snapshot.owner_of(pod) if pod else Entity(kind="Pod", namespace=tail.namespace, name=tail.pod)
