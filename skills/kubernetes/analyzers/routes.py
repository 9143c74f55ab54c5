"""Ingresses and routes that lead nowhere or elsewhere (F8): backend absent, port not offered, class unknown,
sibling."""

from __future__ import annotations

import re
from datetime import datetime

from skills.contract import Entity, Focus, Symptom, Window
from skills.kubernetes import cite, references
from skills.kubernetes.analyzers.services import edits
from skills.kubernetes.differences import owner_of_field
from skills.kubernetes.objects import (
    Object,
    condition,
    created,
    entity,
    maps,
    name,
    namespace,
    notes,
    number,
    text,
    time_of,
)
from skills.kubernetes.snapshot import Snapshot
from skills.kubernetes.topology import ingress_backends

NAME = "kubernetes.routes"
_FRONT = re.compile(r"front|gateway|web|\bui\b|proxy", re.IGNORECASE)


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    found: list[Symptom | None] = []
    for ingress in snapshot.of("Ingress"):
        found.append(_class(snapshot, ingress))
        found += [_backend(snapshot, ingress, backend, route) for backend, route in ingress_backends(ingress)]
    for kind in ("HTTPRoute", "GRPCRoute"):
        found += [s for route in snapshot.of(kind) for s in _route(snapshot, kind, route)]
    return [s for s in found if s]


def _backend(snapshot: Snapshot, ingress: Object, backend: Object, route: str) -> Symptom | None:
    if not snapshot.knows("Service"):
        return None
    called = text(backend, "name")
    service = snapshot.find("Service", namespace(ingress), called)
    number_of, named = number(backend, "port", "number"), text(backend, "port", "name")
    moved = edits(snapshot, "Ingress", ingress)
    if service is None:
        return _symptom(snapshot, ingress, f"{route} leads to Service {called}, which does not exist", 0.93)
    ports = maps(service, "spec", "ports")
    if (
        ports
        and number_of not in references.ports_of(service)
        and named not in [text(p, "name") for p in ports if named]
    ):
        offered = ", ".join(map(str, references.ports_of(service)))
        return _symptom(
            snapshot,
            ingress,
            f"{route} leads to port {named or number_of} of Service {called}, which offers {offered}",
            0.93,
        )
    if moved:
        return _symptom(snapshot, ingress, f"{route} leads to {called}; it was edited: {moved[0].text}", 0.9)
    path = route.partition("/")[2].partition("(")[0].strip("/")
    words = {w for w in re.split(r"[/-]", path) if len(w) >= 3}
    better = [
        name(s)
        for s in snapshot.of("Service")
        if namespace(s) == namespace(ingress) and name(s) != called and words & set(name(s).split("-"))
    ]
    if better and not words & set(called.split("-")):
        return _symptom(snapshot, ingress, f"{route} leads to {called}, while there is {better[0]}", 0.6)
    fronts = [name(s) for s in snapshot.of("Service") if namespace(s) == namespace(ingress) and _FRONT.search(name(s))]
    if fronts and not _FRONT.search(called) and path in ("", "api") and not words & set(called.split("-")):
        return _symptom(snapshot, ingress, f"{route} leads to {called} and not to the front end {fronts[0]}", 0.7)
    return None


def _class(snapshot: Snapshot, ingress: Object) -> Symptom | None:
    wanted = text(ingress, "spec", "ingressClassName") or notes(ingress).get("kubernetes.io/ingress.class", "")
    classes = [name(c) for c in snapshot.all("IngressClass")]
    if (
        not snapshot.knows("IngressClass")
        or not wanted
        or wanted in classes
        or not text(ingress, "spec", "ingressClassName")
    ):
        return None
    return _symptom(
        snapshot, ingress, f"class {wanted} does not exist (there are: {', '.join(classes) or 'none'})", 0.85
    )


def _symptom(snapshot: Snapshot, ingress: Object, why: str, specificity: float, kind: str = "Ingress") -> Symptom:
    return Symptom(
        analyzer=NAME,
        entity=entity(kind, ingress),
        faults=("ingress_route_wrong",),
        summary=f"{kind} {name(ingress)}: {why}.",
        specificity=specificity,
        evidence=(
            cite.seen(snapshot, kind, ingress, f"{kind} {name(ingress)}: {why}", verb="get"),
            *edits(snapshot, kind, ingress),
        ),
        onset=time_of(owner_of_field(ingress, "spec")[1]) or created(ingress),
        victims=tuple(
            Entity(kind="Service", namespace=namespace(ingress), name=text(b, "name"))
            for b, _ in ingress_backends(ingress)
        ),
    )


def _route(snapshot: Snapshot, kind: str, route: Object) -> list[Symptom]:
    """Gateway API: conditions Accepted and ResolvedRefs of each parent, and backends that are not there."""
    found = []
    for parent in maps(route, "status", "parents"):
        for wanted in ("Accepted", "ResolvedRefs"):
            state = condition({"status": parent}, wanted)
            if state.get("status") == "False":
                found.append(
                    _symptom(
                        snapshot, route, f"{wanted}=False {text(state, 'reason')}: {text(state, 'message')}", 0.93, kind
                    )
                )
    for rule in maps(route, "spec", "rules"):
        for backend in maps(rule, "backendRefs"):
            place = text(backend, "namespace") or namespace(route)
            here = (
                place in snapshot.namespaces and snapshot.knows("Service") and text(backend, "kind") in ("", "Service")
            )
            if here and snapshot.find("Service", place, text(backend, "name")) is None and not found:
                found.append(
                    _symptom(snapshot, route, f"backend Service {text(backend, 'name')} does not exist", 0.92, kind)
                )
    return found
