"""J3: a value in a ConfigMap is wrong; it is reloaded without a rollout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Altered, Blow, Thing, workload_thing
from workers.simulation.cluster import Json
from workers.simulation.world import EdgeEffect, LogNote, World

FAULT = "config_value_harmful"
OPTIONS = {"key": "HTTP_TIMEOUT_MS", "value": "20", "share": 0.64, "dependency": ""}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    name, key = f"{victim}-config", options["key"]

    def change(body: Json) -> None:
        body["data"][key] = str(options["value"])

    world.edit("ConfigMap", it.namespace, name, at, change, "argocd-controller", {"f:data": {f"f:{key}": {}}})
    began = at + world.between(31, 64, "reload", victim)
    world.log_notes.append(
        LogNote(
            victim,
            began - 2,
            began + 50,
            4,
            "info",
            (f"configuration reloaded: {key}={options['value']}",),
            logger=f"{victim}.config",
        )
    )
    patience = float(options["value"]) / 1000 if key.endswith("TIMEOUT_MS") else 0.0
    for callee in [options["dependency"]] if options["dependency"] else it.part.dependencies:
        world.edges.append(
            EdgeEffect(victim, callee, "timeout", began, share=float(options["share"]), slow_seconds=patience)
        )
    config = Thing("ConfigMap", it.namespace, name)
    thing = workload_thing(it)
    culprit = Thing(thing.kind, thing.namespace, thing.name, (*thing.aliases, str(config)))
    return Blow(
        (culprit,),
        began,
        Altered("config", config, at, (str(config),)),
        evidence=(f"{name}: {key} = {options['value']}", "log ~ configuration reloaded"),
    )
