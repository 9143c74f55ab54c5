# ruff: noqa: E501  (the wordings of Kubernetes are quoted whole)
"""Objects in the wire shapes of the Kubernetes API reference (v1.33): what a healthy shop looks like, and words to
change it. Times are given as minutes before NOW.
"""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from skills.contract import Focus, Symptom, Window
from skills.kubernetes import analyzers
from skills.kubernetes.kinds import CLUSTER_ROLE, CLUSTER_ROLE_BINDING, IN_NAMESPACE, LEASE, OF_CLUSTER, OPTIONAL
from skills.kubernetes.snapshot import Snapshot

Obj = dict[str, Any]
NOW = datetime(2026, 3, 14, 15, 0, tzinfo=UTC)
WINDOW = Window(NOW - timedelta(minutes=60), NOW)
NS = "shop"


def ago(minutes: float) -> str:
    return f"{NOW - timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"


def meta(name: str, *, namespace: str | None = NS, labels: Obj | None = None, age: float = 10000, **more: Any) -> Obj:
    found: Obj = {
        "name": name,
        "uid": f"uid-{namespace}-{name}",
        "creationTimestamp": ago(age),
        "resourceVersion": "100",
    }
    if namespace:
        found["namespace"] = namespace
    if labels:
        found["labels"] = labels
    return {**found, **more}


