"""Which tools to ask next, and about what. Knows tools only by their names, words and input schemas."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from skills.contract import Entity
from skills.logfaults.places import store_kind
from workers.llm.base import Block, ToolSpec, canonical
from workers.llm.entities import owner_name, same_thing
from workers.llm.offline import guidance
from workers.llm.offline.notes import Notes
from workers.llm.offline.suspects import STRONG, WEAK, Ranking

CALLS_A_ROUND = 5
ROUNDS = 3

# What a tool's name says of its worth when nothing is decided yet; the earlier word wins.
_WORTH = (
    "analyze",
    "analyse",
    "errors",
    "digest",
    "signals",
    "compare",
    "logs",
    "changes",
    "rollout",
    "saturation",
    "describe",
)
_TELLS_CHANGES = re.compile(r"rollout|_changes$|timeline")
_NAME_OF = ("service", "workload", "app", "name", "deployment", "pod", "entity", "target", "prefix")


def next_calls(notes: Notes, ranking: Ranking, tools: Sequence[ToolSpec]) -> list[Block]:
    """The calls of one round, never one that was made before; empty when there is nothing left worth asking."""
    calls: list[Block] = []
    subjects = list(_subjects(notes, ranking))
    for tool in sorted((t for t in tools if _worth(t) is not None), key=lambda t: (_worth(t), t.name)):
        for subject in subjects:
            given = _arguments(tool.input_schema, subject, notes)
            made = [(c["name"], canonical(c["input"])) for c in calls]
            if given is None or (tool.name, canonical(given)) in notes.asked or (tool.name, canonical(given)) in made:
                continue
            calls.append({"type": "tool_use", "name": tool.name, "input": given})
            break  # one question of a kind a round: the next round knows more
    return calls[:CALLS_A_ROUND]


def about_changes(place: str, notes: Notes, tools: Sequence[ToolSpec]) -> list[Block]:
    """One question to each tool that tells of the changes of a namespace, not made before."""
    calls: list[Block] = []
    for tool in sorted(tools, key=lambda t: t.name):
        properties: Mapping[str, Any] = tool.input_schema.get("properties") or {}
        required = tool.input_schema.get("required") or ()
        if not _TELLS_CHANGES.search(tool.name) or "namespace" not in properties or set(required) - {"namespace"}:
            continue
        given = {"namespace": place}
        if (tool.name, canonical(given)) not in notes.asked:
            calls.append({"type": "tool_use", "name": tool.name, "input": given})
    return calls[:2]


def _subjects(notes: Notes, ranking: Ranking) -> Iterator[Entity]:
    """What people say to look at, then dependencies that are pointed at but not understood, the lead, and the alert."""
    yield from guidance.look_first(notes)
    understood = [s.entity for s in ranking.suspects if s.score >= STRONG]
    for effect in ranking.effects:
        pointed = (_placed(p, effect.entity, notes) for p in effect.points_at if p.kind != "external")
        yield from (p for p in pointed if not any(same_thing(p, u) for u in understood))
    lead = ranking.lead
    if lead is not None and lead.score >= WEAK:
        yield lead.entity
    yield from ranking.alerted
    yield from _users(notes, ranking)
    if lead is not None:
        yield lead.entity
    if not ranking.alerted and notes.namespace:
        yield Entity(kind="Namespace", name=notes.namespace)


def _placed(pointed: Entity, by: Entity, notes: Notes) -> Entity:
    """A callee that is known by its bare name, where its caller's settings, or else the only namesake, have it."""
    seen = [e for e in notes.edges if e.via != "log"]
    if any(same_thing(pointed, end) for e in seen for end in (e.source, e.target)):
        return pointed
    called = [e.target for e in seen if same_thing(e.source, by) and e.target.name == pointed.name]
    alike = called or [e.target for e in seen if e.target.name == pointed.name and e.target.kind != "external"]
    return alike[0] if len({e.namespace for e in alike}) == 1 else pointed


def _users(notes: Notes, ranking: Ranking) -> Iterator[Entity]:
    """Who uses a store or a broker that alerted and is well itself: its backlog is its consumers'. First their
    namespace, since one question to it hears them all."""
    stores = [a for a in ranking.alerted if store_kind(a.name) or store_kind(owner_name(a.kind, a.name))]
    users = [e.source for e in notes.edges if any(same_thing(e.target, s) for s in stores)]
    yield from (Entity(kind="Namespace", name=n) for n in dict.fromkeys(u.namespace for u in users) if n)
    yield from dict.fromkeys(users)


def _worth(tool: ToolSpec) -> int | None:
    return next((i for i, word in enumerate(_WORTH) if word in tool.name), None)


def _arguments(schema: Mapping[str, Any], about: Entity, notes: Notes) -> dict[str, Any] | None:
    """Arguments that ask a tool about an entity; None when it needs something that is not known."""
    properties: Mapping[str, Any] = schema.get("properties") or {}
    given: dict[str, Any] = {}
    place = about.name if about.kind == "Namespace" else about.namespace or notes.namespace
    if "namespace" in properties and place:
        given["namespace"] = place
    if "kind" in properties and about.kind and _allows(properties["kind"], about.kind):
        given["kind"] = about.kind
    if about.kind != "Namespace":
        name = next((p for p in _NAME_OF if p in properties), None)
        if name:
            given[name] = about.name if name in ("entity", "pod") else owner_name(about.kind, about.name)
    missing = [p for p in schema.get("required") or () if p not in given]
    return None if missing else given


def _allows(schema: Mapping[str, Any], value: str) -> bool:
    choices: Iterable[Any] | None = schema.get("enum")
    return choices is None or value in choices
