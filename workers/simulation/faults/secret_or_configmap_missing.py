"""D5: a release takes an environment variable from a Secret that nobody created."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, next_version, rollout_of, workload_thing
from workers.simulation.cluster import Json
from workers.simulation.fates import not_started
from workers.simulation.rollout import roll_out
from workers.simulation.world import World

FAULT = "secret_or_configmap_missing"
OPTIONS = {"secret": "", "variable": "SIGNING_KEY"}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    name = options["secret"] or f"{victim}-signing"

    def edit(template: Json) -> None:
        next_version(template)
        reference = {"name": options["variable"], "valueFrom": {"secretKeyRef": {"name": name, "key": "key"}}}
        template["spec"]["containers"][0]["env"].append(reference)

    revision = roll_out(
        world, it, at, edit, fate=not_started("CreateContainerConfigError", f'secret "{name}" not found')
    )
    return Blow(
        (workload_thing(it),),
        at,
        rollout_of(it, revision),
        evidence=(f"state.waiting.reason = CreateContainerConfigError and pod ~ {victim}-*",),
    )
