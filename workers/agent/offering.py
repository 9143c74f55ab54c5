"""Which tools a model is offered outright, and how it comes to the others.

More tools make an agent worse, and the prefix is paid for by every investigation. So at most `MOST` tools stand in it,
within a share of tokens for each skill that is on. The choice depends on the skills alone, never on the alert, so that
the prefix is reused. What is withheld is found by `find_tool` and called by `use_tool`, whose words never change.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import log
from typing import Any

from pydantic import Field

from skills.contract import Tool, ToolInput
from workers.agent import render
from workers.agent.schemas import schema
from workers.agent.systems import ConnectedSkill
from workers.llm.base import Block, ToolSpec, estimate_tokens

MOST = 20
TOKENS, TOKENS_A_SKILL = 2000, 320
"""Of the static prefix: instructions, advice and tools. Three skills have 2,960, nine 4,880."""
FOUND = 5
SCHEMA_CHARACTERS = 2500
DESCRIPTION_CHARACTERS = 600
NAMES = 60
LIKE_THE_BEST = 0.4
"""The part of the best match's score that another needs to be told."""

FIND, USE = "find_tool", "use_tool"


class FindInput(ToolInput):
    query: str = Field(min_length=1, max_length=300)


class UseInput(ToolInput):
    name: str
    input: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True)
class Offer:
    """What stands in the prefix, and what does not."""

    specs: tuple[ToolSpec, ...]
    withheld: tuple[str, ...] = ()
    """Names of the tools that are reached by `find_tool` only, in alphabetical order."""


def offer(skills: Iterable[ConnectedSkill], own: Sequence[ToolSpec], system: str, *, all_of_them: bool) -> Offer:
    """The tools of one customer. `all_of_them`: for a model whom many tools neither cost nor confuse."""
    ranked = list(_ranked(skills))
    first = [tool for _, tool in ranked if not tool.deferred]
    everything = (*own, *(_spec(t) for t in sorted(first, key=lambda t: t.name)))
    if all_of_them or (len(first) == len(ranked) and _fits(everything, system, _skills(ranked))):
        return Offer(everything, tuple(sorted(t.name for _, t in ranked if t.deferred)))
    kept: list[Tool] = []
    for tool in first:
        if _fits(_offered(own, [*kept, tool], ranked), system, _skills(ranked)):
            kept.append(tool)
    names = {t.name for t in kept}
    return Offer(_offered(own, kept, ranked), tuple(sorted(tool.name for _, tool in ranked if tool.name not in names)))


def opened(call: Block) -> Block:
    """A call through `use_tool` as the call that it carries; any other as it is."""
    if call.get("name") != USE or not isinstance(call.get("input"), Mapping):
        return call
    given = call["input"].get("input")
    if isinstance(given, str):  # models write the object as JSON within JSON
        try:
            given = json.loads(given)
        except json.JSONDecodeError:
            return {**call, "name": str(call["input"].get("name") or USE), "through": USE}
    return {**call, "name": str(call["input"].get("name") or USE), "input": given or {}, "through": USE}


def find(query: str, tools: Mapping[str, Tool], withheld: Sequence[str]) -> str:
    """For the model: the tools that answer a question, with what they take."""
    best = _matching(query, tools)
    names = ", ".join(withheld[:NAMES]) + (f" … {len(withheld) - NAMES} more" if len(withheld) > NAMES else "")
    if not best:
        return f"no_data: no tool matches these words; there are {names or 'no others'}"
    rows = [_row(tools[name], name in withheld) for name in best[:FOUND]]
    more = f"; {len(best) - FOUND} more match less well" if len(best) > FOUND else ""
    return "\n".join(
        [f"ok: {len(rows)} tools{more}. Call one by {USE}(name, input).", *render.block("tools", rows, FOUND)]
    )


def _ranked(skills: Iterable[ConnectedSkill]) -> Iterator[tuple[str, Tool]]:
    """Every usable tool, the most worth having first. A skill lists its core questions first; skills take turns in
    proportion to how much they can be asked, and none has to wait with its first."""
    shares = [
        (min((place + 1) / len(connected.skill.tools), 0.5 if place == 0 else 1.0), connected.name, tool)
        for connected in skills
        if connected.skill is not None and connected.usable
        for place, tool in enumerate(connected.skill.tools)
    ]
    for _, name, tool in sorted(shares, key=lambda s: (s[0], s[1], s[2].name)):
        yield name, tool


