"""CronJobs at work: the last runs on their schedule, and any run that a fault wants to fail."""

from __future__ import annotations

from workers.simulation import templates
from workers.simulation.belongings import account
from workers.simulation.cluster import Json, Workload
from workers.simulation.company import Job
from workers.simulation.fates import healthy
from workers.simulation.rollout import new_pod, new_revision
from workers.simulation.world import World


def scheduled_runs(world: World) -> None:
    """The last runs of each CronJob, on their schedule."""
    for job in world.company.jobs:
        account(world, job)
        minute, hour = job.schedule.split()[:2]
        period = 60.0 * int(minute[2:]) if minute.startswith("*/") else 86400.0 if hour.isdigit() else 3600.0
        offset = (0.0 if minute.startswith("*/") else 60.0 * int(minute)) + (
            3600.0 * int(hour) if hour.isdigit() else 0.0
        )
        last = (world.now - offset) // period * period + offset
        for back in (2, 1, 0):
            run_job(world, job, last - back * period)


def run_job(
    world: World,
    job: Job,
    at: float,
    *,
    exit_code: int = 0,
    template: Json | None = None,
    tries: int = 1,
    first_fails: bool = False,
) -> Workload:
    """One Job of a CronJob: succeeds, fails in every try, or fails once and then succeeds."""
    name = f"{job.name}-{int(at // 60)}"
    it = Workload("Job", job.namespace, name, world.uid("Job", name), at, job, {"job-name": name})
    it.scale = [(at, 1)]
    it.labels = {"job-name": name}
    made = template or templates.of(job, world.company)
    made["metadata"]["labels"] = {**made["metadata"]["labels"], "job-name": name, "batch.kubernetes.io/job-name": name}
    world.workloads[(job.namespace, name)] = it
    revision = new_revision(world, it, at, made)
    start = at + 0.4
    codes = [1, 0] if first_fails else [exit_code] * tries
    for code in codes:
        pod = new_pod(world, it, revision, start, healthy)
        run = pod.runs[pod.main][0]
        lasts = 60 * job.minutes * world.between(0.8, 1.2, name) if code == 0 else world.between(3, 7, name, start)
        if first_fails and code:
            run.message = "ConnectionResetError: [Errno 104] Connection reset by peer"
        if run.started + lasts < world.now:
            run.ended, run.exit_code, run.reason = run.started + lasts, code, "Error" if code else "Completed"
            pod.failed = run.ended
        start = run.started + lasts + 10
    if exit_code:
        it.annotations["outcome"] = "failed"
    return it
