"""F8: the Ingress sends the site's requests to a Service that does not exist; the controller answers 503."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Altered, Blow, Thing
from workers.simulation.cluster import Json
from workers.simulation.world import LogNote, Surge, World

FAULT = "ingress_route_wrong"
OPTIONS = {"service": ""}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    part = world.company.service(victim)
    wrong = options["service"] or f"{victim}-web"

    def edit(body: Json) -> None:
        for rule in body["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                path["backend"]["service"]["name"] = wrong

    world.edit("Ingress", part.namespace, victim, at, edit, "argocd-controller", {"f:spec": {"f:rules": {}}})
    world.surges.append(Surge(at + 1, world.now + 1, 0.02, victim))
    lines = (
        f'10.0.12.{{n}} - - [..] "GET /products/{{id}} HTTP/2.0" 503 190 "-" "Mozilla/5.0" 212 0.000 [{part.namespace}-{wrong}-{part.port}] [] - - - - {{id}}',  # noqa: E501
        f'Error obtaining Endpoints for Service "{part.namespace}/{wrong}": no object matching key "{part.namespace}/{wrong}" in local store',  # noqa: E501
    )
    world.log_notes.append(LogNote("ingress-nginx-controller", at + 1, world.now, 30, "warning", lines))
    thing = Thing("Ingress", part.namespace, victim)
    return Blow(
        (thing,),
        at,
        Altered("other", thing, at, (str(thing),)),
        evidence=(f"backend of Ingress {victim} is {wrong}", "log ~ Error obtaining Endpoints"),
    )
