"""Where an improvised reply is at odds with the world, or with what the same API said before."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from workers.simulation import clock
from workers.simulation.cassette import Exchange
from workers.simulation.facts import facts
from workers.simulation.giveaways import ADDRESS, LOOPBACK, NAMES
from workers.simulation.scene import Scene

Json = dict[str, Any]

NAMED = {
    "pod": ("Pod",),
    "podname": ("Pod",),
    "node": ("Node",),
    "nodename": ("Node",),
    "deployment": ("Deployment",),
    "statefulset": ("StatefulSet",),
    "service": ("Service", "service"),
    "namespace": (),
}
STATES = ("phase", "replicas", "readyReplicas", "restartCount", "nodeName", "uid", "createdAt", "image", "ready")
STAMP = re.compile(r"\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z\b")
FUTURE = re.compile(r"expir|until|next|not_?after|deadline|valid", re.IGNORECASE)


def contradictions(scene: Scene, body: Any, said: list[Exchange]) -> list[str]:
    """Where a reply is at odds with the world, or with what the same API said before."""
    known = list(facts(scene))
    wrong = [*_words(scene, body)]
    spaces = {n for _, n in scene.world.objects["Namespace"]}
    by_name: dict[str, list[Json]] = {}
    for each in known:
        by_name.setdefault(each["name"], []).append(each)
    for path, value in _leaves(body):
        key = path[-1].lower().replace("_", "") if path else ""
        if key in NAMED and isinstance(value, str) and value:
            kinds = NAMED[key]
            there = value in spaces if key == "namespace" else any(f["kind"] in kinds for f in by_name.get(value, ()))
            if not there:
                wrong.append(f"there is no {path[-1]} called {value!r}")
        if isinstance(value, str):
            for stamp in STAMP.findall(value):
                later = clock.moment(stamp) > scene.world.now + 1
                if later and not any(FUTURE.search(p) for p in path):
                    wrong.append(f"{'.'.join(path)} is {stamp}, which is after now")
    for entity in _entities(body):
        for fact in by_name.get(str(entity.get("name")), ()):
            if str(entity.get("kind", fact["kind"])) != fact["kind"]:
                continue
            for key in STATES:
                if key in entity and key in fact and str(entity[key]).lower() != str(fact[key]).lower():
                    wrong.append(f"{key} of {fact['kind']} {fact['name']} is {fact[key]!r}, not {entity[key]!r}")
    return sorted({*wrong, *_unlike_before(body, said)})


def _unlike_before(body: Any, said: list[Exchange]) -> Iterator[str]:
    """The world stands still, so an entity of which something was said stays as it was."""
    before: dict[str, Json] = {}
    for exchange in said:
        try:
            told = json.loads(exchange.reply.body)
        except ValueError:
            continue
        for entity in _entities(told):
            before.setdefault(_identity(entity), entity)
    for entity in _entities(body):
        earlier = before.get(_identity(entity), {})
        for key, value in entity.items():
            scalar = isinstance(value, (str, int, float, bool))
            if scalar and key in earlier and earlier[key] != value:
                whose = entity.get("name") or entity.get("id")
                yield f"{key} of {whose} was {earlier[key]!r} before, and is now {value!r}"


def _identity(entity: Json) -> str:
    return f"{entity.get('kind', '')}/{entity.get('namespace', '')}/{entity.get('name') or entity.get('id')}"


def _entities(value: Any) -> Iterator[Json]:
    if isinstance(value, dict):
        if value.get("name") or value.get("id"):
            yield value
        for each in value.values():
            yield from _entities(each)
    elif isinstance(value, list):
        for each in value:
            yield from _entities(each)


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _leaves(each, (*path, str(key)))
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each, path)
    else:
        yield path, value


def _words(scene: Scene, body: Any) -> Iterator[str]:
    text, company = json.dumps(body, ensure_ascii=False), scene.world.company
    for pattern, what in ((LOOPBACK, "the reader's own machine"), (NAMES, "a name that nobody uses")):
        if hit := pattern.search(text):
            yield f"{hit[0]!r} is {what}"
    own = tuple(f"{n}." for n in (company.nodes.network, company.pods_network, company.services_network))
    for address in ADDRESS.findall(text):
        if address.startswith("10.") and not address.startswith(own):
            yield f"{address} is in no network of the cluster"
