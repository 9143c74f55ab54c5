"""Services and their endpoints. Endpoints are computed from selector and readiness, as the endpoint controller does."""

from __future__ import annotations

from typing import Any

from workers.simulation import clock, dice
from workers.simulation.cluster import Json, Pod, ServiceObject
from workers.simulation.world import World, managed


def selected(world: World, service: ServiceObject, at: float) -> list[Pod]:
    """Pods that exist at a moment and match the Service's selector of that moment."""
    spec = service.spec(at)
    return [p for p in matching(world, service.namespace, spec or {}) if p.exists(at) and p.failed > at]


def matching(world: World, namespace: str, spec: Json) -> list[Pod]:
    """Pods of all times that a Service's selector matches."""
    wanted = spec.get("selector") or {}
    if not wanted:
        return []
    pods = (p for w in world.workloads.values() if w.namespace == namespace for p in w.pods)
    return [p for p in pods if wanted.items() <= p.all_labels().items()]


def target_port(pod: Pod, port: Json) -> int | None:
    """The number that a Service port's targetPort means for a pod."""
    target = port.get("targetPort", port["port"])
    if isinstance(target, int):
        return target
    for container in pod.revision.template["spec"]["containers"]:
        for declared in container.get("ports", []):
            if declared.get("name") == target:
                return int(declared["containerPort"])
    return None


def service(world: World, it: ServiceObject) -> Json | None:
    spec = it.spec(world.now)
    if spec is None:
        return None
    latest = it.edits[-1][0] if it.edits else it.created
    by_manager = {m: managed(m, at, fields) for at, m, fields in it.edits}
    metadata = {
        "name": it.name,
        "namespace": it.namespace,
        "uid": it.uid,
        "resourceVersion": world.resource_version(latest, it.name),
        "creationTimestamp": it.created,
        "labels": dict(it.labels),
        "annotations": dict(it.annotations),
        "managedFields": list(by_manager.values()),
    }
    return {"metadata": metadata, "spec": spec, "status": {"loadBalancer": {}}}


def endpoints(world: World, it: ServiceObject) -> Json | None:
    spec = it.spec(world.now)
    if spec is None:
        return None
    good, bad = _addresses(world, it)
    subsets: list[Json] = []
    ports = [_port(p, number) for p in spec["ports"] if (number := _number(world, it, p))]
    if good or bad:
        subset: Json = {"ports": ports}
        if good:
            subset["addresses"] = [_address(p) for p in good]
        if bad:
            subset["notReadyAddresses"] = [_address(p) for p in bad]
        subsets.append(subset)
    made: Json = {"metadata": _metadata(world, it, it.name, "Endpoints")}
    if subsets:
        made["subsets"] = subsets
    return made


def endpoint_slice(world: World, it: ServiceObject) -> Json | None:
    spec = it.spec(world.now)
    if spec is None:
        return None
    good, bad = _addresses(world, it)
    metadata = _metadata(
        world, it, f"{it.name}-{dice.letters(5, world.seed, 'slice', it.namespace, it.name)}", "EndpointSlice"
    )
    metadata["generateName"] = f"{it.name}-"
    metadata["labels"] = {
        "kubernetes.io/service-name": it.name,
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        **it.labels,
    }
    metadata["ownerReferences"] = [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "name": it.name,
            "uid": it.uid,
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]
    entries: list[Json] = []
    for pod, ready in (*((p, True) for p in good), *((p, False) for p in bad)):
        entries.append(
            {
                "addresses": [pod.ip],
                "conditions": {"ready": ready, "serving": ready, "terminating": pod.deleted < world.now + 60},
                "nodeName": pod.node,
                "targetRef": _target(pod),
                "zone": world.nodes[pod.node].zone,
            }
        )
    ports = [_port(p, number) for p in spec["ports"] if (number := _number(world, it, p))]
    return {"metadata": metadata, "addressType": "IPv4", "endpoints": entries, "ports": ports}


def _addresses(world: World, it: ServiceObject) -> tuple[list[Pod], list[Pod]]:
    pods = [p for p in selected(world, it, world.now) if p.ip and p.node and not _waiting_for_volume(p)]
    good = [p for p in pods if p.is_ready(world.now) and p.deleted > world.now + 60]
    return good, [p for p in pods if p not in good]


def _waiting_for_volume(it: Pod) -> bool:
    """It has no sandbox yet, and so no address that anybody knows."""
    return it.stuck is not None and it.stuck.reason == "ContainerCreating"


def _number(world: World, it: ServiceObject, port: Json) -> int | None:
    pods = selected(world, it, world.now)
    target: Any = port.get("targetPort", port["port"])
    return target_port(pods[0], port) if pods else target if isinstance(target, int) else None


def _port(port: Json, number: int) -> Json:
    return {"name": port.get("name", ""), "port": number, "protocol": port.get("protocol", "TCP")}


def _address(pod: Pod) -> Json:
    return {"ip": pod.ip, "nodeName": pod.node, "targetRef": _target(pod)}


def _target(pod: Pod) -> Json:
    return {"kind": "Pod", "namespace": pod.namespace, "name": pod.name, "uid": pod.uid}


def _metadata(world: World, it: ServiceObject, name: str, kind: str) -> Json:
    changes = [it.created, *(at for at, _, _ in it.edits)]
    changes += [t for p in selected(world, it, world.now) for s in p.ready_spans() for t in s if t <= world.now]
    latest = max(changes)
    return {
        "name": name,
        "namespace": it.namespace,
        "uid": world.uid(kind, it.namespace, it.name),
        "resourceVersion": world.resource_version(latest, kind, it.name),
        "creationTimestamp": it.created + 0.1,
        "labels": dict(it.labels),
        "annotations": {"endpoints.kubernetes.io/last-change-trigger-time": clock.seconds(latest)},
    }
