"""What becomes of a pod after it was created: healthy, killed again and again, never started, never placed.

A fate is a function of world and pod. It writes the pod's runs up to the world's now, so that API, metrics and logs agree.
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Callable
from math import inf, log

from workers.simulation.cluster import Memory, Pod, Run, Stuck
from workers.simulation.company import Running, Service, Store
from workers.simulation.quantities import amount
from workers.simulation.world import World

Fate = Callable[[World, Pod], None]

BACKOFF = (10.0, 20.0, 40.0, 80.0, 160.0, 300.0)
"""The kubelet's waits between restarts; they start over after ten minutes of running."""


def start_seconds(world: World, pod: Pod) -> tuple[float, float]:
    """From creation to the start of the container, and from there to the first good readiness probe."""
    key = (pod.workload.name, pod.created, pod.name)
    pull = world.between(0.9, 3.4, "pull", *key)
    part = pod.workload.part
    slow = 9 if isinstance(part, Store) else 7 if isinstance(part, Service) and part.language == "python" else 4
    return pull, world.between(slow * 0.8, slow * 1.7, "ready", *key)


def place(world: World, pod: Pod) -> float:
    """Put the pod on a node and give it an address; returns when its first container starts."""
    if not pod.node:
        pod.node = _choose_node(world, pod)
    pod.scheduled = pod.created + 0.02
    node = world.nodes[pod.node]
    if pod.revision.template["spec"].get("hostNetwork"):
        pod.ip = node.ip
    else:
        pod.ip = _address(world, pod, int(node.ip.split(".")[2]))
    return pod.created + start_seconds(world, pod)[0]


def _address(world: World, pod: Pod, third: int) -> str:
    """One that no other pod has had."""
    n = 0
    while True:
        key = ("ip", pod.namespace, pod.name, pod.created, *((n,) if n else ()))
        net, host = third + int(world.between(0, 6, "net", *key)), int(world.between(4, 250, *key))
        found = f"{world.company.pods_network}.{net}.{host}"
        if found not in world.addresses:
            world.addresses.add(found)
            return found
        n += 1


def _choose_node(world: World, pod: Pod) -> str:
    """The node with the fewest pods of the workload, then the fewest pods; ties by chance."""
    nodes = [n for n in world.nodes.values() if n.cordoned > pod.created and n.silent > pod.created]
    nodes = [n for n in nodes if n.conditions.get("Ready", (True, inf, "", ""))[1] > pod.created] or nodes
    mine = [p.node for p in pod.workload.pods if p.exists(pod.created) and p is not pod]
    counts: dict[str, int] = {}
    for workload in world.workloads.values():
        for other in workload.pods:
            if other.node and other.deleted == inf:
                counts[other.node] = counts.get(other.node, 0) + 1
    return min(
        nodes, key=lambda n: (mine.count(n.name), counts.get(n.name, 0), world.chance("node", pod.name, n.name))
    ).name


def usual_memory(pod: Pod) -> Memory:
    part: Running = pod.workload.part
    return Memory(level=part.uses_mib * 2**20)


def healthy(world: World, pod: Pod) -> None:
    started = place(world, pod)
    ready = started + start_seconds(world, pod)[1]
    for container in pod.revision.template["spec"]["containers"]:
        pod.runs[container["name"]] = [Run(started, ready)]
    pod.init_done = started - 0.4
    pod.memory = pod.memory or usual_memory(pod)


def crash_loop(
    life: Callable[[int], float],
    *,
    exit_code: int = 1,
    reason: str = "Error",
    ready: bool = False,
    message: str = "",
    container: str = "",
) -> Fate:
    """Each run lasts `life(n)` seconds; waits between them grow as the kubelet's do."""

    def fate(world: World, pod: Pod) -> None:
        healthy(world, pod)
        first = pod.runs[container or pod.main][0]
        loop(
            world,
            pod,
            first.started,
            life,
            exit_code=exit_code,
            reason=reason,
            ready=ready,
            message=message,
            container=container,
        )

    return fate


