"""D3: the image registry's name does not resolve any more; whatever starts anew, anywhere, waits for its image.

The words are containerd's: `failed to do request: Head "https://...": dial tcp: lookup ... no such host`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, Thing, workload_thing
from workers.simulation.cluster import Json
from workers.simulation.fates import Fate, not_started
from workers.simulation.rollout import roll_out
from workers.simulation.world import World

FAULT = "registry_unreachable"
OPTIONS: Mapping[str, Any] = {"others": "", "resolver": ""}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    """The victim is the first to be released after it; `others` are released soon after, separated by spaces."""
    host = world.company.registry.partition("/")[0]
    resolver = str(options["resolver"] or f"{world.company.nodes.network}.0.2:53")
    names = (victim, *str(options["others"]).split())
    began = at
    for i, name in enumerate(names):
        it = world.workload(name)
        image, _, tag = it.revision.template["spec"]["containers"][0]["image"].rpartition(":")
        head, _, last = tag.rpartition(".")
        new = f"{image}:{head}.{int(last) + 1}"

        def edit(template: Json, new: str = new) -> None:
            template["spec"]["containers"][0]["image"] = new

        roll_out(
            world, it, began + i * world.between(70, 140, "released", name), edit, fate=_waits(new, host, resolver)
        )
    aliases = (host, f"external {host}", *(str(workload_thing(world.workload(n))) for n in names))
    return Blow(
        (Thing("external", "", host, aliases),),
        at,
        None,
        evidence=(f"event.reason = Failed and message ~ lookup {host}",),
    )


def _waits(image: str, host: str, resolver: str) -> Fate:
    path = image.partition("/")[2].rpartition(":")
    url = f"https://{host}/v2/{path[0]}/manifests/{path[2]}"
    detail = (
        f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": failed to do request: '
        f'Head "{url}": dial tcp: lookup {host} on {resolver}: no such host'
    )
    return not_started("ImagePullBackOff", f'Back-off pulling image "{image}"\n{detail}')
