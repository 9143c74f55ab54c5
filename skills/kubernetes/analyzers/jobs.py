"""Jobs and CronJobs that fail, hang or do not run (J6). Conditions and reasons: pkg/controller/job, cronjob."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from skills.contract import Entity, Focus, Symptom, Window
from skills.kubernetes import cite
from skills.kubernetes.analyzers.crashes import last_words
from skills.kubernetes.differences import of_templates, written_at
from skills.kubernetes.objects import (
    Object,
    condition,
    created,
    dig,
    earliest,
    holds,
    latest,
    mapping,
    maps,
    name,
    namespace,
    number,
    text,
    time_of,
)
from skills.kubernetes.pods import container_statuses, name_of
from skills.kubernetes.snapshot import Snapshot

NAME = "kubernetes.jobs"
_NOT_STARTED = ("FailedNeedsStart", "TooManyMissedTimes", "MissSchedule", "UnparseableSchedule", "InvalidSchedule",
                "UnknownTimeZone", "FailedCreate", "JobAlreadyActive")  # fmt: skip
"""Reasons of cronjob_controllerv2.go for a run that does not begin."""
_OF_EACH_RUN = ("job-name", "controller-uid")
"""Labels that the job controller gives to each run."""


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    by_owner: dict[Entity, list[Object]] = defaultdict(list)
    for job in snapshot.of("Job"):
        by_owner[snapshot.owner_of(job, "Job")].append(job)
    found = [_jobs(snapshot, owner, jobs) for owner, jobs in by_owner.items()]
    found += [_held(snapshot, j, focus) for j in snapshot.of("Job")]
    found += [_schedule(snapshot, c, focus, snapshot.clock) for c in snapshot.of("CronJob")]
    return [s for s in found if s]


def _jobs(snapshot: Snapshot, owner: Entity, jobs: list[Object]) -> Symptom | None:
    runs = sorted(jobs, key=lambda j: created(j) or snapshot.now)
    newest = runs[-1]
    failed = [j for j in runs if _has_failed(j)]
    well = [j for j in runs if _has_succeeded(j)]
    if failed and well and (created(well[-1]) or snapshot.now) > (created(failed[-1]) or snapshot.now):
        return None  # a later run succeeded: what failed before it is over
    hanging = [j for j in runs if number(j, "status", "active") and not number(j, "status", "succeeded")]
    change = _changed(owner, failed, well)
    if failed and holds(failed[-1], "Failed"):
        state = condition(failed[-1], "Failed")
        why = f"{text(state, 'reason')}: {text(state, 'message')}"
        specificity = 0.88
        evidence = [cite.stated(snapshot, "Job", failed[-1], "Failed")]
        onset = time_of(condition(failed[0], "Failed").get("lastTransitionTime")) or created(failed[0])
    elif failed:
        count = number(failed[-1], "status", "failed")
        why, specificity = f"{count} pods of {name(failed[-1])} failed", 0.7
        evidence = [cite.seen(snapshot, "Job", failed[-1], f"Job {name(failed[-1])} status.failed {count}")]
        onset = created(failed[0])
    elif len(hanging) > 1 and owner.kind == "CronJob" and (sidecar := _outlives(_pods_of(snapshot, newest))):
        why, specificity = f"{len(hanging)} jobs never end: container {sidecar} runs on after the work is done", 0.92
        told = f"Job {name(newest)} active, 0 succeeded; container {sidecar} still running"
        evidence = [cite.seen(snapshot, "Job", newest, told)]
        onset = earliest(created(j) for j in hanging)
    else:
        return None
    if len(failed) > 1 or change:
        why += f"; {len(failed)} of {len(runs)} runs on record failed, {len(well)} succeeded"
        specificity = max(specificity, 0.93 if not well or change else 0.9)
    if change:
        words, run = change
        why += f"; between them {words}"
        shown = f"Job {name(run)} differs from Job {name(well[-1])}, which succeeded: {words}"
        evidence.append(cite.seen(snapshot, "Job", run, shown, verb="get", at=created(run)))
    evidence += [e for p in _pods_of(snapshot, failed[-1] if failed else newest)[-1:] for e in last_words(snapshot, p)]
    old = onset is not None and snapshot.clock - (created(newest) or onset) > timedelta(days=2)
    return Symptom(
        analyzer=NAME,
        entity=owner,
        faults=("scheduled_job_failing",),
        summary=f"{owner.kind} {owner.name}: {why[:400]}.",
        # A failed job that nobody has started since is a leftover.
        specificity=specificity * (0.6 if old else 1),
        evidence=tuple(evidence),
        onset=onset,
    )


def _has_failed(job: Object) -> bool:
    return holds(job, "Failed") or bool(
        number(job, "status", "failed") and not number(job, "status", "succeeded") and not holds(job, "Complete")
    )


def _has_succeeded(job: Object) -> bool:
    return holds(job, "Complete") or (number(job, "status", "succeeded") > 0 and not holds(job, "Failed"))


def _pods_of(snapshot: Snapshot, job: Object) -> list[Object]:
    return [
        p for p in snapshot.pods if any(text(o, "name") == name(job) for o in maps(p, "metadata", "ownerReferences"))
    ]


def _changed(owner: Entity, failed: list[Object], well: list[Object]) -> tuple[str, Object] | None:
    """What differs between the template of the last run that went well and of the first one that failed after it, and
    that run: jobs keep their template, and so the history that a CronJob does not have."""
    began = created(well[-1]) if well else None
    after = next((j for j in failed if began and (at := created(j)) and at > began), None)
    if owner.kind != "CronJob" or after is None:
        return None
    before = mapping(well[-1], "spec", "template")
    told = [d for d in of_templates(before, mapping(after, "spec", "template")) if not d.path.endswith(_OF_EACH_RUN)]
    return ("; ".join(str(d) for d in told[:4]), after) if told else None


def _outlives(pods: list[Object]) -> str:
    """A container that still runs although another one of its pod has completed."""
    for pod in pods:
        statuses = container_statuses(pod)
        done = any(text(s, "state", "terminated", "reason") == "Completed" for s in statuses)
        running = [name_of(s) for s in statuses if mapping(s, "state", "running")]
        if done and running:
            return running[0]
    return ""


def _held(snapshot: Snapshot, job: Object, focus: Focus) -> Symptom | None:
    """A Job that is kept from starting (by hand, or by a queue such as Kueue), where somebody misses it."""
    if dig(job, "spec", "suspend") is not True or name(job) not in (focus.service, focus.labels.get("job_name", "")):
        return None
    state = condition(job, "Suspended")
    words = f"Job {name(job)} spec.suspend true, {number(job, 'status', 'active')} active"
    words += f"; Suspended: {text(state, 'message')}" if text(state, "message") else ""
    return Symptom(
        analyzer=NAME,
        entity=Entity(kind="Job", namespace=namespace(job), name=name(job)),
        faults=("scheduled_job_failing",),
        summary=f"Job {name(job)} is suspended: none of its pods is made.",
        specificity=0.85,
        evidence=(cite.seen(snapshot, "Job", job, words),),
        onset=time_of(state.get("lastTransitionTime")) or created(job),
    )


def _schedule(snapshot: Snapshot, cron: Object, focus: Focus, now: datetime) -> Symptom | None:
    target = Entity(kind="CronJob", namespace=namespace(cron), name=name(cron))
    ran = latest(time_of(dig(cron, "status", key)) for key in ("lastScheduleTime", "lastSuccessfulTime"))
    events = [
        e
        for e in snapshot.events_of("CronJob", cron, *_NOT_STARTED)
        if e.last and snapshot.clock - e.last < timedelta(hours=2) and not (ran and ran > e.last)
    ]
    suspended = dig(cron, "spec", "suspend") is True
    if not events and not suspended:
        return None
    asked = name(cron) in (focus.service, focus.labels.get("cronjob", ""), focus.labels.get("job_name", ""))
    since = written_at(cron, snapshot.clock, "spec", "suspend") if suspended else None
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
        specificity=0.85
        if events or (asked and since)
        else 0.8
        if asked
        else 0.1
        if _is_kept(cron, since, now)
        else 0.3,
        evidence=(*said, cite.seen(snapshot, "CronJob", cron, words)),
        onset=events[0].first if events else since or time_of(dig(cron, "status", "lastScheduleTime")),
    )


_BORN_SO, _LONG = timedelta(minutes=1), timedelta(days=2)


def _is_kept(cron: Object, since: datetime | None, now: datetime) -> bool:
    """Suspended as it was made, or for days: kept for whenever it is needed."""
    born = created(cron)
    return since is not None and (now - since > _LONG or (born is not None and since - born < _BORN_SO))
