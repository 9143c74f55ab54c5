"""When a controller may not create pods: quota, missing account, webhook. No pod, but events and conditions."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from math import floor

from workers.simulation.cluster import Json, Note, Revision, Workload
from workers.simulation.rollout import new_revision, retire
from workers.simulation.world import World


def refuse_scaling(world: World, it: Workload, at: float, wanted: int, message: str, manager: str = "kubectl") -> None:
    """More replicas are asked for, and none can be created."""
    it.scale.append((at, wanted))
    it.edits.append((at, manager, {"f:spec": {"f:replicas": {}}}))
    _refused(world, it, at + 0.2, message)


def refuse_rollout(world: World, it: Workload, at: float, edit: Callable[[Json], None], message: str) -> Revision:
    """A new revision whose pods are refused: a quarter of the old ones is gone, the others serve on."""
    template = deepcopy(it.revision.template)
    edit(template)
    old = it.present(at)
    revision = new_revision(world, it, at, template)
    it.edits.append((at, it.manager, {"f:spec": {"f:template": {"f:spec": {}}}}))
    for pod in old[: floor(it.replicas(at) / 4)]:
        retire(pod, at + 0.1)
    for each in it.revisions:
        each.replicas = sum(1 for p in it.present(world.now) if p.revision is each)
    _refused(world, it, at + 0.2, message)
    return revision


def _refused(world: World, it: Workload, at: float, message: str) -> None:
    """The ReplicaSet tries with growing pauses; its event counts up."""
    it.refused = {"since": at, "message": message}
    tries, last, pause = 1, at, 0.02
    while last + pause < world.now and tries < 40:
        last += pause
        pause = min(pause * 2, 1000.0)
        tries += 1
    name = f"{it.name}-{it.revision.hash}" if it.kind == "Deployment" else it.name
    kind, uid = ("ReplicaSet", it.revision.uid) if it.kind == "Deployment" else (it.kind, it.uid)
    world.note(
        Note(
            kind,
            it.namespace,
            name,
            uid,
            "FailedCreate",
            f"Error creating: {message}",
            at,
            last,
            tries,
            True,
            f"{kind.lower()}-controller",
            api_version="apps/v1",
        )
    )


def pod_prefix(it: Workload) -> str:
    """The name by which messages call a pod that was not created."""
    return f"{it.name}-{it.revision.hash}-"
