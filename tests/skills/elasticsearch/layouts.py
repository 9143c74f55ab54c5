"""The same incident in the layouts that shippers write: a checkout that cannot reach cart, and throws since 14:00."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

ONSET = datetime(2025, 6, 1, 14, 0, tzinfo=UTC)
REFUSED = "Get http://cart:8080/items: dial tcp 10.96.12.7:8080: connect: connection refused"
ALWAYS = "row is null"
POD = "checkout-6c5f8b7d9-x2k4p"
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"


def iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def ecs(at: datetime, level: str, text: str) -> dict[str, Any]:
    return {
        "@timestamp": iso(at), "message": text, "log": {"level": level}, "service": {"name": "checkout"},
        "kubernetes": {"namespace": "shop", "pod": {"name": POD}, "deployment": {"name": "checkout"},
                       "container": {"name": "app"}},
        "trace": {"id": TRACE_ID},
    }  # fmt: skip


def fluent(at: datetime, level: str, text: str) -> dict[str, Any]:
    return {
        "@timestamp": iso(at), "log": f"{level.upper()} {text}\n", "stream": "stderr",
        "kubernetes": {"namespace_name": "shop", "pod_name": POD, "container_name": "app",
                       "labels": {"app": "checkout"}},
    }  # fmt: skip


def otel(at: datetime, level: str, text: str) -> dict[str, Any]:
    return {
        "@timestamp": iso(at), "body": {"text": text}, "severity_text": level.upper(), "trace_id": TRACE_ID,
        "resource": {"attributes": {"service.name": "checkout", "k8s.namespace.name": "shop", "k8s.pod.name": POD,
                                    "k8s.deployment.name": "checkout"}},
    }  # fmt: skip


def vector(at: datetime, level: str, text: str) -> dict[str, Any]:
    return {
        "timestamp": iso(at), "message": text, "level": level,
        "kubernetes": {"pod_namespace": "shop", "pod_name": POD, "pod_owner": "ReplicaSet/checkout-6c5f8b7d9",
                       "container_name": "app", "pod_labels": {"app": "checkout"}},
    }  # fmt: skip


def _both(*names: str) -> dict[str, str]:
    """As dynamic mapping makes strings: text with a .keyword."""
    return {n: t for name in names for n, t in ((name, "text"), (f"{name}.keyword", "keyword"))}


TYPES: dict[str, dict[str, str]] = {
    "ecs": {
        "@timestamp": "date", "message": "match_only_text", "log.level": "keyword", "service.name": "keyword",
        "kubernetes.namespace": "keyword", "kubernetes.pod.name": "keyword", "kubernetes.deployment.name": "keyword",
        "kubernetes.container.name": "keyword", "trace.id": "keyword", "error.stack_trace": "text",
    },
    "fluent": {
        "@timestamp": "date",
        **_both("log", "kubernetes.namespace_name", "kubernetes.pod_name", "kubernetes.container_name",
                "kubernetes.labels.app"),
    },
    "otel": {
        "@timestamp": "date", "body.text": "match_only_text", "severity_text": "keyword", "trace_id": "keyword",
        "resource.attributes.service.name": "keyword", "resource.attributes.k8s.namespace.name": "keyword",
        "resource.attributes.k8s.pod.name": "keyword", "resource.attributes.k8s.deployment.name": "keyword",
    },
    "vector": {
        "timestamp": "date",
        **_both("message", "level", "kubernetes.pod_namespace", "kubernetes.pod_name", "kubernetes.pod_owner",
                "kubernetes.container_name", "kubernetes.pod_labels.app"),
    },
}  # fmt: skip
MAKERS: dict[str, Callable[[datetime, str, str], dict[str, Any]]] = {
    "ecs": ecs, "fluent": fluent, "otel": otel, "vector": vector,
}  # fmt: skip


def incident(layout: str, served: int = 30) -> list[dict[str, Any]]:
    """Half an hour of service before the onset, ten minutes of refusals after it; an old error runs through both."""
    make = MAKERS[layout]
    docs = []
    for minute in range(-30, 10):
        at = ONSET + timedelta(minutes=minute)
        docs += [make(at + timedelta(seconds=60 * i / served), "info", f"served {i}") for i in range(served)]
        docs.append(make(at, "error", ALWAYS))
        if minute >= 0:
            docs += [make(at + timedelta(seconds=s), "error", REFUSED) for s in (5, 25, 45)]
    return docs
