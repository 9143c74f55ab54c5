"""What the first lists make worth reading: each question is asked only when something that was seen raises it.

A healthy namespace raises none. The alternative, to read every kind every time, cost some seventy requests a look.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from skills.contract import Focus
from skills.kubernetes import references, refusals
from skills.kubernetes.analyzers import drains
from skills.kubernetes.analyzers.admission import is_mutated
from skills.kubernetes.events import Event
from skills.kubernetes.kinds import (
    CONFIG_MAP,
    CONTROLLER_REVISION,
    DAEMON_SET,
    DEPLOYMENT,
    DISRUPTION_BUDGET,
    INGRESS_CLASS,
    LEASE,
    LEASE_NAMESPACE,
    NODE,
    PERSISTENT_VOLUME,
    POD,
    REPLICA_SET,
    SERVICE,
    SERVICE_ACCOUNT,
    STORAGE_CLASS,
    SYSTEM_NAMESPACE,
    WEBHOOKS,
)
from skills.kubernetes.objects import (
    Object,
    condition,
    created,
    dig,
    holds,
    mapping,
    maps,
    name,
    namespace,
    number,
    text,
    time_of,
)
from skills.kubernetes.pods import is_pending, is_ready, live, restarts
from skills.kubernetes.reader import pods_of_node
from skills.kubernetes.reads import Read
from skills.kubernetes.snapshot import Snapshot

_LATELY = timedelta(days=2)
_PROXIES = ("istio-proxy", "linkerd-proxy")
_CONTROL_PLANE = Read(POD, SYSTEM_NAMESPACE, labels="tier=control-plane")
_CONTROL_PLANE_WORDS = re.compile(r"api.?server|kube.?api|scheduler|controller.?manager|etcd|control.?plane", re.I)
_MOST = 8


def of(snapshot: Snapshot, focus: Focus) -> list[Read]:
    found = [*_admission(snapshot), *_storage(snapshot), *_scheduling(snapshot, focus), *_system(snapshot)]
    found += [*_history(snapshot), *_nodes(snapshot, focus), *_crowd(snapshot, focus), *_drains(snapshot, focus)]
    return list(dict.fromkeys(found))


def has_mesh(snapshot: Snapshot) -> bool:
    return any(
        text(c, "name") in _PROXIES
        for w in snapshot.workloads
        for group in ("containers", "initContainers")
        for c in maps(w.pod_spec, group)
    ) or any(
        text(c, "name") in _PROXIES
        for p in snapshot.pods
        for group in ("containers", "initContainers")
        for c in maps(p, "spec", group)
    )


def deviates(snapshot: Snapshot, place: str, wanted: frozenset[tuple[str, str]], focus: Focus) -> bool:
    """Whether a namespace that was read lightly asks for more: pods that do not run, fresh restarts, workloads short of
    replicas or rolled out lately, a Service that others call and that has nobody behind it.

    `wanted`: (namespace, name) of Services that addresses name. So does the one that holds what the alert names."""
    if focus.service and any(snapshot.find(k, place, focus.service) for k in ("Service", "Deployment", "StatefulSet")):
        return True
    pods = [p for p in live(snapshot.all("Pod")) if namespace(p) == place]
    if any(not is_ready(p) and _is_old_enough(snapshot, p) for p in pods):
        return True
    if any(restarts(p) and _restarted_lately(snapshot, p) for p in pods):
        return True
    for workload in snapshot.workloads:
        if workload.entity.namespace == place and workload.entity.kind in ("Deployment", "StatefulSet"):
            status = mapping(workload.obj, "status")
            if number(status, "readyReplicas") < workload.replicas or _rolled_out(snapshot, workload.obj):
                return True
    services = {name(s): s for s in snapshot.all("Service") if namespace(s) == place}
    called = {n for p, n in wanted if p == place}
    fresh = any(namespace(p) == place and _is_fresh(snapshot, p) for p in snapshot.all("NetworkPolicy"))
    return fresh or any(n not in services or snapshot.ready_addresses(services[n]) == 0 for n in called)


def _is_fresh(snapshot: Snapshot, obj: Object) -> bool:
    born = created(obj)
    return born is not None and snapshot.clock - born < timedelta(days=1)


def _is_old_enough(snapshot: Snapshot, pod: Object) -> bool:
    born = created(pod)
    return born is None or snapshot.clock - born > timedelta(seconds=60)


def _restarted_lately(snapshot: Snapshot, pod: Object) -> bool:
    ends = [time_of(dig(s, "lastState", "terminated", "finishedAt")) for s in maps(pod, "status", "containerStatuses")]
    return any(e is not None and snapshot.clock - e < timedelta(hours=1) for e in ends)


def _rolled_out(snapshot: Snapshot, deployment: Object, within: timedelta = timedelta(hours=2)) -> bool:
    at = time_of(condition(deployment, "Progressing").get("lastUpdateTime"))
    return at is not None and snapshot.clock - at < within


# --- one question each ---------------------------------------------------------------------------------------------


def _admission(snapshot: Snapshot) -> Iterator[Read]:
    refused = refusals.of(snapshot)
    if any("webhook" in r.message for r in refused) or any(is_mutated(snapshot, p) for p in live(snapshot.pods)):
        yield from (Read(kind) for kind in WEBHOOKS)
    short = {p for p in snapshot.namespaces if refusals.without_pods(snapshot, p)}
    short |= {r.owner.namespace or "" for r in refused if re.search("service ?account", r.message, re.IGNORECASE)}
    yield from (Read(SERVICE_ACCOUNT, place) for place in snapshot.namespaces if place in short)


def _storage(snapshot: Snapshot) -> Iterator[Read]:
    unbound = any(text(c, "status", "phase") in ("Pending", "Lost") for c in snapshot.of("PersistentVolumeClaim"))
    said = any("olume" in e.message for p in snapshot.pods if is_pending(p) for e in snapshot.events_of("Pod", p))
    told = any("olume" in text(condition(p, "PodScheduled"), "message") for p in snapshot.pods if is_pending(p))
    if unbound or said or told:
        yield Read(PERSISTENT_VOLUME)
        yield Read(STORAGE_CLASS)
    if any(not maps(i, "status", "loadBalancer", "ingress") for i in snapshot.of("Ingress")):
        yield Read(INGRESS_CLASS)


def _scheduling(snapshot: Snapshot, focus: Focus) -> Iterator[Read]:
    silent = [
        p
        for p in snapshot.pods
        if is_pending(p)
        and not text(p, "spec", "nodeName")
        and not condition(p, "PodScheduled")
        and not snapshot.events_of("Pod", p)
    ]
    flapped = any(e.reason == "NodeNotReady" for e in snapshot.events if e.kind == "Node")
    asked = bool(_CONTROL_PLANE_WORDS.search(f"{focus.alert_type} {focus.title} {focus.summary} {focus.service}"))
    overloaded = any(re.search("too many requests|etcdserver", r.message) for r in refusals.of(snapshot))
    if any(is_pending(p) and not text(p, "spec", "nodeName") for p in snapshot.pods) and not snapshot.knows("Node"):
        yield Read(NODE, pages=10)
    if silent or flapped or overloaded or asked:
        yield _CONTROL_PLANE
        yield Read(LEASE, SYSTEM_NAMESPACE)
    if asked or overloaded:
        # Who asks so much may live anywhere; agents that were rolled out lately are the usual ones.
        yield Read(DAEMON_SET, fields="metadata.namespace!=", pages=1)
        yield Read(DEPLOYMENT, fields="metadata.namespace!=", pages=1)
    if silent:
        yield Read(LEASE, LEASE_NAMESPACE)


def _system(snapshot: Snapshot) -> Iterator[Read]:
    """Pods of kube-system whose controllers say that some are not ready, and the DNS Service where a policy names
    servers of its own."""
    for kind, ready, wanted in (
        ("DaemonSet", "numberReady", "desiredNumberScheduled"),
        ("Deployment", "readyReplicas", "replicas"),
    ):
        for obj in snapshot.system(kind):
            short = number(obj, "status", ready) < number(obj, "status", wanted)
            if kind == "Deployment":
                short = number(obj, "status", ready) < max(1, number(obj, "spec", "replicas"))
            chosen = ",".join(f"{k}={v}" for k, v in mapping(obj, "spec", "selector", "matchLabels").items())
            if short and chosen:
                yield Read(POD, SYSTEM_NAMESPACE, labels=chosen)
            unknown = not maps(obj, "metadata", "managedFields")
            edited = name(obj) == "kube-proxy" and (unknown or _written_lately(snapshot, obj))
            if edited:
                yield _CONTROL_PLANE
    if any(text(w.pod_spec, "dnsPolicy") == "None" for w in snapshot.workloads):
        yield Read(SERVICE, SYSTEM_NAMESPACE, name="kube-dns")
    warned = [
        e.name
        for e in snapshot.events
        if e.kind == "Pod" and e.namespace == SYSTEM_NAMESPACE and e.reason in _UNWELL and _is_late(snapshot, e)
    ]
    yield from (Read(POD, SYSTEM_NAMESPACE, fields=f"metadata.name={n}") for n in list(dict.fromkeys(warned))[-_MOST:])


_UNWELL = ("BackOff", "Unhealthy", "Failed", "FailedMount", "FailedCreatePodSandBox", "FailedScheduling", "Evicted")


def _is_late(snapshot: Snapshot, event: Event) -> bool:
    return event.is_warning and event.last is not None and snapshot.clock - event.last < timedelta(minutes=30)


def _written_lately(snapshot: Snapshot, obj: Object) -> bool:
    stamps = [time_of(m.get("time")) for m in maps(obj, "metadata", "managedFields") if not text(m, "subresource")]
    return any(at is not None and snapshot.clock - at < _LATELY for at in stamps)


def _history(snapshot: Snapshot) -> Iterator[Read]:
    """Revisions of StatefulSets and DaemonSets that have more than one and moved lately."""
    for place in snapshot.namespaces:
        for kind in ("StatefulSet", "DaemonSet"):
            for obj in snapshot.of(kind):
                if namespace(obj) != place or number(obj, "metadata", "generation") <= 1:
                    continue
                status = mapping(obj, "status")
                moving = text(status, "currentRevision") != text(status, "updateRevision") or (
                    kind == "DaemonSet"
                    and number(status, "updatedNumberScheduled") < number(status, "desiredNumberScheduled")
                )
                young = any(_is_young(snapshot, p) for p in snapshot.all("Pod") if _is_of(p, kind, name(obj), place))
                if moving or young or _written_lately(snapshot, obj):
                    yield Read(CONTROLLER_REVISION, place)


def _is_young(snapshot: Snapshot, pod: Object) -> bool:
    born = created(pod)
    return born is not None and snapshot.clock - born < _LATELY


def _is_of(pod: Object, kind: str, called: str, place: str) -> bool:
    owners = maps(pod, "metadata", "ownerReferences")
    return namespace(pod) == place and any(text(o, "kind") == kind and text(o, "name") == called for o in owners)


def _nodes(snapshot: Snapshot, focus: Focus) -> Iterator[Read]:
    """The leases of nodes where one may have died silently, and who shares a node that is short of memory."""
    nodes = snapshot.all("Node")
    unwell = [n for n in nodes if not holds(n, "Ready")]
    unready = any(not is_ready(p) and text(p, "status", "phase") == "Running" for p in live(snapshot.pods))
    if unwell or unready or focus.labels.get("node") or focus.labels.get("instance", "") in {name(n) for n in nodes}:
        yield Read(LEASE, LEASE_NAMESPACE)
    if not snapshot.knows("Node"):
        hosts = [text(p, "spec", "nodeName") for p in live(snapshot.pods) if not is_ready(p)]
        known = {name(n) for n in nodes}
        yield from (Read(NODE, name=n) for n in list(dict.fromkeys(hosts))[:6] if n and n not in known)
    pressed = [name(n) for n in nodes if holds(n, "MemoryPressure")]
    pressed += [
        text(p, "spec", "nodeName")
        for p in snapshot.pods
        if text(p, "status", "reason") == "Evicted" and "memory" in text(p, "status", "message")
    ]
    yield from (pods_of_node(n) for n in list(dict.fromkeys(filter(None, pressed)))[:2])


def _drains(snapshot: Snapshot, focus: Focus) -> Iterator[Read]:
    """Disruption budgets, where a node is cordoned or somebody speaks of evictions that do not come about."""
    cordoned = any(dig(n, "spec", "unschedulable") is True for n in snapshot.all("Node"))
    asked = drains.SAID.search(f"{focus.alert_type} {focus.title} {focus.summary} {' '.join(focus.labels)}")
    if cordoned or asked or any(drains.SAID.search(e.message) for e in snapshot.events if e.is_warning):
        yield from (Read(DISRUPTION_BUDGET, place) for place in snapshot.namespaces)


def _crowd(snapshot: Snapshot, focus: Focus) -> Iterator[Read]:
    """In a namespace too large to be read whole: the pods of what the alert names, and the revisions of what it names,
    what is unwell, or what was rolled out within a day."""
    named = {focus.service, *(focus.labels.get(k, "") for k in ("deployment", "statefulset", "daemonset", "app"))} - {
        ""
    }
    for place in snapshot.namespaces:
        pods, sets = snapshot.knows("Pod", place), snapshot.knows("ReplicaSet", place)
        if pods and sets and snapshot.knows("ConfigMap", place):
            continue
        chosen = [
            w for w in snapshot.workloads if w.entity.namespace == place and w.entity.kind not in ("Job", "CronJob")
        ]
        asked = [w for w in chosen if w.entity.name in named]
        moved = [
            w
            for w in chosen
            if w.entity.kind == "Deployment"
            and (
                _rolled_out(snapshot, w.obj, timedelta(days=1)) or number(w.obj, "status", "readyReplicas") < w.replicas
            )
        ]
        for workload in asked[:2] if not pods else []:
            yield Read(POD, place, labels=_selector(workload.obj), pages=1)
        if not snapshot.knows("ConfigMap", place):
            used = [c for w in [*asked, *moved] for c in references.config_maps_of(w.pod_spec)]
            missing = [c for c in dict.fromkeys(used) if snapshot.find("ConfigMap", place, c) is None]
            yield from (Read(CONFIG_MAP, place, name=c) for c in missing[:_MOST])
        for workload in [*asked, *(w for w in moved if w not in asked)][:_MOST] if not sets else []:
            yield Read(REPLICA_SET, place, labels=_selector(workload.obj), pages=1)


def _selector(obj: Object) -> str:
    return ",".join(f"{k}={v}" for k, v in mapping(obj, "spec", "selector", "matchLabels").items())
