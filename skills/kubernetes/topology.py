"""Who depends on whom, as far as objects tell: Service -> workload by selector, workload -> Service by address,
Ingress and routes -> Service by backend. And which node an address is, since exporters on nodes are known by theirs."""

from __future__ import annotations

from skills.contract import Edge, Entity
from skills.kubernetes import cite, references
from skills.kubernetes.objects import Object, entity, mapping, maps, name, namespace, text
from skills.kubernetes.selectors import describe
from skills.kubernetes.snapshot import Snapshot


def edges(snapshot: Snapshot) -> list[Edge]:
    """Each pair once, in a stable order."""
    known: list[Edge] | None = snapshot.memo.get("edges")
    if known is not None:
        return known
    found: dict[tuple[Entity, Entity], Edge] = {}
    for edge in [*_by_selector(snapshot), *_by_address(snapshot), *by_route(snapshot), *_of_nodes(snapshot)]:
        found.setdefault((edge.source, edge.target), edge)
    snapshot.memo["edges"] = list(found.values())
    return list(found.values())


def _by_selector(snapshot: Snapshot) -> list[Edge]:
    found = []
    for service in snapshot.of("Service"):
        selector = mapping(service, "spec", "selector")
        owners = [snapshot.owner_of(p) for p in snapshot.selected_by(service)]
        for owner in dict.fromkeys([*owners, *(w.entity for w in snapshot.workloads_behind(service))]):
            words = f"Service {name(service)} selects {describe(selector)}: {owner.kind} {owner.name}"
            seen = cite.seen(snapshot, "Service", service, words)
            found.append(Edge(entity("Service", service), owner, "selector", seen))
    return found


def _by_address(snapshot: Snapshot) -> list[Edge]:
    found = []
    for reference in references.every(snapshot):
        place = reference.workload.namespace or ""
        if references.is_local(reference.host):
            continue
        target = references.understand(snapshot, reference.host, place)
        via = "env" if reference.where.startswith("env") else "config"
        said = references.excerpt(snapshot, reference)
        if target is None:
            if "." in reference.host:
                outside = Entity(kind="external", name=reference.host)
                found.append(Edge(reference.workload, outside, via, said))
            continue
        service = Entity(kind="Service", namespace=target.namespace, name=target.service)
        known = snapshot.find("Service", target.namespace, target.service) is not None
        if (known or reference.port is not None) and not _is_own(snapshot, reference.workload, service):
            found.append(Edge(reference.workload, service, via, said))
    return found


def _is_own(snapshot: Snapshot, workload: Entity, service: Entity) -> bool:
    return any(name(s) == service.name and namespace(s) == service.namespace for s in snapshot.services_of(workload))


_MOST_NODES = 40


def _of_nodes(snapshot: Snapshot) -> list[Edge]:
    """`Node 192.168.0.12 -> Node worker-2`: metrics and logs of a node often know no more than its address."""
    found = []
    for node in snapshot.all("Node")[:_MOST_NODES]:
        for each in maps(node, "status", "addresses"):
            address = text(each, "address")
            if text(each, "type") == "InternalIP" and address not in ("", name(node)):
                said = cite.seen(snapshot, "Node", node, f"Node {name(node)} InternalIP {address}", verb="get")
                found.append(Edge(Entity(kind="Node", name=address), entity("Node", node), "address", said))
    return found


def by_route(snapshot: Snapshot) -> list[Edge]:
    found = []
    for ingress in snapshot.of("Ingress"):
        for backend, route in ingress_backends(ingress):
            target = Entity(kind="Service", namespace=namespace(ingress), name=text(backend, "name"))
            words = f"Ingress {name(ingress)} {route} -> Service {target.name}"
            found.append(
                Edge(entity("Ingress", ingress), target, "ingress", cite.seen(snapshot, "Ingress", ingress, words))
            )
    for kind in ("HTTPRoute", "GRPCRoute"):
        for obj in snapshot.of(kind):
            for rule in maps(obj, "spec", "rules"):
                for backend in maps(rule, "backendRefs"):
                    place = text(backend, "namespace") or namespace(obj)
                    target = Entity(kind="Service", namespace=place, name=text(backend, "name"))
                    words = f"{kind} {name(obj)} -> Service {target.name}"
                    found.append(Edge(entity(kind, obj), target, "ingress", cite.seen(snapshot, kind, obj, words)))
    return found


def ingress_backends(ingress: Object) -> list[tuple[Object, str]]:
    """(backend.service, `host/path`) of each rule, and of the default backend."""
    found = []
    default = mapping(ingress, "spec", "defaultBackend", "service")
    if default:
        found.append((default, "(default)"))
    for rule in maps(ingress, "spec", "rules"):
        for path in maps(rule, "http", "paths"):
            service = mapping(path, "backend", "service")
            if service:
                found.append((service, f"{text(rule, 'host') or '*'}{text(path, 'path') or '/'}"))
    return found