def owner(kind: str, name: str, api: str = "apps/v1") -> list[Obj]:
    return [
        {
            "apiVersion": api,
            "kind": kind,
            "name": name,
            "uid": f"uid-{NS}-{name}",
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]


def container(
    name: str = "app", image: str = "registry.example.com/shop/cart:1.4.1", port: int | None = 8080, **more: Any
) -> Obj:
    found: Obj = {"name": name, "image": image, "imagePullPolicy": "IfNotPresent", "terminationMessagePath": "/dev/termination-log",
                  "terminationMessagePolicy": "File", "resources": {}}  # fmt: skip
    if port:
        found["ports"] = [{"containerPort": port, "protocol": "TCP"}]
    return {**found, **more}


def pod_spec(*containers: Obj, **more: Any) -> Obj:
    return {
        "containers": list(containers) or [container()],
        "restartPolicy": "Always",
        "dnsPolicy": "ClusterFirst",
        "serviceAccountName": "default",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "terminationGracePeriodSeconds": 30,
        **more,
    }


def conditions(**states: tuple[str, str, str] | str) -> list[Obj]:
    """`Ready="True"`, or `Ready=("False", "ContainersNotReady", "containers with unready status: [app]")`."""
    found = []
    for kind, state in states.items():
        status, reason, message = (state, "", "") if isinstance(state, str) else state
        each = {"type": kind, "status": status, "lastTransitionTime": ago(30), "lastProbeTime": None}
        found.append({**each, **({"reason": reason} if reason else {}), **({"message": message} if message else {})})
    return found


READY = conditions(Initialized="True", Ready="True", ContainersReady="True", PodScheduled="True")
UNREADY = conditions(
    Initialized="True",
    Ready=("False", "ContainersNotReady", "containers with unready status: [app]"),
    ContainersReady=("False", "ContainersNotReady", "containers with unready status: [app]"),
    PodScheduled="True",
)


def running(
    name: str = "app", *, ready: bool = True, restarts: int = 0, since: float = 9000, image: str = "", **more: Any
) -> Obj:
    return {
        "name": name, "ready": ready, "started": True, "restartCount": restarts, "image": image or "registry.example.com/shop/cart:1.4.1",
        "imageID": "registry.example.com/shop/cart@sha256:0f", "containerID": f"containerd://{name}", "lastState": {},
        "state": {"running": {"startedAt": ago(since)}}, **more,
    }  # fmt: skip


def waiting(
    reason: str, message: str = "", name: str = "app", *, restarts: int = 0, last: Obj | None = None, image: str = ""
) -> Obj:
    state = {"reason": reason, **({"message": message} if message else {})}
    return {
        "name": name, "ready": False, "started": False, "restartCount": restarts, "imageID": "", "image": image or "registry.example.com/shop/cart:1.4.1",
        "state": {"waiting": state}, "lastState": {"terminated": last} if last else {},
    }  # fmt: skip


def ended(reason: str = "Error", code: int = 1, *, begun: float | None = 6, over: float = 5, message: str = "") -> Obj:
    """lastState.terminated; begun None: the kubelet's 1970 for a container that never started."""
    found: Obj = {"exitCode": code, "reason": reason, "containerID": "containerd://app",
                  "startedAt": ago(begun) if begun is not None else "1970-01-01T00:00:00Z", "finishedAt": ago(over)}  # fmt: skip
    return {**found, **({"message": message} if message else {})}


def pod(name: str, *, labels: Obj, replica_set: str = "", spec: Obj | None = None, statuses: list[Obj] | None = None,
        init: list[Obj] | None = None, phase: str = "Running", conds: list[Obj] | None = None, node: str | None = "node-a",
        age: float = 9000, owners: list[Obj] | None = None, namespace: str = NS, ip: str = "10.244.1.7", **more: Any) -> Obj:  # fmt: skip
    spec = copy.deepcopy(spec or pod_spec())
    if node:
        spec["nodeName"] = node
    if statuses is None:
        statuses = [running(c["name"], image=c["image"]) for c in spec["containers"]] if node else []
    metadata = meta(name, namespace=namespace, labels=labels, age=age)
    if replica_set or owners:
        metadata["ownerReferences"] = owners or owner("ReplicaSet", replica_set)
    state: Obj = {
        "phase": phase,
        "conditions": copy.deepcopy(conds if conds is not None else READY),
        "qosClass": "BestEffort",
    }
    if node:
        state |= {"startTime": ago(age), "hostIP": "192.168.1.10", "podIP": ip, "podIPs": [{"ip": ip}]}
    if statuses:
        state["containerStatuses"] = statuses
    if init:
        state["initContainerStatuses"] = init
    return {"kind": "Pod", "apiVersion": "v1", "metadata": metadata, "spec": spec, "status": {**state, **more}}


def template(labels: Obj, spec: Obj) -> Obj:
    return {"metadata": {"labels": labels}, "spec": copy.deepcopy(spec)}


def deployment(name: str, *, labels: Obj | None = None, spec: Obj | None = None, replicas: int = 1, ready: int | None = None,
               age: float = 10000, revision: int = 1, conds: list[Obj] | None = None, strategy: Obj | None = None, **more: Any) -> Obj:  # fmt: skip
    labels = labels or {"app": name}
    up = replicas if ready is None else ready
    return {
        "kind": "Deployment",
        "apiVersion": "apps/v1",
        "metadata": meta(name, labels=labels, age=age, annotations={"deployment.kubernetes.io/revision": str(revision)}),
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": template(labels, spec or pod_spec()),
            "strategy": strategy or {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
            "progressDeadlineSeconds": 600,
            "revisionHistoryLimit": 10,
            **more,
        },
        "status": {
            "observedGeneration": 1, "replicas": replicas, "updatedReplicas": replicas, "readyReplicas": up, "availableReplicas": up,
            "conditions": conds if conds is not None else [
                {"type": "Available", "status": "True" if up >= replicas else "False", "reason": "MinimumReplicasAvailable",
                 "message": "", "lastTransitionTime": ago(age), "lastUpdateTime": ago(age)},
                {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable", "message": "",
                 "lastTransitionTime": ago(age), "lastUpdateTime": ago(age)},
            ],
        },
    }  # fmt: skip


def replica_set(deploy: str, suffix: str, *, labels: Obj | None = None, spec: Obj | None = None, replicas: int = 1, revision: int = 1,
                age: float = 10000, conds: list[Obj] | None = None) -> Obj:  # fmt: skip
    labels = {**(labels or {"app": deploy}), "pod-template-hash": suffix}
    return {
        "kind": "ReplicaSet",
        "apiVersion": "apps/v1",
        "metadata": meta(
            f"{deploy}-{suffix}",
            labels=labels,
            age=age,
            ownerReferences=owner("Deployment", deploy),
            annotations={
                "deployment.kubernetes.io/revision": str(revision),
                "deployment.kubernetes.io/desired-replicas": "1",
            },
        ),
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": template(labels, spec or pod_spec()),
        },
        "status": {"replicas": replicas, "observedGeneration": 1, **({"conditions": conds} if conds else {})},
    }


