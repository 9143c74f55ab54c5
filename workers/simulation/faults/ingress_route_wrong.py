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
    where = f"{part.namespace}-{wrong}-{part.port}"
    asked = (
        f'{{client}} - - [{{when}}] "{r.method} {r.path.replace("{id}", "{id}")} HTTP/2.0" 503 190 "-" "Mozilla/5.0" '
        f"{{n}} 0.000 [{where}] [] - - - - {{id}}"
        for r in part.routes
    )
    world.log_notes.append(
        LogNote("ingress-nginx-controller", at + 1, world.now, 24, "info", tuple(asked), logger="raw")
    )
    missing = f'Service "{part.namespace}/{wrong}" does not have any active Endpoint.'
    absent = f'Error obtaining Endpoints for Service "{part.namespace}/{wrong}": no object matching key "{part.namespace}/{wrong}" in local store'  # noqa: E501
    world.log_notes.append(
        LogNote(
            "ingress-nginx-controller",
            at + 1,
            world.now,
            4,
            "warning",
            (f"controller.go:1216] {missing}", f"controller.go:1139] {absent}"),
            logger="klog",
        )
    )
    thing = Thing("Ingress", part.namespace, victim)
    return Blow(
        (thing,),
        at,
        Altered("other", thing, at, (str(thing),)),
        evidence=(f"backend of Ingress {victim} is {wrong}",),
    )
