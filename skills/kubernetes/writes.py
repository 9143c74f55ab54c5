"""Who wrote what when, from metadata.managedFields: the last write to each object that configures others, to the number
of replicas, and to a node's schedulability.

Format: kubernetes.io/docs/reference/using-api/server-side-apply ("managedFields": manager, operation, time,
subresource, fieldsV1 with an `f:` before each key). The API server keeps them for every write; kubectl only hides them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from skills.contract import Change
from skills.kubernetes import cite
from skills.kubernetes.differences import drift, last_write, owner_of_field, plain_value
from skills.kubernetes.objects import (
    Object,
    created,
    dig,
    earliest,
    entity,
    labels,
    mapping,
    maps,
    name,
    namespace,
    text,
    time_of,
)
from skills.kubernetes.snapshot import Snapshot

_FIELDS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("ConfigMap", "Secret"), ("data", "stringData")),
    **dict.fromkeys(("Role", "ClusterRole"), ("rules",)),
    **dict.fromkeys(("RoleBinding", "ClusterRoleBinding"), ("subjects", "roleRef")),
    **dict.fromkeys(("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"), ("webhooks",)),
    **dict.fromkeys(
        ("Service", "NetworkPolicy", "Ingress", "ResourceQuota", "LimitRange", "HorizontalPodAutoscaler", "CronJob",
         "PodDisruptionBudget", "AuthorizationPolicy", "PeerAuthentication", "DestinationRule", "VirtualService",
         "HTTPRoute", "GRPCRoute", "Gateway", "CiliumNetworkPolicy"),
        ("spec",),
    ),
}  # fmt: skip
"""By kind, the fields in which somebody says what he wants."""
_CONTROLLERS = ("kube-controller-manager", "kubelet", "kube-scheduler", "cert-manager", "endpointslice", "kube-proxy",
                "cloud-controller", "kube-apiserver", "istiod", "pilot-discovery")  # fmt: skip
_MADE_TOGETHER = timedelta(minutes=5)


def of(snapshot: Snapshot) -> list[Change]:
    """The last write to each, by something else than a controller; in no order."""
    found = list(_objects(snapshot))
    found += [c for n in snapshot.all("Namespace") if (c := _security_level(snapshot, n))]
    found += [c for w in snapshot.workloads if (c := _replicas(snapshot, w.obj, w.entity.kind))]
    return found + list(_nodes(snapshot))


def id_of_write(kind: str, obj: Object) -> str:
    return f"{kind.lower()}/{namespace(obj)}/{name(obj)}/{text(obj, 'metadata', 'resourceVersion')}"


def last(kind: str, obj: Object) -> tuple[str, datetime | None]:
    """(manager, when) of the last write to what such an object says; its birth where nobody tells."""
    owned = [owner_of_field(obj, field) for field in _FIELDS.get(kind, ("spec",))]
    manager, stamp = max(owned, key=lambda o: o[1])
    at = time_of(stamp)
    return (manager, at) if at is not None else ("", created(obj))


def _objects(snapshot: Snapshot) -> Iterator[Change]:
    oldest = earliest(created(w.obj) for w in snapshot.workloads)
    for kind in _FIELDS:
        for obj in snapshot.of(kind):
            (manager, at), born = last(kind, obj), created(obj)
            if at is None or manager.startswith(_CONTROLLERS) or labels(obj).get("owner") == "helm":
                continue
            fresh = born is not None and abs((at - born).total_seconds()) < 5
            if fresh and oldest is not None and at - oldest < _MADE_TOGETHER:
                continue  # made together with everything else
            told = "; ".join(str(d) for d in drift(obj)[:5]) or _keys(kind, obj)
            told = told or ("" if fresh else _parts(kind, obj))
            what = "created" if fresh else "changed"
            words = f"{kind} {name(obj)} {what} {at:%Y-%m-%dT%H:%M:%SZ}" + (f" by {manager}" if manager else "")
            yield Change(
                id=id_of_write(kind, obj),
                at=at,
                entity=entity(kind, obj),
                summary=f"{kind} {what}" + (f": {told}" if told else ""),
                kind="config",
                author=manager or None,
                evidence=(cite.seen(snapshot, kind, obj, words + (f": {told}" if told else ""), verb="get", at=at),),
            )


def _keys(kind: str, obj: Object) -> str:
    """The keys that the last writer of a ConfigMap or Secret set, with the values of a ConfigMap."""
    keys = last_write(obj, "data").keys[:5]
    if kind == "ConfigMap":
        data = mapping(obj, "data")
        return ", ".join(f"{k} = {plain_value(k, data[k])}" for k in keys if k in data)
    return ", ".join(keys)


def _parts(kind: str, obj: Object) -> str:
    """What of a spec its last writer owns, where that is a part: an update owns only what it changed, and who applies
    whole manifests owns everything, which tells nothing."""
    if "spec" not in _FIELDS[kind]:
        return ""
    keys = last_write(obj, "spec").keys
    return ", ".join(keys) if len(keys) < min(3, len(mapping(obj, "spec"))) else ""


_SECURITY = "pod-security.kubernetes.io/enforce"


def _security_level(snapshot: Snapshot, place: Object) -> Change | None:
    """The level that a namespace enforces: kubernetes.io/docs/concepts/security/pod-security-admission."""
    level = labels(place).get(_SECURITY)
    manager, stamp = owner_of_field(place, "metadata", "labels", _SECURITY)
    at = time_of(stamp)
    if level is None or at is None or name(place) not in snapshot.namespaces:
        return None
    words = (
        f"Namespace {name(place)} enforces pod-security level {level} since {at:%Y-%m-%dT%H:%M:%SZ} (set by {manager})"
    )
    return Change(
        id=f"namespace/{name(place)}/pod-security/{at:%Y%m%dT%H%M%SZ}",
        at=at,
        entity=entity("Namespace", place),
        summary=f"pod-security level: {level}",
        kind="config",
        author=manager or None,
        evidence=(cite.seen(snapshot, "Namespace", place, words, verb="get", at=at),),
    )


_LATELY = timedelta(hours=2)


def _replicas(snapshot: Snapshot, obj: Object, kind: str) -> Change | None:
    """Somebody wrote the number of replicas and nothing else of the template: `kubectl scale`, an autoscaler."""
    best: tuple[datetime, str] | None = None
    for entry in maps(obj, "metadata", "managedFields"):
        spec, at = mapping(entry, "fieldsV1", "f:spec"), time_of(entry.get("time"))
        if at and "f:replicas" in spec and "f:template" not in spec and (best is None or at > best[0]):
            best = (at, text(entry, "manager"))
    born = created(obj)
    if best is None or (born is not None and best[0] - born < _MADE_TOGETHER):
        return None
    at, manager = best
    if manager.startswith(_CONTROLLERS) and snapshot.clock - at > _LATELY:
        return None  # what an autoscaler did hours ago it may do every hour
    count = dig(obj, "spec", "replicas")
    words = f"{kind} {name(obj)} replicas {count}, written {at:%Y-%m-%dT%H:%M:%SZ} by {manager}"
    return Change(
        id=f"scale/{namespace(obj)}/{name(obj)}/{at:%Y%m%dT%H%M%SZ}",
        at=at,
        entity=entity(kind, obj),
        summary=f"replicas {count}, written by {manager}",
        kind="scale",
        author=manager or None,
        evidence=(cite.seen(snapshot, kind, obj, words, verb="get", at=at),),
    )


@dataclass(frozen=True)
class _Marked:
    node: Object
    at: datetime
    what: str
    manager: str


_MAINTENANCE = timedelta(minutes=15)
"""Within which nodes that get the same mark are one change."""
_CORDONED = "node.kubernetes.io/unschedulable"


def _nodes(snapshot: Snapshot) -> Iterator[Change]:
    """Nodes that were cordoned or tainted by somebody; many of them at once are one change, told of the first."""
    marks = sorted((m for n in snapshot.all("Node") for m in _marks(n)), key=lambda m: (m.what, m.at, name(m.node)))
    groups: list[list[_Marked]] = []
    for mark in marks:
        if groups and groups[-1][0].what == mark.what and mark.at - groups[-1][-1].at <= _MAINTENANCE:
            groups[-1].append(mark)
        else:
            groups.append([mark])
    for group in groups:
        first, others = group[0], [name(m.node) for m in group[1:]]
        also = f", as {len(others)} more node(s): {', '.join(others[:6])}" if others else ""
        by = f" by {first.manager}" if first.manager else ""
        words = f"Node {name(first.node)} {first.what} {first.at:%Y-%m-%dT%H:%M:%SZ}{by}{also}"
        yield Change(
            id=f"node/{name(first.node)}/{first.what.split()[0].rstrip(':')}/{first.at:%Y%m%dT%H%M%SZ}",
            at=first.at,
            entity=entity("Node", first.node),
            summary=f"{first.what}{also}",
            kind="node",
            author=first.manager or None,
            evidence=(cite.seen(snapshot, "Node", first.node, words, verb="get", at=first.at),),
        )


def _marks(node: Object) -> Iterator[_Marked]:
    taints = maps(node, "spec", "taints")
    if dig(node, "spec", "unschedulable") is True:
        manager, stamp = owner_of_field(node, "spec", "unschedulable")
        # The node controller follows a cordon with a taint, and says when.
        added = next((t.get("timeAdded") for t in taints if text(t, "key") == _CORDONED), None)
        at = time_of(stamp) or time_of(added)
        if at is not None:
            yield _Marked(node, at, "cordoned (unschedulable)", manager)
    own = [t for t in taints if not text(t, "key").startswith(("node.kubernetes.io/", "node.cloudprovider."))]
    manager, stamp = owner_of_field(node, "spec", "taints")
    at, born = time_of(stamp), created(node)
    fresh = at is not None and born is not None and at - born < _MADE_TOGETHER
    if own and at is not None and not fresh and not manager.startswith(_CONTROLLERS):
        told = ", ".join(f"{text(t, 'key')}={text(t, 'value')}:{text(t, 'effect')}" for t in own[:3])
        yield _Marked(node, at, f"tainted: {told}", manager)
