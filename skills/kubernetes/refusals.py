"""Pods (and claims) that the API server refused to create, in its own words.

A refused object leaves no object. What remains is a FailedCreate event of its controller (ReplicaSet, StatefulSet,
DaemonSet, Job) and, for Deployments, the condition ReplicaFailure with the same message
(pkg/controller/replicaset replica_set_utils.go, pkg/controller/deployment deployment_controller.go).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from skills.contract import Entity, Excerpt
from skills.kubernetes import cite
from skills.kubernetes.objects import condition, controller, dig, entity, holds, mapping, number, text, time_of
from skills.kubernetes.snapshot import Snapshot, Workload

_CONTROLLERS = ("ReplicaSet", "StatefulSet", "DaemonSet", "Job", "ReplicationController", "Deployment", "CronJob")


@dataclass(frozen=True)
class Refusal:
    owner: Entity
    """The workload that lacks pods."""
    message: str
    first: datetime | None
    last: datetime | None
    excerpt: Excerpt
    stands: bool
    """The workload still lacks pods, so that this was no passing refusal of the start-up."""


def of(snapshot: Snapshot) -> list[Refusal]:
    """The latest refusal of each workload and wording, newest last."""
    known: list[Refusal] | None = snapshot.memo.get("refusals")
    if known is None:
        known = snapshot.memo["refusals"] = _of(snapshot)
    return known


def _of(snapshot: Snapshot) -> list[Refusal]:
    found: dict[tuple[Entity, str], Refusal] = {}
    for event in snapshot.events:
        if event.reason not in ("FailedCreate", "ReplicaSetCreateError") or event.kind not in _CONTROLLERS:
            continue
        obj = snapshot.find(event.kind, event.namespace, event.name)
        if obj is None and event.kind == "ReplicaSet":
            continue  # of a revision that is gone
        if obj is not None and event.kind == "ReplicaSet" and controller(obj) and number(obj, "spec", "replicas") == 0:
            continue  # of a revision that is not wanted any more
        owner = (
            snapshot.owner_of(obj, event.kind) if obj is not None else _entity(event.kind, event.namespace, event.name)
        )
        refusal = Refusal(
            owner, event.message, event.first, event.last, cite.told(snapshot, event), lacks_pods(snapshot, owner)
        )
        found[(owner, _wording(event.message))] = refusal
    for kind in ("Deployment", "ReplicaSet"):
        for obj in snapshot.of(kind):
            failure = condition(obj, "ReplicaFailure")
            owner = snapshot.owner_of(obj, kind) if kind == "ReplicaSet" else entity(kind, obj)
            message = text(failure, "message")
            if failure.get("status") != "True" or (owner, _wording(message)) in found:
                continue
            at = time_of(failure.get("lastTransitionTime"))
            said = cite.stated(snapshot, kind, obj, "ReplicaFailure")
            found[(owner, _wording(message))] = Refusal(owner, message, at, at, said, lacks_pods(snapshot, owner))
    return list(found.values())


def _entity(kind: str, namespace: str, name: str) -> Entity:
    return Entity(kind=kind, namespace=namespace or None, name=name)


def _wording(message: str) -> str:
    """The message without the pod's random name and the figures of the moment."""
    head, _, tail = message.partition("forbidden:")
    return (tail or head).strip()[:80]


def lacks_pods(snapshot: Snapshot, target: Entity) -> bool:
    """Fewer pods exist than the workload wants; True when the workload is not known."""
    workload = snapshot.workload(target)
    if workload is None:
        return True
    return snapshot.pod_count(target) < wanted(workload) or _behind(workload)


def wanted(workload: Workload) -> int:
    match workload.entity.kind:
        case "DaemonSet":
            return number(workload.obj, "status", "desiredNumberScheduled")
        case "Job":
            over = any(holds(workload.obj, c) for c in ("Complete", "Failed", "SuccessCriteriaMet", "FailureTarget"))
            done = over or number(workload.obj, "status", "succeeded") or dig(workload.obj, "spec", "suspend") is True
            parallel = dig(workload.obj, "spec", "parallelism")
            return 0 if done else (parallel if isinstance(parallel, int) else 1)
        case "CronJob":
            return 0
        case _:
            return workload.replicas


def _behind(workload: Workload) -> bool:
    """A rollout whose new pods are not there yet counts as lacking pods although old ones still run."""
    if workload.entity.kind != "Deployment":
        return False
    status = mapping(workload.obj, "status")
    return bool(status) and number(status, "updatedReplicas") < workload.replicas


def without_pods(snapshot: Snapshot, namespace: str) -> list[Entity]:
    """Workloads of a namespace of which pods are missing altogether (not pods that are there and unwell)."""
    return [
        w.entity
        for w in snapshot.workloads
        if w.entity.namespace == namespace and snapshot.pod_count(w.entity) < wanted(w)
    ]
