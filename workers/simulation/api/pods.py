"""A pod as the API shows it: spec with what admission adds, status as the kubelet reports it."""

from __future__ import annotations

from math import inf

from workers.simulation import dice
from workers.simulation.cluster import Json, Pod, Run
from workers.simulation.copied import copied
from workers.simulation.quantities import amount
from workers.simulation.world import World, managed


def pod(world: World, it: Pod) -> Json:
    spec = _spec(world, it)
    status = _status(world, it, spec)
    latest = max(_moments(it, world.now))
    owner_kind, owner_name, owner_uid = _owner(it)
    metadata: Json = {
        "name": it.name,
        "namespace": it.namespace,
        "uid": it.uid,
        "resourceVersion": world.resource_version(latest, it.name),
        "creationTimestamp": it.created,
        "labels": it.all_labels(),
        "annotations": dict(it.revision.template["metadata"].get("annotations", {})),
        "ownerReferences": [
            {
                "apiVersion": "batch/v1" if owner_kind == "Job" else "apps/v1",
                "kind": owner_kind,
                "name": owner_name,
                "uid": owner_uid,
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ],
        "managedFields": [
            managed(
                "kube-controller-manager", it.created, {"f:metadata": {"f:labels": {}}, "f:spec": {"f:containers": {}}}
            ),
            managed(
                "kubelet", latest, {"f:status": {"f:conditions": {}, "f:containerStatuses": {}}}, subresource="status"
            ),
        ],
    }
    if it.workload.kind == "Deployment":
        metadata["generateName"] = f"{it.workload.name}-{it.revision.hash}-"
    if it.deleted < inf:
        metadata["deletionTimestamp"] = it.deleted + 28
        metadata["deletionGracePeriodSeconds"] = 30
    elif it.held < world.now:
        metadata["deletionTimestamp"] = it.held + 30
        metadata["deletionGracePeriodSeconds"] = 30
    elif world.nodes.get(it.node) and it.lost + 340 < world.now and it.workload.kind != "DaemonSet":
        metadata["deletionTimestamp"] = it.lost + 340
        metadata["deletionGracePeriodSeconds"] = 30
    return {"metadata": metadata, "spec": spec, "status": status}


def _owner(it: Pod) -> tuple[str, str, str]:
    if it.workload.kind == "Deployment":
        return "ReplicaSet", f"{it.workload.name}-{it.revision.hash}", it.revision.uid
    return it.workload.kind, it.workload.name, it.workload.uid


def _moments(it: Pod, now: float) -> list[float]:
    """When its status changed."""
    found = [it.created]
    for runs in (*it.runs.values(), it.init_runs):
        found += [t for r in runs for t in (r.started, r.ready, r.ended, r.unready) if t <= now]
    if it.scheduled <= now:
        found.append(it.scheduled)
    return found


def _spec(world: World, it: Pod) -> Json:
    spec: Json = copied(it.revision.template["spec"])
    token = f"kube-api-access-{dice.letters(5, it.uid)}"
    if it.workload.kind == "StatefulSet":
        for volume in spec.get("volumes", []):
            if volume["name"] == "data":
                volume["persistentVolumeClaim"] = {"claimName": f"data-{it.name}"}
    spec.setdefault("volumes", []).append(
        {
            "name": token,
            "projected": {
                "defaultMode": 420,
                "sources": [
                    {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                    {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
                    {
                        "downwardAPI": {
                            "items": [
                                {
                                    "path": "namespace",
                                    "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"},
                                }
                            ]
                        }
                    },
                ],
            },
        }
    )
    for container in (*spec["containers"], *spec.get("initContainers", [])):
        container.setdefault("volumeMounts", []).append(
            {"name": token, "readOnly": True, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}
        )
    if it.node:
        spec["nodeName"] = it.node
    spec.setdefault("priority", 0)
    spec["preemptionPolicy"] = "PreemptLowerPriority"
    spec["enableServiceLinks"] = True
    spec.setdefault("tolerations", []).extend(
        {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
        for key in ("not-ready", "unreachable")
    )
    return spec


def _qos(spec: Json) -> str:
    resources = [c.get("resources", {}) for c in spec["containers"]]
    if not any(r.get("requests") or r.get("limits") for r in resources):
        return "BestEffort"
    same = all(
        r.get("limits", {}).keys() >= {"cpu", "memory"}
        and all(
            amount(r.get("requests", r["limits"]).get(k, r["limits"][k])) == amount(r["limits"][k])
            for k in ("cpu", "memory")
        )
        for r in resources
    )
    return "Guaranteed" if same else "Burstable"


def _status(world: World, it: Pod, spec: Json) -> Json:
    now = world.now
    status: Json = {"phase": _phase(it, now), "conditions": _conditions(world, it), "qosClass": _qos(spec)}
    if it.evicted:
        return {
            "phase": "Failed",
            "reason": "Evicted",
            "message": it.evicted,
            "startTime": it.scheduled,
            "qosClass": status["qosClass"],
            "conditions": [
                {
                    "type": "DisruptionTarget",
                    "status": "True",
                    "reason": "TerminationByKubelet",
                    "message": it.evicted,
                    "lastTransitionTime": it.failed,
                }
            ],
            "hostIP": world.nodes[it.node].ip,
            "podIP": it.ip,
        }
    if it.node:
        status["hostIP"] = world.nodes[it.node].ip
        status["hostIPs"] = [{"ip": status["hostIP"]}]
        status["startTime"] = it.scheduled
        if it.ip and not (it.stuck and it.stuck.reason == "ContainerCreating"):
            status["podIP"] = it.ip
            status["podIPs"] = [{"ip": it.ip}]
        if spec.get("initContainers"):
            status["initContainerStatuses"] = [_init_status(world, it, c) for c in spec["initContainers"]]
        status["containerStatuses"] = [_container_status(world, it, c) for c in spec["containers"]]
    return status


def _phase(it: Pod, now: float) -> str:
    if it.failed <= now:
        return "Succeeded" if all(r[-1].exit_code == 0 for r in it.runs.values() if r) else "Failed"
    started = any(r.started <= now for runs in it.runs.values() for r in runs)
    return "Running" if started and all(it.runs.values()) else "Pending"


def _init_status(world: World, it: Pod, container: Json) -> Json:
    runs = it.init_runs or (
        [Run(it.init_done - 1.2, inf, it.init_done, "Completed", 0)] if it.init_done <= world.now else []
    )
    return _one_status(world, it, container, runs, ready=it.init_done <= world.now, waiting="PodInitializing")


def _container_status(world: World, it: Pod, container: Json) -> Json:
    runs = it.runs.get(container["name"], [])
    ready = bool(runs) and runs[-1].ready <= world.now < runs[-1].ready_until and it.lost > world.now
    return _one_status(
        world, it, container, runs, ready=ready, waiting="PodInitializing" if it.init_runs else "ContainerCreating"
    )


def _one_status(world: World, it: Pod, container: Json, runs: list[Run], *, ready: bool, waiting: str) -> Json:
    now = world.now
    past = [r for r in runs if r.started <= now]
    latest = past[-1] if past else None
    running = latest if latest and latest.ended > now else None
    finished = [r for r in past if r.ended <= now]
    image = container["image"]
    status: Json = {
        "name": container["name"],
        "image": image,
        "imageID": f"{image.rpartition(':')[0]}@sha256:{dice.hexadecimal(64, image)}" if past else "",
        "ready": ready,
        "started": running is not None,
        "restartCount": max(0, len(past) - 1),
        "state": {},
        "lastState": {},
    }
    if past:
        status["containerID"] = f"containerd://{dice.hexadecimal(64, it.uid, container['name'], len(past))}"
    if running:
        status["state"] = {"running": {"startedAt": running.started}}
        if finished:
            status["lastState"] = {"terminated": _terminated(it, container, finished[-1], len(finished))}
    elif finished and (
        it.failed <= now
        or (runs is it.init_runs and finished[-1].exit_code == 0)
        or it.revision.template["spec"]["restartPolicy"] == "Never"
        or ready
    ):
        status["state"] = {"terminated": _terminated(it, container, finished[-1], len(finished))}
    elif finished:
        status["state"] = {"waiting": _back_off(it, container, len(finished))}
        status["lastState"] = {"terminated": _terminated(it, container, finished[-1], len(finished))}
    else:
        stuck = it.stuck
        status["state"] = {
            "waiting": {"reason": stuck.reason, "message": stuck.message.partition("\n")[0]}
            if stuck and stuck.stage == "container" and stuck.reason != "ContainerCreating"
            else {"reason": waiting}
        }
    return status


def _back_off(it: Pod, container: Json, count: int) -> Json:
    wait = ("10s", "20s", "40s", "1m20s", "2m40s", "5m0s")[min(count - 1, 5)]
    return {
        "reason": "CrashLoopBackOff",
        "message": f"back-off {wait} restarting failed container={container['name']} pod={it.name}_{it.namespace}({it.uid})",  # noqa: E501
    }


def _terminated(it: Pod, container: Json, run: Run, number: int) -> Json:
    made: Json = {
        "exitCode": run.exit_code,
        "reason": run.reason,
        "startedAt": run.started,
        "finishedAt": run.ended,
        "containerID": f"containerd://{dice.hexadecimal(64, it.uid, container['name'], number)}",
    }
    if run.reason == "StartError":  # the runtime never started it, and the kubelet reports the zero of time
        made.update(startedAt=0.0, message=run.message)
    return made


def _conditions(world: World, it: Pod) -> list[Json]:
    now = world.now
    if it.stuck and it.stuck.stage == "scheduling":
        return (
            [
                {
                    "type": "PodScheduled",
                    "status": "False",
                    "reason": it.stuck.reason,
                    "message": it.stuck.message,
                    "lastProbeTime": None,
                    "lastTransitionTime": it.created,
                }
            ]
            if it.stuck.message
            else []
        )
    if not it.node:
        return []
    initialized = not it.revision.template["spec"].get("initContainers") or it.init_done <= now
    done = it.failed <= now
    ready, since = _ready_now(it, now)
    names = [c["name"] for c in it.revision.template["spec"]["containers"]]
    reason = (
        {}
        if ready
        else {"reason": "PodCompleted"}
        if done
        else {"reason": "ContainersNotReady", "message": f"containers with unready status: [{' '.join(names)}]"}
    )
    inits = it.revision.template["spec"].get("initContainers", [])
    not_init = (
        {}
        if initialized
        else {
            "reason": "ContainersNotInitialized",
            "message": f"containers with incomplete status: [{' '.join(c['name'] for c in inits)}]",
        }
    )
    made = [
        _condition("PodReadyToStartContainers", bool(it.ip) and not done, it.created + 1.4),
        _condition(
            "Initialized", initialized, it.init_done if initialized and it.init_done < inf else it.created, **not_init
        ),
        _condition("Ready", ready, since, **reason),
        _condition("ContainersReady", ready, since, **reason),
        _condition("PodScheduled", True, it.scheduled),
    ]
    if it.lost <= now:
        made[2] = _condition("Ready", False, it.lost + 40)
    return made


def _condition(kind: str, status: bool, since: float, **more: str) -> Json:
    return {
        "type": kind,
        "status": "True" if status else "False",
        "lastProbeTime": None,
        "lastTransitionTime": since,
        **more,
    }


def _ready_now(it: Pod, now: float) -> tuple[bool, float]:
    """Whether it is ready, and since when it is so."""
    last = it.created
    for start, end in it.ready_spans():
        if start <= now < end:
            return True, start
        if end <= now:
            last = end
    return False, last
