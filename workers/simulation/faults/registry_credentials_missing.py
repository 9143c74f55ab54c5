"""D2: the pull secret is gone; the next release cannot be pulled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Altered, Blow, Thing, workload_thing
from workers.simulation.cluster import Json
from workers.simulation.fates import not_started
from workers.simulation.rollout import roll_out
from workers.simulation.world import World

FAULT = "registry_credentials_missing"
OPTIONS: Mapping[str, Any] = {"secret": "registry-pull"}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    image, _, tag = it.revision.template["spec"]["containers"][0]["image"].rpartition(":")
    head, _, last = tag.rpartition(".")
    new = f"{image}:{head}.{int(last) + 1}"
    world.delete("Secret", it.namespace, str(options["secret"]))

    def edit(template: Json) -> None:
        template["spec"]["containers"][0]["image"] = new

    detail = f'failed to pull and unpack image "{new}": failed to resolve reference "{new}": failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://{world.company.registry}/v2/token?scope=repository%3A{it.part.image}%3Apull&service=registry: 401 Unauthorized'  # noqa: E501
    text = f'Back-off pulling image "{new}"\n{detail}'
    revision = roll_out(world, it, at + 75, edit, fate=not_started("ImagePullBackOff", text))
    return Blow(
        (workload_thing(it),),
        revision.created,
        Altered(
            "secret",
            Thing("Secret", it.namespace, str(options["secret"])),
            at,
            (f"Secret {it.namespace}/{options['secret']}", f"{it.name}-{revision.hash}"),
        ),
        evidence=(f"pod ~ {victim}-* and message ~ unauthorized|authorization failed|no basic auth|denied|forbidden",),
    )
