"""What a cluster consists of, with its past: workloads, revisions, pods and the runs of their containers.

Every face reads this one record: the Kubernetes API shows it as it is now, metrics and logs as it was at any moment.
Moments are Unix seconds; an end of `inf` means "still so".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf
from typing import Any

Json = dict[str, Any]


@dataclass
class Run:
    """One life of a container."""

    started: float
    ready: float = inf
    """When its readiness probe first succeeded; inf: never."""
    ended: float = inf
    reason: str = "Completed"
    exit_code: int = 0
    message: str = ""
    unready: float = inf
    """When readiness was lost while it went on running."""

    @property
    def ready_until(self) -> float:
        return min(self.ended, self.unready)


@dataclass
class Stuck:
    """Why a pod has no running container: what the kubelet or the scheduler says."""

    stage: str
    """scheduling, init or container"""
    reason: str
    message: str
    since: float
    until: float = inf


@dataclass
class Memory:
    """Working set of a run, in bytes: from `start` towards `level` with a time constant, then `slope` a second."""

    level: float
    start_share: float = 0.45
    warm_seconds: float = 90.0
    slope: float = 0.0
    slope_since: float = -inf
    cap: float = inf


@dataclass(eq=False)
class Revision:
    number: int
    template: Json
    """PodTemplateSpec without the pod-template-hash."""
    hash: str
    created: float
    uid: str
    cause: str = ""
    replicas: int = 0
    """Of its ReplicaSet, now."""
    replaced: float = inf


@dataclass(eq=False)
class Pod:
    name: str
    uid: str
    workload: Workload
    revision: Revision
    created: float
    ip: str = ""
    node: str = ""
    scheduled: float = inf
    deleted: float = inf
    runs: dict[str, list[Run]] = field(default_factory=dict)
    """By container name."""
    init_done: float = inf
    init_runs: list[Run] = field(default_factory=list)
    stuck: Stuck | None = None
    memory: Memory | None = None
    evicted: str = ""
    """The kubelet's message, when it was evicted (at `deleted_by_kubelet`)."""
    failed: float = inf
    """When its phase became Failed or Succeeded; the object stays."""
    labels: Json = field(default_factory=dict)
    """Labels that differ from the template's (someone edited the pod)."""
    lost: float = inf
    """Since when its node's kubelet has not reported."""
    held: float = inf
    """Since when it is to go and cannot, because its node's runtime does not answer."""

    @property
    def namespace(self) -> str:
        return self.workload.namespace

    @property
    def main(self) -> str:
        return str(self.revision.template["spec"]["containers"][0]["name"])

    def all_labels(self) -> dict[str, str]:
        labels = dict(self.revision.template["metadata"]["labels"])
        if self.workload.kind == "Deployment":
            labels["pod-template-hash"] = self.revision.hash
        elif self.workload.kind in ("StatefulSet", "DaemonSet"):
            labels["controller-revision-hash"] = (
                f"{self.workload.name}-{self.revision.hash}"
                if self.workload.kind == "StatefulSet"
                else self.revision.hash
            )
            if self.workload.kind == "StatefulSet":
                labels["statefulset.kubernetes.io/pod-name"] = self.name
        labels.update(self.labels)
        return labels

    def ready_spans(self) -> Iterator[tuple[float, float]]:
        """When it could take traffic: its first container decides, the others only where they never came up."""
        end = min(self.deleted, self.lost + 40, self.failed, self.held)
        others = [runs for name, runs in self.runs.items() if name != self.main]
        if any(not runs or runs[-1].ready == inf for runs in others):
            return
        for run in self.runs.get(self.main, ()):
            span = (run.ready, min(run.ready_until, end))
            if span[0] < span[1]:
                yield span

    def is_ready(self, at: float) -> bool:
        return any(start <= at < end for start, end in self.ready_spans())

    def run_at(self, at: float, container: str = "") -> Run | None:
        """The run that is going on at a moment."""
        for run in reversed(self.runs.get(container or self.main, ())):
            if run.started <= at:
                return run if at < run.ended and at < self.deleted else None
        return None

    def exists(self, at: float) -> bool:
        return self.created <= at < self.deleted

    def restarts(self, at: float, container: str = "") -> int:
        runs = self.runs.get(container or self.main, ())
        return max(0, sum(1 for r in runs if r.started <= at) - 1)


@dataclass(eq=False)
class Workload:
    kind: str
    namespace: str
    name: str
    uid: str
    created: float
    part: Any
    """The company's Service, Store, Platform or Job."""
    selector: dict[str, str]
    revisions: list[Revision] = field(default_factory=list)
    pods: list[Pod] = field(default_factory=list)
    scale: list[tuple[float, int]] = field(default_factory=list)
    """(since, replicas), oldest first."""
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    strategy: Json = field(default_factory=dict)
    deadline_exceeded: float = inf
    """When Progressing became False."""
    refused: Json | None = None
    """Why its controller cannot create pods: {since, message}; becomes ReplicaFailure and FailedCreate."""
    manager: str = "argocd-controller"
    edits: list[tuple[float, str, Json]] = field(default_factory=list)
    """(when, field manager, fieldsV1) of the last changes to its spec."""

    def replicas(self, at: float) -> int:
        current = 0
        for since, count in self.scale:
            if since <= at:
                current = count
        return current

    @property
    def revision(self) -> Revision:
        return self.revisions[-1]

    def present(self, at: float) -> list[Pod]:
        return [p for p in self.pods if p.exists(at)]


@dataclass(eq=False)
class ServiceObject:
    """A Service with its past, because traffic follows what it was at the moment."""

    namespace: str
    name: str
    uid: str
    created: float
    cluster_ip: str
    labels: dict[str, str]
    specs: list[tuple[float, Json | None]]
    """(since, spec); None: deleted."""
    edits: list[tuple[float, str, Json]] = field(default_factory=list)
    annotations: dict[str, str] = field(default_factory=dict)

    def spec(self, at: float) -> Json | None:
        current: Json | None = None
        for since, spec in self.specs:
            if since <= at:
                current = spec
        return current


@dataclass(eq=False)
class NodeState:
    name: str
    uid: str
    zone: str
    ip: str
    created: float
    labels: dict[str, str]
    taints: list[Json] = field(default_factory=list)
    cordoned: float = inf
    edits: list[tuple[float, str, Json]] = field(default_factory=list)
    """(when, field manager, fieldsV1) of what people changed."""
    silent: float = inf
    """Since when its kubelet has not posted."""
    conditions: dict[str, tuple[bool, float, str, str]] = field(default_factory=dict)
    """Type -> (status, since, reason, message), where it differs from healthy."""
    booted: float = 0.0
    rebooted: float = 0.0
    """When it came back, if it was away; 0: never."""


@dataclass(frozen=True)
class Note:
    """An event of core/v1, aggregated as the API server has it."""

    kind: str
    namespace: str
    name: str
    uid: str
    reason: str
    message: str
    first: float
    last: float
    count: int = 1
    warning: bool = False
    component: str = "kubelet"
    host: str = ""
    field_path: str = ""
    api_version: str = "v1"