def service(name: str, *, selector: Obj | None = None, port: int = 8080, target: int | str | None = None, protocol: str = "TCP",
            age: float = 10000, applied: Obj | None = None, **more: Any) -> Obj:  # fmt: skip
    metadata = meta(name, labels={"app": name}, age=age)
    if applied is not None:
        manifest = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": NS}, "spec": applied}
        metadata["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps(manifest)}
    return {
        "kind": "Service",
        "apiVersion": "v1",
        "metadata": metadata,
        "spec": {
            "type": "ClusterIP", "clusterIP": "10.96.0.20", "clusterIPs": ["10.96.0.20"], "sessionAffinity": "None", "internalTrafficPolicy": "Cluster",
            "selector": {"app": name} if selector is None else selector,
            "ports": [{"port": port, "targetPort": port if target is None else target, "protocol": protocol}], **more,
        },
        "status": {"loadBalancer": {}},
    }  # fmt: skip


def endpoints(service_name: str, *pods: str, ready: bool = True, port: int | None = 8080) -> Obj:
    return {
        "kind": "EndpointSlice",
        "apiVersion": "discovery.k8s.io/v1",
        "metadata": meta(f"{service_name}-x1z2p", labels={"kubernetes.io/service-name": service_name}),
        "addressType": "IPv4",
        "ports": [{"name": "", "port": port, "protocol": "TCP"}] if port else [],
        "endpoints": [
            {"addresses": [f"10.244.1.{i + 7}"], "conditions": {"ready": ready, "serving": ready, "terminating": False},
             "nodeName": "node-a", "targetRef": {"kind": "Pod", "name": p, "namespace": NS}}
            for i, p in enumerate(pods)
        ],
    }  # fmt: skip


def event(kind: str, name: str, reason: str, message: str, *, minutes: float = 5, count: int = 3, first: float | None = None,
          warning: bool = True, namespace: str = NS, field: str = "") -> Obj:  # fmt: skip
    about = {"kind": kind, "name": name, "namespace": namespace, "apiVersion": "v1", "uid": f"uid-{namespace}-{name}"}
    if field:
        about["fieldPath"] = field
    return {
        "kind": "Event",
        "apiVersion": "v1",
        "metadata": meta(f"{name}.{abs(hash((reason, message))) % 10**10:x}", namespace=namespace, age=minutes),
        "involvedObject": about,
        "reason": reason,
        "message": message,
        "type": "Warning" if warning else "Normal",
        "count": count,
        "firstTimestamp": ago(first if first is not None else minutes + 10),
        "lastTimestamp": ago(minutes),
        "source": {"component": "kubelet", "host": "node-a"},
    }


def node(name: str, *, labels: Obj | None = None, taints: list[Obj] | None = None, unschedulable: bool = False,
         conds: list[Obj] | None = None, cpu: str = "4", memory: str = "16Gi") -> Obj:  # fmt: skip
    spec: Obj = {"podCIDR": "10.244.1.0/24"}
    if taints:
        spec["taints"] = taints
    if unschedulable:
        spec["unschedulable"] = True
    healthy = [
        {"type": kind, "status": "True" if kind == "Ready" else "False", "reason": reason, "message": message,
         "lastHeartbeatTime": ago(1), "lastTransitionTime": ago(50000)}
        for kind, reason, message in (
            ("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
            ("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
            ("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
            ("Ready", "KubeletReady", "kubelet is posting ready status"),
        )
    ]  # fmt: skip
    return {
        "kind": "Node",
        "apiVersion": "v1",
        "metadata": meta(name, namespace=None, labels={"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", **(labels or {})}),
        "spec": spec,
        "status": {
            "conditions": conds or healthy,
            "allocatable": {"cpu": cpu, "memory": memory, "pods": "110"},
            "capacity": {"cpu": cpu, "memory": memory, "pods": "110"},
            "addresses": [{"type": "InternalIP", "address": "192.168.1.10"}],
            "nodeInfo": {
                "architecture": "amd64", "bootID": "b", "containerRuntimeVersion": "containerd://1.7.27", "kernelVersion": "6.8", "kubeProxyVersion": "v1.33.1",
                "kubeletVersion": "v1.33.1", "machineID": "m", "operatingSystem": "linux", "osImage": "Ubuntu", "systemUUID": "s",
            },
        },
    }  # fmt: skip


CONTROL_PLANE = node(
    "control-plane",
    labels={"node-role.kubernetes.io/control-plane": ""},
    taints=[{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}],
)
NODES = [CONTROL_PLANE, node("node-a"), node("node-b")]


def app(
    name: str,
    *,
    suffix: str = "5d9c7b",
    spec: Obj | None = None,
    port: int = 8080,
    image: str = "",
    replicas: int = 1,
    **more: Any,
) -> list[Obj]:
    """A healthy Deployment with its ReplicaSet, pods, Service and endpoints."""
    spec = spec or pod_spec(container(image=image or f"registry.example.com/shop/{name}:1.4.1", port=port))
    labels = {"app": name}
    pods = [
        pod(
            f"{name}-{suffix}-{'abcdefgh'[i]}x7k2",
            labels={**labels, "pod-template-hash": suffix},
            replica_set=f"{name}-{suffix}",
            spec=spec,
            **more,
        )
        for i in range(replicas)
    ]
    return [
        deployment(name, spec=spec, replicas=replicas),
        replica_set(name, suffix, spec=spec, replicas=replicas),
        *pods,
        service(name, port=port),
        endpoints(name, *(p["metadata"]["name"] for p in pods), port=port),
    ]


def unwell(
    name: str, *, spec: Obj | None = None, statuses: list[Obj] | None = None, replicas: int = 1, **more: Any
) -> list[Obj]:
    """The same, with pods that are not ready."""
    more = {"conds": UNREADY, **more}
    found = app(name, spec=spec, replicas=replicas, statuses=statuses, **more)
    for obj in found:
        if obj["kind"] == "Deployment":
            obj["status"] |= {"readyReplicas": 0, "availableReplicas": 0, "unavailableReplicas": replicas}
        if obj["kind"] == "EndpointSlice":
            for each in obj["endpoints"]:
                each["conditions"] = {"ready": False, "serving": False, "terminating": False}
    return found


def without(objects: list[Obj], *kinds: str) -> list[Obj]:
    return [o for o in objects if o["kind"] not in kinds]


def snapshot(
    *objects: Obj, unread: tuple[str, ...] = (), logs: dict[tuple[str, str, str, bool], Any] | None = None, **more: Any
) -> Snapshot:
    by_kind: dict[str, list[Obj]] = {}
    for each in objects:
        by_kind.setdefault(each["kind"], []).append(each)
    known = {k.name for k in (*IN_NAMESPACE, *OF_CLUSTER, *OPTIONAL, LEASE, CLUSTER_ROLE, CLUSTER_ROLE_BINDING)} - set(
        unread
    )
    return Snapshot(
        objects={k: tuple(v) for k, v in by_kind.items() if k not in unread},
        namespaces=more.pop("namespaces", (NS,)),
        complete=frozenset(known),
        now=NOW,
        logs=logs or {},
        **more,
    )


def found_in(*objects: Obj, **more: Any) -> list[Symptom]:
    """What all analyzers see in these objects and three healthy nodes."""
    nodes = [] if any(o["kind"] == "Node" for o in objects) else NODES
    return analyzers.run(snapshot(*nodes, *objects, **more), Focus(namespace=NS), WINDOW, NOW)


def causes(*objects: Obj, **more: Any) -> list[Symptom]:
    return [s for s in found_in(*objects, **more) if s.role == "cause"]


def leading(*objects: Obj, **more: Any) -> tuple[str, str]:
    """(entity, leading fault) of the most specific cause."""
    best = causes(*objects, **more)[0]
    return str(best.entity), best.faults[0]
