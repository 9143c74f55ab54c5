"""One object on a page: what `kubectl describe` shows and what it hides (affinity, selectors of claims, DNS policy,
security context), each fact a citable line. Values of Secrets are never shown, values of ConfigMaps only where they are
addresses or short.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from skills.contract import Entity, Excerpt
from skills.kubernetes import cite, references
from skills.kubernetes.objects import (
    Object,
    dig,
    labels,
    mapping,
    maps,
    name,
    namespace,
    notes,
    number,
    one_line,
    strings,
    text,
)
from skills.kubernetes.pods import container_statuses, init_statuses, last_end, name_of, waiting
from skills.kubernetes.selectors import describe as spelt
from skills.kubernetes.snapshot import Snapshot
from skills.redact import Redactor

_HIDDEN = ("managedFields", "uid", "resourceVersion", "selfLink", "generation")
_POD_FIELDS = (
    "serviceAccountName",
    "nodeName",
    "schedulerName",
    "priorityClassName",
    "dnsPolicy",
    "dnsConfig",
    "hostNetwork",
    "nodeSelector",
    "affinity",
    "tolerations",
    "topologySpreadConstraints",
    "securityContext",
    "imagePullSecrets",
    "terminationGracePeriodSeconds",
    "runtimeClassName",
    "hostAliases",
)
_DULL = {
    "schedulerName": "default-scheduler", "dnsPolicy": "ClusterFirst", "securityContext": {},
    "terminationGracePeriodSeconds": 30, "serviceAccountName": "default",
}  # fmt: skip
_REDACTOR = Redactor()


_ROOM = ("cpu", "memory", "pods", "ephemeral-storage", "nvidia.com/gpu")


def describe(snapshot: Snapshot, kind: str, obj: Object) -> list[Excerpt]:
    """Facts first, events last."""
    lines = [
        cite.seen(snapshot, kind, obj, f"{kind} {name(obj)} {line}", verb="get") for line in _facts(snapshot, kind, obj)
    ]
    target = Entity(kind=kind, namespace=namespace(obj) or None, name=name(obj))
    events = snapshot.events_about(target)
    for pod in snapshot.pods_of(target)[:20]:
        events = [*events, *snapshot.events_of("Pod", pod)]
    for each in snapshot.of("ReplicaSet") if kind == "Deployment" else ():
        if snapshot.owner_of(each, "ReplicaSet") == target:
            events = [*events, *snapshot.events_of("ReplicaSet", each)]
    newest = sorted({str(e): e for e in events}.values(), key=lambda e: e.last or snapshot.now)[-12:]
    return lines + [cite.told(snapshot, e) for e in newest]


def whole(obj: Object) -> str:
    """The object as YAML-like JSON without bookkeeping, redacted; for the trace page."""
    plain = {**obj, "metadata": {k: v for k, v in mapping(obj, "metadata").items() if k not in _HIDDEN}}
    return json.dumps(_REDACTOR.value(plain), indent=1, default=str)


def _facts(snapshot: Snapshot, kind: str, obj: Object) -> Iterator[str]:
    if labels(obj):
        yield f"labels {spelt(labels(obj))}"
    kept = {k: v for k, v in notes(obj).items() if "last-applied" not in k and len(v) < 120}
    if kept:
        yield f"annotations {spelt(kept)}"
    match kind:
        case "Pod":
            yield from _of_pod(snapshot, obj)
        case "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" | "CronJob":
            yield from _of_workload(snapshot, kind, obj)
        case "Service":
            yield from _of_service(snapshot, obj)
        case "ConfigMap":
            yield from _of_config_map(obj)
        case "Secret":
            yield (
                f"keys {', '.join(strings(obj, 'keys')) or '(names of keys are not readable)'}, created "
                f"{text(obj, 'metadata', 'creationTimestamp')}"
            )
        case "Node":
            yield from _of_node(obj)
        case _:
            yield from _of_any(obj)
    for condition in maps(obj, "status", "conditions"):
        told = (
            f"condition {text(condition, 'type')}={text(condition, 'status')} {text(condition, 'reason')} "
            f"{text(condition, 'message')}"
        )
        yield one_line(f"{told} since {text(condition, 'lastTransitionTime')}", 500)


def _of_pod(snapshot: Snapshot, pod: Object) -> Iterator[str]:
    owner = snapshot.owner_of(pod)
    yield (
        f"phase {text(pod, 'status', 'phase')} {text(pod, 'status', 'reason')} owner {owner.kind} {owner.name}, "
        f"started {text(pod, 'status', 'startTime')}"
    )
    for status in [*init_statuses(pod), *container_statuses(pod)]:
        reason, message = waiting(status)
        end = last_end(status)
        told = f"container {name_of(status)} ready={status.get('ready')} restarts={number(status, 'restartCount')}"
        told += f" waiting {reason}: {one_line(message, 300)}" if reason else ""
        if end:
            told += (
                f"; last ended {text(end, 'reason')} exit {number(end, 'exitCode')} "
                f"{text(end, 'startedAt')}..{text(end, 'finishedAt')} {one_line(text(end, 'message'), 200)}"
            )
        yield told
    yield from _of_template(pod)


def _of_workload(snapshot: Snapshot, kind: str, obj: Object) -> Iterator[str]:
    status = mapping(obj, "status")
    counts = ", ".join(
        f"{k} {v}"
        for k, v in status.items()
        if isinstance(v, int) and k not in ("observedGeneration", "collisionCount")
    )
    yield f"created {text(obj, 'metadata', 'creationTimestamp')}; wants {dig(obj, 'spec', 'replicas')}; {counts}"
    for field in ("selector", "strategy", "updateStrategy", "schedule", "suspend", "paused", "minReadySeconds"):
        value = dig(obj, "spec", field)
        if value not in (None, {}, 0):
            yield f"{field} {_short(value)}"
    for claim in maps(obj, "spec", "volumeClaimTemplates"):
        spec = mapping(claim, "spec")
        asks = (
            f"{dig(spec, 'resources', 'requests', 'storage')} of class {text(spec, 'storageClassName') or '(default)'}"
        )
        yield f"claims {text(claim, 'metadata', 'name')}: {asks}, {', '.join(strings(spec, 'accessModes'))}"
    template = mapping(obj, "spec", "jobTemplate", "spec", "template") or mapping(obj, "spec", "template")
    if labels(template):
        yield f"pod labels {spelt(labels(template))}"
    yield from _of_template(template)


def _of_node(node: Object) -> Iterator[str]:
    """What decides who may run there, and how much."""
    taints = [
        f"{text(t, 'key')}{'=' + text(t, 'value') if text(t, 'value') else ''}:{text(t, 'effect')}"
        + (f" since {text(t, 'timeAdded')}" if text(t, "timeAdded") else "")
        for t in maps(node, "spec", "taints")
    ]
    yield f"taints {', '.join(taints) or 'none'}{'; unschedulable' if dig(node, 'spec', 'unschedulable') else ''}"
    room = mapping(node, "status", "allocatable")
    yield "allocatable " + ", ".join(f"{what} {room[what]}" for what in _ROOM if what in room)
    addresses = ", ".join(
        text(a, "address") for a in maps(node, "status", "addresses") if text(a, "type") != "Hostname"
    )
    yield f"kubelet {text(node, 'status', 'nodeInfo', 'kubeletVersion')}, addresses {addresses}"


def _of_template(template: Object) -> Iterator[str]:
    spec = mapping(template, "spec")
    for field in _POD_FIELDS:
        value = spec.get(field)
        if value not in (None, [], {}) and value != _DULL.get(field):
            yield f"{field} {_short(value)}"
    for group in ("initContainers", "containers", "ephemeralContainers"):
        for container in maps(spec, group):
            yield from _of_container(container, "init container" if group == "initContainers" else "container")
    for volume in maps(spec, "volumes"):
        source = {k: v for k, v in volume.items() if k != "name"}
        if "projected" not in source and not name_of(volume).startswith("kube-api-access"):
            yield f"volume {name_of(volume)} {_short(source)}"


def _of_container(container: Object, word: str) -> Iterator[str]:
    told = f"{word} {name_of(container)} image {text(container, 'image')}"
    for field in ("command", "args"):
        if strings(container, field):
            told += f" {field} {one_line(_REDACTOR.text(' '.join(strings(container, field))), 200)}"
    ports = [
        f"{number(p, 'containerPort')}/{text(p, 'protocol') or 'TCP'}"
        + (f" hostPort {p['hostPort']}" if p.get("hostPort") else "")
        for p in maps(container, "ports")
    ]
    told += f" ports {', '.join(ports)}" if ports else ""
    yield told
    for field in ("resources", "securityContext", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle"):
        value = container.get(field)
        if value not in (None, {}, []):
            yield f"{word} {name_of(container)} {field} {_short(value)}"
    env = [_variable(e) for e in maps(container, "env")]
    sources = [_short(s) for s in maps(container, "envFrom")]
    if env:
        yield one_line(f"{word} {name_of(container)} env {', '.join(env)}", 1500)
    if sources:
        yield f"{word} {name_of(container)} envFrom {', '.join(sources)}"


def _variable(each: Object) -> str:
    if "valueFrom" in each:
        return f"{text(each, 'name')} from {_short(each['valueFrom'])}"
    masked = _REDACTOR.value({"name": text(each, "name"), "value": str(each.get("value", ""))})
    return f"{text(each, 'name')}={one_line(str(masked['value']), 100)}"


def _of_service(snapshot: Snapshot, service: Object) -> Iterator[str]:
    spec = mapping(service, "spec")
    yield f"type {text(spec, 'type')} clusterIP {text(spec, 'clusterIP')} selector {spelt(mapping(spec, 'selector'))}"
    for port in maps(spec, "ports"):
        yield (
            f"port {text(port, 'name')} {number(port, 'port')}/{text(port, 'protocol') or 'TCP'} -> targetPort "
            f"{port.get('targetPort')}"
        )
    for field in (
        "internalTrafficPolicy",
        "externalTrafficPolicy",
        "sessionAffinity",
        "publishNotReadyAddresses",
        "externalName",
    ):
        if spec.get(field) not in (None, "Cluster", "None", False):
            yield f"{field} {spec[field]}"
    owners = dict.fromkeys(str(snapshot.owner_of(p)) for p in snapshot.selected_by(service))
    yield f"ready endpoints {snapshot.ready_addresses(service)}, selects pods of {', '.join(owners) or 'nobody'}"


def _of_config_map(config_map: Object) -> Iterator[str]:
    yield f"keys {', '.join(mapping(config_map, 'data')) or '(none)'}"
    for key, value in mapping(config_map, "data").items():
        if isinstance(value, str):
            found = references.addresses(value, key)
            if found:
                yield one_line(f"key {key} addresses {', '.join(shown for _, _, shown in found)}", 800)
            if len(value) <= 1200:
                masked = _REDACTOR.value({"name": key, "value": value})
                yield one_line(f"key {key}: {masked['value']}", 1300)


def _of_any(obj: Object) -> Iterator[str]:
    for field, value in obj.items():
        if field not in ("metadata", "kind", "apiVersion", "status") and value not in (None, {}, []):
            yield one_line(f"{field} {_short(value, 1500)}", 1500)
    status = {k: v for k, v in mapping(obj, "status").items() if k not in ("conditions", "images")}
    if status:
        yield one_line(f"status {_short(status, 800)}", 800)


def _short(value: Any, limit: int = 400) -> str:
    if isinstance(value, str):
        return one_line(_REDACTOR.text(value), limit)
    return one_line(json.dumps(_REDACTOR.value(value), separators=(",", ":"), default=str), limit)
