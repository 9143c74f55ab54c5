"""Deployments with ReplicaSets, StatefulSets, DaemonSets: status as their controllers compute it from the pods."""

from __future__ import annotations

from math import inf

from workers.simulation.cluster import Json, Pod, Revision, Workload
from workers.simulation.copied import copied
from workers.simulation.world import World, managed

PROGRESS_SECONDS = 600


def workload(world: World, it: Workload) -> Json:
    if it.kind == "Deployment":
        return _deployment(world, it)
    return _stateful_set(world, it) if it.kind == "StatefulSet" else _daemon_set(world, it)


def _metadata(world: World, it: Workload, latest: float) -> Json:
    generation = len(it.revisions) + len(it.scale) - 1 + (3 if it.revisions[0].number > 1 else 0)
    entries = [managed(it.manager, it.revision.created, {"f:spec": {"f:template": {}}}, api_version="apps/v1")]
    entries += [managed(m, at, f, subresource=_through(f), api_version="apps/v1") for at, m, f in it.edits]
    by_manager = {e["manager"]: e for e in entries}
    status = managed(
        "kube-controller-manager",
        latest,
        {"f:status": {"f:conditions": {}, "f:readyReplicas": {}}},
        subresource="status",
        api_version="apps/v1",
    )
    return {
        "name": it.name,
        "namespace": it.namespace,
        "uid": it.uid,
        "resourceVersion": world.resource_version(latest, it.name),
        "generation": generation,
        "creationTimestamp": it.created,
        "labels": dict(it.labels),
        "annotations": dict(it.annotations),
        "managedFields": [*by_manager.values(), status],
    }


def _through(fields: Json) -> str:
    """`kubectl scale` and autoscalers write the number of replicas by a subresource, and say so."""
    return "scale" if fields == {"f:spec": {"f:replicas": {}}} else ""


def _latest(world: World, it: Workload) -> float:
    times = [it.created, *(r.created for r in it.revisions), *(at for at, _ in it.scale)]
    times += [t for p in it.present(world.now) for span in p.ready_spans() for t in span if t <= world.now]
    return max(t for t in times if t <= world.now)


def _deployment(world: World, it: Workload) -> Json:
    now, wanted = world.now, it.replicas(world.now)
    pods = [p for p in it.present(now) if p.deleted == inf and p.failed > now and not _leaving(p, now)]
    ready = [p for p in pods if p.is_ready(now)]
    updated = [p for p in pods if p.revision is it.revision]
    metadata = _metadata(world, it, _latest(world, it))
    metadata["annotations"]["deployment.kubernetes.io/revision"] = str(it.revision.number)
    status: Json = {
        "observedGeneration": metadata["generation"],
        "conditions": _conditions(world, it, len(ready), updated),
    }
    counts = {
        "replicas": len(pods),
        "updatedReplicas": len(updated),
        "readyReplicas": len(ready),
        "availableReplicas": len(ready),
        "unavailableReplicas": max(0, max(wanted, len(pods)) - len(ready)),
    }
    status.update({k: v for k, v in counts.items() if v})
    spec = {
        "replicas": wanted,
        "selector": {"matchLabels": dict(it.selector)},
        "template": it.revision.template,
        "strategy": it.strategy,
        "revisionHistoryLimit": 10,
        "progressDeadlineSeconds": PROGRESS_SECONDS,
    }
    return {"metadata": metadata, "spec": spec, "status": status}


def _leaving(it: Pod, now: float) -> bool:
    """Marked for deletion on a node that does not answer; its controller does not count it any more."""
    return it.lost + 340 < now or it.held < now


