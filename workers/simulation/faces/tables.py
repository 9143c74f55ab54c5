"""Server-side printing: the columns that `kubectl get` shows, as a meta.k8s.io/v1 Table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workers.simulation import clock
from workers.simulation.api.resources import Resource
from workers.simulation.cluster import Json

Cells = Callable[[Json, float], list[Any]]


def table(resource: Resource, items: list[Json], now: float, version: str, include: str = "") -> Json:
    """`include` as includeObject of TableOptions: a row's object is its metadata, all of it (Object), or left out.

    kubectl asks for all of it where it sorts.
    """
    columns, cells = _KINDS.get(resource.kind, (_PLAIN, lambda o, now: [_name(o), _age(o, now)]))
    rows = [
        {"cells": cells(o, now), **({} if include == "None" else {"object": o if include == "Object" else _partial(o)})}
        for o in items
    ]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": version},
        "columnDefinitions": [_column(c) for c in columns],
        "rows": rows,
    }


def _partial(o: Json) -> Json:
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": o["metadata"]}


def _column(name: str) -> Json:
    wide = name.startswith("+")
    name = name.removeprefix("+")
    return {
        "name": name,
        "type": "integer" if name in _WHOLE else "string",
        "format": "name" if name == "Name" else "",
        "description": "",
        "priority": 1 if wide else 0,
    }


_WHOLE = {"Desired", "Current", "Up-to-date", "Available", "Data", "Active", "Completions count"}
_PLAIN = ["Name", "Age"]


def span(seconds: float) -> str:
    """An age as kubectl writes it: 45s, 3m12s, 27m, 5h12m, 27h, 3d4h, 46d."""
    s = int(max(0.0, seconds))
    if s < 120:
        return f"{s}s"
    m = s // 60
    if m < 10:
        return f"{m}m{s % 60}s" if s % 60 else f"{m}m"
    if m < 180:
        return f"{m}m"
    h = m // 60
    if h < 8:
        return f"{h}h{m % 60}m" if m % 60 else f"{h}h"
    if h < 48:
        return f"{h}h"
    d = h // 24
    if d < 8:
        return f"{d}d{h % 24}h" if h % 24 else f"{d}d"
    return f"{d}d" if d < 730 else f"{d // 365}y{d % 365}d"


def _name(o: Json) -> str:
    return str(o["metadata"]["name"])


def _age(o: Json, now: float, key: str = "creationTimestamp") -> str:
    at = o["metadata"].get(key)
    return span(now - clock.moment(at)) if at else "<unknown>"


def _since(at: str | None, now: float) -> str:
    return span(now - clock.moment(at)) if at else "<unknown>"


def pod_status(o: Json) -> str:
    """The STATUS column: the reason that explains most."""
    status = o["status"]
    reason = status.get("reason") or status["phase"]
    if status["phase"] == "Succeeded":
        reason = "Completed"
    inits = status.get("initContainerStatuses", [])
    for i, each in enumerate(inits):
        state = each["state"]
        if state.get("terminated", {}).get("exitCode") == 0:
            continue
        if "terminated" in state:
            return f"Init:{state['terminated']['reason']}"
        waiting = state.get("waiting", {}).get("reason", "")
        return f"Init:{waiting}" if waiting and waiting != "PodInitializing" else f"Init:{i}/{len(inits)}"
    for each in reversed(status.get("containerStatuses", [])):
        waiting, ended = each["state"].get("waiting"), each["state"].get("terminated")
        if waiting:
            reason = waiting["reason"]
        elif ended and status["phase"] != "Succeeded":
            reason = ended["reason"]
    if o["metadata"].get("deletionTimestamp"):
        reason = "Unknown" if status.get("reason") == "NodeLost" else "Terminating"
    return str(reason)


def _pod(o: Json, now: float) -> list[Any]:
    statuses = o["status"].get("containerStatuses", [])
    ready = sum(1 for s in statuses if s["ready"])
    count = sum(s["restartCount"] for s in statuses)
    ends = [s["lastState"]["terminated"]["finishedAt"] for s in statuses if s.get("lastState", {}).get("terminated")]
    restarts = f"{count} ({_since(max(ends), now)} ago)" if count and ends else str(count)
    return [
        _name(o),
        f"{ready}/{len(o['spec']['containers'])}",
        pod_status(o),
        restarts,
        _age(o, now),
        o["status"].get("podIP", "<none>"),
        o["spec"].get("nodeName", "<none>"),
        "<none>",
        "<none>",
    ]


def _images(o: Json) -> list[str]:
    containers = o["spec"]["template"]["spec"]["containers"]
    return [",".join(c["name"] for c in containers), ",".join(c["image"] for c in containers)]


def _selector(labels: Json | None) -> str:
    return ",".join(f"{k}={v}" for k, v in (labels or {}).items()) or "<none>"


def _deployment(o: Json, now: float) -> list[Any]:
    s = o["status"]
    return [
        _name(o),
        f"{s.get('readyReplicas', 0)}/{o['spec']['replicas']}",
        s.get("updatedReplicas", 0),
        s.get("availableReplicas", 0),
        _age(o, now),
        *_images(o),
        _selector(o["spec"]["selector"]["matchLabels"]),
    ]


def _replica_set(o: Json, now: float) -> list[Any]:
    s = o["status"]
    return [
        _name(o),
        o["spec"]["replicas"],
        s.get("replicas", 0),
        s.get("readyReplicas", 0),
        _age(o, now),
        *_images(o),
        _selector(o["spec"]["selector"]["matchLabels"]),
    ]


def _daemon_set(o: Json, now: float) -> list[Any]:
    s = o["status"]
    return [
        _name(o),
        s["desiredNumberScheduled"],
        s["currentNumberScheduled"],
        s["numberReady"],
        s.get("updatedNumberScheduled", 0),
        s.get("numberAvailable", 0),
        _selector(o["spec"]["template"]["spec"].get("nodeSelector")),
        _age(o, now),
        *_images(o),
        _selector(o["spec"]["selector"]["matchLabels"]),
    ]


def _service(o: Json, now: float) -> list[Any]:
    spec = o["spec"]
    ports = ",".join(f"{p['port']}/{p.get('protocol', 'TCP')}" for p in spec["ports"])
    return [_name(o), spec["type"], spec["clusterIP"], "<none>", ports, _age(o, now), _selector(spec.get("selector"))]


def _endpoints(o: Json, now: float) -> list[Any]:
    found = [f"{a['ip']}:{p['port']}" for s in o.get("subsets", []) for a in s.get("addresses", []) for p in s["ports"]]
    more = f" + {len(found) - 3} more..." if len(found) > 3 else ""
    return [_name(o), ",".join(found[:3]) + more or "<none>", _age(o, now)]


def _slice(o: Json, now: float) -> list[Any]:
    ports = ",".join(str(p["port"]) for p in o["ports"]) or "<unset>"
    addresses = [a for e in o["endpoints"] for a in e["addresses"]]
    more = f" + {len(addresses) - 3} more..." if len(addresses) > 3 else ""
    return [_name(o), o["addressType"], ports, ",".join(addresses[:3]) + more or "<unset>", _age(o, now)]


def _node(o: Json, now: float) -> list[Any]:
    ready = next(c for c in o["status"]["conditions"] if c["type"] == "Ready")
    state = "Ready" if ready["status"] == "True" else "NotReady"
    if o["spec"].get("unschedulable"):
        state += ",SchedulingDisabled"
    info = o["status"]["nodeInfo"]
    return [
        _name(o),
        state,
        "<none>",
        _age(o, now),
        info["kubeletVersion"],
        o["status"]["addresses"][0]["address"],
        "<none>",
        info["osImage"],
        info["kernelVersion"],
        info["containerRuntimeVersion"],
    ]


def _event(o: Json, now: float) -> list[Any]:
    if "involvedObject" not in o:
        o = {
            **o,
            "involvedObject": o["regarding"],
            "message": o["note"],
            "lastTimestamp": o["deprecatedLastTimestamp"],
            "firstTimestamp": o["deprecatedFirstTimestamp"],
            "count": o["deprecatedCount"],
            "source": o["deprecatedSource"],
        }
    last = _since(o["lastTimestamp"], now)
    seen = f"{last} (x{o['count']} over {_since(o['firstTimestamp'], now)})" if o["count"] > 1 else last
    it = o["involvedObject"]
    return [
        seen,
        o["type"],
        o["reason"],
        f"{it['kind'].lower()}/{it['name']}",
        it.get("fieldPath", ""),
        o["source"].get("component", ""),
        o["message"],
        _since(o["firstTimestamp"], now),
        o["count"],
        _name(o),
    ]


def _claim(o: Json, now: float) -> list[Any]:
    status = o["status"]
    return [
        _name(o),
        status["phase"],
        o["spec"].get("volumeName", ""),
        status.get("capacity", {}).get("storage", ""),
        "RWO" if status.get("accessModes") else "",
        o["spec"].get("storageClassName", ""),
        "<unset>",
        _age(o, now),
        o["spec"].get("volumeMode", "Filesystem"),
    ]


def _volume(o: Json, now: float) -> list[Any]:
    spec, claim = o["spec"], o["spec"].get("claimRef")
    return [
        _name(o),
        spec["capacity"]["storage"],
        "RWO",
        spec["persistentVolumeReclaimPolicy"],
        o["status"]["phase"],
        f"{claim['namespace']}/{claim['name']}" if claim else "",
        spec.get("storageClassName", ""),
        "<unset>",
        o["status"].get("reason", ""),
        _age(o, now),
        spec.get("volumeMode", "Filesystem"),
    ]


def _autoscaler(o: Json, now: float) -> list[Any]:
    spec, status = o["spec"], o["status"]
    metric = spec["metrics"][0]["resource"]
    current = (status.get("currentMetrics") or [{"resource": {"current": {}}}])[0]["resource"]["current"].get(
        "averageUtilization"
    )
    text = f"{metric['name']}: {f'{current}%' if current is not None else '<unknown>'}/{metric['target']['averageUtilization']}%"  # noqa: E501
    return [
        _name(o),
        f"{spec['scaleTargetRef']['kind']}/{spec['scaleTargetRef']['name']}",
        text,
        spec["minReplicas"],
        spec["maxReplicas"],
        status["currentReplicas"],
        _age(o, now),
    ]


def _job(o: Json, now: float) -> list[Any]:
    status = o["status"]
    state = next((c["type"] for c in status.get("conditions", [])), "Running")
    end = clock.moment(status["completionTime"]) if status.get("completionTime") else now
    return [
        _name(o),
        state,
        f"{status.get('succeeded', 0)}/1",
        span(end - clock.moment(status["startTime"])),
        _age(o, now),
        *_images(o),
        "",
    ]


def _cron_job(o: Json, now: float) -> list[Any]:
    spec, status = o["spec"], o["status"]
    containers = spec["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    last = status.get("lastScheduleTime")
    return [
        _name(o),
        spec["schedule"],
        "<none>",
        str(spec["suspend"]),
        len(status.get("active", [])),
        _since(last, now) if last else "<none>",
        _age(o, now),
        containers[0]["name"],
        containers[0]["image"],
        "<none>",
    ]


def _quota(o: Json, now: float) -> list[Any]:
    hard, used = o["status"]["hard"], o["status"]["used"]
    requests = ", ".join(f"{k}: {used[k]}/{hard[k]}" for k in hard if not k.startswith("limits."))
    limits = ", ".join(f"{k}: {used[k]}/{hard[k]}" for k in hard if k.startswith("limits."))
    return [_name(o), requests, limits, _age(o, now)]


def _ingress(o: Json, now: float) -> list[Any]:
    hosts = ",".join(r.get("host", "*") for r in o["spec"].get("rules", []))
    address = ",".join(
        i.get("hostname") or i.get("ip", "") for i in o.get("status", {}).get("loadBalancer", {}).get("ingress", [])
    )
    return [
        _name(o),
        o["spec"].get("ingressClassName", "<none>"),
        hosts,
        address,
        "80, 443" if o["spec"].get("tls") else "80",
        _age(o, now),
    ]


def _stateful_set(o: Json, now: float) -> list[Any]:
    return [_name(o), f"{o['status'].get('readyReplicas', 0)}/{o['spec']['replicas']}", _age(o, now), *_images(o)]


def _controller_revision(o: Json, now: float) -> list[Any]:
    owner = o["metadata"]["ownerReferences"][0]
    return [_name(o), f"{owner['kind'].lower()}.apps/{owner['name']}", o["revision"], _age(o, now)]


_KINDS: dict[str, tuple[list[str], Cells]] = {
    "ControllerRevision": (["Name", "Controller", "Revision", "Age"], _controller_revision),
    "Pod": (
        ["Name", "Ready", "Status", "Restarts", "Age", "+IP", "+Node", "+Nominated Node", "+Readiness Gates"],
        _pod,
    ),
    "Deployment": (
        ["Name", "Ready", "Up-to-date", "Available", "Age", "+Containers", "+Images", "+Selector"],
        _deployment,
    ),
    "ReplicaSet": (["Name", "Desired", "Current", "Ready", "Age", "+Containers", "+Images", "+Selector"], _replica_set),
    "StatefulSet": (["Name", "Ready", "Age", "+Containers", "+Images"], _stateful_set),
    "DaemonSet": (
        [
            "Name",
            "Desired",
            "Current",
            "Ready",
            "Up-to-date",
            "Available",
            "Node Selector",
            "Age",
            "+Containers",
            "+Images",
            "+Selector",
        ],
        _daemon_set,
    ),
    "Service": (["Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age", "+Selector"], _service),
    "Endpoints": (["Name", "Endpoints", "Age"], _endpoints),
    "EndpointSlice": (["Name", "AddressType", "Ports", "Endpoints", "Age"], _slice),
    "Node": (
        [
            "Name",
            "Status",
            "Roles",
            "Age",
            "Version",
            "+Internal-IP",
            "+External-IP",
            "+OS-Image",
            "+Kernel-Version",
            "+Container-Runtime",
        ],
        _node,
    ),
    "Event": (
        ["Last Seen", "Type", "Reason", "Object", "+Subobject", "+Source", "Message", "+First Seen", "+Count", "+Name"],
        _event,
    ),
    "PersistentVolumeClaim": (
        [
            "Name",
            "Status",
            "Volume",
            "Capacity",
            "Access Modes",
            "StorageClass",
            "VolumeAttributesClass",
            "Age",
            "+VolumeMode",
        ],
        _claim,
    ),
    "PersistentVolume": (
        [
            "Name",
            "Capacity",
            "Access Modes",
            "Reclaim Policy",
            "Status",
            "Claim",
            "StorageClass",
            "VolumeAttributesClass",
            "Reason",
            "Age",
            "+VolumeMode",
        ],
        _volume,
    ),
    "HorizontalPodAutoscaler": (["Name", "Reference", "Targets", "MinPods", "MaxPods", "Replicas", "Age"], _autoscaler),
    "Job": (["Name", "Status", "Completions", "Duration", "Age", "+Containers", "+Images", "+Selector"], _job),
    "CronJob": (
        [
            "Name",
            "Schedule",
            "Timezone",
            "Suspend",
            "Active",
            "Last Schedule",
            "Age",
            "+Containers",
            "+Images",
            "+Selector",
        ],
        _cron_job,
    ),
    "ResourceQuota": (["Name", "Request", "Limit", "Age"], _quota),
    "Ingress": (["Name", "Class", "Hosts", "Address", "Ports", "Age"], _ingress),
    "ConfigMap": (["Name", "Data", "Age"], lambda o, now: [_name(o), len(o.get("data") or {}), _age(o, now)]),
    "Secret": (
        ["Name", "Type", "Data", "Age"],
        lambda o, now: [_name(o), o.get("type", "Opaque"), len(o.get("data") or {}), _age(o, now)],
    ),
    "Namespace": (["Name", "Status", "Age"], lambda o, now: [_name(o), o["status"]["phase"], _age(o, now)]),
    "ServiceAccount": (["Name", "Secrets", "Age"], lambda o, now: [_name(o), "0", _age(o, now)]),
    "NetworkPolicy": (
        ["Name", "Pod-Selector", "Age"],
        lambda o, now: [_name(o), _selector(o["spec"]["podSelector"].get("matchLabels")), _age(o, now)],
    ),
    "StorageClass": (
        ["Name", "Provisioner", "ReclaimPolicy", "VolumeBindingMode", "AllowVolumeExpansion", "Age"],
        lambda o, now: [
            _name(o)
            + (
                " (default)"
                if "storageclass.kubernetes.io/is-default-class" in o["metadata"].get("annotations", {})
                else ""
            ),
            o["provisioner"],
            o.get("reclaimPolicy", "Delete"),
            o.get("volumeBindingMode", "Immediate"),
            str(bool(o.get("allowVolumeExpansion"))).lower(),
            _age(o, now),
        ],
    ),
    "PriorityClass": (
        ["Name", "Value", "Global-Default", "Age", "PreemptionPolicy"],
        lambda o, now: [
            _name(o),
            o["value"],
            str(o.get("globalDefault", False)).lower(),
            _age(o, now),
            o.get("preemptionPolicy", ""),
        ],
    ),
    "Lease": (["Name", "Holder", "Age"], lambda o, now: [_name(o), o["spec"].get("holderIdentity", ""), _age(o, now)]),
}
