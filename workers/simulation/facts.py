"""What is so in a world now, as plain records of one entity each: for a reply that no face gives."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from workers.simulation import clock
from workers.simulation.api.resources import resource
from workers.simulation.cassette import canonical
from workers.simulation.faces.exchange import Ask, Reply, as_json
from workers.simulation.scene import Scene

Json = dict[str, Any]
MOST_FACTS = 120


def facts(scene: Scene) -> Iterator[Json]:
    """What is so now, one entity each: nodes, workloads, pods, Services, claims; and what lies outside."""
    world = scene.world
    for kind, group, version, plural in (
        ("Node", "", "v1", "nodes"),
        ("Deployment", "apps", "v1", "deployments"),
        ("StatefulSet", "apps", "v1", "statefulsets"),
        ("DaemonSet", "apps", "v1", "daemonsets"),
        ("Pod", "", "v1", "pods"),
        ("Service", "", "v1", "services"),
        ("PersistentVolumeClaim", "", "v1", "persistentvolumeclaims"),
    ):
        found = resource(group, version, plural)
        assert found
        for each in scene.api.all(found):
            yield {"kind": kind, **_told(each)}
    for service in world.company.services:
        yield {
            "kind": "service",
            "name": service.name,
            "namespace": service.namespace,
            "team": service.team,
            "language": service.language,
            "calls": list(service.dependencies),
        }
    for outside in world.company.externals:
        yield {
            "kind": "external",
            "name": outside.name,
            "host": outside.host,
            "port": outside.port,
            "calledBy": [s.name for s in world.company.services if outside.name in s.dependencies],
            **_condition(scene, outside.name),
        }


def _condition(scene: Scene, outside: str) -> Json:
    """As a third party's own status page would say it."""
    now = scene.world.now
    felt = [e for e in scene.world.edges if e.callee == outside and e.caller == "*" and e.start <= now < e.end]
    if not felt:
        return {"status": "operational"}
    since = min(e.start for e in felt)
    return {"status": "degraded", "since": clock.seconds(since), "symptoms": sorted({e.kind for e in felt})}


def _told(each: Json) -> Json:
    meta, status, spec = each["metadata"], each.get("status", {}), each.get("spec", {})
    told: Json = {"name": meta["name"], "namespace": meta.get("namespace", ""), "createdAt": meta["creationTimestamp"]}
    told["uid"] = meta["uid"]
    if "phase" in status:
        told["phase"] = status["phase"]
    if "replicas" in spec:
        told.update(replicas=spec["replicas"], readyReplicas=status.get("readyReplicas", 0))
    if spec.get("nodeName"):
        told["nodeName"] = spec["nodeName"]
    if "containerStatuses" in status:
        told["restartCount"] = sum(c["restartCount"] for c in status["containerStatuses"])
        told["image"] = status["containerStatuses"][0]["image"]
    if ready := [c["status"] for c in status.get("conditions", ()) if c["type"] == "Ready"]:
        told["ready"] = ready[0]
    return told


def relevant(scene: Scene, ask: Ask) -> list[Json]:
    """Facts about what the request names, then of the kind that it names; else a survey of the workloads."""
    everything = list(facts(scene))
    words = set(re.split(r"[^a-z0-9.-]+", canonical(ask).lower())) - {""}
    named = [f for f in everything if f["name"].lower() in words]
    kinds = [f for f in everything if f["kind"].lower() in words or f"{f['kind'].lower()}s" in words]
    chosen = named or kinds or [f for f in everything if f["kind"] in ("service", "external", "Node")]
    return chosen[:MOST_FACTS]


def from_facts(ask: Ask, found: list[Json]) -> Reply:
    """Without a model: the facts about what was named, in the plainest form of a REST API; else its "not found"."""
    words = set(re.split(r"[^a-z0-9.-]+", canonical(ask).lower())) - {""}
    named = [f for f in found if f["name"].lower() in words]
    if ask.method != "GET":
        return as_json({"error": f"{ask.method} is not allowed"}, 405)
    if len(named) == 1:
        return as_json(named[0])
    listed = named or [f for f in found if {f["kind"].lower(), f"{f['kind'].lower()}s"} & words]
    if listed:
        return as_json({"items": listed, "total": len(listed)})
    return as_json({"error": "not found", "path": ask.path}, 404)
