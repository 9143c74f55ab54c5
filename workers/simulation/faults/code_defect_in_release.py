"""J1: a new version throws on one path, for a share of its requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, next_version, rollout_of, workload_thing
from workers.simulation.company import Service
from workers.simulation.rollout import roll_out
from workers.simulation.world import OwnEffect, World

FAULT = "code_defect_in_release"
OPTIONS = {"route": "", "share": 0.62, "error": "", "frames": ""}

_PYTHON = {
    "error": "AttributeError: 'NoneType' object has no attribute 'currency'",
    "frames": "{pkg}/api.py|94|create|result = await handler(request)|;;{pkg}/service.py|147|apply|total = self._total(items, promotion)|;;{pkg}/totals.py|52|_total|if promotion.currency != items.currency:|",  # noqa: E501
}
_GO = {
    "error": "runtime error: invalid memory address or nil pointer dereference",
    "frames": "{pkg}/totals.go|61|{pkg}.(*Service).total|",
    "caller": "httpx/recover.go:38",
}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    assert isinstance(it.part, Service)
    revision = roll_out(world, it, at, next_version_of)
    usual = _PYTHON if it.part.language == "python" else _GO
    detail = {
        k: (str(options.get(k)) if options.get(k) else v).replace("{pkg}", victim).replace("|;;", ";;").rstrip("|")
        for k, v in usual.items()
    }
    if it.part.language == "go":
        detail["frames"] += "|"
    onset = min(s for p in it.pods if p.revision is revision for s, _ in p.ready_spans())
    world.own.append(
        OwnEffect(
            victim,
            "exception",
            onset,
            share=float(options["share"]),
            route=str(options["route"]),
            revision=revision.number,
            detail=detail,
        )
    )
    return Blow(
        (workload_thing(it),),
        onset,
        rollout_of(it, revision),
        evidence=(
            f"log ~ {detail['error'].split(':')[0]} and service = {victim}",
            f"{victim} revision {revision.number}",
        ),
    )


def next_version_of(template: dict[str, Any]) -> None:
    next_version(template)
