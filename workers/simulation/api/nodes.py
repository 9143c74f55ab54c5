"""Nodes with conditions, capacity and the lease by which the kubelet proves that it lives."""

from __future__ import annotations

from math import inf

from workers.simulation import dice
from workers.simulation.cluster import Json, NodeState
from workers.simulation.world import World, managed

_HEALTHY = {
    "MemoryPressure": ("KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    "DiskPressure": ("KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    "PIDPressure": ("KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    "Ready": ("KubeletReady", "kubelet is posting ready status"),
}
LOST_AFTER_SECONDS = 40


def node(world: World, it: NodeState) -> Json:
    spec: Json = {
        "providerID": _provider_id(world, it),
        "podCIDR": f"100.64.{list(world.nodes).index(it.name)}.0/24",
    }
    if it.cordoned < inf:
        spec["unschedulable"] = True
    taints = list(it.taints)
    if it.cordoned < inf:
        taints.append({"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule", "timeAdded": it.cordoned})
    lost = it.silent + LOST_AFTER_SECONDS <= world.now
    if lost:
        taints += [
            {"key": "node.kubernetes.io/unreachable", "effect": e, "timeAdded": it.silent + LOST_AFTER_SECONDS}
            for e in ("NoSchedule", "NoExecute")
        ]
    if taints:
        spec["taints"] = taints
    size = world.company.nodes
    memory = int(size.memory_gib * 2**20 * 0.968)
    capacity = {
        "cpu": str(size.cpu),
        "memory": f"{memory}Ki",
        "pods": str(size.pods),
        "ephemeral-storage": "83873772Ki",
        "hugepages-2Mi": "0",
    }
    allocatable = {
        **capacity,
        "cpu": f"{size.cpu * 1000 - 80}m",
        "memory": f"{memory - 1048576}Ki",
        "ephemeral-storage": "76224326324",
    }
    beat = min(world.now - world.between(1, 9, "beat", it.name), it.silent)
    status = {
        "capacity": capacity,
        "allocatable": allocatable,
        "conditions": _conditions(world, it, beat),
        "addresses": [
            {"type": "InternalIP", "address": it.ip},
            {"type": "InternalDNS", "address": it.name},
            {"type": "Hostname", "address": it.name},
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "nodeInfo": {
            "machineID": dice.hexadecimal(32, it.name, "m"),
            "systemUUID": dice.uid(it.name, "s"),
            "bootID": dice.uid(it.name, it.rebooted or it.booted),
            **_SYSTEMS[size.naming],
            "containerRuntimeVersion": "containerd://1.7.23",
            "kubeletVersion": world.company.kubernetes,
            "kubeProxyVersion": world.company.kubernetes,
            "operatingSystem": "linux",
            "architecture": "amd64",
        },
    }
    metadata = {
        "name": it.name,
        "uid": it.uid,
        "resourceVersion": world.resource_version(beat, it.name),
        "creationTimestamp": it.created,
        "labels": dict(it.labels),
        "annotations": {
            "node.alpha.kubernetes.io/ttl": "0",
            "volumes.kubernetes.io/controller-managed-attach-detach": "true",
        },
        "managedFields": [
            *(managed(manager, at, fields) for at, manager, fields in it.edits),
            managed("kubelet", beat, {"f:status": {}}, subresource="status"),
        ],
    }
    return {"metadata": metadata, "spec": spec, "status": status}


_SYSTEMS = {
    "eks": {"kernelVersion": "6.1.119-129.201.amzn2023.x86_64", "osImage": "Amazon Linux 2023.6.20241212"},
    "gke": {"kernelVersion": "6.1.112+", "osImage": "Container-Optimized OS from Google"},
}


def _provider_id(world: World, it: NodeState) -> str:
    if world.company.nodes.naming == "gke":
        return f"gce://{world.company.project}/{it.zone}/{it.name}"
    return f"aws:///{it.zone}/i-0{dice.hexadecimal(16, world.seed, it.name)}"


def _conditions(world: World, it: NodeState, beat: float) -> list[Json]:
    lost = it.silent + LOST_AFTER_SECONDS
    made: list[Json] = []
    for kind, (reason, message) in _HEALTHY.items():
        good = "True" if kind == "Ready" else "False"
        condition: Json = {
            "type": kind,
            "status": good,
            "lastHeartbeatTime": beat,
            "lastTransitionTime": it.created + (22 if kind == "Ready" else 0),
            "reason": reason,
            "message": message,
        }
        if kind in it.conditions:
            status, since, why, text = it.conditions[kind]
            condition.update(status="True" if status else "False", lastTransitionTime=since, reason=why, message=text)
        if lost <= world.now:
            condition.update(
                status="Unknown",
                lastTransitionTime=lost,
                reason="NodeStatusUnknown",
                message="Kubelet stopped posting node status.",
            )
        made.append(condition)
    return made


def lease(world: World, it: NodeState) -> Json:
    renewed = min(world.now - world.between(0.3, 9.6, "lease", it.name), it.silent)
    metadata = {
        "name": it.name,
        "namespace": "kube-node-lease",
        "uid": world.uid("Lease", it.name),
        "resourceVersion": world.resource_version(renewed, "lease", it.name),
        "creationTimestamp": it.created,
        "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": it.name, "uid": it.uid}],
    }
    return {"metadata": metadata, "spec": {"holderIdentity": it.name, "leaseDurationSeconds": 40, "renewTime": renewed}}
