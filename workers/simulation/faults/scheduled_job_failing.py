"""J6: a CronJob's runs fail since its image was changed."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from workers.simulation import templates
from workers.simulation.blow import Altered, Blow, Thing, next_version
from workers.simulation.company import SimulationError
from workers.simulation.jobs import run_job
from workers.simulation.world import World

FAULT = "scheduled_job_failing"
OPTIONS = {"error": ""}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    job = next((j for j in world.company.jobs if j.name == victim), None)
    if job is None:
        raise SimulationError(f"{world.company.name} has no CronJob called {victim!r}")
    template = deepcopy(templates.of(job, world.company))
    next_version(template)
    error = options["error"] or "ModuleNotFoundError: No module named 'dateutil'"
    text = f'Traceback (most recent call last):\n  File "<frozen runpy>", line 198, in _run_module_as_main\n  File "/app/{job.image}/jobs/{victim.replace("-", "_")}.py", line 12, in <module>\n    from dateutil import rrule\n{error}'  # noqa: E501
    before = [w for w in world.workloads.values() if w.kind == "Job" and w.part is job and w.created > at]
    starts = sorted(w.created for w in before) or [at + 20]
    for each in before:
        del world.workloads[(each.namespace, each.name)]
    for start in starts:
        made = run_job(world, job, start, exit_code=1, template=deepcopy(template), tries=3)
        for pod in made.pods:
            for run in pod.runs[pod.main]:
                run.message = text
    overlay = {"template": template, "written": at}
    world.objects.setdefault("CronJobOverlay", {})[(job.namespace, victim)] = overlay
    thing = Thing(
        "CronJob", job.namespace, victim, tuple(f"Job {job.namespace}/{victim}-{int(s // 60)}" for s in starts)
    )
    return Blow(
        (thing,),
        starts[0],
        Altered("job", thing, at, (str(thing),)),
        evidence=(f"BackoffLimitExceeded and job ~ {victim}-", f"log ~ {error[:30]}"),
    )