def _conditions(world: World, it: Workload, ready: int, updated: list[Pod]) -> list[Json]:
    now, wanted = world.now, it.replicas(world.now)
    missing = it.strategy.get("rollingUpdate", {}).get("maxUnavailable", "25%")
    allowed = int(int(str(missing).rstrip("%")) * wanted / 100) if str(missing).endswith("%") else int(missing)
    available = ready >= wanted - allowed
    moved = _availability_changed(world, it, wanted - allowed)
    conditions = [
        {
            "type": "Available",
            "status": "True" if available else "False",
            "reason": "MinimumReplicasAvailable" if available else "MinimumReplicasUnavailable",
            "message": "Deployment has minimum availability."
            if available
            else "Deployment does not have minimum availability.",
            "lastUpdateTime": moved,
            "lastTransitionTime": moved,
        }
    ]
    name, since = f"{it.name}-{it.revision.hash}", it.revision.created
    newest = [p for p in it.pods if p.revision is it.revision]
    complete = (
        len([p for p in newest if next(p.ready_spans(), None)]) >= min(wanted, len(newest)) and len(newest) >= wanted
    )
    if complete or (it.refused and not newest):
        text = ("NewReplicaSetAvailable", f'ReplicaSet "{name}" has successfully progressed.', "True")
    elif now - since > PROGRESS_SECONDS + 5:
        text = ("ProgressDeadlineExceeded", f'ReplicaSet "{name}" has timed out progressing.', "False")
        since += PROGRESS_SECONDS + 1
    else:
        text = ("ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.', "True")
    if it.refused:
        conditions.append(
            {
                "type": "ReplicaFailure",
                "status": "True",
                "reason": "FailedCreate",
                "message": it.refused["message"],
                "lastUpdateTime": it.refused["since"],
                "lastTransitionTime": it.refused["since"],
            }
        )
    conditions.append(
        {
            "type": "Progressing",
            "status": text[2],
            "reason": text[0],
            "message": text[1],
            "lastUpdateTime": since + (0 if text[2] == "False" else 24),
            "lastTransitionTime": since if text[2] == "False" else it.created,
        }
    )
    return conditions


def _availability_changed(world: World, it: Workload, needed: int) -> float:
    """When the Deployment last crossed its minimum availability."""
    moments = sorted({t for p in it.pods for span in p.ready_spans() for t in span if t <= world.now})
    before, changed = False, it.created
    for t in moments:
        enough = sum(1 for p in it.pods if p.is_ready(t)) >= needed
        if enough != before:
            before, changed = enough, t
    return changed


def replica_set(world: World, it: Workload, revision: Revision) -> Json:
    now = world.now
    pods = [
        p
        for p in it.present(now)
        if p.revision is revision and p.deleted == inf and p.failed > now and not _leaving(p, now)
    ]
    ready = sum(1 for p in pods if p.is_ready(now))
    current = revision is it.revision
    wanted = it.replicas(now) if current else len(pods)
    if current and len(it.revisions) > 1 and len(pods) < wanted and not it.refused and len(it.present(now)) > len(pods):
        wanted = len(pods)
    labels = {**revision.template["metadata"]["labels"], "pod-template-hash": revision.hash}
    latest = max(
        [
            revision.created,
            *(t for p in pods for s in p.ready_spans() for t in s if t <= now),
            *([revision.replaced + 30] if revision.replaced < inf else []),
        ]
    )
    annotations = {
        "deployment.kubernetes.io/desired-replicas": str(it.replicas(now)),
        "deployment.kubernetes.io/max-replicas": str(-(-it.replicas(now) * 5 // 4)),
        "deployment.kubernetes.io/revision": str(revision.number),
    }
    if revision.cause:
        annotations["kubernetes.io/change-cause"] = revision.cause
    template = copied(revision.template)
    template["metadata"]["labels"]["pod-template-hash"] = revision.hash
    status: Json = {"replicas": len(pods), "observedGeneration": 2 if current else 4}
    status.update(
        {
            k: v
            for k, v in {"fullyLabeledReplicas": len(pods), "readyReplicas": ready, "availableReplicas": ready}.items()
            if v
        }
    )
    if current and it.refused:
        status["conditions"] = [
            {
                "type": "ReplicaFailure",
                "status": "True",
                "reason": "FailedCreate",
                "message": it.refused["message"],
                "lastTransitionTime": it.refused["since"],
            }
        ]
    return {
        "metadata": {
            "name": f"{it.name}-{revision.hash}",
            "namespace": it.namespace,
            "uid": revision.uid,
            "resourceVersion": world.resource_version(latest, revision.uid),
            "generation": 2 if current else 4,
            "creationTimestamp": revision.created,
            "labels": labels,
            "annotations": annotations,
            "ownerReferences": [
                {
                    "apiVersion": "apps/v1",
                    "kind": "Deployment",
                    "name": it.name,
                    "uid": it.uid,
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        },
        "spec": {
            "replicas": wanted,
            "selector": {"matchLabels": {**it.selector, "pod-template-hash": revision.hash}},
            "template": template,
        },
        "status": status,
    }


def _stateful_set(world: World, it: Workload) -> Json:
    now, wanted = world.now, it.replicas(world.now)
    pods = [p for p in it.present(now) if p.deleted == inf]
    ready = sum(1 for p in pods if p.is_ready(now))
    metadata = _metadata(world, it, _latest(world, it))
    claims = [v for v in it.revision.template["spec"].get("volumes", []) if v["name"] == "data"]
    template = _template(it, it.revision)
    claim = world.objects.get("PersistentVolumeClaim", {}).get((it.namespace, f"data-{it.name}-0"))
    spec: Json = {
        "replicas": wanted,
        "selector": {"matchLabels": dict(it.selector)},
        "serviceName": it.name,
        "template": template,
        "podManagementPolicy": "OrderedReady",
        "revisionHistoryLimit": 10,
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
    }
    if claims:
        size = claim["spec"]["resources"]["requests"]["storage"] if claim else "20Gi"
        spec["volumeClaimTemplates"] = [
            {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "metadata": {"name": "data", "creationTimestamp": None},
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "resources": {"requests": {"storage": size}},
                    "storageClassName": (claim or {"spec": {"storageClassName": "gp3"}})["spec"].get(
                        "storageClassName"
                    ),
                    "volumeMode": "Filesystem",
                },
                "status": {"phase": "Pending"},
            }
        ]
    hashed = f"{it.name}-{it.revision.hash}"
    updated = sum(1 for p in pods if p.revision is it.revision)
    status: Json = {
        "observedGeneration": metadata["generation"],
        "replicas": len(pods),
        "currentRevision": hashed,
        "updateRevision": hashed,
        "collisionCount": 0,
        "availableReplicas": ready,
        "currentReplicas": updated,
        "updatedReplicas": updated,
    }
    if ready:
        status["readyReplicas"] = ready
    return {"metadata": metadata, "spec": spec, "status": status}


def _template(it: Workload, revision: Revision) -> Json:
    """As the object holds it: what a StatefulSet claims is no volume of its template."""
    template = copied(revision.template)
    if it.kind == "StatefulSet":
        template["spec"]["volumes"] = [v for v in template["spec"].get("volumes", []) if v["name"] != "data"]
    return template


def controller_revision(world: World, it: Workload, revision: Revision) -> Json:
    """A StatefulSet's or DaemonSet's revision: a patch that puts its template back (k8s pkg/controller/history)."""
    label = "controller.kubernetes.io/hash" if it.kind == "StatefulSet" else "controller-revision-hash"
    owner = {
        "apiVersion": "apps/v1",
        "kind": it.kind,
        "name": it.name,
        "uid": it.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }
    notes = {} if it.kind == "StatefulSet" else {"deprecated.daemonset.template.generation": str(revision.number)}
    return {
        "metadata": {
            "name": f"{it.name}-{revision.hash}",
            "namespace": it.namespace,
            "uid": world.uid("ControllerRevision", it.namespace, it.name, revision.number),
            "resourceVersion": world.resource_version(revision.created, it.name),
            "creationTimestamp": revision.created,
            "labels": {**it.selector, label: revision.hash},
            **({"annotations": notes} if notes else {}),
            "ownerReferences": [owner],
        },
        "data": {"spec": {"template": {**_template(it, revision), "$patch": "replace"}}},
        "revision": revision.number,
    }


def _daemon_set(world: World, it: Workload) -> Json:
    pods = [p for p in it.present(world.now) if p.deleted == inf]
    ready = sum(1 for p in pods if p.is_ready(world.now))
    metadata = _metadata(world, it, _latest(world, it))
    metadata["annotations"]["deprecated.daemonset.template.generation"] = str(it.revision.number)
    wanted = len(world.nodes)
    status: Json = {
        "currentNumberScheduled": len(pods),
        "numberMisscheduled": 0,
        "desiredNumberScheduled": wanted,
        "numberReady": ready,
        "observedGeneration": metadata["generation"],
        "updatedNumberScheduled": sum(1 for p in pods if p.revision is it.revision),
        "numberAvailable": ready,
    }
    if wanted - ready:
        status["numberUnavailable"] = wanted - ready
    spec = {
        "selector": {"matchLabels": dict(it.selector)},
        "template": it.revision.template,
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}},
        "revisionHistoryLimit": 10,
    }
    return {"metadata": metadata, "spec": spec, "status": status}
