"""Jobs and CronJobs that fail, hang or do not run (J6). Conditions and reasons: pkg/controller/job, cronjob."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from skills.contract import Entity, Focus, Symptom, Window
from skills.kubernetes import cite
from skills.kubernetes.analyzers.crashes import last_words
from skills.kubernetes.objects import Object, condition, created, dig, earliest, mapping, name, number, text, time_of
from skills.kubernetes.snapshot import Snapshot, container_statuses, name_of

NAME = "kubernetes.jobs"


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    by_owner: dict[Entity, list[Object]] = defaultdict(list)
    for job in snapshot.of("Job"):
        by_owner[snapshot.owner_of(job, "Job")].append(job)
    found = [_jobs(snapshot, owner, jobs) for owner, jobs in by_owner.items()]
    found += [_schedule(snapshot, c, focus) for c in snapshot.of("CronJob")]
    return [s for s in found if s]


def _jobs(snapshot: Snapshot, owner: Entity, jobs: list[Object]) -> Symptom | None:
    newest = max(jobs, key=lambda j: created(j) or snapshot.now)
    failed = condition(newest, "Failed")
    pods = [
        p
        for p in snapshot.pods
        if any(text(o, "name") == name(newest) for o in p["metadata"].get("ownerReferences") or [])
    ]
    hanging = [j for j in jobs if number(j, "status", "active") and not number(j, "status", "succeeded")]
    if failed.get("status") == "True":
        why, specificity = f"{text(failed, 'reason')}: {text(failed, 'message')}", 0.88
        evidence = [cite.stated(snapshot, "Job", newest, "Failed")]
        onset = time_of(failed.get("lastTransitionTime"))
    elif number(newest, "status", "failed") and not number(newest, "status", "succeeded"):
        why, specificity = f"{number(newest, 'status', 'failed')} pods of {name(newest)} failed", 0.7
        evidence = [
            cite.seen(snapshot, "Job", newest, f"Job {name(newest)} status.failed {number(newest, 'status', 'failed')}")
        ]
        onset = created(newest)
    elif len(hanging) > 1 and owner.kind == "CronJob" and (sidecar := _outlives(pods)):
        why, specificity = f"{len(hanging)} jobs never end: container {sidecar} runs on after the work is done", 0.92
        evidence = [
            cite.seen(
                snapshot, "Job", newest, f"Job {name(newest)} active, 0 succeeded; container {sidecar} still running"
            )
        ]
        onset = earliest(created(j) for j in hanging)
    else:
        return None
    evidence += [e for p in pods[-1:] for e in last_words(snapshot, p, 2)]
    old = onset is not None and snapshot.clock - onset > timedelta(days=1)
    return Symptom(
        analyzer=NAME,
        entity=owner,
        faults=("scheduled_job_failing",),
        summary=f"{owner.kind} {owner.name}: {why[:300]}.",
        specificity=specificity * (0.6 if old else 1),
        evidence=tuple(evidence),
        onset=onset,
    )


def _outlives(pods: list[Object]) -> str:
    """A container that still runs although another one of its pod has completed."""
    for pod in pods:
        statuses = container_statuses(pod)
        done = any(text(s, "state", "terminated", "reason") == "Completed" for s in statuses)
        running = [name_of(s) for s in statuses if mapping(s, "state", "running")]
        if done and running:
            return running[0]
    return ""


def _schedule(snapshot: Snapshot, cron: Object, focus: Focus) -> Symptom | None:
    target = Entity(kind="CronJob", namespace=cron["metadata"].get("namespace"), name=name(cron))
    events = snapshot.events_of(
        "CronJob",
        cron,
        "FailedNeedsStart",
        "TooManyMissedTimes",
        "MissSchedule",
        "UnparseableSchedule",
        "InvalidSchedule",
        "FailedCreate",
    )
    suspended = dig(cron, "spec", "suspend") is True
    if not events and not suspended:
        return None
    asked = name(cron) in (focus.service, focus.labels.get("cronjob", ""), focus.labels.get("job_name", ""))
    why = events[-1].message if events else "it is suspended"
    said = [cite.told(snapshot, e) for e in events[-1:]]
    words = (
        f"CronJob {name(cron)} suspend {suspended}, lastScheduleTime "
        f"{text(cron, 'status', 'lastScheduleTime') or 'never'}"
    )
    return Symptom(
        analyzer=NAME,
        entity=target,
        faults=("scheduled_job_failing",),
        summary=f"CronJob {name(cron)}: {why[:300]}.",
        # Suspending a job is an everyday decision; it matters when somebody misses the job.
        specificity=0.85 if events else 0.8 if asked else 0.3,
        evidence=(*said, cite.seen(snapshot, "CronJob", cron, words)),
        onset=events[0].first if events else time_of(dig(cron, "status", "lastScheduleTime")),
    )
