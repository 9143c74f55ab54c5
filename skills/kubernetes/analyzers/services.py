"""Services that lead nowhere or to the wrong place: selector (F1), foreign pods (F2), port (F3), protocol (F4).

Endpoints are made by pkg/controller/endpointslice: pods that match every pair of spec.selector; a named targetPort is
looked up in the pod's containers by name and protocol (pkg/api/v1/pod util.go FindPort), a number is taken as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from skills.contract import Entity, Excerpt, Focus, Symptom, Window
from skills.kubernetes import cite, references, rollouts, topology
from skills.kubernetes.differences import drift, owner_of_field
from skills.kubernetes.objects import (
    Object,
    created,
    entity,
    labels,
    latest,
    mapping,
    maps,
    name,
    namespace,
    number,
    strings,
    text,
    time_of,
)
from skills.kubernetes.selectors import describe, matches_map
from skills.kubernetes.snapshot import Snapshot, Workload, is_ready, live, name_of

NAME = "kubernetes.services"
_MESH = ("istio-proxy", "linkerd-proxy", "envoy-sidecar", "consul-dataplane", "daprd")


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    referred = _referred(snapshot)
    found = []
    for service in snapshot.of("Service"):
        if text(service, "spec", "type") == "ExternalName":
            continue
        is_used = (namespace(service), name(service)) in referred
        pods = live(snapshot.selected_by(service))
        if pods:
            symptoms = [_foreign(snapshot, service, pods), *_ports(snapshot, service, pods)]
        else:
            symptoms = [_selects_nothing(snapshot, service, is_used)]
        found += [s for s in symptoms if s]
    return found


def _referred(snapshot: Snapshot) -> set[tuple[str, str]]:
    targets = [references.understand(snapshot, r.host, r.workload.namespace or "") for r in references.every(snapshot)]
    used = {(t.namespace, t.service) for t in targets if t}
    used |= {(e.target.namespace or "", e.target.name) for e in topology.by_route(snapshot)}
    return used


# --- F1 ------------------------------------------------------------------------------------------------------------


def _selects_nothing(snapshot: Snapshot, service: Object, is_used: bool) -> Symptom | None:
    if not snapshot.has_no_endpoints(service) or name(service) == "kubernetes":
        return None
    selector = mapping(service, "spec", "selector")
    if not selector and (snapshot.ready_addresses(service) != 0 or not is_used):
        return None
    if snapshot.workloads_behind(service):
        return None  # the selector is right, there are only no pods: another analyzer says why
    meant, why = _meant(snapshot, service)
    pods = live(snapshot.pods_of(meant.entity)) if meant else []
    ready = [p for p in pods if is_ready(p)]
    if meant is None:
        specificity = 0.55 if is_used else 0.25
        summary = f"Service {name(service)} selects no pod ({describe(selector)}), and no workload has such labels."
    else:
        specificity = (0.95 if ready else 0.8) if why == "drift" or is_used or why == "name" else 0.75
        summary = (
            f"Service {name(service)} selects {describe(selector) if selector else 'nothing (no selector)'}, but "
            "the pods of "
            f"{meant.entity.kind} {meant.entity.name} carry {_labels(meant)}: {len(ready)} ready pod(s) get no traffic."
        )
    evidence = [cite.seen(snapshot, "Service", service, f"Service {name(service)} selector {describe(selector)}")]
    if snapshot.ready_addresses(service) == 0:
        query = f"kubectl -n {namespace(service)} get endpointslices -l kubernetes.io/service-name={name(service)}"
        evidence.append(
            Excerpt(f"Service {name(service)} has 0 ready endpoints", query, entity=entity("Service", service))
        )
    if meant and pods:
        words = f"pod {name(pods[0])} labels {_labels_of(pods[0])}, Ready={'True' if ready else 'False'}"
        evidence.append(cite.seen(snapshot, "Pod", pods[0], words, verb="get"))
    evidence += edits(snapshot, "Service", service)
    faults = ("service_selects_no_pods",) if meant else ("service_selects_no_pods", "scaled_to_zero")
    return Symptom(
        analyzer=NAME,
        entity=entity("Service", service),
        faults=faults,
        summary=summary,
        specificity=specificity,
        evidence=tuple(evidence),
        onset=_since(snapshot, service, meant),
        victims=(meant.entity,) if meant else (),
    )


def _meant(snapshot: Snapshot, service: Object) -> tuple[Workload | None, str]:
    """The workload that the Service was made for, and how that is known."""
    place, called = namespace(service), name(service)
    here = _here(snapshot, place)
    before = next((d for d in drift(service) if d.path.startswith("selector")), None)
    if before is not None:
        selector = {k: v for k, v in mapping(service, "spec", "selector").items() if f"selector.{k}" != before.path} | (
            {before.path.removeprefix("selector."): before.before} if before.before else {}
        )
        drifted = [w for w in here if selector and matches_map(selector, w.pod_labels)]
        if drifted:
            return drifted[0], "drift"
    named = _namesake(snapshot, place, called)
    if named:
        return named, "name"
    selector = mapping(service, "spec", "selector")
    wanted = {str(v) for v in selector.values()}
    shared = [
        w
        for w in here
        if not snapshot.services_of(w.entity) and (_shared(selector, w.pod_labels) or w.entity.name in wanted)
    ]
    return (shared[0], "labels") if len(shared) == 1 else (None, "")


def _here(snapshot: Snapshot, place: str) -> list[Workload]:
    known: dict[str, list[Workload]] | None = snapshot.memo.get("workloads of services")
    if known is None:
        known = snapshot.memo["workloads of services"] = defaultdict(list)
        for each in snapshot.workloads:
            if each.entity.kind not in ("Job", "CronJob"):
                known[each.entity.namespace or ""].append(each)
    return known.get(place, [])


def _namesake(snapshot: Snapshot, place: str, called: str) -> Workload | None:
    """The workload that bears the Service's name, endings aside."""
    known: dict[tuple[str, str], Workload] | None = snapshot.memo.get("namesakes")
    if known is None:
        known = snapshot.memo["namesakes"] = {}
        for each in snapshot.workloads:
            if each.entity.kind not in ("Job", "CronJob"):
                known.setdefault((each.entity.namespace or "", _base(each.entity.name)), each)
    return known.get((place, _base(called)))


