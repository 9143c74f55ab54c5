"""What a fault did, for the record of truth; and how faults are found: every module of `faults` with a FAULT."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from math import inf
from types import ModuleType
from typing import Any

from skills.faults import fault as leaf
from workers.simulation import faults
from workers.simulation.cluster import Json, NodeState, Note, Revision, Workload
from workers.simulation.company import SimulationError
from workers.simulation.world import World


@dataclass(frozen=True)
class Thing:
    """An entity of the truth, with the names under which an answer may call it."""

    kind: str
    namespace: str
    name: str
    aliases: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Altered:
    """A change: what, when, and every name by which an answer may identify it."""

    kind: str
    """rollout, scale, config, service, quota, policy, node, job, other"""
    thing: Thing
    at: float
    ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Blow:
    culprits: tuple[Thing, ...]
    onset: float
    change: Altered | None = None
    until: float = inf
    evidence: tuple[str, ...] = ()
    """Predicates that a finding's evidence should satisfy, e.g. `pod.lastState.reason = OOMKilled and pod ~ cart-`."""


Strike = Callable[[World, str, float, Mapping[str, Any]], Blow]


@cache
def modules() -> Mapping[str, ModuleType]:
    """Fault name -> module. Raises SimulationError for a module whose FAULT is not in the vocabulary."""
    found: dict[str, ModuleType] = {}
    for info in pkgutil.iter_modules(faults.__path__):
        module = import_module(f"{faults.__name__}.{info.name}")
        try:
            leaf(module.FAULT)
        except KeyError:
            raise SimulationError(
                f"faults/{info.name}.py: FAULT: {module.FAULT!r} is not in skills/faults.yaml"
            ) from None
        found[module.FAULT] = module
    return found


def workload_thing(it: Workload) -> Thing:
    return Thing(
        it.kind,
        it.namespace,
        it.name,
        (
            f"Service {it.namespace}/{it.name}",
            f"Pod {it.namespace}/{it.name}-*",
            f"ReplicaSet {it.namespace}/{it.name}-*",
            *(f"{kind} {it.namespace}/{it.name}" for kind in ("Deployment", "StatefulSet") if kind != it.kind),
        ),
    )


def node_named(world: World, victim: str) -> NodeState:
    """`node-2` is the third node; the name of a workload is the node on which its first pod is."""
    index = victim.removeprefix("node-")
    if index.isdigit() and int(index) < len(world.nodes):
        return list(world.nodes.values())[int(index)]
    pods = [p for w in world.workloads.values() if w.name == victim for p in w.pods if p.node and p.deleted == inf]
    if not pods:
        raise SimulationError(f"the victim must be node-0 to node-{len(world.nodes) - 1} or a workload, not {victim!r}")
    return world.nodes[pods[0].node]


def node_note(
    node: NodeState, reason: str, message: str, first: float, last: float, count: int = 1, **more: Any
) -> Note:
    """An event about a node, by its kubelet unless said otherwise."""
    warning, component = bool(more.get("warning")), str(more.get("component", "kubelet"))
    host = node.name if component == "kubelet" else ""
    return Note("Node", "", node.name, node.name, reason, message, first, last, count, warning, component, host)


def rollout_of(it: Workload, revision: Revision) -> Altered:
    ids = (
        f"{it.name}-{revision.hash}",
        f"{it.kind} {it.namespace}/{it.name} revision {revision.number}",
        f"{it.namespace}/{it.name}@{revision.number}",
    )
    return Altered("rollout", workload_thing(it), revision.created, ids)


def next_version(template: Json) -> str:
    """Raise the last number of the first container's image tag; returns the new tag."""
    container = template["spec"]["containers"][0]
    image, _, tag = container["image"].rpartition(":")
    head, _, last = tag.rpartition(".")
    new = f"{head}.{int(last) + 1}" if last.isdigit() else f"{tag}.1"
    container["image"] = f"{image}:{new}"
    return new
