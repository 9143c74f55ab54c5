"""What comes later than a change: an onset that waits, and an end; the same for every fault.

A scenario says `delay: 40m` (the change is made, its effects wait) or `lasts: 9m` (then it is put right: releases are
rolled back, Services restored, what was created is deleted, effects end).
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace
from math import inf

from workers.simulation.blow import Blow
from workers.simulation.cluster import Json
from workers.simulation.rollout import roll_back, scale
from workers.simulation.world import EdgeEffect, Gauge, LogNote, OwnEffect, Surge, World, managed

Effect = EdgeEffect | OwnEffect | Surge | LogNote | Gauge


@dataclass(frozen=True)
class Before:
    """How the world was before a fault."""

    effects: frozenset[int]
    revisions: dict[tuple[str, str], int]
    scales: dict[tuple[str, str], tuple[int, int]]
    """Steps of scaling, and replicas after the last."""
    specs: dict[tuple[str, str], int]
    objects: dict[str, dict[tuple[str, str], Json]]


def before(world: World) -> Before:
    return Before(
        frozenset(id(e) for e in _effects(world)),
        {key: len(it.revisions) for key, it in world.workloads.items()},
        {key: (len(it.scale), it.replicas(inf)) for key, it in world.workloads.items()},
        {key: len(it.specs) for key, it in world.services.items()},
        deepcopy(world.objects),
    )


def wait(world: World, then: Before, blow: Blow, seconds: float) -> Blow:
    """The effects of the fault begin so much later than its change."""
    for effect in _new(world, then):
        effect.start += seconds
        if not isinstance(effect, Gauge):
            effect.end = max(effect.end, effect.start) if effect.end == inf else effect.end + seconds
    return replace(blow, onset=blow.onset + seconds)


def heal(world: World, then: Before, blow: Blow, until: float) -> Blow:
    """Somebody puts it right at `until`."""
    for effect in _new(world, then):
        effect.end = min(effect.end, until)
    for key, it in list(world.workloads.items()):
        if key not in then.revisions:
            continue
        if len(it.revisions) > then.revisions[key]:
            roll_back(world, it, until)
        steps, replicas = then.scales[key]
        if len(it.scale) > steps and it.replicas(inf) != replicas:
            scale(world, it, until, replicas, manager="kubectl")
    for key, service in world.services.items():
        if len(service.specs) > then.specs.get(key, len(service.specs)):
            spec = service.specs[then.specs[key] - 1][1]
            service.specs.append((until, deepcopy(spec)))
            # Whoever changes a field back owns it from then on.
            service.edits.append((until, "kubectl-edit", deepcopy(service.edits[-1][2])))
    _objects(world, then, until)
    return replace(blow, until=until)


def _objects(world: World, then: Before, until: float) -> None:
    for kind, stored in world.objects.items():
        old = then.objects.get(kind, {})
        for key in list(stored):
            if key not in old:
                del stored[key]
            elif stored[key] != old[key]:
                restored = deepcopy(old[key])
                restored["metadata"]["resourceVersion"] = world.resource_version(until, kind, key[1])
                restored["metadata"].setdefault("managedFields", []).append(managed("kubectl-edit", until, {}))
                stored[key] = restored


def _effects(world: World) -> list[Effect]:
    return [*world.edges, *world.own, *world.surges, *world.log_notes, *world.gauges]


def _new(world: World, then: Before) -> list[Effect]:
    return [e for e in _effects(world) if id(e) not in then.effects]
