"""A company as its YAML declares it: services, stores, nodes, who calls whom. Facts only; what happens is the world's.

Frozen and validated: a call to an unknown service is refused when the file is read, with file, key and reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, cached_property
from importlib.resources import files
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

Range = Annotated[tuple[str, str], "request and limit as Kubernetes quantities; empty: none"]


class SimulationError(Exception):
    """A company or scenario file is wrong. The text names the file, the key and the reason."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Route(_Part):
    path: str
    method: str = "GET"
    share: float = Field(gt=0, le=1)
    """Of the service's requests."""
    calls: tuple[str, ...] = ()
    """In order; services, stores or externals."""


class Nodes(_Part):
    count: int
    type: str
    cpu: int
    memory_gib: int
    pods: int
    network: str
    zones: tuple[str, ...]
    naming: Literal["eks", "gke"] = "eks"

    @property
    def storage(self) -> tuple[str, str]:
        """The default storage class and its provisioner."""
        return ("gp3", "ebs.csi.aws.com") if self.naming == "eks" else ("standard-rwo", "pd.csi.storage.gke.io")


class Running(_Part):
    """What every workload has."""

    name: str
    namespace: str
    team: str = "platform"
    version: str = ""
    image: str = ""
    cpu: Range = ("100m", "500m")
    memory: Range = ("128Mi", "256Mi")
    uses_mib: float = 100
    base_cpu: float = 0.008
    """Cores without any request."""


class Service(Running):
    language: Literal["python", "go"]
    replicas: int = 2
    port: int = 8080
    cpu_ms: float = 5
    """CPU time a request."""
    capacity: float = 10
    """Requests a second that one pod answers well."""
    median_ms: float = 20
    timeout_seconds: float = 3
    """How long its callers wait for it."""
    entry_rate: float = 0
    """Requests a second from outside, at the mean of the day."""
    host: str = ""
    optional: bool = False
    """Callers answer without it when it fails."""
    worker: bool = False
    """Has no HTTP routes; works on a queue."""
    consumes: str = ""
    calls: tuple[str, ...] = ()
    hpa: tuple[int, int] | None = None
    volume_gib: int = 0
    """A claim of its own, mounted at /var/lib/NAME."""
    routes: tuple[Route, ...] = ()

    @cached_property
    def dependencies(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([*self.calls, *(c for r in self.routes for c in r.calls)]))

    @cached_property
    def work(self) -> tuple[Route, ...]:
        """What it is asked for: its routes, or what lies in its queue."""
        return self.routes or (Route(path="(queue)", share=1, calls=self.calls),)


class Store(Running):
    engine: Literal["postgres", "redis", "rabbitmq", "kafka", "minio"]
    port: int
    replicas: int = 1
    disk_gib: int = 10
    disk_used: float = 0.3
    database: str = ""
    user: str = ""
    queues: tuple[str, ...] = ()
    max_connections: int = 100
    volume_gib: int = 0


class External(_Part):
    name: str
    host: str
    port: int = 443
    median_ms: float = 150
    path: str = "/"
    """What is called there."""


class Job(Running):
    language: Literal["python", "go"]
    schedule: str
    minutes: float = 2
    calls: tuple[str, ...] = ()


class Platform(Running):
    kind: Literal["Deployment", "DaemonSet", "StatefulSet"]
    replicas: int = 1
    port: int = 0
    labels: dict[str, str]
    service: str = ""
    logs: str = "klog"
    priority: int = 0


class Namespace(_Part):
    team: str


class Company(_Part):
    name: str
    title: str
    cluster: str
    environment: str
    region: str
    project: str = ""
    """Of the cloud's account, where it has such a name."""
    domain: str
    registry: str
    kubernetes: str
    log_schema: Literal["ecs", "fluentbit"]
    peak_hour_utc: float
    traffic_swing: float
    namespaces: dict[str, Namespace]
    nodes: Nodes
    services_network: str
    pods_network: str
    services: tuple[Service, ...]
    stores: tuple[Store, ...] = ()
    externals: tuple[External, ...] = ()
    jobs: tuple[Job, ...] = ()
    platform: tuple[Platform, ...] = ()

    @cached_property
    def parts(self) -> Mapping[str, Service | Store | External]:
        """Whatever a call may name, by name."""
        found: list[Service | Store | External] = [*self.services, *self.stores, *self.externals]
        return {p.name: p for p in found}

    def service(self, name: str) -> Service:
        """Raises SimulationError."""
        found = self.parts.get(name)
        if not isinstance(found, Service):
            raise SimulationError(f"{self.name} has no service called {name!r}")
        return found

    def entry_to(self, name: str) -> Service:
        """The first service with requests from outside that, by whatever way, needs this part."""
        entries = [s for s in self.services if s.entry_rate]
        return next((s for s in entries if name == s.name or name in self._reached(s)), entries[0])

    def _reached(self, service: Service) -> set[str]:
        found: set[str] = set()
        todo = [service.name]
        while todo:
            part = self.parts[todo.pop()]
            for each in part.dependencies if isinstance(part, Service) else ():
                if each not in found:
                    found.add(each)
                    todo.append(each)
        return found

    @property
    def application_namespaces(self) -> tuple[str, ...]:
        """Where its own services and stores live, in the file's order."""
        own = {p.namespace for p in (*self.services, *self.stores, *self.jobs)}
        return tuple(n for n in self.namespaces if n in own)


@cache
def companies() -> tuple[str, ...]:
    folder = files("workers.simulation") / "companies"
    return tuple(sorted(f.name.removesuffix(".yaml") for f in folder.iterdir() if f.name.endswith(".yaml")))


@cache
def company(name: str) -> Company:
    """The company of companies/NAME.yaml. Raises SimulationError."""
    source = files("workers.simulation") / "companies" / f"{name}.yaml"
    if not source.is_file():
        raise SimulationError(f"companies/{name}.yaml: no such company")
    return parse(yaml.load(source.read_text(encoding="utf-8"), _Loader), f"companies/{name}.yaml")


_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse(raw: Any, source: str) -> Company:
    """Raises SimulationError naming file, key and reason."""
    try:
        made = Company.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise SimulationError(f"{source}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    asked = [(s.name, s.dependencies) for s in made.services] + [(j.name, j.calls) for j in made.jobs]
    for name, calls in asked:
        for call in calls:
            if call not in made.parts:
                raise SimulationError(f"{source}: {name}.calls: no service, store or external called {call!r}")
    for owner in (*made.services, *made.stores, *made.jobs):
        if owner.namespace not in made.namespaces:
            raise SimulationError(f"{source}: {owner.name}.namespace: {owner.namespace!r} is not declared")
    for service in made.services:
        if service.routes and abs(sum(r.share for r in service.routes) - 1) > 0.001:
            raise SimulationError(f"{source}: {service.name}.routes: the shares do not add up to 1")
    return made
