"""Workloads in short form to the objects that a cluster would hold: Deployments, StatefulSets and their ReplicaSets,
pods, Services, EndpointSlices, events and nodes, with the statuses and conditions that the controllers write.

Shapes: Kubernetes API reference v1.33. Times are minutes before NOW.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

Obj = dict[str, Any]
NOW = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
NODES = ("worker-1", "worker-2", "worker-3")
_OLD = 3000.0


def ago(minutes: float) -> str:
    return f"{NOW - timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"


def digest(*words: str, size: int = 5) -> str:
    """Letters as Kubernetes draws them, the same for the same words."""
    letters = "bcdfghjklmnpqrstvwxz2456789"
    return "".join(letters[b % len(letters)] for b in hashlib.sha256("/".join(words).encode()).digest()[:size])


def address(*words: str, net: str = "10.244.1") -> str:
    return f"{net}.{hashlib.sha256('/'.join(words).encode()).digest()[0] % 200 + 20}"


def meta(name: str, namespace: str | None, age: float = _OLD, **more: Any) -> Obj:
    found: Obj = {"name": name, "uid": digest(name, str(namespace), size=12), "creationTimestamp": ago(age)}
    found |= {"resourceVersion": "4711", "generation": 1, **({"namespace": namespace} if namespace else {})}
    return {**found, **{k: v for k, v in more.items() if v}}


def owned(kind: str, name: str, namespace: str, api: str = "apps/v1") -> list[Obj]:
    of = {"apiVersion": api, "kind": kind, "name": name, "uid": digest(name, namespace, size=12)}
    return [{**of, "controller": True, "blockOwnerDeletion": True}]


def condition(kind: str, status: str, reason: str = "", message: str = "", at: float = _OLD) -> Obj:
    found = {"type": kind, "status": status, "lastTransitionTime": ago(at)}
    return {**found, **({"reason": reason} if reason else {}), **({"message": message} if message else {})}


# --- one workload ---------------------------------------------------------------------------------------------------


def workload(name: str, it: Mapping[str, Any], namespace: str) -> Iterator[Obj]:
    """Everything of one workload. See the README for the words of the short form."""
    labels = it.get("labels") or {"app": name}
    kind, age = it.get("kind", "Deployment"), it.get("age", _OLD)
    spec = pod_spec(name, it)
    hashed = digest(name, repr(spec), size=10)
    wanted = it.get("replicas", 1)
    shown = 0 if it.get("no_pods") else it.get("fresh", wanted)
    pods = [_pod(name, it, spec, labels, namespace, hashed, i) for i in range(shown)]
    well = sum(1 for p in pods if _is_ready(p))
    kept = it.get("before", {}).get("pods", 0) if it.get("before") else 0
    yield _controller(kind, name, it, spec, labels, namespace, wanted, len(pods), well, kept)
    if kind == "Deployment":
        revision = 2 if it.get("before") else 1
        born = it.get("rolled", age)
        yield _replica_set(name, it, spec, labels, namespace, hashed, (wanted, len(pods), well), revision, born)
        if before := it.get("before"):
            older = {**it, **before}
            for key in ("before", "rolled", "waiting", "crash", "pending", "unready", "no_pods", "pod_events"):
                older.pop(key, None)
            old_spec = pod_spec(name, older)
            old_hash = digest(name, repr(old_spec), size=10)
            yield _replica_set(name, older, old_spec, labels, namespace, old_hash, (kept, kept, kept), 1, age)
            pods += [_pod(name, older, old_spec, labels, namespace, old_hash, i) for i in range(kept)]
    yield from pods
    yield from _service(name, it, labels, namespace, pods)


def pod_spec(name: str, it: Mapping[str, Any]) -> Obj:
    container: Obj = {
        "name": it.get("container_name", name),
        "image": it.get("image", f"registry.example.com/{name}:1.0"),
        "imagePullPolicy": "IfNotPresent",
        "resources": it.get("resources", {}),
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    }
    ports = it.get("ports", [it["port"]] if "port" in it else [])
    if ports:
        container["ports"] = [{"containerPort": p, "protocol": "TCP"} for p in ports]
    if "env" in it:
        container["env"] = [
            {"name": k, "value": str(v)} if not isinstance(v, dict) else {"name": k, "valueFrom": v}
            for k, v in it["env"].items()
        ]
    container |= copy.deepcopy(dict(it.get("container", {})))
    return {
        "containers": [container, *copy.deepcopy(list(it.get("sidecars", [])))],
        "restartPolicy": "Always",
        "dnsPolicy": "ClusterFirst",
        "serviceAccountName": "default",
        "serviceAccount": "default",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "terminationGracePeriodSeconds": 30,
        **copy.deepcopy(dict(it.get("pod", {}))),
    }


def _controller(
    kind: str,
    name: str,
    it: Mapping[str, Any],
    spec: Obj,
    labels: Obj,
    namespace: str,
    wanted: int,
    shown: int,
    well: int,
    kept: int,
) -> Obj:
    age = it.get("age", _OLD)
    template = {"metadata": {"labels": labels}, "spec": spec}
    common = {"apiVersion": "apps/v1", "kind": kind}
    ready = well + kept
    if kind == "StatefulSet":
        status: Obj = {"observedGeneration": 1, "replicas": shown, "readyReplicas": ready, "availableReplicas": ready}
        status |= {"currentReplicas": shown, "updatedReplicas": shown, "currentRevision": f"{name}-{digest(name)}"}
        status["updateRevision"] = status["currentRevision"]
        spec_of: Obj = {"replicas": wanted, "serviceName": name, "selector": {"matchLabels": labels}}
        spec_of |= {"template": template, "volumeClaimTemplates": it.get("claims", [])}
        spec_of["updateStrategy"] = {"type": "RollingUpdate"}
        return {**common, "metadata": meta(name, namespace, age, labels=labels), "spec": spec_of, "status": status}
    if kind == "DaemonSet":
        status = {"observedGeneration": 1, "desiredNumberScheduled": wanted, "currentNumberScheduled": shown}
        status |= {
            "numberReady": well,
            "numberAvailable": well,
            "updatedNumberScheduled": shown,
            "numberMisscheduled": 0,
        }
        if wanted > well:
            status["numberUnavailable"] = wanted - well
        spec_of = {"selector": {"matchLabels": labels}, "template": template, "revisionHistoryLimit": 10}
        spec_of["updateStrategy"] = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
        return {**common, "metadata": meta(name, namespace, age, labels=labels), "spec": spec_of, "status": status}
    enough = ready >= wanted
    since = it.get("since", it.get("rolled", age))
    available = condition("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.", age)
    if not enough and not kept:
        words = "Deployment does not have minimum availability."
        available = condition("Available", "False", "MinimumReplicasUnavailable", words, since)
    progressing = condition("Progressing", "True", "NewReplicaSetAvailable", "", it.get("rolled", age))
    if it.get("stuck"):
        words = f'ReplicaSet "{name}" has timed out progressing.'
        progressing = condition("Progressing", "False", "ProgressDeadlineExceeded", words, 1)
    for each in (available, progressing):
        each["lastUpdateTime"] = each["lastTransitionTime"]
    conditions = [available, progressing]
    if refused := it.get("replica_failure"):
        conditions.append(condition("ReplicaFailure", "True", "FailedCreate", refused, since))
    status = {"observedGeneration": 1, "replicas": shown + kept, "updatedReplicas": shown, "readyReplicas": ready}
    status |= {"availableReplicas": ready, "unavailableReplicas": max(0, wanted - ready), "conditions": conditions}
    revision = {"deployment.kubernetes.io/revision": "2" if it.get("before") else "1"}
    metadata = meta(name, namespace, age, labels=labels, annotations=revision)
    spec_of = {
        "replicas": wanted,
        "selector": {"matchLabels": labels},
        "template": template,
        "strategy": it.get("strategy")
        or {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
        "progressDeadlineSeconds": 600,
        "revisionHistoryLimit": 10,
    }
    status = {k: v for k, v in status.items() if v != 0}  # the API server leaves zeros out
    return {**common, "metadata": metadata, "spec": spec_of, "status": status}


def _replica_set(
    name: str,
    it: Mapping[str, Any],
    spec: Obj,
    labels: Obj,
    namespace: str,
    hashed: str,
    figures: tuple[int, int, int],
    revision: int,
    age: float,
) -> Obj:
    wanted, shown, well = figures
    marked = {**labels, "pod-template-hash": hashed}
    notes = {"deployment.kubernetes.io/revision": str(revision), "deployment.kubernetes.io/desired-replicas": "1"}
    status: Obj = {"replicas": shown, "observedGeneration": 1, "readyReplicas": well, "availableReplicas": well}
    if refused := it.get("replica_failure"):
        status["conditions"] = [condition("ReplicaFailure", "True", "FailedCreate", refused, it.get("since", 10))]
    metadata = meta(f"{name}-{hashed}", namespace, age, labels=marked, annotations=notes)
    metadata["ownerReferences"] = owned("Deployment", name, namespace)
    spec_of = {"replicas": wanted, "selector": {"matchLabels": marked}}
    spec_of["template"] = {"metadata": {"labels": marked}, "spec": spec}
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata, "spec": spec_of, "status": status}


def pod_name(name: str, it: Mapping[str, Any], number: int = 0) -> str:
    """Of the pods that the current template made."""
    if it.get("kind") == "StatefulSet":
        return f"{name}-{number}"
    if it.get("kind") == "DaemonSet":
        return f"{name}-{digest(name, str(number))}"
    return f"{name}-{digest(name, repr(pod_spec(name, it)), size=10)}-{digest(name, str(number))}"


def _pod(name: str, it: Mapping[str, Any], spec: Obj, labels: Obj, namespace: str, hashed: str, number: int) -> Obj:
    spec = copy.deepcopy(spec)
    born = it.get("pod_age", it.get("rolled", it.get("age", _OLD)))
    kind = it.get("kind", "Deployment")
    called, marked = f"{name}-{hashed}-{digest(name, str(number))}", {**labels, "pod-template-hash": hashed}
    owner = ("ReplicaSet", f"{name}-{hashed}")
    if kind == "StatefulSet":
        called, owner = f"{name}-{number}", (kind, name)
        marked = {**labels, "statefulset.kubernetes.io/pod-name": called}
    elif kind == "DaemonSet":
        called, owner = f"{name}-{digest(name, str(number))}", (kind, name)
        marked = {**labels, "controller-revision-hash": hashed}
        spec.setdefault("nodeName", NODES[number % len(NODES)])
    metadata = meta(called, namespace, born, labels=marked)
    metadata["ownerReferences"] = owned(*owner, namespace)
    spec["containers"][0] |= it.get("live", {})  # what admission made of the template
    if pending := it.get("pending"):
        conditions = [condition("PodScheduled", "False", "Unschedulable", pending, born)] if pending != "silent" else []
        status: Obj = {"phase": "Pending", "conditions": conditions, "qosClass": "Burstable"}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}
    spec.setdefault("nodeName", it.get("node") or NODES[hash_of(called) % len(NODES)])
    statuses = [_container(c, it, born, first=i == 0) for i, c in enumerate(spec["containers"])]
    unready = [s["name"] for s in statuses if not s["ready"]]
    words = f"containers with unready status: [{' '.join(unready)}]"
    bad = ("False", "ContainersNotReady", words) if unready else ("True", "", "")
    turned = it.get("since", 10 if unready else born)
    init = it.get("init_statuses")
    conditions = [
        condition("PodReadyToStartContainers", "True", at=born),
        condition("Initialized", "False" if init else "True", at=born),
        condition("Ready", *bad, turned),
        condition("ContainersReady", *bad, turned),
        condition("PodScheduled", "True", at=born),
    ]
    for each in it.get("gates", []):
        spec.setdefault("readinessGates", []).append({"conditionType": each})
        words = f'corresponding condition of pod readiness gate "{each}" does not exist.'
        conditions[2] = condition("Ready", "False", "ReadinessGatesNotReady", words, turned)
    never = all("waiting" in s["state"] and not s["restartCount"] for s in statuses)
    ip = address(called)
    status = {
        "phase": "Pending" if never else "Running",
        "conditions": conditions,
        "hostIP": "192.168.0.11",
        "podIP": ip,
        "podIPs": [{"ip": ip}],
        "startTime": ago(born),
        "containerStatuses": statuses,
        "qosClass": "Burstable",
    }
    if init:
        status["initContainerStatuses"] = _timed(init)
        status["phase"] = "Pending"
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}


def hash_of(word: str) -> int:
    return hashlib.sha256(word.encode()).digest()[0]


def _timed(part: Any) -> Any:
    """Numbers at startedAt and finishedAt are minutes ago."""
    if isinstance(part, list):
        return [_timed(p) for p in part]
    if not isinstance(part, dict):
        return part
    moments = ("startedAt", "finishedAt")
    return {k: ago(v) if k in moments and isinstance(v, int | float) else _timed(v) for k, v in part.items()}


def _container(spec: Obj, it: Mapping[str, Any], born: float, *, first: bool) -> Obj:
    found: Obj = {"name": spec["name"], "image": spec["image"], "imageID": f"sha256:{digest(spec['image'], size=12)}"}
    found |= {"containerID": f"containerd://{digest(spec['name'], size=12)}", "lastState": {}, "restartCount": 0}
    found |= {"ready": True, "started": True, "state": {"running": {"startedAt": ago(born - 0.1)}}}
    if not first:
        return found
    if crash := it.get("crash"):
        over, code = crash.get("over", 1.0), crash.get("code", 1)
        end = {"exitCode": code, "reason": crash.get("reason", "Error"), "finishedAt": ago(over)}
        end |= {"startedAt": ago(over + crash.get("ran", 0.1)), "containerID": found["containerID"]}
        if words := crash.get("message"):
            end["message"] = words
        found |= {"restartCount": crash.get("restarts", 5), "lastState": {"terminated": end}}
        if not crash.get("running"):
            words = f"back-off 2m40s restarting failed container={spec['name']} pod={spec['name']}"
            found |= {"ready": False, "started": False, "containerID": end["containerID"]}
            found["state"] = {"waiting": {"reason": "CrashLoopBackOff", "message": words}}
        else:
            found["state"] = {"running": {"startedAt": ago(over)}}
            found["ready"] = crash["running"] != "unready"
    if waits := it.get("waiting"):
        found |= {"ready": False, "started": False, "imageID": "", "state": {"waiting": dict(waits)}}
        found.pop("containerID")
    if it.get("unready"):
        found["ready"] = False
    return found


def _is_ready(pod: Obj) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", []))


def _service(name: str, it: Mapping[str, Any], labels: Obj, namespace: str, pods: list[Obj]) -> Iterator[Obj]:
    given = it.get("service", {})
    if given is False or ("port" not in it and "ports" not in it):
        return
    listening = it.get("ports", [it.get("port")])
    ports = given.get("ports") or [
        {"name": f"tcp-{p}", "port": given.get("port", p), "targetPort": given.get("target", p), "protocol": "TCP"}
        for p in listening
    ]
    selector = given.get("selector", labels)
    ip = address(name, namespace, net="10.96.7")
    spec = {"type": "ClusterIP", "clusterIP": ip, "clusterIPs": [ip], "selector": selector, "ports": ports}
    spec |= {"sessionAffinity": "None", "internalTrafficPolicy": "Cluster", "ipFamilies": ["IPv4"]}
    called = given.get("name", name)
    metadata = meta(called, namespace, it.get("age", _OLD), labels=labels)
    yield {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec, "status": {"loadBalancer": {}}}
    chosen = [p for p in pods if selector.items() <= p["metadata"]["labels"].items() and "podIP" in p["status"]]
    ends = [
        {
            "addresses": [p["status"]["podIP"]],
            "conditions": {"ready": _is_ready(p), "serving": _is_ready(p), "terminating": False},
            "nodeName": p["spec"]["nodeName"],
            "targetRef": {"kind": "Pod", "name": p["metadata"]["name"], "namespace": namespace},
        }
        for p in chosen
    ]
    metadata = meta(f"{called}-{digest(called)}", namespace, labels={"kubernetes.io/service-name": called})
    metadata["ownerReferences"] = owned("Service", called, namespace, "v1")
    resolved = [{"name": p.get("name", ""), "port": p["targetPort"], "protocol": p["protocol"]} for p in ports]
    yield {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": metadata,
        "addressType": "IPv4",
        "ports": resolved if ends else None,
        "endpoints": ends or None,
    }


# --- around it ------------------------------------------------------------------------------------------------------


def event(namespace: str, it: Mapping[str, Any]) -> Obj:
    """{about: Pod x, reason, message, type, count, first, last, source}"""
    kind, _, name = it["about"].partition(" ")
    place = it.get("namespace", namespace)
    about = {"kind": kind, "name": name, "namespace": place, "uid": digest(name, place, size=12), "apiVersion": "v1"}
    if "field" in it:
        about["fieldPath"] = it["field"]
    last = it.get("last", 1.0)
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": meta(f"{name}.{digest(name, it['reason'], it['message'], size=16)}", place, last),
        "involvedObject": about,
        "reason": it["reason"],
        "message": it["message"],
        "type": it.get("type", "Warning"),
        "count": it.get("count", 5),
        "firstTimestamp": ago(it.get("first", last + 8)),
        "lastTimestamp": ago(last),
        "source": {"component": it.get("source", "kubelet"), "host": NODES[0]},
        "reportingComponent": it.get("source", "kubelet"),
        "reportingInstance": "",
    }


def node(name: str, number: int) -> list[Obj]:
    fine = (
        ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
    )
    conditions = [{**condition(*each, at=9000), "lastHeartbeatTime": ago(0.5)} for each in fine]
    room = {"cpu": "8", "memory": "32Gi", "pods": "110"}
    labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    info = {"architecture": "amd64", "operatingSystem": "linux", "kubeletVersion": "v1.33.1", "kernelVersion": "6.8.0"}
    info |= {"osImage": "Debian", "containerRuntimeVersion": "containerd://2.0.5", "kubeProxyVersion": "v1.33.1"}
    info |= {"machineID": name, "systemUUID": name, "bootID": name}
    status = {"conditions": conditions, "capacity": room, "allocatable": room, "nodeInfo": info}
    status["addresses"] = [{"type": "InternalIP", "address": f"192.168.0.{11 + number}"}]
    lease = {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": f"{NOW:%Y-%m-%dT%H:%M:%S}.000000Z"}
    return [
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": meta(name, None, 90000, labels=labels),
            "spec": {"podCIDR": f"10.244.{number}.0/24"},
            "status": status,
        },
        {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": meta(name, "kube-node-lease", 90000),
            "spec": lease,
        },
    ]


def surroundings(namespace: str) -> Iterator[Obj]:
    """Nodes, namespaces, the default ServiceAccount, and a kube-system that is well."""
    for place in ("default", "kube-system", "kube-node-lease", namespace):
        labels = {"kubernetes.io/metadata.name": place}
        yield {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": meta(place, None, labels=labels),
            "spec": {"finalizers": ["kubernetes"]},
            "status": {"phase": "Active"},
        }
    for number, name in enumerate(NODES):
        yield from node(name, number)
    for part in ("kube-scheduler", "kube-controller-manager"):
        spec = {
            "holderIdentity": f"{part}_x",
            "leaseDurationSeconds": 15,
            "renewTime": f"{NOW:%Y-%m-%dT%H:%M:%S}.000000Z",
        }
        metadata = meta(part, "kube-system", 90000)
        yield {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}
    yield {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta("default", namespace)}
    data = {"ca.crt": "none"}
    yield {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta("kube-root-ca.crt", namespace), "data": data}
    dns = {"port": 53, "replicas": 2, "labels": {"k8s-app": "kube-dns"}, "service": {"name": "kube-dns"}}
    yield from workload("coredns", dns, "kube-system")
