"""Objects as nobody promised them: each optional part left out, null, or of another type. Less is seen, nothing breaks.

The corpus is everything that the other tests of analyzers hand to `shapes.snapshot`, reduced to a few clusters in which
many analyzers have something to see.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from skills.contract import Focus
from skills.kubernetes import analyzers, crashlogs, overview, podlogs, rollouts, topology
from skills.kubernetes.describe import describe
from tests.skills.kubernetes import clusters
from tests.skills.kubernetes.shapes import NS, WINDOW, Obj, snapshot

KEPT = {"kind"}
"""The reader adds no kind to items; the test's own words go by it."""


def paths(value: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every key and every first element of a list, parents before their children."""
    if isinstance(value, dict):
        for key, each in value.items():
            if at or key not in KEPT:
                yield (*at, key)
                yield from paths(each, (*at, key))
    elif isinstance(value, list) and value:
        yield (*at, 0)
        yield from paths(value[0], (*at, 0))


def without(obj: Obj, path: tuple[str | int, ...], instead: Any = ...) -> Obj:
    changed = copy.deepcopy(obj)
    holder: Any = changed
    for step in path[:-1]:
        holder = holder[step]
    if instead is ...:
        del holder[path[-1]]
    else:
        holder[path[-1]] = instead
    return changed


def everything(objects: list[Obj]) -> None:
    """All that is done with a snapshot before a model or person reads it."""
    shop = snapshot(*objects, logs=clusters.LOGS)
    focus = Focus(namespace=NS, service="cart")
    analyzers.run(shop, focus, WINDOW, WINDOW.end)
    crashlogs.symptoms(shop, WINDOW.end)
    overview.deviations(shop)
    overview.healthy(shop, focus, WINDOW)
    rollouts.changes(shop, WINDOW)
    topology.edges(shop)
    podlogs.wanted(shop)


def variations(deep: int = 99) -> list[tuple[str, int, tuple[str | int, ...]]]:
    """(cluster, number of the object, path): each path of each kind once."""
    seen: set[tuple[str, tuple[str | int, ...]]] = set()
    found = []
    for cluster, objects in clusters.EVERY.items():
        for number, obj in enumerate(objects):
            for path in paths(obj):
                if len(path) <= deep and (obj["kind"], path) not in seen:
                    seen.add((obj["kind"], path))
                    found.append((cluster, number, path))
    return found


def survives(cluster: str, number: int, path: tuple[str | int, ...], instead: Any = ...) -> None:
    objects = clusters.EVERY[cluster]
    changed = without(objects[number], path, instead)
    try:
        everything([*objects[:number], changed, *objects[number + 1 :]])
        describe(snapshot(*objects), changed["kind"], changed)
    except Exception as error:
        raise AssertionError(f"{changed['kind']} of {cluster}: {instead!r} at {path}") from error


def test_a_part_that_is_left_out_costs_sight_and_nothing_else() -> None:
    cases = variations()
    assert len(cases) > 500
    for case in cases:
        survives(*case)


@pytest.mark.parametrize("instead", [None, "text", [None]])
def test_a_part_of_another_type_breaks_nothing(instead: Any) -> None:
    for case in variations(deep=3):
        survives(*case, instead)
