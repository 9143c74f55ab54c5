"""A case to a namespace of the cluster: the shop with its decoys, settled, perhaps a week old; then the fault.

Words of a case: README.md. Cases that touch the whole cluster stand alone; the others share it, so that each has the
others' troubles for noise.
"""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from tests.cluster import ageing
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubelets import Behaviour, Kubelets

FOLDER = Path(__file__).parent
NODES = ("node-0", "node-1", "node-2", "node-3", "gpu-0", "control-0")
SHOWS = 20.0
"""Seconds that a fault is given to show."""
_WEEK = timedelta(days=9, hours=5)
_CLUSTER_WIDE = (
    "Namespace",
    "Node",
    "PersistentVolume",
    "StorageClass",
    "PriorityClass",
    "ClusterRole",
    "ValidatingWebhookConfiguration",
    "MutatingWebhookConfiguration",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
)
_UP = ("web", "api", "cart", "recommender", "db", "cache")
Case = Mapping[str, Any]


def cases() -> list[dict[str, Any]]:
    return [c for path in sorted((FOLDER / "cases").glob("*.yaml")) for c in yaml.safe_load(path.read_text())]


def batches(chosen: Sequence[Case], most: int = 14) -> Iterator[list[Case]]:
    """Those that share a cluster, then one by one those that want it for themselves."""
    together = [c for c in chosen if not c.get("alone")]
    for start in range(0, len(together), most):
        yield together[start : start + most]
    yield from ([c] for c in chosen if c.get("alone"))


@dataclass(frozen=True)
class Staged:
    case: Case
    namespace: str
    began: datetime


# --- the cluster -----------------------------------------------------------------------------------------------------


def furnish(cluster: ControlPlane) -> None:
    """Nodes, volumes, other operators."""
    cluster.apply([_node(called) for called in NODES])
    cluster.apply([_volume(number) for number in range(400)])
    parts = [*yaml.safe_load_all((FOLDER / "surroundings.yaml").read_text())]
    cluster.apply([p for p in parts if p["kind"] in ("Namespace", "CustomResourceDefinition")])
    cluster.apply([p for p in parts if p["kind"] not in ("Namespace", "CustomResourceDefinition")])
    cluster.kubectl("wait", "--for=condition=Ready", "nodes", "--all", "--timeout=60s")
    cluster.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")


def _node(called: str) -> dict[str, Any]:
    room = {"cpu": "16", "memory": "64Gi", "pods": "250", "ephemeral-storage": "100Gi"}
    left = {"cpu": "15600m", "memory": "62Gi", "pods": "250", "ephemeral-storage": "90Gi"}
    labels = {
        "kubernetes.io/hostname": called,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "topology.kubernetes.io/zone": {"node-2": "b", "node-3": "b"}.get(called, "a"),
    }
    taints = {
        "gpu-0": [{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}],
        "control-0": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}],
    }
    if called == "control-0":
        labels["node-role.kubernetes.io/control-plane"] = ""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": called, "labels": labels},
        "spec": {"taints": taints.get(called, [])},
        "status": {"capacity": room, "allocatable": left},
    }


def _volume(number: int) -> dict[str, Any]:
    spec = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "standard",
        "hostPath": {"path": f"/data/{number}"},
    }
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": f"disk-{number}"}, "spec": spec}


# --- a case ----------------------------------------------------------------------------------------------------------


def settle(cluster: ControlPlane, kubelets: Kubelets, batch: Sequence[tuple[str, Case]]) -> None:
    """The namespaces of a batch, healthy but for their decoys."""
    for namespace, case in batch:
        kubelets.behave(namespace, "registry.example.com/shop/backfill:1", Behaviour(exits=1))
        if _troubled(namespace):
            kubelets.behave(namespace, "registry.example.com/shop/mailer:0.9.4", Behaviour(pull="absent"))
        for image, words in case.get("images", {}).items():
            kubelets.behave(namespace, image, Behaviour(**words))
        parts = [*_written("shop.yaml", namespace), *_written("decoys.yaml", namespace)]
        cluster.apply([*parts, *_objects(case.get("stands", []), namespace)])
        for line in case.get("first", ()):
            _kubectl(cluster, namespace, line)
    for namespace, _ in batch:
        _await(cluster, namespace)
    for namespace, case in batch:
        if is_aged(namespace, case):
            ageing.older(cluster.etcd, namespace, _WEEK)


def _await(cluster: ControlPlane, namespace: str) -> None:
    """Until what should be up is up, for three minutes at most."""
    for _ in range(180):
        found = json.loads(cluster.kubectl("-n", namespace, "get", "deploy,sts", "-o", "json"))["items"]
        ready = {o["metadata"]["name"] for o in found if _is_up(o)}
        if ready >= set(_UP):
            return
        time.sleep(1)
    raise AssertionError(f"{namespace}: {set(_UP) - ready} did not come up")


