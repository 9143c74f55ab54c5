"""What kube-state-metrics tells of pods and their containers at any moment: phases, reasons, restarts, requests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from math import inf

from workers.simulation.cluster import Pod
from workers.simulation.company import Job
from workers.simulation.metrics.series import Series, bound, gauge
from workers.simulation.quantities import amount
from workers.simulation.scene import Scene

Family = Callable[[Scene], Iterable[Series]]


def instance(scene: Scene) -> str:
    try:
        pods = scene.world.workload("kube-state-metrics").pods
    except KeyError:
        return ""
    return f"{pods[0].ip}:8080"


def base_labels(scene: Scene) -> dict[str, str]:
    return {"job": "kube-state-metrics", "instance": instance(scene)}


def _pods(scene: Scene) -> Iterator[tuple[Pod, dict[str, str], list[tuple[float, float]]]]:
    base = base_labels(scene)
    for workload in scene.world.workloads.values():
        for pod in workload.pods:
            yield (
                pod,
                {**base, "namespace": pod.namespace, "pod": pod.name, "uid": pod.uid},
                [(pod.created, pod.deleted)],
            )


def _containers(scene: Scene) -> Iterator[tuple[Pod, str, dict[str, str], list[tuple[float, float]]]]:
    for pod, labels, spans in _pods(scene):
        for container in pod.revision.template["spec"]["containers"]:
            yield pod, container["name"], {**labels, "container": container["name"]}, spans


def restarts(scene: Scene) -> Iterable[Series]:
    for pod, name, labels, spans in _containers(scene):
        yield gauge(
            "kube_pod_container_status_restarts_total",
            labels,
            bound(lambda p, c, t: float(p.restarts(t, c)), pod, name),
            spans,
        )


def container_ready(scene: Scene) -> Iterable[Series]:
    for pod, name, labels, spans in _containers(scene):
        yield gauge(
            "kube_pod_container_status_ready",
            labels,
            bound(lambda p, c, t: _container_is_ready(p, c, t), pod, name),
            spans,
        )


def _container_is_ready(pod: Pod, container: str, at: float) -> float:
    run = pod.run_at(at, container)
    return 1.0 if run and run.ready <= at < run.ready_until else 0.0


def container_running(scene: Scene) -> Iterable[Series]:
    for pod, name, labels, spans in _containers(scene):
        yield gauge(
            "kube_pod_container_status_running",
            labels,
            bound(lambda p, c, t: 1.0 if p.run_at(t, c) else 0.0, pod, name),
            spans,
        )


def waiting_reason(scene: Scene) -> Iterable[Series]:
    """A series for a reason exists only while it is the reason."""
    for pod, name, labels, _ in _containers(scene):
        runs = pod.runs.get(name, [])
        gaps = [(a.ended, b.started) for a, b in pairwise(runs)]
        if runs and runs[-1].ended < inf and pod.failed == inf:
            gaps.append((runs[-1].ended, pod.deleted))
        gaps = [(a + 1, min(b, pod.deleted)) for a, b in gaps if min(b, pod.deleted) - a > 2]
        if gaps:
            yield gauge("kube_pod_container_status_waiting_reason", {**labels, "reason": "CrashLoopBackOff"}, 1.0, gaps)
        if pod.stuck and pod.stuck.stage == "container":
            yield gauge(
                "kube_pod_container_status_waiting_reason",
                {**labels, "reason": pod.stuck.reason},
                1.0,
                [(pod.stuck.since, min(pod.stuck.until, pod.deleted))],
            )


def last_terminated(scene: Scene) -> Iterable[Series]:
    for pod, name, labels, _ in _containers(scene):
        ends = [(r.ended, r.reason) for r in pod.runs.get(name, ()) if r.ended < min(inf, pod.deleted - 1)]
        for reason in sorted({reason for _, reason in ends}):
            spans = [
                (end, min(nxt, pod.deleted))
                for (end, why), nxt in zip(ends, [*(e for e, _ in ends[1:]), pod.deleted], strict=False)
                if why == reason
            ]
            yield gauge("kube_pod_container_status_last_terminated_reason", {**labels, "reason": reason}, 1.0, spans)


def last_exit(scene: Scene) -> Iterable[Series]:
    for pod, name, labels, _ in _containers(scene):
        ends = [r for r in pod.runs.get(name, ()) if r.ended < pod.deleted - 1]
        if ends:
            yield gauge(
                "kube_pod_container_status_last_terminated_exitcode",
                labels,
                bound(lambda e, t: float(next((r.exit_code for r in reversed(e) if r.ended <= t), 0)), ends),
                [(ends[0].ended, pod.deleted)],
            )


def phases(scene: Scene) -> Iterable[Series]:
    for pod, labels, spans in _pods(scene):
        for phase in ("Pending", "Running", "Succeeded", "Failed", "Unknown"):
            yield gauge(
                "kube_pod_status_phase",
                {**labels, "phase": phase},
                bound(lambda p, s, t: 1.0 if _phase(p, t) == s else 0.0, pod, phase),
                spans,
            )


def _phase(pod: Pod, at: float) -> str:
    if pod.failed <= at:
        return (
            "Succeeded"
            if isinstance(pod.workload.part, Job) and pod.workload.annotations.get("outcome") != "failed"
            else "Failed"
        )
    return "Running" if any(r.started <= at for runs in pod.runs.values() for r in runs) else "Pending"


def pod_ready(scene: Scene) -> Iterable[Series]:
    for pod, labels, spans in _pods(scene):
        for condition in ("true", "false"):
            yield gauge(
                "kube_pod_status_ready",
                {**labels, "condition": condition},
                bound(lambda p, c, t: float(p.is_ready(t) == (c == "true")), pod, condition),
                spans,
            )


def unschedulable(scene: Scene) -> Iterable[Series]:
    for pod, labels, _ in _pods(scene):
        if pod.stuck and pod.stuck.stage == "scheduling" and pod.stuck.message:
            yield gauge(
                "kube_pod_status_unschedulable", labels, 1.0, [(pod.created, min(pod.deleted, pod.stuck.until))]
            )


def pod_info(scene: Scene) -> Iterable[Series]:
    for pod, labels, spans in _pods(scene):
        kind = "ReplicaSet" if pod.workload.kind == "Deployment" else pod.workload.kind
        owner = f"{pod.workload.name}-{pod.revision.hash}" if kind == "ReplicaSet" else pod.workload.name
        host = scene.world.nodes[pod.node].ip if pod.node else ""
        yield gauge(
            "kube_pod_info",
            {
                **labels,
                "node": pod.node,
                "host_ip": host,
                "pod_ip": pod.ip,
                "created_by_kind": kind,
                "created_by_name": owner,
            },
            1.0,
            spans,
        )


def pod_owner(scene: Scene) -> Iterable[Series]:
    for pod, labels, spans in _pods(scene):
        kind = "ReplicaSet" if pod.workload.kind == "Deployment" else pod.workload.kind
        owner = f"{pod.workload.name}-{pod.revision.hash}" if kind == "ReplicaSet" else pod.workload.name
        yield gauge(
            "kube_pod_owner",
            {**labels, "owner_kind": kind, "owner_name": owner, "owner_is_controller": "true"},
            1.0,
            spans,
        )


def _resources(name: str, section: str) -> Family:
    def family(scene: Scene) -> Iterable[Series]:
        for pod, container, labels, spans in _containers(scene):
            spec = next(c for c in pod.revision.template["spec"]["containers"] if c["name"] == container)
            for resource, quantity in spec.get("resources", {}).get(section, {}).items():
                unit = "core" if resource == "cpu" else "byte"
                yield gauge(
                    name, {**labels, "node": pod.node, "resource": resource, "unit": unit}, amount(quantity), spans
                )

    return family


FAMILIES: dict[str, Family] = {
    "kube_pod_container_status_restarts_total": restarts,
    "kube_pod_container_status_ready": container_ready,
    "kube_pod_container_status_running": container_running,
    "kube_pod_container_status_waiting_reason": waiting_reason,
    "kube_pod_container_status_last_terminated_reason": last_terminated,
    "kube_pod_container_status_last_terminated_exitcode": last_exit,
    "kube_pod_status_phase": phases,
    "kube_pod_status_ready": pod_ready,
    "kube_pod_status_unschedulable": unschedulable,
    "kube_pod_info": pod_info,
    "kube_pod_owner": pod_owner,
    "kube_pod_container_resource_limits": _resources("kube_pod_container_resource_limits", "limits"),
    "kube_pod_container_resource_requests": _resources("kube_pod_container_resource_requests", "requests"),
}