def _offered(own: Sequence[ToolSpec], kept: Sequence[Tool], ranked: Sequence[tuple[str, Tool]]) -> tuple[ToolSpec, ...]:
    names = {t.name for t in kept}
    rest = [(skill, tool) for skill, tool in ranked if tool.name not in names]
    return (*own, *(_spec(t) for t in sorted(kept, key=lambda t: t.name)), *_door(rest))


def _door(rest: Sequence[tuple[str, Tool]]) -> tuple[ToolSpec, ...]:
    """The two tools behind which the others stand; systems with any number of tools are named by one word."""
    by_skill = groupby(sorted(rest, key=lambda r: (r[0], r[1].name)), key=lambda r: r[0])
    named = [
        " ".join((skill, *(t.name.removeprefix(f"{skill}_") for _, t in tools if not t.deferred)))
        for skill, tools in by_skill
    ]
    says = f"Finds more tools by what you want to know, with their input schemas: {'; '.join(named)}."
    return (
        ToolSpec(FIND, says, schema(FindInput)),
        ToolSpec(USE, f"Calls a tool that {FIND} named.", schema(UseInput)),
    )


def _fits(specs: Sequence[ToolSpec], system: str, skills: int) -> bool:
    limit = TOKENS + TOKENS_A_SKILL * skills
    return len(specs) <= MOST and estimate_tokens([system, [vars(s) for s in specs]]) <= limit


def _skills(ranked: Sequence[tuple[str, Tool]]) -> int:
    return len({skill for skill, _ in ranked})


def _spec(tool: Tool) -> ToolSpec:
    return ToolSpec(tool.name, tool.description, schema(tool.input))


def _row(tool: Tool, withheld: bool) -> dict[str, Any]:
    row: dict[str, Any] = {"name": tool.name, "description": render.quoted(tool.description, DESCRIPTION_CHARACTERS)}
    if not withheld:
        return {**row, "note": "is among your tools"}
    takes = schema(tool.input)
    size = len(json.dumps(takes, ensure_ascii=False))
    if size > SCHEMA_CHARACTERS:
        takes = {
            "properties": {name: _shape(p) for name, p in (takes.get("properties") or {}).items()},
            "required": takes.get("required") or [],
            "shortened": f"from {size} characters",
        }
    return {**row, "input": takes}


def _shape(node: Any) -> Any:
    return {k: node[k] for k in ("type", "enum") if k in node} if isinstance(node, Mapping) else {}


_WORD = re.compile(r"[a-z0-9]+")
_SAYS_NOTHING = frozenset(
    ("all", "and", "any", "are", "for", "from", "get", "how", "that", "the", "tool", "what", "when", "who", "with")
)
"""Besides words of one or two letters."""


def _matching(query: str, tools: Mapping[str, Tool]) -> list[str]:
    """Names in the order of how well their words answer the query's; rare words count more, a name's count double."""
    texts = {name: (_words(name.replace("_", " ")), _words(_says(tool))) for name, tool in tools.items()}
    wanted = _words(query)
    scores = {}
    for name, (in_name, in_text) in texts.items():
        score = 0.0
        for word in wanted:
            weight = log(1 + len(texts) / (1 + sum(_has(a, word) or _has(b, word) for a, b in texts.values())))
            score += weight * (2 * _has(in_name, word) + _has(in_text, word))
        if score:
            scores[name] = score
    least = LIKE_THE_BEST * max(scores.values(), default=0.0)
    exact = [name for name in scores if name in query]
    close = [name for name in scores if scores[name] >= least or name in exact]
    return sorted(close, key=lambda n: (n not in exact, -scores[n], n))


def _says(tool: Tool) -> str:
    takes = schema(tool.input).get("properties") or {}
    return " ".join((tool.description, *tool.reads, *map(str, takes)))


def _words(text: str) -> frozenset[str]:
    return frozenset(w for w in _WORD.findall(text.lower()) if len(w) > 2 and w not in _SAYS_NOTHING)


def _has(words: frozenset[str], wanted: str) -> bool:
    """Also by a common stem: log and logs, deploy and deployment."""
    return wanted in words or any(len(w) >= 3 and len(wanted) >= 3 and _stem(w, wanted) for w in words)


def _stem(a: str, b: str) -> bool:
    short, long = sorted((a, b), key=len)
    return long.startswith(short) and (len(short) >= 4 or long == f"{short}s")