def _is_up(workload: Mapping[str, Any]) -> bool:
    wanted, status = workload["spec"].get("replicas", 1), workload.get("status", {})
    seen = status.get("observedGeneration") == workload["metadata"]["generation"]
    return bool(seen and status.get("readyReplicas", 0) == wanted == status.get("updatedReplicas", 0))


def is_aged(namespace: str, case: Case) -> bool:
    """Every second shop is nine days old; the others are minutes old, at their first revision, with their start-up's
    events."""
    number = int(namespace.rpartition("-")[2])
    return bool(case.get("aged", number % 2 == 0))


def _troubled(namespace: str) -> bool:
    return int(namespace.rpartition("-")[2]) % 3 == 0


def break_it(cluster: ControlPlane, kubelets: Kubelets, namespace: str, case: Case) -> Staged:
    """An innocent rollout and other operators' events first; then the fault."""
    cluster.kubectl(
        "-n", namespace, "set", "image", "deploy/recommender", "recommender=registry.example.com/shop/recommender:5.0.1"
    )
    cluster.apply(_operators_events(cluster, namespace))
    if "stop" in case:
        cluster.end(case["stop"])
    kubelets.sicken(*case.get("sick_nodes", ()))
    if "objects" in case:
        cluster.apply(_objects(case["objects"], namespace))
    began = datetime.now(UTC)
    for line in case.get("do", ()):
        _kubectl(cluster, namespace, line)
    if "later" in case:
        cluster.apply(_objects(case["later"], namespace))
    if "refused" in case:
        said = cluster.apply(_objects(case["refused"], namespace), check=False)
        assert "rror" in said or "denied" in said or "forbidden" in said, said
    for line in case.get("afterwards", ()):
        _kubectl(cluster, namespace, line)
    kubelets.stop(*case.get("stop_nodes", ()))
    return Staged(case, namespace, began)


def matured(cluster: ControlPlane, it: Staged) -> Staged:
    """The case as it stands `minutes_later`: all that its namespace says of time is moved back."""
    by = timedelta(minutes=float(it.case.get("minutes_later", 0)))
    if by:
        ageing.older(cluster.etcd, it.namespace, by, forget=False)
        time.sleep(1)
    return replace(it, began=it.began - by)


def mend(cluster: ControlPlane, kubelets: Kubelets, namespace: str, case: Case) -> None:
    if "stop" in case:
        cluster.again(case["stop"])
    kubelets.again(*case.get("stop_nodes", ()), *case.get("sick_nodes", ()))
    for line in case.get("after", ()):
        _kubectl(cluster, namespace, line)
    cluster.kubectl("delete", "namespace", namespace, "--wait=false")


def _written(file: str, namespace: str) -> list[Any]:
    return [*yaml.safe_load_all((FOLDER / file).read_text().replace("NAMESPACE", namespace))]


def _objects(part: Any, namespace: str) -> list[Any]:
    found = json.loads(json.dumps(part).replace("NAMESPACE", namespace))
    for each in found:
        if each["kind"] not in _CLUSTER_WIDE:
            each["metadata"].setdefault("namespace", namespace)
    return list(found)


def _kubectl(cluster: ControlPlane, namespace: str, line: str) -> None:
    """A line of a case: JSON stays as it is, words are split at blanks; `sleep 3` waits, `try ...` may fail."""
    verb, _, rest = line.replace("NAMESPACE", namespace).partition(" ")
    if verb == "sleep":
        time.sleep(float(rest))
        return
    check = verb != "try"
    text = rest if verb == "try" else f"{verb} {rest}"
    head, brace, patch = text.partition(" -p ")
    cluster.kubectl("-n", namespace, *shlex.split(head), *(["-p", patch] if brace else []), check=check)


def _operators_events(cluster: ControlPlane, namespace: str) -> list[dict[str, Any]]:
    """What an autoscaler, a chaos controller and a scanner write of their own accord."""
    pods = json.loads(cluster.kubectl("-n", namespace, "get", "pods", "-l", "app=node-profiler", "-o", "json"))["items"]
    profiler = pods[0]["metadata"] if pods else {"name": "node-profiler", "uid": ""}
    told = [
        ("Pod", profiler["name"], profiler["uid"], "cluster-autoscaler", "Normal", "NotTriggerScaleUp",
         "pod didn't trigger scale-up: 1 node(s) didn't match Pod's node affinity/selector"),
        ("NetworkChaos", "delay-drill", "", "records", "Warning", "Failed",
         "Failed to apply chaos: no pod is selected"),
        ("NetworkChaos", "delay-drill", "", "desiredphase", "Normal", "TimeUp",
         "Time up according to the duration"),
    ]  # fmt: skip
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return [
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{name}.{number:016x}", "namespace": namespace},
            "involvedObject": {"kind": kind, "name": name, "namespace": namespace, **({"uid": uid} if uid else {})},
            "source": {"component": by},
            "reportingComponent": by,
            "type": level,
            "reason": reason,
            "message": message,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        for number, (kind, name, uid, by, level, reason, message) in enumerate(told, 1)
    ]
