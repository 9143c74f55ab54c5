"""How entities are written and which ones are the same thing. Shared by the agent's rules and the offline model.

Names are what telemetry has in common: an alert says `cart`, an event `Pod shop/cart-7d9f8-x2lqp`, a Service and a
Deployment are both called cart. Pods and ReplicaSets stand for the workload that owns them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from skills.contract import Entity

WORKLOADS = (
    "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "ReplicationController", "Rollout", "DeploymentConfig",
)  # fmt: skip
CLUSTER_KINDS = ("Node", "Namespace", "PersistentVolume", "StorageClass", "external", "feature_flag")

# Kubernetes draws random suffixes from an alphabet without vowels; other tools use any hexadecimal digits.
_SAFE = "[bcdfghjklmnpqrstvwxz2456789]"
_HASH = rf"(?:{_SAFE}{{6,10}}|(?=[a-z]*\d)[a-z0-9]{{4,10}})"
_REPLICA_SET = re.compile(rf"^(.+)-{_HASH}$")
_DEPLOYMENT_POD = re.compile(rf"^(.+)-{_HASH}-[a-z0-9]{{5}}$")
_RANDOM_POD = re.compile(rf"^(.+)-{_SAFE}{{5}}$")
_ORDINAL_POD = re.compile(r"^(.+)-\d{1,4}$")
_CRON_RUN = re.compile(r"^(.+)-\d{8,}$")

_KINDS_OF_CULPRIT = {
    "workload": WORKLOADS,
    "namespace": ("Namespace", "ResourceQuota", "LimitRange"),
    "node": ("Node",),
    "service": ("Service",),
    "volume_claim": ("PersistentVolumeClaim",),
    "volume": ("PersistentVolume",),
    "webhook_configuration": ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"),
    "autoscaler": ("HorizontalPodAutoscaler", "VerticalPodAutoscaler", "ScaledObject"),
    "ingress": ("Ingress", "HTTPRoute", "GRPCRoute", "TCPRoute", "Gateway", "VirtualService", "IngressClass", "Route"),
    "policy": (
        "NetworkPolicy", "CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy", "AuthorizationPolicy",
        "PeerAuthentication", "DestinationRule",
    ),
    "certificate": ("certificate", "Certificate", "Secret"),
    "feature_flag": ("feature_flag", "ConfigMap"),
    "external": ("external",),
    "datastore": (*WORKLOADS, "external"),
    # The control plane runs as static pods, which no workload owns.
    "cluster_component": (*WORKLOADS, "Lease", "ComponentStatus", "Pod", "external"),
}  # fmt: skip


def parse(text: str) -> Entity | None:
    """`Deployment shop/cart`, `Node worker-1` or a bare `cart` (kind empty)."""
    words = text.split()
    if not words:
        return None
    kind, name = (words[0], words[1]) if len(words) > 1 else ("", words[0])
    namespace, _, rest = name.rpartition("/")
    return Entity(kind=kind, namespace=namespace or None, name=rest)


_OWNED: Mapping[str, tuple[re.Pattern[str], ...]] = {
    "Pod": (_DEPLOYMENT_POD, _ORDINAL_POD, _RANDOM_POD),
    "ReplicaSet": (_REPLICA_SET,),
    "Job": (_CRON_RUN,),
}


@lru_cache(maxsize=16384)
def owner_name(kind: str, name: str) -> str:
    """The workload's name in a pod's or ReplicaSet's: cart-7d9f8c6b5-x2lqp -> cart, db-0 -> db."""
    for shape in _OWNED.get(kind, ()):
        if match := shape.match(name):
            return match.group(1)
    return name


def owning_workload(entity: Entity, known: Iterable[Entity]) -> Entity:
    """The known workload that owns a pod or ReplicaSet; itself for anything else or when none is known."""
    if entity.kind not in ("Pod", "ReplicaSet"):
        return entity
    owners = [
        e
        for e in known
        if e.kind in WORKLOADS
        and _same_place(e, entity)
        and (entity.name == e.name or entity.name.startswith(e.name + "-"))
    ]
    if owners:
        return max(owners, key=lambda e: (len(e.name), str(e)))
    guess = owner_name(entity.kind, entity.name)
    kind = "StatefulSet" if entity.kind == "Pod" and _ORDINAL_POD.match(entity.name) else "Deployment"
    return Entity(kind=kind, namespace=entity.namespace, name=guess) if guess != entity.name else entity


def same_thing(a: Entity, b: Entity) -> bool:
    """Equal up to the Service/workload alias and up to a pod's owner; nodes and namespaces stay distinct."""
    # Names first: an investigation compares a million pairs, and most of them differ in their names.
    if owner_name(a.kind, a.name) != owner_name(b.kind, b.name) or not _same_place(a, b):
        return False
    return a.kind == b.kind or "" in (a.kind, b.kind) or family(a.kind) == family(b.kind)


def akin(a: Entity, b: Entity) -> bool:
    """Parts of one application by the common habit of charts: an Ingress, autoscaler or claim called like its service
    (or by that name and a suffix) in the same namespace."""
    if family(a.kind) == family(b.kind) or not a.namespace or a.namespace != b.namespace:
        return False
    one, other = owner_name(a.kind, a.name), owner_name(b.kind, b.name)
    return one == other or (a.kind in _ROUTES and one.startswith(f"{other}-"))


