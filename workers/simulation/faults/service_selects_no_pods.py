"""F1: the pods' label is renamed and the Service's selector is changed to it before (or without) the pods: it matches none."""  # noqa: E501

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Altered, Blow, Thing
from workers.simulation.cluster import Json
from workers.simulation.world import World

FAULT = "service_selects_no_pods"
OPTIONS = {"manager": "argocd-controller", "label": "app.kubernetes.io/component", "value": ""}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.service(victim)
    selector = {options["label"]: options["value"] or f"{victim}-api"}

    def change(spec: Json) -> None:
        spec["selector"] = {**spec["selector"], **selector}

    world.change_service(it, at, change, options["manager"], {"f:spec": {"f:selector": {f"f:{options['label']}": {}}}})
    thing = Thing("Service", it.namespace, it.name)
    ids = (f"Service {it.namespace}/{it.name}", f"svc/{it.name}")
    return Blow(
        (thing,),
        at,
        Altered("service", thing, at, ids),
        evidence=(f"endpoints of {victim} are empty", f"selector of Service {victim} matches no pod"),
    )
