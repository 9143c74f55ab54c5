"""Which label holds what: Promtail, Alloy, Fluent Bit, Vector and OpenTelemetry name them differently, and clusters put
some into structured metadata, where a stream selector finds nothing and a label filter does.

Asked of the labels endpoint, and of a few lines for what is metadata. Names: Loki documentation, "Labels", "Structured
metadata", `discover_service_name`, `log_level_fields`; the Kubernetes service discovery of Promtail and Alloy; names of
OpenTelemetry's attributes with dots as underscores.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from skills.contract import Entity
from skills.loki.client import Entry
from skills.loki.settings import LabelNames

CANDIDATES: Mapping[str, tuple[str, ...]] = {
    "namespace": (
        "namespace", "k8s_namespace_name", "kubernetes_namespace", "kubernetes_namespace_name", "namespace_name",
        "k8s_namespace", "exported_namespace",
    ),
    "service": (
        "app", "app_kubernetes_io_name", "service_name", "service", "k8s_app", "application", "app_name", "component",
        "workload", "name", "job",
    ),
    "pod": ("pod", "k8s_pod_name", "kubernetes_pod_name", "pod_name", "k8s_pod", "instance"),
    "container": (
        "container", "k8s_container_name", "kubernetes_container_name", "container_name", "k8s_container",
    ),
    "Deployment": ("k8s_deployment_name", "deployment", "deployment_name"),
    "StatefulSet": ("k8s_statefulset_name", "statefulset", "statefulset_name"),
    "DaemonSet": ("k8s_daemonset_name", "daemonset", "daemonset_name"),
    "CronJob": ("k8s_cronjob_name", "cronjob", "cronjob_name"),
    "level": ("level", "severity_text", "severity", "log_level", "loglevel", "lvl", "detected_level"),
    "trace": ("trace_id", "traceid", "traceID", "traceId", "request_id", "requestId", "correlation_id"),
}  # fmt: skip
"""Roles, and the names that they have, the likeliest first. `detected_level` is a guess of the server's: a line that
holds the letters "info" is info to it, whatever else it says."""

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "CronJob")
GUESSED = "detected_level"
_UNSAID = ("", "unknown_service", "unknown")


@dataclass(frozen=True)
class Layout:
    indexed: tuple[str, ...] = ()
    """Labels that a stream selector may name."""
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unlevelled: bool = False
    """Some lines have no level, though others do."""

    def one(self, role: str) -> str:
        """The name of the label; empty when there is none."""
        return next(iter(self.roles.get(role, ())), "")

    def selectable(self, role: str) -> str:
        """The same, of those that are indexed."""
        return next((name for name in self.roles.get(role, ()) if name in self.indexed), "")

    def value(self, labels: Mapping[str, str], role: str) -> str:
        return next((v for name in self.roles.get(role, ()) if (v := labels.get(name, "")) not in _UNSAID), "")


def layout(indexed: Iterable[str], sample: Iterable[Entry], given: LabelNames) -> Layout:
    """From the names of labels, and the metadata that a few lines carry."""
    labels = tuple(sorted(name for name in indexed if not name.startswith("__")))
    entries = tuple(sample)
    known = set(labels).union(*(entry.labels for entry in entries))
    roles = {}
    for role, names in CANDIDATES.items():
        chosen = getattr(given, role, None)
        roles[role] = (chosen,) if chosen else tuple(name for name in names if name in known)
    found = Layout(labels, roles)
    return replace(found, unlevelled=any(not level_of(entry.labels, found) for entry in entries))


def level_of(labels: Mapping[str, str], known: Layout) -> str:
    """What a label says, and not what the server guesses."""
    return next((v for name in known.roles.get("level", ()) if name != GUESSED and (v := labels.get(name, ""))), "")


def guessed_level(labels: Mapping[str, str]) -> str:
    guess = labels.get(GUESSED, "")
    return "" if guess in _UNSAID else guess


def writer(labels: Mapping[str, str], known: Layout) -> Entity | None:
    """The owning workload where the shipper knows it, else the pod, else what is named like the service."""
    namespace = known.value(labels, "namespace") or None
    for kind in WORKLOADS:
        if name := known.value(labels, kind):
            return Entity(kind=kind, namespace=namespace, name=name)
    if (pod := known.value(labels, "pod")) and ":" not in pod:  # `instance` may be host:port
        return Entity(kind="Pod", namespace=namespace, name=pod)
    if service := known.value(labels, "service"):
        return Entity(kind="Deployment", namespace=namespace, name=service.rpartition("/")[2])  # job: namespace/app
    return None