_ROUTES = ("Ingress", "HTTPRoute", "GRPCRoute", "TCPRoute", "VirtualService", "Route")


def scaled_by(autoscaler: Entity) -> Entity | None:
    """The workload that an autoscaler is called after; None for anything else."""
    if autoscaler.kind not in _KINDS_OF_CULPRIT["autoscaler"]:
        return None
    return Entity(kind="Deployment", namespace=autoscaler.namespace, name=autoscaler.name)


def is_claim_of(claim: Entity, workload: Entity) -> bool:
    """Whether a claim is a StatefulSet's: Kubernetes calls it `<template>-<StatefulSet>-<ordinal>`."""
    if claim.kind != "PersistentVolumeClaim" or not _same_place(claim, workload):
        return False
    owner = owner_name(workload.kind, workload.name)
    return claim.name == owner or owner_name("Pod", claim.name).endswith(f"-{owner}")


def may_mean(said: Entity, entity: Entity) -> bool:
    """Whether a name from a log line may be this thing: a host name tells neither kind nor namespace, and a store's
    volume goes by the store's name."""
    if same_thing(said, entity):
        return True
    anywhere = said.model_copy(update={"namespace": entity.namespace})
    return family(said.kind) == "app" and (same_thing(anywhere, entity) or is_claim_of(entity, anywhere))


def family(kind: str) -> str:
    """What may share a name and mean one service: workloads, their pods and their Services."""
    return "app" if kind in WORKLOADS or kind in ("Pod", "ReplicaSet", "Service", "Endpoints", "service") else kind


def is_culprit_kind(kind: str, culprit: Iterable[str]) -> bool:
    """Whether an object of this kind may be blamed for a fault whose culprit kinds (faults.yaml) are given."""
    return any(kind in _KINDS_OF_CULPRIT.get(word, ()) for word in culprit)


def _same_place(a: Entity, b: Entity) -> bool:
    return not a.namespace or not b.namespace or a.namespace == b.namespace


_LABELS = {
    "deployment": "Deployment",
    "statefulset": "StatefulSet",
    "daemonset": "DaemonSet",
    "cronjob": "CronJob",
    "job_name": "Job",
    "pod": "Pod",
    "pod_name": "Pod",
    "node": "Node",
    "persistentvolumeclaim": "PersistentVolumeClaim",
    "horizontalpodautoscaler": "HorizontalPodAutoscaler",
    "ingress": "Ingress",
    "resourcequota": "ResourceQuota",
}
_CONSUMERS = ("consumergroup", "consumer_group", "consumer_group_id", "group_id")
_EXPORTERS = ("kube-state-metrics", "node-exporter", "prometheus", "blackbox", "cadvisor", "kubelet", "alertmanager")


def alerted(service: str, namespace: str, labels: Mapping[str, str]) -> tuple[Entity, ...]:
    """What an alert is about, by its service and its labels. An exporter's labels say who measured, not who ails."""
    found: dict[Entity, None] = {}
    place = namespace or None
    for label, kind in _LABELS.items():
        name = labels.get(label, "")
        if name and not _is_exporter(name):
            found[Entity(kind=kind, namespace=None if kind == "Node" else place, name=name)] = None
    # A consumer group is called after its consumer, by habit; the alert's namespace is the broker's or the exporter's.
    for label in _CONSUMERS:
        if name := labels.get(label, ""):
            found[Entity(kind="Service", name=name)] = None
    if service and (not found or not _is_exporter(service)):
        found[Entity(kind="Service", namespace=place, name=service)] = None
    return tuple(found)


def settled(about: Iterable[Entity], known: Iterable[Entity]) -> tuple[Entity, ...]:
    """What alerted, as the systems name it: the namespace that an alert left out, and a name that it wrote otherwise
    (checkout for checkoutservice, cart for shop-cart). What nobody knows stays as it is."""
    everything = sorted(set(known), key=str)
    found: dict[Entity, None] = {}
    for entity in about:
        same = [e for e in everything if same_thing(e, entity)]
        alike = same or [e for e in everything if _is_like(e, entity)]
        places = {e.namespace for e in alike if e.namespace}
        if entity in alike or not alike or len(places) > 1:
            found[entity] = None
        elif same:
            found[entity.model_copy(update={"namespace": next(iter(places), entity.namespace)})] = None
        else:
            found[alike[0]] = None
    return tuple(found)


_AFFIX = re.compile(r"[-_.]?(?:service|svc|server|deployment|deploy|app)$|[-_]v\d+$")


def _is_like(known: Entity, asked: Entity) -> bool:
    if family(known.kind) != "app" or family(asked.kind or "service") != "app" or not _same_place(known, asked):
        return False
    a, b = (_AFFIX.sub("", owner_name(e.kind, e.name).casefold().replace("_", "-")) for e in (known, asked))
    return len(min(a, b, key=len)) > 2 and (a.replace("-", "") == b.replace("-", "") or a.endswith("-" + b))


def _is_exporter(name: str) -> bool:
    return any(word in name for word in _EXPORTERS)
