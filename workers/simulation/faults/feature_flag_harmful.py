"""J2: a flag is switched on; no rollout, but one path breaks from that moment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Altered, Blow, Thing
from workers.simulation.cluster import Json
from workers.simulation.world import DAY, LogNote, OwnEffect, World

FAULT = "feature_flag_harmful"
OPTIONS = {"flag": "bundle-pricing-v2", "route": "", "share": 0.44}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it, flag = world.workload(victim), options["flag"]
    body = "flags:\n  express-shipping: {enabled: true}\n  %s: {enabled: %s}\n  guest-wishlist: {enabled: false}\n"
    world.put(
        "ConfigMap",
        it.namespace,
        "feature-flags",
        world.founded + 30 * DAY,
        {"data": {"flags.yaml": body % (flag, "false")}},
    )

    def switch(found: Json) -> None:
        found["data"]["flags.yaml"] = body % (flag, "true")

    world.edit(
        "ConfigMap", it.namespace, "feature-flags", at, switch, "flagd-operator", {"f:data": {"f:flags.yaml": {}}}
    )
    began = at + world.between(18, 40, "flag", victim)
    world.log_notes.append(
        LogNote(victim, at + 2, at + 62, 4, "info", (f"flag snapshot changed: {flag}=true",), logger=f"{victim}.flags")
    )
    python = it.part.language == "python"
    pkg = victim.replace("-", "_")
    error = "KeyError: 'bundle_id'" if python else "bundle: missing field bundle_id"
    frames = f"{pkg}/api.py|71|quote|return await engine.quote(cart)|;;{pkg}/bundles.py|38|quote_v2|bundle = line['bundle_id']"  # noqa: E501
    world.own.append(
        OwnEffect(
            victim,
            "exception",
            began,
            share=float(options["share"]),
            route=options["route"],
            detail={"error": error, "frames": frames.replace("|;;", ";;"), "caller": "bundles/v2.go:44"},
        )
    )
    thing = Thing(
        "feature_flag",
        "",
        flag,
        (
            f"feature_flag {it.namespace}/{flag}",
            f"ConfigMap {it.namespace}/feature-flags",
            f"Deployment {it.namespace}/{victim}",
        ),
    )
    change = Altered("flag", thing, at, (f"ConfigMap {it.namespace}/feature-flags", flag))
    return Blow(
        (thing,), began, change, evidence=(f"log ~ {error.split(':')[0]}", f"ConfigMap feature-flags changed: {flag}")
    )
