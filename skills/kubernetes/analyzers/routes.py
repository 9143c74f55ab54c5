"""Ingresses and routes that lead nowhere or elsewhere (F8): backend absent, port not offered, class unknown, sibling.

Conditions of routes and gateways: gateway-api apis/v1 (RouteConditionAccepted, RouteConditionResolvedRefs with reasons
BackendNotFound, RefNotPermitted; GatewayConditionProgrammed).
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta

from skills.contract import Entity, Focus, Symptom, Window
from skills.kubernetes import cite, references
from skills.kubernetes.analyzers.services import edits
from skills.kubernetes.differences import written_at
from skills.kubernetes.nearness import nearest
from skills.kubernetes.objects import (
    Object,
    condition,
    entity,
    labels,
    mapping,
    maps,
    name,
    namespace,
    notes,
    number,
    text,
)
from skills.kubernetes.pods import is_ready, live
from skills.kubernetes.references import Target
from skills.kubernetes.selectors import describe, matches_map
from skills.kubernetes.snapshot import Snapshot
from skills.kubernetes.topology import ingress_backends

NAME = "kubernetes.routes"
_FRONT = re.compile(r"front|gateway|web|\bui\b|proxy|\bbff\b|edge|portal", re.IGNORECASE)
_BY_ANNOTATION = "use-annotation"
"""AWS Load Balancer Controller: the backend is an action that an annotation defines, no Service."""
_CONTROLLER = re.compile(r"^(Failed|Translat|Sync|Invalid|NoMatch|.*NotFound)")
_RECENT = timedelta(hours=1)


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    found: list[Symptom | None] = []
    for ingress in snapshot.of("Ingress"):
        found.append(_class(snapshot, ingress))
        routes = ingress_backends(ingress)
        found += [_backend(snapshot, ingress, backend, route, routes) for backend, route in routes]
        found.append(_told_by_controller(snapshot, ingress))
    for kind in ("HTTPRoute", "GRPCRoute"):
        found += [s for route in snapshot.of(kind) for s in _route(snapshot, kind, route)]
    found += [_gateway(snapshot, g) for g in snapshot.of("Gateway")]
    found += [_virtual(snapshot, v) for v in snapshot.of("VirtualService")]
    return [s for s in found if s]


def _backend(
    snapshot: Snapshot, ingress: Object, backend: Object, route: str, routes: list[tuple[Object, str]]
) -> Symptom | None:
    called = text(backend, "name")
    if not snapshot.knows("Service") or text(backend, "port", "name") == _BY_ANNOTATION:
        return None
    service = snapshot.find("Service", namespace(ingress), called)
    number_of, named = number(backend, "port", "number"), text(backend, "port", "name")
    if service is None:
        near = nearest(called, [name(s) for s in snapshot.of("Service") if namespace(s) == namespace(ingress)])
        why = f"{route} leads to Service {called}, which does not exist" + (f" (nearest: {near})" if near else "")
        found = _symptom(snapshot, ingress, why, 0.95, instead=near)
        return _is_gone(snapshot, found, called) or found
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
            0.94,
        )
    if moved := edits(snapshot, "Ingress", ingress):
        return _symptom(snapshot, ingress, f"{route} leads to {called}; it was edited: {moved[0].text}", 0.9)
    return _elsewhere(snapshot, ingress, called, route, routes)


def _elsewhere(
    snapshot: Snapshot, ingress: Object, called: str, route: str, routes: list[tuple[Object, str]]
) -> Symptom | None:
    """A backend that exists and bears another name than its route. Gateways bear other names by nature: a backend
    of several routes, or one that sounds like a front, is left alone."""
    here = [s for s in snapshot.of("Service") if namespace(s) == namespace(ingress)]
    host, _, path = route.partition("(")[0].partition("/")
    words = {w for w in re.split(r"[/-]", path.strip("/")) if len(w) >= 3}
    own = set(called.split("-"))
    shared = sum(1 for b, _ in routes if text(b, "name") == called) > 1
    if _FRONT.search(called) or shared or words & own or own & set(re.split(r"[.-]", host)):
        return None
    better = [name(s) for s in here if name(s) != called and words & set(name(s).split("-"))]
    if better:
        return _symptom(
            snapshot, ingress, f"{route} leads to {called}, while there is {better[0]}", 0.6, instead=better[0]
        )
    reached = {text(b, "name") for i in snapshot.of("Ingress") for b, _ in ingress_backends(i)}
    fronts = [name(s) for s in here if _FRONT.search(name(s)) and name(s) not in reached]
    outside = [s for s in here if name(s) in fronts and text(s, "spec", "type") in ("LoadBalancer", "NodePort")]
    if fronts and path.strip("/") in ("", "api"):
        return _symptom(
            snapshot,
            ingress,
            f"{route} leads to {called} and not to the front end {fronts[0]}, which no route reaches",
            0.5 if outside else 0.7,
            instead=fronts[0],
        )
    return None


def _is_gone(snapshot: Snapshot, found: Symptom, called: str) -> Symptom | None:
    """The same where a workload of that very name runs: then the route is right, and its Service was deleted (F5)."""
    place = found.entity.namespace
    own = next((w for w in snapshot.workloads if (w.entity.namespace, w.entity.name) == (place, called)), None)
    ready = sum(is_ready(p) for p in live(snapshot.pods_of(own.entity))) if own else 0
    if own is None or not ready:
        return None
    return replace(
        found,
        entity=Entity(kind="Service", namespace=place, name=called),
        faults=("service_deleted", "ingress_route_wrong"),
        summary=f"{found.summary.removesuffix('.')}; {ready} ready pod(s) of {own.entity.name} wait behind that name.",
        onset=None,  # when a Service went, no object tells
        victims=(found.entity, own.entity),
    )


def _class(snapshot: Snapshot, ingress: Object) -> Symptom | None:
    """A class that does not exist, or none where none is the default (networking.k8s.io/v1 reference, IngressSpec).

    The annotation kubernetes.io/ingress.class needs no IngressClass object, and GKE's own class has none.
    """
    wanted = text(ingress, "spec", "ingressClassName")
    classes = snapshot.all("IngressClass")
    served = bool(maps(ingress, "status", "loadBalancer", "ingress"))
    if not snapshot.knows("IngressClass") or served:
        return None
    if wanted and wanted not in [name(c) for c in classes]:
        there = ", ".join(name(c) for c in classes) or "none"
        return _symptom(snapshot, ingress, f"class {wanted} does not exist (there are: {there})", 0.9)
    default = any(notes(c).get("ingressclass.kubernetes.io/is-default-class") == "true" for c in classes)
    if not wanted and classes and not default and "kubernetes.io/ingress.class" not in notes(ingress):
        return _symptom(snapshot, ingress, "it names no class and no class is the default: nobody serves it", 0.75)
    return None


def _told_by_controller(snapshot: Snapshot, ingress: Object) -> Symptom | None:
    """Warnings of the controllers that write events: AWS Load Balancer Controller (FailedBuildModel), GKE (Translate),
    AGIC (InvalidAnnotation ...)."""
    events = [e for e in snapshot.events_of("Ingress", ingress) if e.is_warning and _CONTROLLER.search(e.reason)]
    if not events or events[-1].last is None or snapshot.clock - events[-1].last > _RECENT:
        return None
    said = events[-1]
    found = _symptom(snapshot, ingress, f"its controller says {said.reason}: {said.message}", 0.85)
    return replace(found, evidence=(cite.told(snapshot, said), *found.evidence))


def _symptom(
    snapshot: Snapshot, ingress: Object, why: str, specificity: float, kind: str = "Ingress", instead: str = ""
) -> Symptom:
    """`instead`: the Service that the route was meant for, which gets no traffic now."""
    place = namespace(ingress)
    meant = snapshot.find("Service", place, instead) if instead else None
    starved = [entity("Service", meant), *(w.entity for w in snapshot.workloads_behind(meant))] if meant else []
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
        onset=written_at(ingress, snapshot.clock, "spec"),
        victims=(
            *starved,
            *(Entity(kind="Service", namespace=place, name=text(b, "name")) for b, _ in ingress_backends(ingress)),
        ),
    )


def _route(snapshot: Snapshot, kind: str, route: Object) -> list[Symptom]:
    """Gateway API: conditions Accepted and ResolvedRefs of each parent, and backends or ports that are not there."""
    found = []
    for parent in maps(route, "status", "parents"):
        for wanted in ("Accepted", "ResolvedRefs"):
            state = condition({"status": parent}, wanted)
            if state.get("status") == "False":
                told = f"{wanted}=False {text(state, 'reason')}: {text(state, 'message')}"
                found.append(_symptom(snapshot, route, told, 0.95, kind))
    if found:
        return found[:1]
    for rule in maps(route, "spec", "rules"):
        for backend in maps(rule, "backendRefs"):
            place, called = text(backend, "namespace") or namespace(route), text(backend, "name")
            if (
                place not in snapshot.namespaces
                or not snapshot.knows("Service")
                or text(backend, "kind") not in ("", "Service")
            ):
                continue
            service = snapshot.find("Service", place, called)
            port = number(backend, "port")
            if service is None:
                near = nearest(called, [name(s) for s in snapshot.of("Service") if namespace(s) == place])
                found.append(
                    _symptom(snapshot, route, f"backend Service {called} does not exist", 0.94, kind, instead=near)
                )
            elif port and port not in references.ports_of(service):
                offered = ", ".join(map(str, references.ports_of(service)))
                told = f"backend {called} is asked on port {port}, and offers {offered}"
                found.append(_symptom(snapshot, route, told, 0.94, kind))
    return found


def _gateway(snapshot: Snapshot, gateway: Object) -> Symptom | None:
    """Gateway API: Accepted or Programmed False of the gateway, ResolvedRefs False of a listener."""
    for wanted in ("Accepted", "Programmed"):
        state = condition(gateway, wanted)
        if state.get("status") == "False":
            told = f"{wanted}=False {text(state, 'reason')}: {text(state, 'message')}"
            return _symptom(snapshot, gateway, told, 0.8, "Gateway")
    for listener in maps(gateway, "status", "listeners"):
        state = condition({"status": listener}, "ResolvedRefs")
        if state.get("status") == "False":
            told = f"listener {text(listener, 'name')} ResolvedRefs=False {text(state, 'reason')}: "
            return _symptom(snapshot, gateway, told + text(state, "message"), 0.88, "Gateway")
    return None


def _virtual(snapshot: Snapshot, virtual: Object) -> Symptom | None:
    """Istio VirtualService: a destination host or subset that is not there gives 503 (NR, no_cluster)."""
    subsets = {
        (text(rule, "spec", "host").partition(".")[0], text(s, "name"))
        for rule in snapshot.all("DestinationRule")
        for s in maps(rule, "spec", "subsets")
    }
    for protocol in ("http", "tls", "tcp"):
        for rule in maps(virtual, "spec", protocol):
            for each in maps(rule, "route"):
                host, subset = text(each, "destination", "host"), text(each, "destination", "subset")
                target = references.understand(snapshot, host, namespace(virtual)) if host else None
                if target is None or target.namespace not in snapshot.namespaces or not snapshot.knows("Service"):
                    continue
                if snapshot.find("Service", target.namespace, target.service) is None:
                    told = f"{protocol} route leads to host {host}, which no Service has"
                    # A ServiceEntry, which is not read, may give the name a meaning.
                    return _symptom(snapshot, virtual, told, 0.75, "VirtualService")
                known = snapshot.knows("DestinationRule")
                if subset and known and (target.service, subset) not in subsets:
                    told = f"{protocol} route leads to subset {subset} of {host}, which no DestinationRule defines"
                    return _symptom(snapshot, virtual, told, 0.93, "VirtualService")
                if subset and (empty := _empty_subset(snapshot, target, subset)):
                    told = f"{protocol} route leads to subset {subset} of {host}, {empty}"
                    return _symptom(snapshot, virtual, told, 0.93, "VirtualService", instead=target.service)
    return None


def _empty_subset(snapshot: Snapshot, target: Target, subset: str) -> str:
    """Why the subset of a DestinationRule holds no pod of its Service; empty when it holds one."""
    service = snapshot.find("Service", target.namespace, target.service)
    pods = live(snapshot.selected_by(service)) if service and snapshot.knows("Pod", target.namespace) else []
    for rule in snapshot.all("DestinationRule"):
        for each in maps(rule, "spec", "subsets"):
            wanted = mapping(each, "labels")
            if text(rule, "spec", "host").partition(".")[0] != target.service or text(each, "name") != subset:
                continue
            if wanted and pods and not any(matches_map(wanted, labels(p)) for p in pods):
                return f"whose labels {describe(wanted)} no pod has (DestinationRule {name(rule)})"
    return ""
