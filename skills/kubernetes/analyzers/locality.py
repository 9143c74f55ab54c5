"""Traffic that stays on a node (F11) and the node's proxy (H3). Service spec.internalTrafficPolicy: with Local,
callers on a node without a ready endpoint get nothing (networking documentation, "Service Internal Traffic Policy")."""

from __future__ import annotations

from datetime import datetime, timedelta

from skills.contract import Entity, Focus, Symptom, Window
from skills.kubernetes import cite, references
from skills.kubernetes.differences import owner_of_field, written_at
from skills.kubernetes.objects import (
    Object,
    created,
    entity,
    holds,
    is_terminating,
    labels,
    maps,
    name,
    namespace,
    text,
    time_of,
)
from skills.kubernetes.pods import container_statuses, is_ready, live, name_of, unready_since, waiting
from skills.kubernetes.snapshot import Snapshot

NAME = "kubernetes.locality"
_JOINING = timedelta(minutes=2)


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    local = [s for s in snapshot.of("Service") if text(s, "spec", "internalTrafficPolicy") == "Local"]
    found = [_local(snapshot, s) for s in local] + [_proxy(snapshot, p) for p in snapshot.system("Pod") if _is_proxy(p)]
    return [s for s in [*found, _foreign_proxy(snapshot)] if s]


def _local(snapshot: Snapshot, service: Object) -> Symptom | None:
    nodes = {text(p, "spec", "nodeName") for p in live(snapshot.selected_by(service)) if is_ready(p)}
    if not nodes:
        return None
    callers = [
        r.workload
        for r in references.every(snapshot)
        if references.service_of(snapshot, r.host, r.workload.namespace or "") is service
    ]
    cut = [
        (owner, text(p, "spec", "nodeName"))
        for owner in dict.fromkeys(callers)
        for p in live(snapshot.pods_of(owner))
        if text(p, "spec", "nodeName") not in nodes
    ]
    workers = {name(n) for n in snapshot.all("Node") if "node-role.kubernetes.io/control-plane" not in labels(n)}
    if not cut and workers <= nodes:
        return None
    words = f"Service {name(service)} internalTrafficPolicy Local, ready endpoints only on {', '.join(sorted(nodes))}"
    told = ", ".join(f"{o.name} on {n}" for o, n in cut[:5])
    return Symptom(
        analyzer=NAME,
        entity=entity("Service", service),
        faults=("traffic_locality_imbalance",),
        summary=f"{words}; callers elsewhere reach nobody: {told or 'none is known'}.",
        specificity=0.95 if cut else 0.55,
        evidence=(cite.seen(snapshot, "Service", service, words, verb="get"),),
        onset=written_at(service, snapshot.clock, "spec", "internalTrafficPolicy"),
        victims=tuple(dict.fromkeys(o for o, _ in cut)),
    )


def _is_proxy(pod: Object) -> bool:
    return labels(pod).get("k8s-app") in ("kube-proxy", "cilium") or name(pod).startswith("kube-proxy-")


def _proxy(snapshot: Snapshot, pod: Object) -> Symptom | None:
    node = text(pod, "spec", "nodeName")
    host = snapshot.find("Node", "", node)
    born = created(pod)
    if is_ready(pod) or not node or is_terminating(pod):
        return None
    if (host is not None and not holds(host, "Ready")) or (born and snapshot.clock - born < _JOINING):
        return None  # the node is the trouble, or has just joined
    reasons = [f"{name_of(s)} {waiting(s)[0]} {waiting(s)[1]}" for s in container_statuses(pod) if waiting(s)[0]]
    words = f"pod {name(pod)} on node {node} is not ready {'; '.join(reasons)}"
    return Symptom(
        analyzer=NAME,
        entity=Entity(kind="Node", name=node),
        faults=("node_proxy_stopped", "traffic_locality_imbalance"),
        summary=f"Node {node}: {words}: Services go stale there.",
        specificity=0.92,
        evidence=(cite.seen(snapshot, "Pod", pod, words),),
        onset=unready_since(pod),
        victims=tuple(
            dict.fromkeys(snapshot.owner_of(p) for p in snapshot.pods if text(p, "spec", "nodeName") == node)
        ),
    )


def _foreign_proxy(snapshot: Snapshot) -> Symptom | None:
    """kube-proxy from another registry than the rest of the control plane: somebody replaced it."""
    proxy = next((d for d in snapshot.system("DaemonSet") if name(d) == "kube-proxy"), None)
    image = next((text(c, "image") for c in maps(proxy, "spec", "template", "spec", "containers")), "")
    others = [
        text(c, "image").rpartition("/")[0]
        for p in snapshot.system("Pod")
        if name(p).startswith(("kube-apiserver", "kube-scheduler", "kube-controller-manager"))
        for c in maps(p, "spec", "containers")
    ]
    if proxy is None or not others or image.rpartition("/")[0] in others:
        return None
    at = time_of(owner_of_field(proxy, "spec", "template")[1])
    words = f"DaemonSet kube-proxy runs {image}, the control plane comes from {others[0]}"
    return Symptom(
        analyzer=NAME,
        entity=Entity(kind="DaemonSet", namespace=namespace(proxy), name="kube-proxy"),
        faults=("traffic_locality_imbalance", "node_proxy_stopped"),
        summary=f"{words}.",
        specificity=0.7 if at is None or snapshot.clock - at < timedelta(hours=6) else 0.3,
        evidence=(cite.seen(snapshot, "DaemonSet", proxy, words),),
        onset=at,
    )