def loop(
    world: World,
    pod: Pod,
    start: float,
    life: Callable[[int], float],
    *,
    exit_code: int,
    reason: str,
    ready: bool,
    message: str = "",
    container: str = "",
    until: float = inf,
) -> None:
    """Runs from `start` on; what ran before ends there."""
    name = container or pod.main
    runs = [r for r in pod.runs.get(name, []) if r.started < start]
    if runs and runs[-1].ended > start:
        runs[-1].ended, runs[-1].reason, runs[-1].exit_code, runs[-1].message = start, reason, exit_code, message
        start += BACKOFF[0] * 0.1
    waited = 0
    at, count = start, 0
    to_ready = start_seconds(world, pod)[1]
    while at < min(world.now, pod.deleted, until):
        lasts = life(count) * world.between(0.93, 1.07, "life", pod.name, count)
        run = Run(at, at + to_ready if ready and lasts > to_ready else inf, at + lasts, reason, exit_code, message)
        if run.ended > world.now:
            run.ended = inf
        runs.append(run)
        if lasts > 600:
            waited = 0
        at += lasts + BACKOFF[min(waited, len(BACKOFF) - 1)] + world.between(0.4, 1.9, "back-off", pod.name, count)
        waited, count = waited + 1, count + 1
    if until < inf and runs and runs[-1].ended <= until:
        runs.append(Run(max(until, at - 1), max(until, at - 1) + to_ready))
    pod.runs[name] = runs


def out_of_memory(world: World, pod: Pod) -> None:
    """The working set heads for the usual level; the limit is below it, and the kernel ends the run when it is met."""
    limit = memory_limit(pod)
    level = (pod.memory or usual_memory(pod)).level
    start_share = min(0.45, limit * world.between(0.52, 0.66, "start", pod.name) / level)
    pod.memory = Memory(level, start_share=start_share, warm_seconds=world.between(55, 80, "warm", pod.name), cap=limit)
    climb = (level - level * start_share) / (level - limit)
    life = pod.memory.warm_seconds * log(climb)
    crash_loop(lambda _n: life, exit_code=137, reason="OOMKilled", ready=True)(world, pod)


def memory_limit(pod: Pod) -> float:
    limits = pod.revision.template["spec"]["containers"][0].get("resources", {}).get("limits", {})
    return amount(limits["memory"]) if "memory" in limits else inf


def never_ready(world: World, pod: Pod) -> None:
    healthy(world, pod)
    for run in pod.runs[pod.main]:
        run.ready = inf


def unschedulable(message: str | Callable[[World, Pod], str]) -> Fate:
    def fate(world: World, pod: Pod) -> None:
        pod.node = ""
        text = message if isinstance(message, str) else message(world, pod)
        pod.stuck = Stuck("scheduling", "Unschedulable", text, pod.created)

    return fate


def not_started(reason: str, message: str) -> Fate:
    """Placed, but a container cannot be created or its image not pulled."""

    def fate(world: World, pod: Pod) -> None:
        started = place(world, pod)
        pod.init_done = started - 0.4
        pod.runs = {c["name"]: [] for c in pod.revision.template["spec"]["containers"]}
        pod.stuck = Stuck("container", reason, message, started)

    return fate


def init_loop(life: Callable[[int], float], *, exit_code: int = 1, reason: str = "Error") -> Fate:
    """An init container fails again and again, or (life of inf) never ends."""

    def fate(world: World, pod: Pod) -> None:
        at = place(world, pod)
        pod.runs = {c["name"]: [] for c in pod.revision.template["spec"]["containers"]}
        count = 0
        while at < world.now:
            lasts = life(count)
            pod.init_runs.append(Run(at, inf, at + lasts if at + lasts < world.now else inf, reason, exit_code))
            at += lasts + BACKOFF[min(count, 5)] + 0.8
            count += 1

    return fate