def _base(called: str) -> str:
    """`cart-service`, `cart-svc`, `cart-headless` and `cart` are one name."""
    for ending in ("-service", "-svc", "-headless", "-deployment", "-hs"):
        called = called.removesuffix(ending)
    return called


def _shared(selector: Object, found: dict[str, str]) -> bool:
    return any(found.get(k) == str(v) for k, v in selector.items())


def _labels(workload: Workload) -> str:
    return describe({k: v for k, v in workload.pod_labels.items() if "hash" not in k})


def _labels_of(pod: Object) -> str:
    return describe({k: v for k, v in labels(pod).items() if "hash" not in k})


def _since(snapshot: Snapshot, service: Object, meant: Workload | None) -> datetime | None:
    """When selector and labels parted: the write to the selector, or the rollout that renamed the label."""
    written = time_of(owner_of_field(service, "spec", "selector")[1])
    rollout = rollouts.latest(snapshot, meant.entity) if meant else None
    if rollout and rollouts.find(rollout, "metadata.labels"):
        return rollout.after.at
    return written or created(service)


def edits(snapshot: Snapshot, kind: str, obj: Object) -> list[Excerpt]:
    """Where the object departs from its last-applied manifest: the strongest witness of an edit in place."""
    told = [str(d) for d in drift(obj)]
    if not told:
        return []
    manager, stamp = owner_of_field(obj, "spec")
    by = f" (written by {manager} at {stamp})" if manager else ""
    words = f"{kind} {name(obj)} differs from its last-applied manifest: {'; '.join(told[:4])}{by}"
    return [cite.seen(snapshot, kind, obj, words, verb="get", at=time_of(stamp))]


# --- F2 ------------------------------------------------------------------------------------------------------------


