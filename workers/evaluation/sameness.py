"""When an answer means what the truth means: entities up to their aliases, changes up to the names they go by.

Canonical first: a pod is its workload, a Service and the workload behind it are one where the truth says so by its
aliases; nodes and namespaces stay distinct. Nothing is ever matched by prose.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

from skills.contract import Entity
from skills.faults import UnknownFault, fault
from workers.llm.entities import owner_name, same_thing
from workers.simulation import Truth
from workers.simulation.scenario import TrueCause

SAYS_NO_CHANGE = ("none", "unknown", "")
CHANGE_SECONDS = 150.0
"""A change that is known by its moment is the same within this: roll-outs take a while, event times are rounded."""
_MOMENT = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)T(\d\d):?(\d\d):?(\d\d)Z")


def spelt(entity: Mapping[str, Any]) -> str:
    """`Deployment shop/cart`, as the truth's aliases are written."""
    place = f"{entity['namespace']}/" if entity.get("namespace") else ""
    return f"{entity['kind']} {place}{entity['name']}"


def is_entity(said: Entity, true: Mapping[str, Any]) -> bool:
    """Whether the answer's entity is the truth's, by its name or one of its aliases (globs)."""
    return any(_matches(said, name) for name in (spelt(true), *true.get("aliases", ())))


def _matches(said: Entity, pattern: str) -> bool:
    if fnmatchcase(str(said), pattern):
        return True
    # An answer may leave the namespace out; it may not name another one.
    return not said.namespace and "/" in pattern and fnmatchcase(f"{said.kind} {said.name}", _without_place(pattern))


def _without_place(pattern: str) -> str:
    kind, _, rest = pattern.partition(" ")
    return f"{kind} {rest.rpartition('/')[2]}"


def parse(text: str) -> Entity:
    """`Deployment shop/cart` -> Entity."""
    kind, _, rest = text.partition(" ")
    namespace, _, name = rest.rpartition("/")
    return Entity(kind=kind, namespace=namespace or None, name=name)


def is_step(said: Entity, step: str) -> bool:
    """Whether the answer's entity is this step of a chain: a workload, which answers may call by its Service or pod."""
    return same_thing(said, parse(step))


def true_causes_of(said: Entity, truth: Truth) -> tuple[TrueCause, ...]:
    return tuple(true for true in truth.causes if is_entity(said, true.entity))


def leaf_score(said: str, true: TrueCause) -> float:
    """1 for the leaf or an accepted twin, 0.5 within the same group, else 0."""
    if said in (true.fault, *true.accept):
        return 1.0
    try:
        return 0.5 if fault(said).group == fault(true.fault).group else 0.0
    except UnknownFault:
        return 0.0


Changes = Mapping[str, Mapping[str, Any]]
"""By id, the changes that the skills reported in a trace: at, entity."""


def is_change(said: str, true: Mapping[str, Any], reported: Changes) -> bool:
    """Whether the answer's change id is this change.

    It is by one of the truth's ids; else by the object and the moment under which a skill reported that id; else by
    the object and the number or the moment that the id itself names.
    """
    if any(said == known or fnmatchcase(said, known) for known in true["ids"]):
        return True
    if said in reported:
        known = reported[said]
        thing = Entity.model_validate(known["entity"])
        # A flag's ConfigMap and each of the nodes that were cordoned stand among the ids.
        same = same_thing(thing, Entity.model_validate(true["entity"])) or str(thing) in true["ids"]
        return same and _close(datetime.fromisoformat(str(known["at"])), true)
    parts = re.split(r"[/@\s]+", said)
    about = {true["entity"]["name"], *(parse(a).name for a in true["entity"].get("aliases", ()) if "*" not in a)}
    if not any(part in about or any(owner_name(k, part) in about for k in ("ReplicaSet", "Pod")) for part in parts):
        return False
    if moment := _MOMENT.search(said):
        return _close(_instant(moment), true)
    numbers = {n for known in true["ids"] for n in re.findall(r"(?:revision |@|#)(\d+)$", known)}
    return any(part.lstrip("#") in numbers for part in parts)


def is_any_change(said: str, changes: Iterable[Mapping[str, Any]], reported: Changes) -> bool:
    return any(is_change(said, change, reported) for change in changes)


def _close(moment: datetime, true: Mapping[str, Any]) -> bool:
    return abs((moment - datetime.fromisoformat(true["at"])).total_seconds()) <= CHANGE_SECONDS


def _instant(moment: re.Match[str]) -> datetime:
    return datetime(*(int(part) for part in moment.groups()), tzinfo=UTC)  # type: ignore[arg-type,misc]  # six numbers
