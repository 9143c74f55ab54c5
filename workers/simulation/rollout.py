"""The controllers' verbs: roll a revision out, scale, replace a pod, in the order and time of the real ones."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, floor, inf

from workers.simulation import dice
from workers.simulation.cluster import Json, Pod, Revision, Workload
from workers.simulation.copied import copied
from workers.simulation.fates import Fate, healthy
from workers.simulation.world import World

TERMINATION_SECONDS = 2.2


def new_revision(world: World, workload: Workload, at: float, template: Json, cause: str = "") -> Revision:
    number = workload.revision.number + 1 if workload.revisions else 1
    revision = Revision(
        number,
        template,
        dice.letters(10, world.seed, workload.namespace, workload.name, number),
        at,
        world.uid("ReplicaSet", workload.name, number),
        cause,
    )
    if workload.revisions:
        workload.revisions[-1].replaced = at
    workload.revisions.append(revision)
    return revision


def new_pod(
    world: World, workload: Workload, revision: Revision, at: float, fate: Fate, *, ordinal: int | None = None
) -> Pod:
    key = (world.seed, workload.namespace, workload.name, revision.number, len(workload.pods), round(at, 3))
    if workload.kind == "StatefulSet":
        name = f"{workload.name}-{ordinal or 0}"
    elif workload.kind == "Deployment":
        name = f"{workload.name}-{revision.hash}-{dice.letters(5, 'pod', *key)}"
    else:
        name = f"{workload.name}-{dice.letters(5, 'pod', *key)}"
    pod = Pod(name, dice.uid("pod", *key), workload, revision, at)
    workload.pods.append(pod)
    fate(world, pod)
    return pod


def roll_out(
    world: World,
    workload: Workload,
    at: float,
    edit: Callable[[Json], None],
    *,
    fate: Fate = healthy,
    cause: str = "",
    manager: str = "",
    fields: Json | None = None,
) -> Revision:
    """A Deployment's rolling update (a quarter may be missing, a quarter too many), or a StatefulSet's, pod by pod.

    Where new pods do not become ready it stops as the real one does, with the old ones still serving.
    """
    template = copied(workload.revision.template)
    edit(template)
    revision = new_revision(world, workload, at, template, cause)
    workload.edits.append(
        (at, manager or workload.manager, fields or {"f:spec": {"f:template": {"f:spec": {"f:containers": {}}}}})
    )
    old = [p for p in workload.present(at) if p.failed == inf]
    wanted = workload.replicas(at)
    if workload.kind == "StatefulSet":
        _one_by_one(world, workload, revision, at, old, fate)
    elif workload.strategy.get("type") == "Recreate":
        _recreate(world, workload, revision, at, old, wanted, fate)
    elif workload.kind == "DaemonSet":
        _one_by_one(world, workload, revision, at, old, fate)
    else:
        _rolling(world, workload, revision, at, old, wanted, fate)
    for each in workload.revisions:
        each.replicas = sum(1 for p in workload.pods if p.revision is each and p.deleted == inf)
    return revision


def roll_back(world: World, workload: Workload, at: float) -> Revision:
    """`kubectl rollout undo`: the ReplicaSet before the last one takes over again, under a new revision number."""
    bad, good = workload.revisions[-1], workload.revisions[-2]
    workload.revisions.remove(good)
    workload.revisions.append(good)
    good.number, good.replaced, bad.replaced = bad.number + 1, inf, at
    workload.edits.append((at, "kubectl-rollout", {"f:spec": {"f:template": {"f:spec": {"f:containers": {}}}}}))
    workload.refused, workload.deadline_exceeded = None, inf
    old = [p for p in workload.present(at) if p.failed == inf]
    kept = [p for p in old if p.revision is good]
    for pod in kept:  # they were never replaced
        old.remove(pod)
    missing = workload.replicas(at) - len(kept)
    for pod in old[max(0, missing) :] if kept else ():
        retire(pod, at + 0.1)
    _rolling(world, workload, good, at, old[: max(0, missing)] if kept else old, max(0, missing), healthy)
    for each in workload.revisions:
        each.replicas = sum(1 for p in workload.pods if p.revision is each and p.deleted == inf)
    return good


def _rolling(
    world: World, workload: Workload, revision: Revision, at: float, old: list[Pod], wanted: int, fate: Fate
) -> None:
    rolling = workload.strategy.get("rollingUpdate", {})
    surge = _part_of(rolling.get("maxSurge", "25%"), wanted, ceil)
    missing = _part_of(rolling.get("maxUnavailable", "25%"), wanted, floor)
    waiting = sorted(old, key=lambda p: (p.is_ready(at), -p.created))
    for pod in waiting[:missing]:
        retire(pod, at + 0.1)
    waiting = waiting[missing:]
    slots = sorted([at + 0.15 + 0.03 * i for i in range(min(surge + missing, wanted))])
    made = 0
    while slots and made < wanted:
        pod = new_pod(world, workload, revision, slots.pop(0), fate)
        made += 1
        ready = next((s for s, _ in pod.ready_spans()), inf)
        if ready > world.now:
            continue
        if waiting:
            retire(waiting.pop(0), ready + 0.1)
        slots.append(ready + 0.2)
        slots.sort()
    if made == wanted and not waiting:
        return


def _part_of(value: str | int, wanted: int, rounding: Callable[[float], int]) -> int:
    return rounding(int(value[:-1]) * wanted / 100) if isinstance(value, str) else value


def _recreate(
    world: World, workload: Workload, revision: Revision, at: float, old: list[Pod], wanted: int, fate: Fate
) -> None:
    for pod in old:
        retire(pod, at + 0.1)
    for i in range(wanted):
        new_pod(world, workload, revision, at + TERMINATION_SECONDS + 0.3 + 0.04 * i, fate)


def _one_by_one(world: World, workload: Workload, revision: Revision, at: float, old: list[Pod], fate: Fate) -> None:
    for pod in sorted(old, key=lambda p: p.name, reverse=True):
        pod_at = at + TERMINATION_SECONDS + 0.3
        retire(pod, at + 0.1)
        ordinal = int(pod.name.rsplit("-", 1)[1]) if workload.kind == "StatefulSet" else None
        made = new_pod(
            world,
            workload,
            revision,
            pod_at,
            _on_node(pod.node, fate) if workload.kind == "DaemonSet" else fate,
            ordinal=ordinal,
        )
        at = next((s for s, _ in made.ready_spans()), inf)
        if at > world.now:
            return


def _on_node(node: str, fate: Fate) -> Fate:
    def placed(world: World, pod: Pod) -> None:
        pod.node = node
        fate(world, pod)

    return placed


def retire(pod: Pod, at: float) -> None:
    """Deleted: not ready at once, gone when its containers have ended."""
    pod.deleted = at + TERMINATION_SECONDS
    for name, all_runs in pod.runs.items():
        runs = pod.runs[name] = [r for r in all_runs if r.started < pod.deleted]
        if runs and runs[-1].ended > pod.deleted:
            runs[-1].ended, runs[-1].reason, runs[-1].exit_code = pod.deleted - 0.3, "Completed", 0
            runs[-1].unready = min(runs[-1].unready, at)


def scale(
    world: World, workload: Workload, at: float, wanted: int, *, fate: Fate = healthy, manager: str = "kubectl"
) -> None:
    current = [p for p in workload.present(at) if p.deleted == inf and p.failed == inf]
    workload.scale.append((at, wanted))
    workload.edits.append((at, manager, {"f:spec": {"f:replicas": {}}}))
    for pod in sorted(current, key=lambda p: -p.created)[: max(0, len(current) - wanted)]:
        retire(pod, at + 0.2)
    for i in range(wanted - len(current)):
        new_pod(world, workload, workload.revision, at + 0.2 + 0.05 * i, fate, ordinal=len(current) + i)
    workload.revision.replicas = sum(1 for p in workload.pods if p.revision is workload.revision and p.deleted == inf)


def replace(world: World, pod: Pod, at: float, *, fate: Fate = healthy) -> Pod:
    """The pod is deleted and its controller makes another."""
    retire(pod, at)
    ordinal = int(pod.name.rsplit("-", 1)[1]) if pod.workload.kind == "StatefulSet" else None
    return new_pod(
        world,
        pod.workload,
        pod.revision,
        at + (TERMINATION_SECONDS + 0.2 if ordinal is not None else 0.1),
        fate,
        ordinal=ordinal,
    )
