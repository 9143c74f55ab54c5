"""D8: a release demands a non-root user, and its image runs as root; the container is not created."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, next_version, rollout_of, workload_thing
from workers.simulation.cluster import Json
from workers.simulation.fates import not_started
from workers.simulation.rollout import roll_out
from workers.simulation.world import World

FAULT = "security_context_rejected"
OPTIONS: Mapping[str, Any] = {}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)

    def edit(template: Json) -> None:
        next_version(template)
        template["spec"]["containers"][0]["securityContext"] = {"runAsNonRoot": True}

    text = f'container has runAsNonRoot and image will run as root (pod: "{victim}", container: {victim})'
    revision = roll_out(world, it, at, edit, fate=not_started("CreateContainerConfigError", text))
    return Blow(
        (workload_thing(it),),
        at,
        rollout_of(it, revision),
        evidence=(f"state.waiting.reason = CreateContainerConfigError and pod ~ {victim}-*", "message ~ runAsNonRoot"),
    )
