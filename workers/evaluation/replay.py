"""A recorded investigation as a toolbox: it answers what was asked then, and says of everything else that it was not.

A call is known by its tool and its arguments, spelt out with their defaults. What was not recorded answers no_data
(not recorded) and is counted: an answer that leans on too many of these means nothing, and is never called better.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from config.customers import Customer
from skills import registry
from skills.contract import Check, FirstLook, QueryMeter, Skill, SkillContext, Sources, Tool, ToolInput, ToolResult
from workers.agent import ConnectedSkill
from workers.agent.evidence import restored_look, restored_result
from workers.llm.base import canonical
from workers.trace import Span

NOT_RECORDED = "not recorded: this was not asked when the incident was recorded, so the answer is unknown"
Key = tuple[str, bytes]


@dataclass
class Tape:
    """What was recorded, and how often it could not answer."""

    looks: Mapping[str, Any]
    results: Mapping[Key, Any]
    asked: int = 0
    missing: int = 0

    @property
    def off(self) -> float:
        """The share of calls that the recording could not answer."""
        return self.missing / self.asked if self.asked else 0.0

    def look(self, skill: str) -> FirstLook:
        return restored_look(self.looks[skill])

    def answer(self, tool: str, given: ToolInput) -> ToolResult:
        self.asked += 1
        recorded = self.results.get(_key(tool, given))
        if recorded is None:
            self.missing += 1
            return ToolResult("no_data", NOT_RECORDED)
        return restored_result(recorded)


@dataclass(frozen=True)
class TapeSkill:
    """A skill whose answers are recorded: the real one's name and tools, none of its system."""

    name: str
    tools: Sequence[Tool]
    tape: Tape

    @property
    def sources(self) -> Sources:
        """Recorded results hold what other skills contributed; nothing is read anew."""
        return Sources()

    def reach(self) -> None:
        """It was reached then."""

    def first_look(self, context: SkillContext) -> FirstLook:
        return self.tape.look(self.name)

    def checks(self) -> Sequence[Check]:
        return ()


def replayed(
    spans: Sequence[Span], customer: Customer, on: Iterable[str], secret: Callable[[str], str | None]
) -> tuple[tuple[ConnectedSkill, ...], Tape]:
    """The skills of a recorded run, of which these are on. No system is asked anything."""
    real = {name: registry.connect(customer, name, secret)[0] for name in sorted(on) if name in customer.skills}
    tools = {tool.name: tool for skill in real.values() for tool in skill.tools}
    tape = Tape(looks(spans), results(spans, tools))
    return tuple(_connected(name, skill, tape) for name, skill in real.items()), tape


def looks(spans: Iterable[Span]) -> dict[str, Any]:
    """By skill, its recorded first look."""
    return {span.name.removeprefix("first_look "): span.output for span in spans if span.name.startswith("first_look ")}


def results(spans: Iterable[Span], tools: Mapping[str, Tool]) -> dict[Key, Any]:
    found: dict[Key, Any] = {}
    for span in spans:
        tool = tools.get(span.name)
        if tool is None or not isinstance(span.output, dict) or "status" not in span.output:
            continue
        try:
            found.setdefault(_key(tool.name, tool.input.model_validate(span.input)), span.output)
        except ValidationError:
            continue  # It was refused then; asked again, it is refused again.
    return found


def _connected(name: str, skill: Skill, tape: Tape) -> ConnectedSkill:
    if name not in tape.looks:
        return ConnectedSkill(name, None, QueryMeter(name), "could not be reached when this was recorded")
    tools = tuple(_played(tool, tape) for tool in skill.tools)
    return ConnectedSkill(name, TapeSkill(name, tools, tape), QueryMeter(name), None, registry.manifest(name))


def _played(tool: Tool, tape: Tape) -> Tool:
    return replace(tool, run=lambda given, context: tape.answer(tool.name, given))


def _key(tool: str, given: ToolInput) -> Key:
    return tool, canonical(given.model_dump(mode="json"))
