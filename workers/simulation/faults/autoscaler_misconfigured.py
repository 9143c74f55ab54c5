"""E11: a release drops the CPU request that the autoscaler needs; when load grows it cannot scale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Altered, Blow, Thing, next_version, rollout_of
from workers.simulation.cluster import Json, Note
from workers.simulation.company import SimulationError
from workers.simulation.rollout import roll_out
from workers.simulation.world import Surge, World

FAULT = "autoscaler_misconfigured"
OPTIONS = {"surge": 4.6}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    stored = world.objects.get("HorizontalPodAutoscaler", {}).get((it.namespace, victim))
    if stored is None:
        raise SimulationError(f"{victim} has no autoscaler to be misconfigured")

    def edit(template: Json) -> None:
        next_version(template)
        resources = template["spec"]["containers"][0]["resources"]
        resources["requests"].pop("cpu", None)
        resources["limits"].pop("cpu", None)

    revision = roll_out(world, it, at, edit)
    entry = world.company.entry_to(victim).name
    world.surges.append(Surge(at + 180, world.now + 1, float(options["surge"]), entry, 240))
    count = max(1, int((world.now - at) // 15))
    text = f"failed to get cpu utilization: missing request for cpu in container {victim} of Pod {it.present(world.now)[0].name}"  # noqa: E501
    for reason, message in (
        ("FailedGetResourceMetric", text),
        ("FailedComputeMetricsReplicas", f"invalid metrics (1 invalid out of 1), first error is: {text}"),
    ):
        world.note(
            Note(
                "HorizontalPodAutoscaler",
                it.namespace,
                victim,
                stored["metadata"]["uid"],
                reason,
                message,
                at + 31,
                world.now - 8,
                count,
                True,
                "horizontal-pod-autoscaler",
                api_version="autoscaling/v2",
            )
        )
    thing = Thing("HorizontalPodAutoscaler", it.namespace, victim, (f"Deployment {it.namespace}/{victim}",))
    altered = rollout_of(it, revision)
    return Blow(
        (thing,),
        at + 31,
        Altered(altered.kind, altered.thing, altered.at, altered.ids),
        evidence=("event.reason = FailedGetResourceMetric",),
    )
