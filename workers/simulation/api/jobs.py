"""CronJobs and the Jobs they have left: those of the history limits, with their pods."""

from __future__ import annotations

from workers.simulation import templates
from workers.simulation.cluster import Json
from workers.simulation.company import Job
from workers.simulation.world import World, managed


def jobs(world: World, kind: str) -> list[Json]:
    """CronJobs from the company; Jobs are workloads of their own, one pod each."""
    if kind == "CronJob":
        return [_cron_job(world, j) for j in world.company.jobs]
    return [_job(world, w.name) for w in world.workloads.values() if w.kind == "Job"]


def _cron_job(world: World, job: Job) -> Json:
    overlay = world.objects.get("CronJobOverlay", {}).get((job.namespace, job.name), {})
    mine = [w for w in world.workloads.values() if w.kind == "Job" and w.part is job]
    created = world.founded + 3 * 86400
    status: Json = {}
    if mine:
        status["lastScheduleTime"] = max(w.created for w in mine)
        good = [
            w.pods[-1].failed
            for w in mine
            if w.pods and w.pods[-1].failed <= world.now and w.annotations.get("outcome") != "failed"
        ]
        if overlay.get("lastSuccess"):
            good.append(overlay["lastSuccess"])
        if good:
            status["lastSuccessfulTime"] = max(good)
        active = [w for w in mine if w.pods and w.pods[-1].failed > world.now]
        if active:
            status["active"] = [
                {"kind": "Job", "namespace": w.namespace, "name": w.name, "uid": w.uid, "apiVersion": "batch/v1"}
                for w in active
            ]
    template = overlay.get("template") or templates.of(job, world.company)
    spec = {
        "schedule": job.schedule,
        "concurrencyPolicy": "Forbid",
        "suspend": bool(overlay.get("suspend")),
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 3,
        "jobTemplate": {"metadata": {"creationTimestamp": None}, "spec": {"backoffLimit": 2, "template": template}},
    }
    return {
        "metadata": {
            "name": job.name,
            "namespace": job.namespace,
            "uid": world.uid("CronJob", job.name),
            "creationTimestamp": created,
            "resourceVersion": world.resource_version(status.get("lastScheduleTime", created), job.name),
            "labels": {"app": job.name, "team": job.team},
            "managedFields": _written(overlay.get("written", created), status.get("lastScheduleTime")),
        },
        "spec": spec,
        "status": status,
    }


def _written(at: float, scheduled: float | None) -> list[Json]:
    """By whoever delivers it, and by its controller at each schedule."""
    fields: Json = {"f:spec": {"f:jobTemplate": {"f:spec": {"f:template": {"f:spec": {}}}}, "f:schedule": {}}}
    made = [managed("argocd-controller", at, fields, api_version="batch/v1")]
    if scheduled is not None:
        status: Json = {"f:status": {"f:lastScheduleTime": {}}}
        made.append(managed("kube-controller-manager", scheduled, status, subresource="status", api_version="batch/v1"))
    return made


def _job(world: World, name: str) -> Json:
    it = world.workload(name)
    failed_pods = sum(
        1 for p in it.pods if p.failed <= world.now and any(r.exit_code for rs in p.runs.values() for r in rs)
    )
    done = bool(it.pods) and all(p.failed <= world.now for p in it.pods)
    status: Json = {"startTime": it.created, "ready": 0, "uncountedTerminatedPods": {}}
    conditions: list[Json] = []
    if it.annotations.get("outcome") == "failed" and done:
        at = max(p.failed for p in it.pods) + 1
        status["failed"] = failed_pods
        conditions.append(
            {
                "type": "Failed",
                "status": "True",
                "reason": "BackoffLimitExceeded",
                "message": "Job has reached the specified backoff limit",
                "lastProbeTime": at,
                "lastTransitionTime": at,
            }
        )
    elif done:
        at = it.pods[-1].failed + 1
        status.update(succeeded=1, completionTime=at)
        if failed_pods:
            status["failed"] = failed_pods
        conditions.append(
            {
                "type": "Complete",
                "status": "True",
                "lastProbeTime": at,
                "lastTransitionTime": at,
                "reason": "CompletionsReached",
                "message": "Reached expected number of succeeded pods",
            }
        )
    else:
        status["active"] = 1
        if failed_pods:
            status["failed"] = failed_pods
    if conditions:
        status["conditions"] = conditions
    labels = {
        "batch.kubernetes.io/job-name": it.name,
        "batch.kubernetes.io/controller-uid": it.uid,
        "job-name": it.name,
        "controller-uid": it.uid,
    }
    owner = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "name": it.part.name,
        "uid": world.uid("CronJob", it.part.name),
        "controller": True,
        "blockOwnerDeletion": True,
    }
    spec = {
        "backoffLimit": 2,
        "completions": 1,
        "parallelism": 1,
        "completionMode": "NonIndexed",
        "suspend": False,
        "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": it.uid}},
        "template": it.revision.template,
    }
    return {
        "metadata": {
            "name": it.name,
            "namespace": it.namespace,
            "uid": it.uid,
            "creationTimestamp": it.created,
            "resourceVersion": world.resource_version(it.created, it.name),
            "labels": labels,
            "ownerReferences": [owner],
        },
        "spec": spec,
        "status": status,
    }
