"""J4: a release of one service renames a field of its answers; its caller breaks on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, next_version, rollout_of, workload_thing
from workers.simulation.company import SimulationError
from workers.simulation.rollout import roll_out
from workers.simulation.world import OwnEffect, World

FAULT = "contract_broken_between_services"
OPTIONS = {"caller": "", "field": "unit_price"}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    callers = [s for s in world.company.services if victim in s.dependencies and options["caller"] in ("", s.name)]
    if not callers:
        raise SimulationError(f"nobody called {options['caller'] or 'anything'} calls {victim}")
    revision = roll_out(world, it, at, lambda template: (next_version(template), None)[1])
    onset = min(s for p in it.pods if p.revision is revision for s, _ in p.ready_spans())
    for caller in callers:
        pkg, module = caller.name.replace("-", "_"), victim.replace("-", "_")
        python = caller.language == "python"
        error = (
            f"KeyError: '{options['field']}'"
            if python
            else f'decode answer of {victim}: missing required field "{options["field"]}"'
        )
        frames = f"{pkg}/service.py|120|price|quote = await {module}.quote(item);;{pkg}/clients/{module}.py|77|quote|return Money(body['{options['field']}'])"  # noqa: E501
        for route in caller.routes:
            if victim in route.calls:
                world.own.append(
                    OwnEffect(
                        caller.name,
                        "exception",
                        onset,
                        share=0.93,
                        route=route.path,
                        detail={"error": error, "frames": frames, "caller": f"clients/{victim}.go:91", "peer": ""},
                    )
                )
    return Blow(
        (workload_thing(it),),
        onset,
        rollout_of(it, revision),
        evidence=(
            f"log ~ {options['field']}",
            f"{victim} revision {revision.number}",
        ),
    )
