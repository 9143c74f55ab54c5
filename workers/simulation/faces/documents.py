"""Log lines as documents of Elasticsearch, in the schema of the company's shipper: Filebeat (ECS) or Fluent Bit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation import clock, dice
from workers.simulation.logs.line import Line
from workers.simulation.world import World

Flat = dict[str, Any]
"""Dotted names."""

ECS: Mapping[str, str] = {
    "@timestamp": "date",
    "agent.name": "keyword",
    "agent.type": "keyword",
    "container.id": "keyword",
    "container.image.name": "keyword",
    "data_stream.dataset": "keyword",
    "data_stream.namespace": "keyword",
    "data_stream.type": "keyword",
    "ecs.version": "keyword",
    "event.dataset": "keyword",
    "host.name": "keyword",
    "kubernetes.container.name": "keyword",
    "kubernetes.deployment.name": "keyword",
    "kubernetes.labels.app": "keyword",
    "kubernetes.labels.team": "keyword",
    "kubernetes.namespace": "keyword",
    "kubernetes.node.name": "keyword",
    "kubernetes.pod.name": "keyword",
    "kubernetes.pod.uid": "keyword",
    "kubernetes.replicaset.name": "keyword",
    "kubernetes.statefulset.name": "keyword",
    "log.level": "keyword",
    "message": "text",
    "orchestrator.cluster.name": "keyword",
    "service.name": "keyword",
    "stream": "keyword",
}
FLUENT_BIT: Mapping[str, str] = {
    "@timestamp": "date",
    "cluster": "keyword",
    "kubernetes.container_image": "text",
    "kubernetes.container_image.keyword": "keyword",
    "kubernetes.container_name": "text",
    "kubernetes.container_name.keyword": "keyword",
    "kubernetes.host": "text",
    "kubernetes.host.keyword": "keyword",
    "kubernetes.labels.app": "text",
    "kubernetes.labels.app.keyword": "keyword",
    "kubernetes.namespace_name": "text",
    "kubernetes.namespace_name.keyword": "keyword",
    "kubernetes.pod_name": "text",
    "kubernetes.pod_name.keyword": "keyword",
    "level": "text",
    "level.keyword": "keyword",
    "log": "text",
    "stream": "text",
    "stream.keyword": "keyword",
}
_NAMES = {
    "ecs": ("service.name", "kubernetes.labels.app"),
    "fluentbit": ("kubernetes.labels.app", "kubernetes.labels.app.keyword"),
}


def fields(world: World) -> Mapping[str, str]:
    return ECS if world.company.log_schema == "ecs" else FLUENT_BIT


def name_fields(world: World) -> tuple[str, ...]:
    """Fields that hold the workload's name exactly; a query that asks for them need not read other workloads."""
    return _NAMES[world.company.log_schema]


def namespace_fields(world: World) -> tuple[str, ...]:
    """Fields that hold the namespace exactly."""
    ecs = world.company.log_schema == "ecs"
    return ("kubernetes.namespace",) if ecs else ("kubernetes.namespace_name", "kubernetes.namespace_name.keyword")


def index_name(world: World, at: float) -> str:
    day = clock.seconds(at)[:10].replace("-", ".")
    if world.company.log_schema == "ecs":
        generation = 61 + int(at // 86400 - world.now // 86400)
        return f".ds-logs-kubernetes.container_logs-{world.company.environment}-{day}-{generation:06d}"
    return f"logs-{world.company.cluster}-{day}"


def flat(world: World, line: Line, known: dict[tuple[str, str], Flat]) -> Flat:
    """The document of a line, by dotted names; what a container's lines have in common is in `known`."""
    ecs = world.company.log_schema == "ecs"
    key = (line.pod.uid, line.container)
    if key not in known:
        known[key] = _ecs(world, line) if ecs else _fluent_bit(world, line)
    doc = {"@timestamp": clock.millis(line.at), **known[key]}
    if ecs:
        doc.update({"message": line.text, "stream": line.stream})
        doc["log.level"] = "warn" if line.level == "warning" else line.level
        return doc
    level = line.level.upper()
    doc.update({"log": line.text, "level": level, "level.keyword": level})
    doc.update({"stream": line.stream, "stream.keyword": line.stream})
    return doc


def _ecs(world: World, line: Line) -> Flat:
    pod = line.pod
    labels = pod.revision.template["metadata"]["labels"]
    name = labels.get("app") or pod.workload.part.name
    doc: Flat = {
        "service.name": name,
        "kubernetes.namespace": pod.namespace,
        "kubernetes.pod.name": pod.name,
        "kubernetes.pod.uid": pod.uid,
        "kubernetes.container.name": line.container,
        "kubernetes.node.name": pod.node,
        "kubernetes.labels.app": name,
        "kubernetes.labels.team": labels.get("team", "platform"),
        "container.image.name": pod.revision.template["spec"]["containers"][0]["image"],
        "container.id": dice.hexadecimal(64, pod.uid, line.container),
        "host.name": pod.node,
        "agent.type": "filebeat",
        "agent.name": pod.node,
        "event.dataset": "kubernetes.container_logs",
        "data_stream.type": "logs",
        "data_stream.dataset": "kubernetes.container_logs",
        "data_stream.namespace": world.company.environment,
        "orchestrator.cluster.name": world.company.cluster,
        "ecs.version": "8.11.0",
    }
    if pod.workload.kind == "Deployment":
        doc["kubernetes.deployment.name"] = pod.workload.name
        doc["kubernetes.replicaset.name"] = f"{pod.workload.name}-{pod.revision.hash}"
    elif pod.workload.kind == "StatefulSet":
        doc["kubernetes.statefulset.name"] = pod.workload.name
    return doc


def _fluent_bit(world: World, line: Line) -> Flat:
    pod = line.pod
    texts = {
        "kubernetes.namespace_name": pod.namespace,
        "kubernetes.pod_name": pod.name,
        "kubernetes.container_name": line.container,
        "kubernetes.host": pod.node,
        "kubernetes.container_image": pod.revision.template["spec"]["containers"][0]["image"],
        "kubernetes.labels.app": pod.revision.template["metadata"]["labels"].get("app") or pod.workload.part.name,
    }
    doc: Flat = {"cluster": world.company.cluster, **texts}
    doc.update((f"{k}.keyword", v) for k, v in texts.items())
    return doc


def source(doc: Flat) -> dict[str, Any]:
    """The nested _source of a flat document."""
    out: dict[str, Any] = {}
    for name, value in doc.items():
        if name.endswith(".keyword"):
            continue
        *path, last = name.split(".")
        at = out
        for part in path:
            at = at.setdefault(part, {})
        at[last] = value
    return out
