"""What makes an alert fire while nothing is wrong: rules that ask the wrong question, and blind spots of monitoring.

Each function changes the world at a moment. A scenario with `verdict: false_alarm` names it under `harmless`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from workers.simulation import dice
from workers.simulation.cluster import Json, Memory, Note
from workers.simulation.company import Service, SimulationError
from workers.simulation.fates import memory_limit
from workers.simulation.jobs import run_job
from workers.simulation.world import Surge, World

Act = Callable[[World, str, float], None]


def scrape_broken(world: World, victim: str, at: float) -> None:
    """Prometheus lost the way to the metrics of a service, whose callers notice nothing."""
    world.unscraped[victim] = at


def campaign_ended(world: World, victim: str, at: float) -> None:
    """Many requests for some hours, as planned; then as few as on any day."""
    if not isinstance(world.company.parts.get(victim), Service):
        raise SimulationError(f"{victim} is no service")
    world.surges.append(Surge(at - 3.2 * 3600, at, 4.3, victim, 600))


def autoscaler_pinned(world: World, victim: str, at: float) -> None:
    """Its greatest number of replicas was set to what runs, on purpose: always at its maximum, and never short."""
    replicas = world.workload(victim).replicas(at)

    def pin(body: Json) -> None:
        body["spec"].update(minReplicas=replicas, maxReplicas=replicas)

    space = world.workload(victim).namespace
    world.edit(
        "HorizontalPodAutoscaler", space, victim, at, pin, "argocd-controller", {"f:spec": {"f:maxReplicas": {}}}
    )


def memory_by_design(world: World, victim: str, at: float) -> None:
    """It fills a cache up to a fixed share of its limit and stays there, as its makers meant it."""
    for pod in world.workload(victim).pods:
        limit = memory_limit(pod)
        level = limit * 0.953 / dice.between(0.95, 1.06, "level", pod.name)
        pod.memory = Memory(level, warm_seconds=1500, cap=limit * 0.972)


def job_retried(world: World, victim: str, at: float) -> None:
    """The first pod of one run failed, and the second did the work: the Job is complete."""
    job = next((j for j in world.company.jobs if j.name == victim), None)
    if job is None:
        raise SimulationError(f"{world.company.name} has no CronJob called {victim!r}")
    runs = [w for w in world.workloads.values() if w.kind == "Job" and w.part is job and w.created <= at]
    if not runs:
        raise SimulationError(f"{victim} did not run before that")
    old = max(runs, key=lambda w: w.created)
    del world.workloads[(old.namespace, old.name)]
    made = run_job(world, job, old.created, first_fails=True)
    pod = made.pods[0]
    world.note(
        Note(
            "Job",
            made.namespace,
            made.name,
            made.uid,
            "SuccessfulCreate",
            f"Created pod: {pod.name}",
            pod.created,
            pod.created,
            component="job-controller",
            api_version="batch/v1",
        )
    )


KINDS: Mapping[str, Act] = {
    "scrape_broken": scrape_broken,
    "campaign_ended": campaign_ended,
    "autoscaler_pinned": autoscaler_pinned,
    "memory_by_design": memory_by_design,
    "job_retried": job_retried,
}
