"""The Argo CD API of the world: one application for each service, with the history of its syncs.

Shapes: argo-cd assets/swagger.json (v1alpha1ApplicationList, RevisionMetadata); errors as grpc-gateway writes them, and
403 for an application that is not there, as the server does so that names cannot be guessed, and for all that changes
anything.
"""

from __future__ import annotations

import re
from collections import Counter
from math import inf
from typing import Any

from workers.simulation import clock
from workers.simulation.deliveries import SYNCS_KEPT, Deliveries, Sync
from workers.simulation.faces.exchange import Ask, Reply, as_json
from workers.simulation.scene import Scene

Json = dict[str, Any]


class ArgoCD:
    def __init__(self, scene: Scene) -> None:
        self._world = scene.world
        self._made = Deliveries(scene.world)
        self.refused: Counter[str] = Counter()

    def answer(self, ask: Ask) -> Reply:
        if ask.method == "GET":
            if ask.path == "/api/version":
                return as_json({"Version": "v2.13.2+dc43124", "GoVersion": "go1.22.9", "Platform": "linux/amd64"})
            if ask.path == "/api/v1/applications":
                return self._list(ask)
            if found := re.fullmatch(r"/api/v1/applications/([\w.-]+)", ask.path):
                return as_json(self._application(found[1])) if self._is_known(found[1]) else _denied()
            if found := re.fullmatch(r"/api/v1/applications/([\w.-]+)/revisions/([0-9a-f]{40})/metadata", ask.path):
                return self._metadata(found[1], found[2])
        self.refused[f"{ask.method} {ask.path}"] += 1
        if ask.method != "GET" and ask.path.startswith("/api/v1/"):
            return _denied()
        return as_json({"error": "Not Found", "code": 5, "message": "Not Found"}, 404)

    def _is_known(self, name: str) -> bool:
        return any(s.name == name for s in self._made.services)

    def _list(self, ask: Ask) -> Reply:
        projects = [*ask.all("projects"), *ask.all("project")]
        apps = [self._application(s.name) for s in self._made.services if not projects or s.team in projects]
        body: Json = {
            "metadata": {"resourceVersion": self._world.resource_version(self._world.now, "apps")},
            "items": apps,
        }
        if fields := ask.get("fields"):
            body = _kept(body, [f.split(".") for f in fields.split(",")])
        return as_json(body)

    def _application(self, name: str) -> Json:
        service = self._world.company.service(name)
        workload = self._world.workload(name)
        syncs = [s for s in self._made.syncs if s.application == name][-SYNCS_KEPT:]
        last = syncs[-1] if syncs else None
        source = {
            "repoURL": f"https://github.com/{self._made.config_repository}.git",
            "path": f"apps/{name}",
            "targetRevision": "main",
        }
        destination = {"server": "https://kubernetes.default.svc", "namespace": service.namespace}
        status: Json = {
            "sync": {"status": "Synced", "revision": last.sha if last else "", "comparedTo": {"source": source}},
            "health": {"status": self._health(name)},
            "history": [_entry(s, source) for s in syncs],
            "reconciledAt": clock.seconds(self._world.now - 40),
            "resources": self._resources(name, workload.kind, service.namespace),
        }
        if last is not None:
            status["operationState"] = _operation(last)
        return {
            "metadata": {
                "name": name,
                "namespace": "argocd",
                "uid": self._world.uid("Application", name),
                "creationTimestamp": clock.seconds(workload.created - 60),
            },
            "spec": {
                "project": service.team,
                "source": source,
                "destination": destination,
                "syncPolicy": {"automated": {"prune": True, "selfHeal": False}},
            },
            "status": status,
        }

    def _health(self, name: str) -> str:
        it, now = self._world.workload(name), self._world.now
        wanted = it.replicas(now)
        ready = sum(p.is_ready(now) for p in it.pods if p.deleted == inf)
        if it.deadline_exceeded < now:
            return "Degraded"
        return "Healthy" if ready >= wanted else "Progressing"

    def _resources(self, name: str, kind: str, namespace: str) -> list[Json]:
        found: list[Json] = [
            {"group": "apps", "version": "v1", "kind": kind, "namespace": namespace, "name": name, "status": "Synced",
             "health": {"status": self._health(name)}},
            {"version": "v1", "kind": "Service", "namespace": namespace, "name": name, "status": "Synced",
             "health": {"status": "Healthy"}},
        ]  # fmt: skip
        config = self._world.objects.get("ConfigMap", {}).get((namespace, f"{name}-config"))
        if config is not None:
            found.append(
                {
                    "version": "v1",
                    "kind": "ConfigMap",
                    "namespace": namespace,
                    "name": f"{name}-config",
                    "status": "Synced",
                }
            )
        return found

    def _metadata(self, name: str, sha: str) -> Reply:
        if not self._is_known(name):
            return _denied()
        found = next((s for s in self._made.syncs if s.application == name and s.sha == sha), None)
        if found is None:
            words = f"rpc error: code = Internal desc = unable to resolve '{sha}' to a commit SHA"
            return as_json({"error": words, "code": 13, "message": words}, 500)
        return as_json(
            {
                "author": f"{found.author} <{found.author}@{self._world.company.domain}>",
                "date": clock.seconds(found.started_at - 70),
                "message": found.message,
            }
        )


def _denied() -> Reply:
    return as_json({"error": "permission denied", "code": 7, "message": "permission denied"}, 403)


def _entry(it: Sync, source: Json) -> Json:
    return {
        "id": it.id,
        "revision": it.sha,
        "deployStartedAt": clock.seconds(it.started_at),
        "deployedAt": clock.seconds(it.ended_at),
        "source": source,
        "initiatedBy": {"automated": True},
    }


def _operation(it: Sync) -> Json:
    return {
        "phase": "Succeeded",
        "message": "successfully synced (all tasks run)",
        "startedAt": clock.seconds(it.started_at),
        "finishedAt": clock.seconds(it.ended_at),
        "operation": {
            "sync": {"revision": it.sha, "prune": True},
            "initiatedBy": {"automated": True},
            "retry": {"limit": 5},
        },
        "syncResult": {"revision": it.sha, "resources": []},
    }


def _kept(node: Any, paths: list[list[str]]) -> Any:
    """The `fields` selection: only what the paths name, through lists."""
    if any(not p for p in paths):
        return node
    if isinstance(node, list):
        return [_kept(each, paths) for each in node]
    if not isinstance(node, dict):
        return node
    heads = {p[0] for p in paths}
    return {k: _kept(v, [p[1:] for p in paths if p[0] == k]) for k, v in node.items() if k in heads}
