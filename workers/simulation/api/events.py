"""Events of the last hour: what controllers, scheduler and kubelets reported about the lives of the pods.

Derived from the record of the cluster, so that they never contradict it; faults add notes of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from workers.simulation import dice
from workers.simulation.cluster import Json, Note, Pod, Run, Workload
from workers.simulation.world import World

KEPT_SECONDS = 3600.0
AT_ONCE_SECONDS = 1.0
REPLACED_SECONDS = 60.0


def notes(world: World) -> list[Note]:
    """Newest last; older ones have been expired by the API server."""
    oldest = world.now - KEPT_SECONDS
    found = [*world.notes]
    for workload in world.workloads.values():
        if workload.kind == "Deployment":
            found += _scaling(world, workload)
        for pod in workload.pods:
            if pod.deleted > oldest and (
                pod.created > oldest or pod.deleted < inf or _recent(pod, oldest) or pod.stuck
            ):
                found += _creation(pod)
                found += _life(world, pod)
    kept = [n for n in found if oldest <= n.last <= world.now]
    return sorted(kept, key=lambda n: (n.last, n.name, n.reason))


def _recent(pod: Pod, oldest: float) -> bool:
    return any(
        r.started > oldest or oldest < r.ended < inf or oldest < r.unready < inf or r.ready == inf
        for runs in (*pod.runs.values(), pod.init_runs)
        for r in runs
    )


def _scaling(world: World, it: Workload) -> Iterator[Note]:
    """One event a step of a rollout, as the deployment controller writes them: it sets the number of a ReplicaSet at
    once, however many pods come or go with it."""
    steps = sorted(
        [(p.created, 1, p) for p in it.pods] + [(p.deleted - 2.2, -1, p) for p in it.pods if p.deleted < inf],
        key=lambda s: (s[0], s[2].name),
    )
    counts: dict[str, int] = {}
    moves: list[tuple[float, str, int, int]] = []
    for at, step, pod in steps:
        name = f"{it.name}-{pod.revision.hash}"
        before = counts.get(name, 0)
        counts[name] = before + step
        last = moves[-1] if moves else None
        if last and last[1] == name and at - last[0] < AT_ONCE_SECONDS and (last[3] > last[2]) == (step > 0):
            moves[-1] = (last[0], name, last[2], before + step)
        else:
            moves.append((at, name, before, before + step))
    for at, name, before, after in _wanted(moves):
        if at > world.now - KEPT_SECONDS:
            verb = "up" if after > before else "down"
            yield Note(
                "Deployment",
                it.namespace,
                it.name,
                it.uid,
                "ScalingReplicaSet",
                f"Scaled {verb} replica set {name} from {before} to {after}",
                at - 0.02,
                at - 0.02,
                component="deployment-controller",
                api_version="apps/v1",
            )


def _wanted(moves: list[tuple[float, str, int, int]]) -> Iterator[tuple[float, str, int, int]]:
    """Without what a ReplicaSet does by itself: a pod that is evicted or deleted gets its successor without any word of
    the deployment controller."""
    left = list(moves)
    while left:
        at, name, before, after = left.pop(0)
        back = next((m for m in left if m[1] == name), None)
        if after < before and back and back[0] - at < REPLACED_SECONDS and back[2:] == (after, before):
            left.remove(back)
            continue
        yield at, name, before, after


def _creation(pod: Pod) -> Iterator[Note]:
    if pod.workload.kind == "Deployment":
        kind, name, uid, by = (
            "ReplicaSet",
            f"{pod.workload.name}-{pod.revision.hash}",
            pod.revision.uid,
            "replicaset-controller",
        )
    else:
        kind, name, uid, by = (
            pod.workload.kind,
            pod.workload.name,
            pod.workload.uid,
            f"{pod.workload.kind.lower()}-controller",
        )
    api = "batch/v1" if kind == "Job" else "apps/v1"
    yield Note(
        kind,
        pod.namespace,
        name,
        uid,
        "SuccessfulCreate",
        f"Created pod: {pod.name}",
        pod.created,
        pod.created,
        component=by,
        api_version=api,
    )
    if pod.deleted < inf:
        yield Note(
            kind,
            pod.namespace,
            name,
            uid,
            "SuccessfulDelete",
            f"Deleted pod: {pod.name}",
            pod.deleted - 2.2,
            pod.deleted - 2.2,
            component=by,
            api_version=api,
        )


def _life(world: World, pod: Pod) -> Iterator[Note]:
    now = world.now
    if pod.stuck and pod.stuck.stage == "scheduling":
        if pod.stuck.message:
            tries = 1 + int((now - pod.created) // 300)
            yield _of(
                pod,
                "FailedScheduling",
                pod.stuck.message,
                pod.created + 0.01,
                pod.created + 0.01 + 300 * (tries - 1),
                tries,
                warning=True,
                component="default-scheduler",
            )
        return
    if pod.node and pod.scheduled < inf:
        yield _of(
            pod,
            "Scheduled",
            f"Successfully assigned {pod.namespace}/{pod.name} to {pod.node}",
            pod.scheduled,
            pod.scheduled,
            component="default-scheduler",
        )
    for container in pod.revision.template["spec"]["containers"]:
        yield from _container(world, pod, container)
    for container in pod.revision.template["spec"].get("initContainers", []):
        yield from _runs(world, pod, container, "initContainers")
    if pod.stuck and pod.stuck.stage == "container":
        yield from _stuck(world, pod)
    if pod.evicted:
        yield _of(pod, "Evicted", pod.evicted, pod.failed, pod.failed, warning=True)


def _container(world: World, pod: Pod, container: Json) -> Iterator[Note]:
    yield from _runs(world, pod, container, "containers")
    runs, path = pod.runs.get(container["name"], []), f"spec.containers{{{container['name']}}}"
    unready = [
        r
        for r in runs
        if r.ready == inf and r.started < world.now and container["name"] == pod.main and "readinessProbe" in container
    ]
    if unready:
        probe = container["readinessProbe"]
        delay, period = probe.get("initialDelaySeconds", 0), probe["periodSeconds"]
        tries = [
            r.started + delay + period * k
            for r in unready
            for k in range(int(max(0.0, min(r.ended, world.now) - r.started - delay) // period) + 1)
            if r.started + delay + period * k < min(r.ended, world.now)
        ]
        if tries:
            yield _of(
                pod,
                "Unhealthy",
                _probe_failure(pod, container),
                tries[0],
                tries[-1],
                len(tries),
                warning=True,
                path=path,
            )
    if pod.deleted < inf:
        yield _of(
            pod, "Killing", f"Stopping container {container['name']}", pod.deleted - 2.2, pod.deleted - 2.2, path=path
        )


def _probe_failure(pod: Pod, container: Json) -> str:
    check = container["readinessProbe"].get("httpGet")
    if not check:
        return "Readiness probe failed: command returned a non-zero exit code"
    port = check["port"]
    if not isinstance(port, int):
        port = next((p["containerPort"] for p in container.get("ports", []) if p.get("name") == port), 8080)
    serves = any(p["containerPort"] == port for p in container.get("ports", []))
    if not serves:
        return f'Readiness probe failed: Get "http://{pod.ip}:{port}{check["path"]}": dial tcp {pod.ip}:{port}: connect: connection refused'  # noqa: E501
    if check["path"] in ("/readyz", "/healthz"):
        return f'Readiness probe failed: Get "http://{pod.ip}:{port}{check["path"]}": dial tcp {pod.ip}:{port}: connect: connection refused'  # noqa: E501
    return "Readiness probe failed: HTTP probe failed with statuscode: 404"


def _runs(world: World, pod: Pod, container: Json, field: str) -> Iterator[Note]:
    """Pulled, Created, Started, BackOff: one event each, counted up."""
    name, image = container["name"], container["image"]
    runs = pod.runs.get(name, []) if field == "containers" else pod.init_runs
    starts = [r.started for r in runs if r.started <= world.now]
    if not starts:
        return
    path, here = f"spec.{field}{{{name}}}", [t for t in starts if t > world.now - KEPT_SECONDS]
    if not here:
        return
    first, again = here[0], here[1:]
    if first == starts[0]:
        seconds = max(0.21, min(world.between(0.7, 2.6, "pull", pod.name), first - pod.created - 0.6))
        yield _of(pod, "Pulling", f'Pulling image "{image}"', first - seconds - 0.2, first - seconds - 0.2, path=path)
        size = 21_000_000 + dice.number(image) % 140_000_000
        yield _of(
            pod,
            "Pulled",
            f'Successfully pulled image "{image}" in {seconds:.3f}s ({seconds:.3f}s including waiting). Image size: {size} bytes.',  # noqa: E501
            first - 0.2,
            first - 0.2,
            path=path,
        )
    if again:
        yield _of(
            pod,
            "Pulled",
            f'Container image "{image}" already present on machine',
            again[0] - 0.2,
            again[-1] - 0.2,
            len(again),
            path=path,
        )
    yield _of(
        pod,
        "Created",
        f"Created container {name}" if world.company.kubernetes < "v1.32" else f"Created container: {name}",
        first - 0.1,
        here[-1] - 0.1,
        len(here),
        path=path,
    )
    refused = next((r for r in runs if r.reason == "StartError"), None)
    if refused:
        yield _of(pod, "Failed", f"Error: {refused.message}", first, here[-1], len(here), warning=True, path=path)
    else:
        yield _of(pod, "Started", f"Started container {name}", first, here[-1], len(here), path=path)
    yield from _endings(world, pod, name, path, runs)


def _endings(world: World, pod: Pod, name: str, path: str, runs: list[Run]) -> Iterator[Note]:
    failed = [
        r for r in runs if r.ended <= world.now and r.reason != "Completed" and r.ended > world.now - KEPT_SECONDS
    ]
    liveness = [r for r in failed if r.message.startswith("liveness:")]
    for run in liveness[-1:]:
        text = run.message.removeprefix("liveness:").replace("{ip}", pod.ip)
        yield _of(
            pod,
            "Unhealthy",
            f"Liveness probe failed: {text}",
            max(liveness[0].started + 1, liveness[0].ended - 21),
            run.ended - 1,
            3 * len(liveness),
            warning=True,
            path=path,
        )
        yield _of(
            pod,
            "Killing",
            f"Container {name} failed liveness probe, will be restarted",
            liveness[0].ended,
            run.ended,
            len(liveness),
            path=path,
        )
    if len(failed) > 1 and pod.deleted == inf:
        waits = [min(world.now, _next(runs, r)) - r.ended for r in failed]
        count = max(1, int(sum(waits) // 11.3))
        last = min(world.now - 2.1, _next(runs, failed[-1]) - 0.4)
        yield _of(
            pod,
            "BackOff",
            f"Back-off restarting failed container {name} in pod {pod.name}_{pod.namespace}({pod.uid})",
            failed[0].ended + 1.1,
            max(failed[0].ended + 1.1, last),
            count,
            warning=True,
            path=path,
        )


def _next(runs: list[Run], run: Run) -> float:
    after = [r.started for r in runs if r.started > run.started]
    return after[0] if after else inf


def _stuck(world: World, pod: Pod) -> Iterator[Note]:
    stuck = pod.stuck
    assert stuck
    container = pod.revision.template["spec"]["containers"][0]
    path, image = f"spec.containers{{{container['name']}}}", container["image"]
    waited = world.now - stuck.since
    if stuck.reason in ("ImagePullBackOff", "ErrImagePull"):
        tries = 1 + sum(1 for k in range(1, 40) if waited > min(300, 10 * 2**k) + (300 * max(0, k - 5)))
        pulls = [stuck.since + sum(min(300, 10 * 2**i) for i in range(k)) for k in range(tries)]
        detail = stuck.message.partition("\n")[2] or stuck.message
        yield _of(pod, "Pulling", f'Pulling image "{image}"', pulls[0], pulls[-1], tries, path=path)
        yield _of(
            pod,
            "Failed",
            f'Failed to pull image "{image}": {detail}',
            pulls[0] + 0.4,
            pulls[-1] + 0.4,
            tries,
            warning=True,
            path=path,
        )
        yield _of(pod, "Failed", "Error: ErrImagePull", pulls[0] + 0.4, pulls[-1] + 0.4, tries, warning=True, path=path)
        count = max(1, int(waited // 14))
        yield _of(
            pod,
            "BackOff",
            f'Back-off pulling image "{image}"',
            pulls[0] + 1.2,
            world.now - min(waited, 6.0),
            count,
            path=path,
        )
        yield _of(
            pod,
            "Failed",
            "Error: ImagePullBackOff",
            pulls[0] + 1.2,
            world.now - min(waited, 6.0),
            count,
            warning=True,
            path=path,
        )
    elif stuck.reason in ("CreateContainerConfigError", "CreateContainerError"):
        count = max(1, int(waited // 12.4))
        yield _of(
            pod,
            "Failed",
            f"Error: {stuck.message}",
            stuck.since + 0.2,
            world.now - min(waited, 5.0),
            count,
            warning=True,
            path=path,
        )
        yield _of(
            pod,
            "Pulled",
            f'Container image "{image}" already present on machine',
            stuck.since + 0.1,
            world.now - min(waited, 5.1),
            count,
            path=path,
        )
    elif stuck.message:
        reason = (
            "FailedAttachVolume"
            if "Multi-Attach" in stuck.message or "AttachVolume" in stuck.message
            else "FailedMount"
        )
        by = "attachdetach-controller" if reason == "FailedAttachVolume" else "kubelet"
        yield _of(
            pod,
            reason,
            stuck.message,
            stuck.since,
            world.now - min(waited, 40.0),
            1 + int(waited // 122),
            warning=True,
            component=by,
        )


def _of(
    pod: Pod,
    reason: str,
    message: str,
    first: float,
    last: float,
    count: int = 1,
    *,
    warning: bool = False,
    component: str = "kubelet",
    path: str = "",
) -> Note:
    return Note(
        "Pod",
        pod.namespace,
        pod.name,
        pod.uid,
        reason,
        message,
        first,
        last,
        count,
        warning,
        component,
        pod.node if component == "kubelet" else "",
        path,
    )


def event(world: World, it: Note) -> Json:
    """core/v1. The name is the object's and a hexadecimal moment, as client-go makes it."""
    namespace = it.namespace or "default"
    suffix = f"{int(it.first * 1e9) + dice.number(it.reason, it.message) % 997:016x}"
    source: Json = {"component": it.component}
    if it.host:
        source["host"] = it.host
    involved: Json = {
        "kind": it.kind,
        "name": it.name,
        "uid": it.uid,
        "apiVersion": it.api_version,
        "resourceVersion": world.resource_version(it.first, it.name),
    }
    if it.namespace:
        involved["namespace"] = it.namespace
    if it.field_path:
        involved["fieldPath"] = it.field_path
    return {
        "metadata": {
            "name": f"{it.name}.{suffix}",
            "namespace": namespace,
            "uid": dice.uid(it.uid, it.reason, it.message, it.first),
            "resourceVersion": world.resource_version(it.last, it.reason, it.name),
            "creationTimestamp": it.first,
        },
        "involvedObject": involved,
        "reason": it.reason,
        "message": it.message,
        "source": source,
        "firstTimestamp": it.first,
        "lastTimestamp": it.last,
        "count": it.count,
        "type": "Warning" if it.warning else "Normal",
        "eventTime": None,
        "reportingComponent": it.component,
        "reportingInstance": it.host,
    }
