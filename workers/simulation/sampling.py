"""What a reader of a staged scenario gets when asking its systems: the material in which `realism` looks for tells."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from workers.simulation.company import Company
from workers.simulation.deliveries import Deliveries
from workers.simulation.faces.exchange import Ask
from workers.simulation.running import Staged

Json = dict[str, Any]
KINDS = {
    "pods": "/api/v1/pods",
    "events": "/api/v1/events",
    "nodes": "/api/v1/nodes",
    "services": "/api/v1/services",
    "endpoints": "/api/v1/endpoints",
    "configmaps": "/api/v1/configmaps",
    "serviceaccounts": "/api/v1/serviceaccounts",
    "claims": "/api/v1/persistentvolumeclaims",
    "volumes": "/api/v1/persistentvolumes",
    "deployments": "/apis/apps/v1/deployments",
    "replicasets": "/apis/apps/v1/replicasets",
    "statefulsets": "/apis/apps/v1/statefulsets",
    "daemonsets": "/apis/apps/v1/daemonsets",
    "jobs": "/apis/batch/v1/jobs",
}
MEASURED = ("container_memory_working_set_bytes", "http_requests_total", "process_resident_memory_bytes")
LINES = 900


@dataclass
class Sample:
    """What a reader asked for and got."""

    company: Company
    now: float
    objects: dict[str, list[Json]]
    """By the keys of KINDS; what may not be read is not there."""
    lines: list[Json]
    """Sources of log documents, the newest first; empty where no log system is served."""
    measured: dict[str, list[tuple[Json, float]]]
    """By metric: labels and value now."""
    alert: Json
    bodies: dict[str, str] = field(default_factory=dict)
    """What further systems answered, by system and request."""
    silent: frozenset[str] = frozenset()
    """Telemetry that the scenario leaves out on purpose."""


def sample(staged: Staged) -> Sample:
    """Ask a staged scenario's faces as a reader would."""
    world = staged.scene.world
    objects: dict[str, list[Json]] = {}
    face = staged.faces["kubernetes"]
    for key, path in KINDS.items():
        reply = face.answer(Ask("GET", path))
        if reply.status == 200:
            objects[key] = json.loads(reply.body)["items"]
    return Sample(
        world.company,
        world.now,
        objects,
        _lines(staged),
        {name: _measured(staged, name) for name in (*MEASURED, "kube_pod_container_status_restarts_total")},
        staged.alert,
        _bodies(staged),
        frozenset(world.hidden),
    )


def _bodies(staged: Staged) -> dict[str, str]:
    world = staged.scene.world
    first = Deliveries(world).repository(world.company.services[0].name)
    window = (("start", f"{world.now - 600:.0f}"), ("end", f"{world.now:.0f}"), ("limit", "300"))
    selector = f'{{namespace="{world.company.application_namespaces[0]}"}}'
    asks = {
        "github": [Ask("GET", f"/repos/{first}/{what}") for what in ("deployments", "commits", "pulls", "releases")],
        "argocd": [Ask("GET", "/api/v1/applications")],
        "pagerduty": [Ask("GET", "/incidents"), Ask("GET", "/services"), Ask("GET", "/oncalls")],
        "alertmanager": [Ask("GET", "/api/v2/alerts"), Ask("GET", "/api/v2/silences")],
        "loki": [Ask("GET", "/loki/api/v1/query_range", (("query", selector), *window))],
    }
    made: dict[str, str] = {}
    for system, questions in asks.items():
        for ask in questions if system in staged.faces else ():
            reply = staged.faces[system].answer(ask)
            if reply.status == 200:
                made[f"{system} {ask.path}"] = reply.body.decode()
    return made


def _lines(staged: Staged) -> list[Json]:
    if "elasticsearch" not in staged.faces:
        return []
    body = {"size": LINES, "sort": [{"@timestamp": "desc"}], "query": {"range": {"@timestamp": {"gte": "now-30m"}}}}
    ask = Ask("POST", "/logs-*/_search", body=json.dumps(body).encode())
    return [h["_source"] for h in json.loads(staged.faces["elasticsearch"].answer(ask).body)["hits"]["hits"]]


def _measured(staged: Staged, name: str) -> list[tuple[Json, float]]:
    if "prometheus" not in staged.faces:
        return []
    reply = staged.faces["prometheus"].answer(Ask("GET", "/api/v1/query", (("query", name),)))
    return [(r["metric"], float(r["value"][1])) for r in json.loads(reply.body)["data"]["result"]]
