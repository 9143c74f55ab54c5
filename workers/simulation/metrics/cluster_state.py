"""What kube-state-metrics tells of workloads, nodes, endpoints, quotas and jobs at any moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from math import inf

from workers.simulation import clock
from workers.simulation.api.network import selected
from workers.simulation.api.resources import resource as api_resource
from workers.simulation.cluster import Workload
from workers.simulation.metrics.pod_state import Family, base_labels
from workers.simulation.metrics.series import Series, bound, gauge
from workers.simulation.quantities import amount
from workers.simulation.scene import Scene


def _workloads(scene: Scene, kind: str) -> Iterator[tuple[Workload, dict[str, str]]]:
    base = base_labels(scene)
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
                    {**base_labels(scene), "node": node.name, "condition": condition, "status": status},
                    value,
                    [(node.created, inf)],
                )


def node_unschedulable(scene: Scene) -> Iterable[Series]:
    for node in scene.world.nodes.values():
        yield gauge(
            "kube_node_spec_unschedulable",
            {**base_labels(scene), "node": node.name},
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
                {**base_labels(scene), "node": node.name, "resource": resource, "unit": unit},
                float(value),
                [(node.created, inf)],
            )


def node_info(scene: Scene) -> Iterable[Series]:
    for node in scene.world.nodes.values():
        yield gauge(
            "kube_node_info",
            {
                **base_labels(scene),
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
            {**base_labels(scene), "namespace": it.namespace, "endpoint": it.name},
            bound(lambda s, t: float(sum(1 for p in selected(scene.world, s, t) if p.is_ready(t) == ready)), it),
            spans,
        )


def hpa(scene: Scene) -> Iterator[tuple[dict[str, str], dict[str, float], Workload | None]]:
    for (namespace, name), stored in scene.world.objects.get("HorizontalPodAutoscaler", {}).items():
        spec = stored["spec"]
        workload = scene.world.workloads.get((namespace, spec["scaleTargetRef"]["name"]))
        yield (
            {**base_labels(scene), "namespace": namespace, "horizontalpodautoscaler": name},
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
                        **base_labels(scene),
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
                {**base_labels(scene), "namespace": namespace, "persistentvolumeclaim": name, "phase": phase},
                float(claim["status"]["phase"] == phase),
                [(claim["metadata"]["creationTimestamp"], inf)],
            )


def job_failed(scene: Scene) -> Iterable[Series]:
    """Pods that failed, with the reason of the Job's own failure; without one where the Job went on and ended well."""
    for it, labels in _workloads(scene, "Job"):
        given_up = it.annotations.get("outcome") == "failed"
        failed = [p.failed for p in it.pods if any(r.exit_code for rs in p.runs.values() for r in rs)]
        if given_up or failed:
            yield gauge(
                "kube_job_status_failed",
                {
                    **{k: v for k, v in labels.items() if k != "job"},
                    "job": "kube-state-metrics",
                    "job_name": it.name,
                    "reason": "BackoffLimitExceeded" if given_up else "",
                },
                1.0 if given_up else float(len(failed)),
                [(it.created + 60 if given_up else min(failed) + 1, inf)],
            )


def _cronjob_times(name: str, key: str) -> Family:
    def family(scene: Scene) -> Iterable[Series]:
        found = api_resource("batch", "v1", "cronjobs")
        assert found
        for each in scene.api.all(found):
            if key in each["status"]:
                meta = each["metadata"]
                labels = {**base_labels(scene), "namespace": meta["namespace"], "cronjob": meta["name"]}
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
    "kube_replicaset_owner": replicaset_owner,
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
