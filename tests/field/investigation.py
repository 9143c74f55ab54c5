"""One case through the production's path with the offline model: systems on loopback, the finding back."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

from bot.cli.investigate import MemoryJournal
from bot.intake import read
from config.customers import Customer
from skills import registry
from tests.field.clusters import Made, alert, made
from tests.field.objects import NOW
from tests.skills.elasticsearch import cluster as elasticsearch
from tests.skills.kubernetes import server as kubernetes
from workers import agent
from workers.domain import Finding
from workers.llm.offline import Offline

TYPES = {
    "@timestamp": "date",
    "message": "match_only_text",
    "kubernetes.namespace": "keyword",
    "kubernetes.pod.name": "keyword",
    "kubernetes.container.name": "keyword",
    "kubernetes.deployment.name": "keyword",
}
"""As Filebeat ships container logs that nobody parses: no level."""


def finding(case: Mapping[str, Any], *, with_logs: bool) -> Finding:
    """What is found with Kubernetes alone, or with Elasticsearch besides."""
    it = made(case)
    with ExitStack() as stack:
        custom = any("istio.io" in o["apiVersion"] for o in it.objects)
        cluster = kubernetes.Cluster(list(it.objects), pod_logs(it), served_optional=custom)
        url = stack.enter_context(kubernetes.serving(cluster))
        skills: dict[str, Any] = {"kubernetes": {"url": url}}
        if with_logs:
            store = elasticsearch.Cluster(documents(it), TYPES)
            stack.enter_context(elasticsearch.serve(store))
            skills["elasticsearch"] = {"url": store.url, "index": "logs-*"}
        customer = Customer.model_validate({"name": "field", "skills": skills})
        request = agent.Request(
            customer=customer,
            incident_id="i",
            investigation_id="i",
            trace_id="0" * 32,
            alerts=read(alert(case, it.namespace)).alerts,
            now=NOW,
        )
        connected = agent.connect_all(customer, registry.toggles(customer), lambda name: None)
        return agent.investigate(
            request,
            Offline(),
            connected,
            MemoryJournal(True),
            clock=lambda: datetime.now(UTC),
            monotonic=time.monotonic,
        )


def pod_logs(it: Made) -> dict[tuple[str, str, str, bool], str]:
    """With the kubelet's time stamps, as `timestamps=true` asks for."""
    found: dict[tuple[str, str, str, bool], list[str]] = defaultdict(list)
    for pod in (o for o in it.objects if o["kind"] == "Pod"):
        for each in pod["status"].get("containerStatuses", []):
            if "running" in each["state"]:
                found[(pod["metadata"].get("namespace", ""), pod["metadata"]["name"], each["name"], False)] = []
    for line in it.lines:
        stamp = f"{line.at:%Y-%m-%dT%H:%M:%S}.000000000Z"
        found[(it.namespace, line.pod, line.container, line.previous)].append(f"{stamp} {line.text}")
    return {key: "\n".join(lines) for key, lines in found.items()}


def documents(it: Made) -> list[dict[str, Any]]:
    return [
        {
            "@timestamp": f"{line.at:%Y-%m-%dT%H:%M:%S}.{number % 1000:03d}Z",
            "message": line.text,
            "kubernetes": {
                "namespace": it.namespace,
                "pod": {"name": line.pod},
                "container": {"name": line.container},
                "deployment": {"name": line.workload},
            },
        }
        for number, line in enumerate(sorted(it.lines, key=lambda line: line.at))
    ]


def said(found: Finding) -> list[str]:
    """`fault of Kind name`, the first cause first."""
    return [f"{c.fault} of {c.entity.kind} {c.entity.name}" for c in found.causes]


def right(case: Mapping[str, Any], found: Finding) -> bool:
    truth = case["truth"]
    if truth == "none":
        return all(c.confidence.band == "low" for c in found.causes)
    return bool(found.causes) and said(found)[0] in (truth if isinstance(truth, list) else [truth])