def _foreign(snapshot: Snapshot, service: Object, pods: list[Object]) -> Symptom | None:
    """Pods of another program among the endpoints. Two tracks of one program (canary, blue and green) are no fault."""
    place, called = namespace(service), name(service)
    owners = list(dict.fromkeys(snapshot.owner_of(p) for p in pods))
    own = [o for o in owners if _base(o.name) == _base(called)]
    namesake = _namesake(snapshot, place, called)
    if own:
        home = snapshot.workload(own[0])
        foreign = [o for o in owners if o not in own and home and _another_program(snapshot, home, o)]
    elif namesake and live(snapshot.pods_of(namesake.entity)):
        foreign = [o for o in owners if _another_program(snapshot, namesake, o)]
    else:
        return None
    if not foreign:
        return None
    others = ", ".join(f"{o.kind} {o.name}" for o in foreign)
    count = sum(1 for p in pods if snapshot.owner_of(p) in foreign)
    selector = describe(mapping(service, "spec", "selector"))
    homes = any(_base(name(s)) == _base(o.name) for o in foreign for s in snapshot.services_of(o) if s is not service)
    evidence = [
        cite.seen(snapshot, "Service", service, f"Service {called} selector {selector} matches {len(pods)} pods")
    ]
    for pod in [p for p in pods if snapshot.owner_of(p) in foreign][:2]:
        evidence.append(
            cite.seen(snapshot, "Pod", pod, f"pod {name(pod)} of {others} labels {_labels_of(pod)}", verb="get")
        )
    return Symptom(
        analyzer=NAME,
        entity=entity("Service", service),
        faults=("service_selects_foreign_pods",),
        summary=f"Service {called} ({selector}) sends to {count} of {len(pods)} pods that belong to {others}.",
        specificity=0.93 if homes or not own else 0.8,
        evidence=(*evidence, *edits(snapshot, "Service", service)),
        onset=_since(snapshot, service, snapshot.workload(foreign[0])),
    )


def _another_program(snapshot: Snapshot, home: Workload, other: Entity) -> bool:
    """Another image, or another command of one image (demo shops ship all services in one)."""
    theirs = snapshot.workload(other)
    if theirs is None or other == home.entity:
        return False
    ours, those = _programs(home), _programs(theirs)
    return bool(ours and those) and not ours & those


def _programs(workload: Workload) -> set[tuple[str, tuple[str, ...]]]:
    return {
        (
            text(c, "image").rpartition("@")[0] or text(c, "image").rpartition(":")[0] or text(c, "image"),
            tuple(strings(c, "command")),
        )
        for c in workload.containers
        if name_of(c) not in _MESH
    }


# --- F3, F4 --------------------------------------------------------------------------------------------------------


def _ports(snapshot: Snapshot, service: Object, pods: list[Object]) -> Iterable[Symptom]:
    ready = [p for p in pods if is_ready(p)] or pods
    for port in maps(service, "spec", "ports"):
        symptom = _port(snapshot, service, port, ready[0], pods)
        if symptom:
            yield symptom


def _port(snapshot: Snapshot, service: Object, port: Object, pod: Object, pods: list[Object]) -> Symptom | None:
    target = port.get("targetPort", port.get("port"))
    protocol = text(port, "protocol") or "TCP"
    declared = references.container_ports(mapping(pod, "spec"))
    own = [p for c in maps(pod, "spec", "containers") if name_of(c) not in _MESH for p in maps(c, "ports")]
    same = [p for p in declared if target in (p.get("containerPort"), p.get("name"))]
    if any((text(p, "protocol") or "TCP") == protocol for p in same):
        return None
    if same and _offers(service, target, text(same[0], "protocol") or "TCP"):
        return None  # one of two protocols of a port, such as DNS, of which the container declares one
    if same:
        return _transport(snapshot, service, port, pod, same[0])
    if not own:
        return _undeclared(snapshot, service, port, pod)
    listens = ", ".join(_declared(p) for p in own)
    is_named = isinstance(target, str) and not target.isdigit()
    if not is_named and _probed(pod, target):
        return None
    moved = [d for d in drift(service) if "targetPort" in d.path]
    alone = len(maps(service, "spec", "ports")) == 1
    usual = any(number(p, "containerPort") == number(port, "port") for p in own)
    if moved or is_named:
        specificity = 0.96
    elif alone:
        specificity = 0.94 if usual else 0.9
    else:
        specificity = 0.85 if usual else 0.5
    if not is_named and not moved and _is_settled(snapshot, service, pod):
        specificity = min(specificity, 0.5)  # declaring a port is optional, and this has worked for days
    return _wrong_port(snapshot, service, port, pod, f"container ports are {listens}", specificity)


