"""D1: a release names an image tag that was never pushed; the old pods serve on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, rollout_of, workload_thing
from workers.simulation.cluster import Json
from workers.simulation.fates import not_started
from workers.simulation.rollout import roll_out
from workers.simulation.world import World

FAULT = "image_not_found"
OPTIONS: Mapping[str, Any] = {"tag": ""}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    image, _, tag = it.revision.template["spec"]["containers"][0]["image"].rpartition(":")
    new = f"{image}:{options['tag'] or tag + '-rc1'}"

    def edit(template: Json) -> None:
        template["spec"]["containers"][0]["image"] = new

    detail = f'rpc error: code = NotFound desc = failed to pull and unpack image "{new}": failed to resolve reference "{new}": {new}: not found'  # noqa: E501
    text = f'Back-off pulling image "{new}"\n{detail}'
    revision = roll_out(world, it, at, edit, fate=not_started("ImagePullBackOff", text))
    return Blow(
        (workload_thing(it),),
        revision.created,
        rollout_of(it, revision),
        evidence=(f"pod ~ {victim}-* and message ~ not found",),
    )
