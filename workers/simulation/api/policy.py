"""Quotas and autoscalers, with the status that their controllers would have written by now."""

from __future__ import annotations

from math import ceil, inf

from workers.simulation.cluster import Json, Pod
from workers.simulation.copied import copied
from workers.simulation.quantities import amount, cores, mebibytes
from workers.simulation.usage import Cpu
from workers.simulation.world import World


def quota(world: World, stored: Json) -> Json:
    """`status.used` is the sum over the namespace."""
    made = copied(stored)
    namespace = made["metadata"]["namespace"]
    hard = made["spec"]["hard"]
    pods = [
        p
        for w in world.workloads.values()
        if w.namespace == namespace
        for p in w.present(world.now)
        if p.deleted == inf and p.failed > world.now
    ]
    made["status"] = {"hard": dict(hard), "used": {key: used(world, namespace, key, pods) for key in hard}}
    return made


def used(world: World, namespace: str, key: str, pods: list[Pod]) -> str:
    """One key of a quota, as the quota controller counts it."""
    if key == "pods":
        return str(len(pods))
    if key == "services":
        return str(sum(1 for (space, _), s in world.services.items() if space == namespace and s.spec(world.now)))
    if key == "persistentvolumeclaims":
        return str(sum(1 for space, _ in world.objects.get("PersistentVolumeClaim", {}) if space == namespace))
    if key == "requests.storage":
        claims = [c for (space, _), c in world.objects.get("PersistentVolumeClaim", {}).items() if space == namespace]
        return mebibytes(sum(amount(c["spec"]["resources"]["requests"]["storage"]) for c in claims))
    section, _, resource = key.rpartition(".")
    total = sum(requested(p, resource, section or "requests") for p in pods)
    return cores(round(total, 3)) if resource == "cpu" else mebibytes(total)


def requested(pod: Pod, resource: str, section: str = "requests") -> float:
    return sum(
        amount(c.get("resources", {}).get(section, {}).get(resource, "0") or "0")
        for c in pod.revision.template["spec"]["containers"]
    )


def first_version(it: Json) -> Json:
    """The same as autoscaling/v1 shows it: only the CPU has fields of its own there."""
    spec, status = it["spec"], it["status"]
    cpu = next((m["resource"] for m in spec.get("metrics", ()) if m.get("resource", {}).get("name") == "cpu"), None)
    now: Json = next(
        (m["resource"] for m in status.get("currentMetrics") or () if m.get("resource", {}).get("name") == "cpu"), {}
    )
    kept = {k: spec[k] for k in ("scaleTargetRef", "minReplicas", "maxReplicas") if k in spec}
    counts = {
        k: status[k]
        for k in ("observedGeneration", "lastScaleTime", "currentReplicas", "desiredReplicas")
        if k in status
    }
    used = now.get("current", {}).get("averageUtilization")
    return {
        "metadata": it["metadata"],
        "spec": {**kept, **({"targetCPUUtilizationPercentage": cpu["target"]["averageUtilization"]} if cpu else {})},
        "status": {**counts, **({"currentCPUUtilizationPercentage": used} if used is not None else {})},
    }


def autoscaler(world: World, cpu: Cpu, stored: Json) -> Json:
    made = copied(stored)
    spec, namespace = made["spec"], made["metadata"]["namespace"]
    target = spec["scaleTargetRef"]["name"]
    workload = world.workloads.get((namespace, target))
    conditions: list[Json] = []
    since = made["metadata"]["creationTimestamp"] + 15
    if workload is None:
        changed = made["metadata"].get("managedFields", [{"time": since}])[-1]["time"]
        conditions.append(
            _condition(
                "AbleToScale",
                False,
                changed,
                "FailedGetScale",
                f'the HPA controller was unable to get the target\'s current scale: deployments/scale.apps "{target}" not found',  # noqa: E501
            )
        )
        made["status"] = {"currentReplicas": 0, "desiredReplicas": 0, "currentMetrics": None, "conditions": conditions}
        return made
    wanted = workload.replicas(world.now)
    conditions.append(
        _condition("AbleToScale", True, since, "ReadyForNewScale", "recommended size matches current size")
    )
    resource = spec["metrics"][0]["resource"]["name"]
    pods = [p for p in workload.present(world.now) if p.run_at(world.now)]
    request = min((requested(p, resource) for p in pods), default=0.0)
    goal = spec["metrics"][0]["resource"]["target"]["averageUtilization"]
    status: Json = {
        "observedGeneration": 1,
        "currentReplicas": wanted,
        "desiredReplicas": wanted,
        "currentMetrics": None,
    }
    if not request:
        changed = workload.revision.created + 30
        name = workload.part.name
        text = f"the HPA was unable to compute the replica count: failed to get {resource} utilization: missing request for {resource} in container {name} of Pod {pods[0].name if pods else target}"  # noqa: E501
        conditions.append(_condition("ScalingActive", False, changed, "FailedGetResourceMetric", text))
    else:
        average = sum(cpu.cores(p, world.now) for p in pods) / len(pods) if pods else 0.0
        percent = int(average / request * 100)
        status["currentMetrics"] = [
            {
                "type": "Resource",
                "resource": {
                    "name": resource,
                    "current": {"averageUtilization": percent, "averageValue": f"{int(average * 1000)}m"},
                },
            }
        ]
        conditions.append(
            _condition(
                "ScalingActive",
                True,
                since + 16,
                "ValidMetricFound",
                f"the HPA was able to successfully calculate a replica count from {resource} resource utilization (percentage of request)",  # noqa: E501
            )
        )
        ideal = ceil(wanted * percent / goal) if goal else wanted
        if ideal > spec["maxReplicas"]:
            conditions.append(
                _condition(
                    "ScalingLimited",
                    True,
                    world.now - 600,
                    "TooManyReplicas",
                    "the desired replica count is more than the maximum replica count",
                )
            )
        elif ideal < spec["minReplicas"] == wanted:
            conditions.append(
                _condition(
                    "ScalingLimited",
                    True,
                    since + 300,
                    "TooFewReplicas",
                    "the desired replica count is less than the minimum replica count",
                )
            )
        else:
            conditions.append(
                _condition(
                    "ScalingLimited",
                    False,
                    since + 300,
                    "DesiredWithinRange",
                    "the desired count is within the acceptable range",
                )
            )
    status["conditions"] = conditions
    if len(workload.scale) > 1:
        status["lastScaleTime"] = workload.scale[-1][0]
    made["status"] = status
    return made


def _condition(kind: str, status: bool, since: float, reason: str, message: str) -> Json:
    return {
        "type": kind,
        "status": "True" if status else "False",
        "lastTransitionTime": since,
        "reason": reason,
        "message": message,
    }
