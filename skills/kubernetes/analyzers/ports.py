"""Services that send to a port where nobody listens (F3), or by the wrong protocol (F4).

A named targetPort is looked up in the pod's containers by name and protocol (pkg/api/v1/pod util.go FindPort), a number
is taken as it is, and containers need not declare what they listen on.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from skills.contract import Focus, Symptom, Window
from skills.kubernetes import cite, references, rollouts
from skills.kubernetes.analyzers.services import PROXIES, edits
from skills.kubernetes.differences import drift, owner_of_field, written_at
from skills.kubernetes.objects import (
    Object,
    created,
    entity,
    latest,
    mapping,
    maps,
    name,
    number,
    text,
    time_of,
)
from skills.kubernetes.pods import is_ready, live, name_of
from skills.kubernetes.snapshot import Snapshot

NAME = "kubernetes.ports"


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    found: list[Symptom] = []
    for service in snapshot.of("Service"):
        pods = live(snapshot.selected_by(service))
        if pods and text(service, "spec", "type") != "ExternalName":
            found += _ports(snapshot, service, pods)
    return found


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
    own = [p for c in maps(pod, "spec", "containers") if name_of(c) not in PROXIES for p in maps(c, "ports")]
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
        onset=_parted(snapshot, service, pod),
        victims=(snapshot.owner_of(pod),),
    )


def _parted(snapshot: Snapshot, service: Object, pod: Object) -> datetime | None:
    """When the ports of Service and program parted: the write to the one, or the rollout that moved the other's."""
    rollout = rollouts.latest(snapshot, snapshot.owner_of(pod))
    moved = rollout.after.at if rollout and rollouts.find(rollout, "ports") else None
    return latest([written_at(service, snapshot.clock, "spec", "ports"), moved])


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
        onset=written_at(service, snapshot.clock, "spec", "ports"),
        victims=(snapshot.owner_of(pod),),
    )