def _is_settled(snapshot: Snapshot, service: Object, pod: Object) -> bool:
    """Neither the Service nor the program behind it was touched for a day, as far as managedFields tell."""
    if not maps(service, "metadata", "managedFields"):
        return False
    rollout = rollouts.latest(snapshot, snapshot.owner_of(pod))
    touched = [created(service), time_of(owner_of_field(service, "spec")[1]), rollout.after.at if rollout else None]
    last = latest(touched)
    return last is not None and snapshot.clock - last > timedelta(days=1)


def _offers(service: Object, target: object, protocol: str) -> bool:
    return any(
        p.get("targetPort", p.get("port")) == target and (text(p, "protocol") or "TCP") == protocol
        for p in maps(service, "spec", "ports")
    )


def _declared(port: Object) -> str:
    called = f" ({text(port, 'name')})" if text(port, "name") else ""
    return f"{number(port, 'containerPort')}/{text(port, 'protocol') or 'TCP'}{called}"


def _probed(pod: Object, target: object) -> bool:
    """A probe that succeeds on the port proves that somebody listens although nothing is declared."""
    if not is_ready(pod):
        return False
    probes = [
        mapping(c, probe, way)
        for c in maps(pod, "spec", "containers")
        for probe in ("readinessProbe", "livenessProbe", "startupProbe")
        for way in ("httpGet", "tcpSocket", "grpc")
    ]
    return any(p.get("port") == target for p in probes if p)


def _undeclared(snapshot: Snapshot, service: Object, port: Object, pod: Object) -> Symptom | None:
    """No container declares a port (it is optional): compare with what the program is told to listen on."""
    target = port.get("targetPort", port.get("port"))
    told = {
        int(v)
        for c in maps(pod, "spec", "containers")
        for k, v in references.environment(c).items()
        if k.upper().endswith("PORT") and v.isdigit() and not _is_of_another(k, name(service))
    }
    moved = [d for d in drift(service) if "targetPort" in d.path]
    if moved:
        return _wrong_port(snapshot, service, port, pod, f"last applied was {moved[0].before}", 0.93)
    if isinstance(target, int) and target not in told and number(port, "port") in told and not _probed(pod, target):
        return _wrong_port(snapshot, service, port, pod, f"the program is told port {number(port, 'port')}", 0.8)
    return None


def _is_of_another(key: str, service: str) -> bool:
    """`REDIS_PORT` is not a port of the cart."""
    head = key.upper().removesuffix("PORT").strip("_")
    return (
        bool(head)
        and head not in ("HTTP", "SERVER", "LISTEN", "GRPC", "APP", "SERVICE")
        and head not in service.upper().replace("-", "_")
    )


def _wrong_port(
    snapshot: Snapshot, service: Object, port: Object, pod: Object, why: str, specificity: float
) -> Symptom:
    target = port.get("targetPort", port.get("port"))
    words = f"Service {name(service)} port {number(port, 'port')} -> targetPort {target}"
    evidence = [
        cite.seen(snapshot, "Service", service, words),
        cite.seen(snapshot, "Pod", pod, f"pod {name(pod)}: {why}", verb="get"),
        *edits(snapshot, "Service", service),
    ]
    return Symptom(
        analyzer=NAME,
        entity=entity("Service", service),
        faults=("service_target_port_wrong",),
        summary=f"{words}, but nobody listens there: {why}.",
        specificity=specificity,
        evidence=tuple(evidence),
        onset=time_of(owner_of_field(service, "spec", "ports")[1]) or created(service),
        victims=(snapshot.owner_of(pod),),
    )


def _transport(snapshot: Snapshot, service: Object, port: Object, pod: Object, declared: Object) -> Symptom:
    words = (
        f"Service {name(service)} port {number(port, 'port')}/{text(port, 'protocol') or 'TCP'} -> targetPort "
        f"{port.get('targetPort')}"
    )
    evidence = [
        cite.seen(snapshot, "Service", service, words),
        cite.seen(snapshot, "Pod", pod, f"pod {name(pod)} container port {_declared(declared)}", verb="get"),
        *edits(snapshot, "Service", service),
    ]
    return Symptom(
        analyzer=NAME,
        entity=entity("Service", service),
        faults=("service_transport_wrong",),
        summary=f"{words}, but the container's port is {_declared(declared)}.",
        specificity=0.95,
        evidence=tuple(evidence),
        onset=time_of(owner_of_field(service, "spec", "ports")[1]) or created(service),
        victims=(snapshot.owner_of(pod),),
    )
