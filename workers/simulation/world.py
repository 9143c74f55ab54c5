"""The world: one company, one seed, one `now`. What happened is recorded here; faces only read it.

Faults and innocent events act through the verbs of `rollout`, `fates` and this module; nothing is decided at the faces.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from math import inf
from typing import Any

from workers.simulation import dice
from workers.simulation.cluster import Json, NodeState, Note, Pod, ServiceObject, Workload
from workers.simulation.company import Company, Running
from workers.simulation.load import Shape

DAY = 86400.0


@dataclass
class EdgeEffect:
    """A share of the calls from `caller` to `callee` fails or is slow, whatever the callee's own state."""

    caller: str
    """A service, or * for every caller."""
    callee: str
    kind: str
    """How it looks to the caller: refused, timeout, no_such_host, reset, tls, http_404, auth, pool ... or slow."""
    start: float
    end: float = inf
    share: float = 1.0
    slow_seconds: float = 0.0
    """How much longer; of a timeout, after how long the caller gives up, where that is not its usual time."""
    detail: dict[str, str] = field(default_factory=dict)
    """For the wording of logs, e.g. the address that was tried."""
    node: str = ""
    """Only pods of the caller on this node."""
    writes_only: bool = False


@dataclass
class OwnEffect:
    """A service misbehaves by itself."""

    service: str
    kind: str
    """exception, slow, capacity, cpu, throttle, shed, silent"""
    start: float
    end: float = inf
    share: float = 1.0
    route: str = ""
    """Only this path; empty: all."""
    revision: int = 0
    """Only pods of this revision; 0: all."""
    code: int = 500
    factor: float = 1.0
    """Of latency (slow), of capacity (capacity), of CPU (cpu)."""
    detail: dict[str, str] = field(default_factory=dict)
    node: str = ""
    ramp_seconds: float = 0.0
    """The effect grows to its full share over this time, in steps."""


@dataclass
class Surge:
    """More requests from outside."""

    start: float
    end: float
    factor: float
    service: str = ""
    ramp_seconds: float = 0.0


@dataclass
class LogNote:
    """Lines that something writes for a reason of its own: `per_minute` of them between start and end."""

    workload: str
    start: float
    end: float
    per_minute: float
    level: str
    texts: tuple[str, ...]
    """Templates with {n}, {ms}, {id}, {user}, {pod} to be filled by chance; several are taken in turn by chance."""
    revision: int = 0
    logger: str = ""
    pod: str = ""
    container: str = ""
    """Of an init container; empty: the first."""


@dataclass
class Gauge:
    """A series that a fault adds, or changes: `value(t)`, alive between start and end."""

    name: str
    labels: dict[str, str]
    value: Callable[[float], float]
    start: float = -inf
    end: float = inf


class World:
    def __init__(self, company: Company, seed: str, now: float) -> None:
        self.company = company
        self.seed = seed
        self.now = now
        self.founded = now - dice.between(190, 260, seed, "founded") * DAY
        self.workloads: dict[tuple[str, str], Workload] = {}
        """By namespace and name."""
        self.services: dict[tuple[str, str], ServiceObject] = {}
        self.nodes: dict[str, NodeState] = {}
        self.objects: dict[str, dict[tuple[str, str], Json]] = {}
        """Other API objects by kind, then (namespace, name)."""
        self.notes: list[Note] = []
        self.edges: list[EdgeEffect] = []
        self.own: list[OwnEffect] = []
        self.surges: list[Surge] = []
        self.log_notes: list[LogNote] = []
        self.gauges: list[Gauge] = []
        self.business_drops: list[tuple[float, float]] = []
        """(since, share that is left) of what the company sells."""
        self.hidden: set[str] = set()
        """Telemetry that is missing: metrics, logs, kubernetes, a metric's name, or logs:SERVICE."""
        self.unscraped: dict[str, float] = {}
        """By job: since when Prometheus cannot scrape its targets, which are well."""
        self.addresses: set[str] = {""}
        """That pods have, or had."""
        self.shape = Shape(seed, company.peak_hour_utc, company.traffic_swing)

    # Names and versions

    def chance(self, *key: object) -> float:
        return dice.unit(self.seed, *key)

    def between(self, low: float, high: float, *key: object) -> float:
        return dice.between(low, high, self.seed, *key)

    def uid(self, *key: object) -> str:
        return dice.uid(self.seed, *key)

    def resource_version(self, at: float, *key: object) -> str:
        """Versions grow with time, by what a cluster of this size writes."""
        return str(48_000_000 + int((min(at, self.now) - self.founded) * 11.3) + dice.number(*key) % 11)

    # Finding things

    def workload(self, name: str, namespace: str = "") -> Workload:
        """By name, in any namespace. Raises KeyError."""
        for (space, other), found in self.workloads.items():
            if other == name and namespace in ("", space):
                return found
        raise KeyError(name)

    def service(self, name: str) -> ServiceObject:
        for (_, other), found in self.services.items():
            if other == name:
                return found
        raise KeyError(name)

    @cached_property
    def pods_by_namespace(self) -> dict[str, list[Pod]]:
        """Settled: ask only after everything has happened."""
        found: dict[str, list[Pod]] = {}
        for workload in self.workloads.values():
            found.setdefault(workload.namespace, []).extend(workload.pods)
        return found

    def part(self, name: str) -> Running:
        part: Any = self.workload(name).part
        assert isinstance(part, Running)
        return part

    # Acting

    def put(
        self,
        kind: str,
        namespace: str,
        name: str,
        created: float,
        body: Json,
        *,
        labels: dict[str, str] | None = None,
        **metadata: Any,
    ) -> Json:
        """Store an API object with honest metadata."""
        meta: Json = {
            "name": name,
            "uid": self.uid(kind, namespace, name, created),
            "resourceVersion": self.resource_version(created, kind, name),
            "creationTimestamp": created,
        }
        if namespace:
            meta["namespace"] = namespace
        if labels:
            meta["labels"] = labels
        meta.update(metadata)
        made = {"metadata": meta, **body}
        self.objects.setdefault(kind, {})[(namespace, name)] = made
        return made

    def edit(
        self,
        kind: str,
        namespace: str,
        name: str,
        at: float,
        change: Callable[[Json], None],
        manager: str = "kubectl-edit",
        fields: Json | None = None,
    ) -> Json:
        """Change an API object at a moment; its resourceVersion and managedFields tell of it."""
        found = self.objects[kind][(namespace, name)]
        change(found)
        found["metadata"]["resourceVersion"] = self.resource_version(at, kind, name)
        found["metadata"].setdefault("managedFields", []).append(managed(manager, at, fields or {}))
        return found

    def change_service(
        self, service: ServiceObject, at: float, change: Callable[[Json], None], manager: str, fields: Json
    ) -> None:
        spec = deepcopy(service.spec(at) or {})
        change(spec)
        service.specs.append((at, spec))
        service.edits.append((at, manager, fields))

    def delete(self, kind: str, namespace: str, name: str) -> None:
        self.objects.get(kind, {}).pop((namespace, name), None)

    def note(self, note: Note) -> None:
        self.notes.append(note)


def managed(manager: str, at: float, fields: Json, *, subresource: str = "", api_version: str = "v1") -> Json:
    """One entry of metadata.managedFields; its time is a float until a face renders it."""
    entry: Json = {
        "manager": manager,
        "operation": "Update",
        "apiVersion": api_version,
        "time": at,
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    }
    if subresource:
        entry["subresource"] = subresource
    return entry
