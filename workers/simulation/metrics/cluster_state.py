"""What kube-state-metrics tells of the cluster's objects at any moment: replicas, phases, reasons, restarts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from math import inf

from workers.simulation import clock
from workers.simulation.api.network import selected
from workers.simulation.api.resources import resource as api_resource
from workers.simulation.cluster import Pod, Workload
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


def _base(scene: Scene) -> dict[str, str]:
    return {"job": "kube-state-metrics", "instance": instance(scene)}


def _pods(scene: Scene) -> Iterator[tuple[Pod, dict[str, str], list[tuple[float, float]]]]:
    base = _base(scene)
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


def _workloads(scene: Scene, kind: str) -> Iterator[tuple[Workload, dict[str, str]]]:
    base = _base(scene)
    for it in scene.world.workloads.values():
        if it.kind == kind:
            yield it, {**base, "namespace": it.namespace, kind.lower(): it.name}


def _ready_count(it: Workload, at: float) -> float:
    return float(sum(1 for p in it.pods if p.is_ready(at)))


def _count(it: Workload, at: float) -> float:
    return float(sum(1 for p in it.pods if p.created <= at < p.deleted - 2.2 and p.failed > at))


def _updated(it: Workload, at: float) -> float:
    number = max((r.number for r in it.revisions if r.created <= at), default=0)
    return float(sum(1 for p in it.pods if p.created <= at < p.deleted - 2.2 and p.revision.number == number))


def _of_workload(name: str, kind: str, value: Callable[[Workload, float], float]) -> Family:
    def family(scene: Scene) -> Iterable[Series]:
        for it, labels in _workloads(scene, kind):
            yield gauge(name, labels, bound(lambda w, t: value(w, t), it), [(it.created, inf)])

    return family


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


def replicaset_owner(scene: Scene) -> Iterable[Series]:
    for it, labels in _workloads(scene, "Deployment"):
        for revision in it.revisions:
            yield gauge(
                "kube_replicaset_owner",
                {
                    **{k: v for k, v in labels.items() if k != "deployment"},
                    "replicaset": f"{it.name}-{revision.hash}",
                    "owner_kind": "Deployment",
                    "owner_name": it.name,
                    "owner_is_controller": "true",
                },
                1.0,
                [(revision.created, inf)],
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


def generation(scene: Scene) -> Iterable[Series]:
    for it, labels in _workloads(scene, "Deployment"):
        yield gauge(
            "kube_deployment_status_observed_generation",
            labels,
            bound(
                lambda w, t: float(
                    len([r for r in w.revisions if r.created <= t]) + len([1 for at, _ in w.scale if at <= t]) + 2
                ),
                it,
            ),
            [(it.created, inf)],
        )


def deployment_condition(scene: Scene) -> Iterable[Series]:
    for it, labels in _workloads(scene, "Deployment"):
        for condition, value in (("Available", _available), ("Progressing", _progressing)):
            for status in ("true", "false"):
                yield gauge(
                    "kube_deployment_status_condition",
                    {**labels, "condition": condition, "status": status},
                    bound(lambda w, s, v, t: float(v(w, t) == (s == "true")), it, status, value),
                    [(it.created, inf)],
                )


def _available(it: Workload, at: float) -> bool:
    return _ready_count(it, at) >= it.replicas(at) - it.replicas(at) // 4


def _progressing(it: Workload, at: float) -> bool:
    """False when the newest revision has not come up within the deadline of ten minutes."""
    newest = [r for r in it.revisions if r.created <= at]
    if not newest or at - newest[-1].created < 601:
        return True
    mine = [p for p in it.pods if p.revision is newest[-1] and p.created <= at]
    came_up = sum(1 for p in mine if any(start <= at for start, _ in p.ready_spans()))
    return came_up >= len(mine) > 0 or it.replicas(at) == 0


def node_condition(scene: Scene) -> Iterable[Series]:
    for node in scene.world.nodes.values():
        for condition in ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure"):
            for status in ("true", "false", "unknown"):

                def value(at: float, n=node, c: str = condition, s: str = status) -> float:  # type: ignore[no-untyped-def]
                    if at >= n.silent + 40:
                        return float(s == "unknown")
                    said = n.conditions.get(c)
                    now = said[0] if said and said[1] <= at else c == "Ready"
                    return float(s == ("true" if now else "false"))

                yield gauge(
                    "kube_node_status_condition",
                    {**_base(scene), "node": node.name, "condition": condition, "status": status},
                    value,
                    [(node.created, inf)],
                )


def node_unschedulable(scene: Scene) -> Iterable[Series]:
    for node in scene.world.nodes.values():
        yield gauge(
            "kube_node_spec_unschedulable",
            {**_base(scene), "node": node.name},
            bound(lambda n, t: float(t >= n.cordoned), node),
            [(node.created, inf)],
        )


def node_allocatable(scene: Scene) -> Iterable[Series]:
    size = scene.world.company.nodes
    for node in scene.world.nodes.values():
        for resource, unit, value in (
            ("cpu", "core", size.cpu - 0.08),
            ("memory", "byte", size.memory_gib * 2**30 * 0.905),
            ("pods", "integer", float(size.pods)),
        ):
            yield gauge(
                "kube_node_status_allocatable",
                {**_base(scene), "node": node.name, "resource": resource, "unit": unit},
                float(value),
                [(node.created, inf)],
            )


def node_info(scene: Scene) -> Iterable[Series]:
    for node in scene.world.nodes.values():
        yield gauge(
            "kube_node_info",
            {
                **_base(scene),
                "node": node.name,
                "internal_ip": node.ip,
                "kubelet_version": scene.world.company.kubernetes,
                "container_runtime_version": "containerd://1.7.23",
            },
            1.0,
            [(node.created, inf)],
        )


def endpoint_available(scene: Scene) -> Iterable[Series]:
    return _endpoint_counts(scene, "kube_endpoint_address_available", ready=True)


def endpoint_not_ready(scene: Scene) -> Iterable[Series]:
    return _endpoint_counts(scene, "kube_endpoint_address_not_ready", ready=False)


def _endpoint_counts(scene: Scene, name: str, *, ready: bool) -> Iterable[Series]:
    for it in scene.world.services.values():
        spans = []
        for (since, spec), until in zip(it.specs, [*(s for s, _ in it.specs[1:]), inf], strict=True):
            if spec is not None:
                spans.append((since, until))
        yield gauge(
            name,
            {**_base(scene), "namespace": it.namespace, "endpoint": it.name},
            bound(lambda s, t: float(sum(1 for p in selected(scene.world, s, t) if p.is_ready(t) == ready)), it),
            spans,
        )


def hpa(scene: Scene) -> Iterator[tuple[dict[str, str], dict[str, float], Workload | None]]:
    for (namespace, name), stored in scene.world.objects.get("HorizontalPodAutoscaler", {}).items():
        spec = stored["spec"]
        workload = scene.world.workloads.get((namespace, spec["scaleTargetRef"]["name"]))
        yield (
            {**_base(scene), "namespace": namespace, "horizontalpodautoscaler": name},
            {"min": float(spec["minReplicas"]), "max": float(spec["maxReplicas"])},
            workload,
        )


def hpa_max(scene: Scene) -> Iterable[Series]:
    for labels, bounds, _ in hpa(scene):
        yield gauge("kube_horizontalpodautoscaler_spec_max_replicas", labels, bounds["max"])


def hpa_current(scene: Scene) -> Iterable[Series]:
    for labels, _, workload in hpa(scene):
        if workload:
            yield gauge(
                "kube_horizontalpodautoscaler_status_current_replicas",
                labels,
                bound(lambda w, t: float(w.replicas(t)), workload),
            )


def quota(scene: Scene) -> Iterable[Series]:
    found = api_resource("", "v1", "resourcequotas")
    assert found
    for each in scene.api.all(found):
        for key, hard in each["status"]["hard"].items():
            for kind, value in (("hard", hard), ("used", each["status"]["used"][key])):
                yield gauge(
                    "kube_resourcequota",
                    {
                        **_base(scene),
                        "namespace": each["metadata"]["namespace"],
                        "resourcequota": each["metadata"]["name"],
                        "resource": key,
                        "type": kind,
                    },
                    amount(value),
                )


def claim_phase(scene: Scene) -> Iterable[Series]:
    for (namespace, name), claim in scene.world.objects.get("PersistentVolumeClaim", {}).items():
        for phase in ("Bound", "Pending", "Lost"):
            yield gauge(
                "kube_persistentvolumeclaim_status_phase",
                {**_base(scene), "namespace": namespace, "persistentvolumeclaim": name, "phase": phase},
                float(claim["status"]["phase"] == phase),
                [(claim["metadata"]["creationTimestamp"], inf)],
            )


def job_failed(scene: Scene) -> Iterable[Series]:
    for it, labels in _workloads(scene, "Job"):
        if it.annotations.get("outcome") == "failed":
            yield gauge(
                "kube_job_status_failed",
                {
                    **{k: v for k, v in labels.items() if k != "job"},
                    "job": "kube-state-metrics",
                    "job_name": it.name,
                    "reason": "BackoffLimitExceeded",
                },
                1.0,
                [(it.created + 60, inf)],
            )


def _cronjob_times(name: str, key: str) -> Family:
    def family(scene: Scene) -> Iterable[Series]:
        found = api_resource("batch", "v1", "cronjobs")
        assert found
        for each in scene.api.all(found):
            if key in each["status"]:
                meta = each["metadata"]
                labels = {**_base(scene), "namespace": meta["namespace"], "cronjob": meta["name"]}
                yield gauge(name, labels, clock.moment(each["status"][key]))

    return family


FAMILIES: dict[str, Family] = {
    "kube_deployment_spec_replicas": _of_workload(
        "kube_deployment_spec_replicas", "Deployment", lambda w, t: float(w.replicas(t))
    ),
    "kube_deployment_status_replicas": _of_workload("kube_deployment_status_replicas", "Deployment", _count),
    "kube_deployment_status_replicas_available": _of_workload(
        "kube_deployment_status_replicas_available", "Deployment", _ready_count
    ),
    "kube_deployment_status_replicas_ready": _of_workload(
        "kube_deployment_status_replicas_ready", "Deployment", _ready_count
    ),
    "kube_deployment_status_replicas_unavailable": _of_workload(
        "kube_deployment_status_replicas_unavailable",
        "Deployment",
        lambda w, t: max(0.0, max(_count(w, t), float(w.replicas(t))) - _ready_count(w, t)),
    ),
    "kube_deployment_status_replicas_updated": _of_workload(
        "kube_deployment_status_replicas_updated", "Deployment", _updated
    ),
    "kube_deployment_status_observed_generation": generation,
    "kube_deployment_status_condition": deployment_condition,
    "kube_deployment_created": _of_workload("kube_deployment_created", "Deployment", lambda w, _t: w.created),
    "kube_statefulset_replicas": _of_workload(
        "kube_statefulset_replicas", "StatefulSet", lambda w, t: float(w.replicas(t))
    ),
    "kube_statefulset_status_replicas_ready": _of_workload(
        "kube_statefulset_status_replicas_ready", "StatefulSet", _ready_count
    ),
    "kube_daemonset_status_number_ready": _of_workload("kube_daemonset_status_number_ready", "DaemonSet", _ready_count),
    "kube_daemonset_status_desired_number_scheduled": _of_workload(
        "kube_daemonset_status_desired_number_scheduled", "DaemonSet", lambda w, t: float(w.replicas(t))
    ),
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
    "kube_replicaset_owner": replicaset_owner,
    "kube_pod_container_resource_limits": _resources("kube_pod_container_resource_limits", "limits"),
    "kube_pod_container_resource_requests": _resources("kube_pod_container_resource_requests", "requests"),
    "kube_node_status_condition": node_condition,
    "kube_node_spec_unschedulable": node_unschedulable,
    "kube_node_status_allocatable": node_allocatable,
    "kube_node_info": node_info,
    "kube_endpoint_address_available": endpoint_available,
    "kube_endpoint_address_not_ready": endpoint_not_ready,
    "kube_horizontalpodautoscaler_spec_max_replicas": hpa_max,
    "kube_horizontalpodautoscaler_status_current_replicas": hpa_current,
    "kube_resourcequota": quota,
    "kube_persistentvolumeclaim_status_phase": claim_phase,
    "kube_job_status_failed": job_failed,
    **{
        name: _cronjob_times(name, key)
        for name, key in (
            ("kube_cronjob_status_last_successful_time", "lastSuccessfulTime"),
            ("kube_cronjob_status_last_schedule_time", "lastScheduleTime"),
        )
    },
}
