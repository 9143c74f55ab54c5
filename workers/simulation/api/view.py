"""All objects of the API at the world's now, by resource, with their times written as the API writes them."""

from __future__ import annotations

from math import inf
from typing import Any

from workers.simulation import clock
from workers.simulation.api import events, network, nodes, pods, workloads
from workers.simulation.api.jobs import jobs
from workers.simulation.api.policy import autoscaler, first_version, quota
from workers.simulation.api.resources import Resource
from workers.simulation.cluster import Json
from workers.simulation.usage import Cpu, memory
from workers.simulation.world import World

_MICRO = {"renewTime", "acquireTime"}


class Api:
    """Lists are made once, sorted by namespace and name, with apiVersion and kind."""

    def __init__(self, world: World, cpu: Cpu) -> None:
        self._world = world
        self._cpu = cpu
        self._lists: dict[str, list[Json]] = {}

    def all(self, resource: Resource) -> list[Json]:
        key = f"{resource.group_version}/{resource.plural}"
        if key not in self._lists:
            made = [written(o) for o in self._make(resource)]
            for each in made:
                each["apiVersion"], each["kind"] = resource.group_version, resource.kind
                each["metadata"].setdefault("resourceVersion", self.version)
            made.sort(key=lambda o: (o["metadata"].get("namespace", ""), o["metadata"]["name"]))
            self._lists[key] = made
        return self._lists[key]

    @property
    def version(self) -> str:
        """resourceVersion of a list."""
        return self._world.resource_version(self._world.now, "list")

    def _make(self, resource: Resource) -> list[Json]:
        world, kind = self._world, resource.kind
        if kind == "Pod":
            return [pods.pod(world, p) for w in world.workloads.values() for p in w.present(world.now)]
        if kind in ("Deployment", "StatefulSet", "DaemonSet"):
            return [workloads.workload(world, w) for w in world.workloads.values() if w.kind == kind]
        if kind == "ReplicaSet":
            return [
                workloads.replica_set(world, w, r)
                for w in world.workloads.values()
                if w.kind == "Deployment"
                for r in w.revisions
            ]
        if kind == "ControllerRevision":
            return [
                workloads.controller_revision(world, w, r)
                for w in world.workloads.values()
                if w.kind in ("StatefulSet", "DaemonSet")
                for r in w.revisions
            ]
        if kind in ("Job", "CronJob"):
            return jobs(world, kind)
        if kind == "Service":
            return [o for s in world.services.values() if (o := network.service(world, s))]
        if kind == "Endpoints":
            return [o for s in world.services.values() if (o := network.endpoints(world, s))]
        if kind == "EndpointSlice":
            return [o for s in world.services.values() if (o := network.endpoint_slice(world, s))]
        if kind == "Node":
            return [nodes.node(world, n) for n in world.nodes.values()]
        if kind == "Lease":
            return [*(nodes.lease(world, n) for n in world.nodes.values()), *self._stored(kind)]
        if kind == "Event":
            made = [events.event(world, n) for n in events.notes(world)]
            return [_new_event(e) for e in made] if resource.group else made
        if kind == "HorizontalPodAutoscaler":
            made = [autoscaler(world, self._cpu, o) for o in self._stored(kind)]
            return made if resource.version == "v2" else [first_version(o) for o in made]
        if kind == "ResourceQuota":
            return [quota(world, o) for o in self._stored(kind)]
        if kind in ("PodMetrics", "NodeMetrics"):
            return self._usage(kind)
        return self._stored(kind)

    def _stored(self, kind: str) -> list[Json]:
        return list(self._world.objects.get(kind, {}).values())

    def _usage(self, kind: str) -> list[Json]:
        world, now = self._world, self._world.now
        if "metrics-server" in world.hidden:
            return []
        made: list[Json] = []
        totals: dict[str, list[float]] = {}
        for workload in world.workloads.values():
            for pod in workload.present(now):
                used = memory(pod, now)
                if used is None:
                    continue
                cores = self._cpu.cores(pod, now)
                total = totals.setdefault(pod.node, [0.0, 0.0])
                total[0] += cores
                total[1] += used
                container = {
                    "name": pod.main,
                    "usage": {"cpu": f"{int(cores * 1e9)}n", "memory": f"{int(used / 1024)}Ki"},
                }
                made.append(
                    {
                        "metadata": {
                            "name": pod.name,
                            "namespace": pod.namespace,
                            "creationTimestamp": now,
                            "labels": pod.all_labels(),
                        },
                        "timestamp": now - 14,
                        "window": "15.2s",
                        "containers": [container],
                    }
                )
        if kind == "PodMetrics":
            return made
        return [
            {
                "metadata": {"name": n.name, "creationTimestamp": now, "labels": dict(n.labels)},
                "timestamp": now - 9,
                "window": "20.1s",
                "usage": {
                    "cpu": f"{int((totals.get(n.name, [0, 0])[0] + 0.11) * 1e9)}n",
                    "memory": f"{int((totals.get(n.name, [0, 0])[1] + 1.3e9) / 1024)}Ki",
                },
            }
            for n in world.nodes.values()
            if n.silent > now
        ]


_DEEPER = (dict, list, tuple, float)


def written(value: Any, key: str = "") -> Any:
    """A copy whose moments (floats; the objects hold no others) are text."""
    if isinstance(value, dict):
        return {k: written(v, k) if isinstance(v, _DEEPER) else v for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [written(v, key) if isinstance(v, _DEEPER) else v for v in value]
    if isinstance(value, float):
        if value == -inf or value == inf:
            return None
        return clock.micros(value) if key in _MICRO else clock.seconds(value)
    return value


def _new_event(event: Json) -> Json:
    """The same event as events.k8s.io/v1 shows it."""
    return {
        "metadata": event["metadata"],
        "eventTime": None,
        "note": event["message"],
        "reason": event["reason"],
        "regarding": event["involvedObject"],
        "type": event["type"],
        "deprecatedCount": event["count"],
        "deprecatedFirstTimestamp": event["firstTimestamp"],
        "deprecatedLastTimestamp": event["lastTimestamp"],
        "deprecatedSource": event["source"],
        "reportingController": event["reportingComponent"],
    }
