"""The same incident as shippers label it: a checkout that cannot reach cart since 14:00."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta

from skills.loki.client import nanoseconds
from tests.skills.elasticsearch.layouts import ALWAYS, ONSET, POD, REFUSED, TRACE_ID
from workers.simulation.faces.logql_run import Entry

Maker = Callable[[datetime, str, str], Entry]


def promtail(at: datetime, level: str, text: str) -> Entry:
    """Loki 2: labels only, the level in the line."""
    stream = {"namespace": "shop", "app": "checkout", "pod": POD, "container": "app", "job": "shop/checkout",
              "node_name": "node-1", "stream": "stderr"}  # fmt: skip
    return Entry(nanoseconds(at), f"{level.upper()} {text} trace_id={TRACE_ID}", stream, {})


def alloy(at: datetime, level: str, text: str) -> Entry:
    """Loki 3 and the chart for Kubernetes: pods are structured metadata, the level is the server's guess."""
    stream = {"namespace": "shop", "app_kubernetes_io_name": "checkout", "service_name": "checkout", "container": "app"}
    metadata = {"pod": POD, "detected_level": "warn" if level == "warning" else level, "trace_id": TRACE_ID}
    return Entry(nanoseconds(at), f"{level.upper()} {text}", stream, metadata)


def otel(at: datetime, level: str, text: str) -> Entry:
    """OTLP: resource attributes, bodies without a level."""
    stream = {"service_name": "checkout", "k8s_namespace_name": "shop", "k8s_pod_name": POD,
              "k8s_deployment_name": "checkout", "k8s_container_name": "app"}  # fmt: skip
    metadata = {"severity_text": level.upper(), "detected_level": level, "trace_id": TRACE_ID}
    return Entry(nanoseconds(at), text, stream, metadata)


def vector(at: datetime, level: str, text: str) -> Entry:
    """Whole records as JSON, few labels, the level one of them."""
    stream = {"kubernetes_namespace": "shop", "kubernetes_pod_name": POD, "level": level}
    return Entry(nanoseconds(at), json.dumps({"message": text, "trace": TRACE_ID}), stream, {})


def fluent_bit(at: datetime, level: str, text: str) -> Entry:
    """One label for everything, the rest metadata; the server guesses nothing of a bare line."""
    metadata = {"kubernetes_namespace_name": "shop", "kubernetes_pod_name": POD, "detected_level": "unknown"}
    return Entry(nanoseconds(at), f"{level.upper()} {text} {TRACE_ID}", {"job": "fluentbit"}, metadata)


MAKERS: dict[str, Maker] = {f.__name__: f for f in (promtail, alloy, otel, vector, fluent_bit)}


def incident(layout: str, served: int = 30) -> list[Entry]:
    """Half an hour of service before the onset, ten minutes of refusals after it; an old error runs through both."""
    make = MAKERS[layout]
    entries = []
    for minute in range(-30, 10):
        at = ONSET + timedelta(minutes=minute)
        entries += [make(at + timedelta(seconds=60 * i / served), "info", f"served {i}") for i in range(served)]
        entries.append(make(at, "error", ALWAYS))
        if minute >= 0:
            entries += [make(at + timedelta(seconds=s), "error", REFUSED) for s in (5, 25, 45)]
    return entries
