"""Logs of a case as shippers lay them out in Elasticsearch."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.field.clusters import Line, Made

_LEVELS = re.compile(
    r"\b(TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERR(?:OR)?|FATAL|CRITICAL|PANIC|SEVERE)\b", re.IGNORECASE
)
_SHORT = {"warning": "warn", "err": "error"}


def _level(text: str) -> str:
    """As a collector's parser finds it; what it does not find is information."""
    found = _LEVELS.search(text[:160])
    word = found[1].lower() if found else "info"
    return _SHORT.get(word, word)


def _plain(line: Line, namespace: str) -> dict[str, Any]:
    """Filebeat with add_kubernetes_metadata; nobody parses the message."""
    place = {"namespace": namespace, "pod": {"name": line.pod}, "container": {"name": line.container}}
    return {"message": line.text, "kubernetes": {**place, "deployment": {"name": line.workload}}}


def _ecs(line: Line, namespace: str) -> dict[str, Any]:
    """Elastic Common Schema by an agent that knows the service and parses the level."""
    more = {"log": {"level": _level(line.text)}, "service": {"name": line.workload}, "ecs": {"version": "8.11.0"}}
    return {**_plain(line, namespace), **more}


def _otel(line: Line, namespace: str) -> dict[str, Any]:
    """OpenTelemetry Collector, elasticsearch exporter in its otel mapping mode."""
    about = {"service.name": line.workload, "k8s.namespace.name": namespace, "k8s.pod.name": line.pod}
    about |= {"k8s.container.name": line.container, "k8s.deployment.name": line.workload}
    return {"body": {"text": line.text}, "severity_text": _level(line.text).upper(), "resource": {"attributes": about}}


def _fluent(line: Line, namespace: str) -> dict[str, Any]:
    """Fluent Bit's kubernetes filter."""
    about = {"namespace_name": namespace, "pod_name": line.pod, "container_name": line.container}
    return {"log": f"{line.text}\n", "stream": "stderr", "kubernetes": {**about, "labels": {"app": line.workload}}}


def _both(*names: str) -> dict[str, str]:
    """As dynamic mapping makes strings."""
    return {n: t for name in names for n, t in ((name, "text"), (f"{name}.keyword", "keyword"))}


_POD = ("kubernetes.namespace", "kubernetes.pod.name", "kubernetes.container.name", "kubernetes.deployment.name")
_PLAIN = {"@timestamp": "date", "message": "match_only_text", **dict.fromkeys(_POD, "keyword")}
_RESOURCE = ("service.name", "k8s.namespace.name", "k8s.pod.name", "k8s.container.name", "k8s.deployment.name")
LAYOUTS: dict[str, tuple[Callable[[Line, str], dict[str, Any]], dict[str, str]]] = {
    "plain": (_plain, _PLAIN),
    "ecs": (_ecs, {**_PLAIN, "log.level": "keyword", "service.name": "keyword"}),
    "otel": (
        _otel,
        {"@timestamp": "date", "body.text": "match_only_text", "severity_text": "keyword"}
        | {f"resource.attributes.{name}": "keyword" for name in _RESOURCE},
    ),
    "fluent": (
        _fluent,
        {"@timestamp": "date"}
        | _both("log", "kubernetes.namespace_name", "kubernetes.pod_name", "kubernetes.container_name")
        | _both("kubernetes.labels.app"),
    ),
}


def documents(it: Made, layout: str) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Documents and the mapping of their fields."""
    make, types = LAYOUTS[layout]
    found = [
        {"@timestamp": f"{line.at:%Y-%m-%dT%H:%M:%S}.{number % 1000:03d}Z", **make(line, it.namespace)}
        for number, line in enumerate(sorted(it.lines, key=lambda line: line.at))
    ]
    return found, types
