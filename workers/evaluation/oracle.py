"""A scripted oracle: it knows the truth and asks the skills for it, nothing else. What it cannot find, nobody can.

First every skill's first look, as any investigation has it; then, for what is missing, the questions that somebody
who knew the answer would ask. No model is involved, and no face of the world is asked but through a skill.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from config.customers import Customer
from skills import registry
from skills.contract import (
    Change,
    Entity,
    Excerpt,
    FirstLook,
    Skill,
    SkillContext,
    SkillError,
    Symptom,
    Tool,
    ToolError,
)
from workers import agent, simulation
from workers.agent import window
from workers.agent.systems import sources
from workers.domain import Alert, Evidence
from workers.evaluation import predicates
from workers.evaluation.disturbance import TRIES, gave_up
from workers.evaluation.sameness import is_entity, parse
from workers.simulation.scenario import TrueCause

WAIT_SECONDS = 80.0
"""For a world that is as fast as a machine that does other work as well."""
Call = tuple[str, Mapping[str, Any]]


@dataclass
class Found:
    """What the skills showed."""

    evidence: list[Evidence] = field(default_factory=list)
    entities: list[Entity] = field(default_factory=list)
    changes: dict[str, Change] = field(default_factory=dict)
    calls: int = 0
    candidates: int = 0

    def take(self, tool: str, skill: str, excerpts: Sequence[Excerpt], symptoms: Sequence[Symptom]) -> None:
        everything = [*excerpts, *(e for s in symptoms for e in s.evidence)]
        self.evidence += [Evidence(id="", skill=skill, tool=tool, query=e.query, excerpt=e.text) for e in everything]
        self.entities += [e.entity for e in everything if e.entity is not None]
        self.entities += [entity for s in symptoms for entity in (s.entity, *s.points_at, *s.victims)]

    def shows(self, predicate: str) -> bool:
        return predicates.covered(predicate, self.evidence)

    def knows(self, true: TrueCause) -> bool:
        """Whether the culprit was met: as an entity, or by its name in what was read. Not in what was asked:
        who asks for it by name has not met it."""
        if any(is_entity(entity, true.entity) for entity in self.entities):
            return True
        named = re.compile(rf"(?<![\w-]){re.escape(str(true.entity['name']))}(?![\w-])")
        return any(named.search(e.excerpt) for e in self.evidence)


@dataclass(frozen=True)
class Asked:
    found: Found
    alerts: tuple[Alert, ...]
    sources: Mapping[str, Any]


def ask(world: simulation.Running, alerts: tuple[Alert, ...], customer: Customer) -> Asked:
    """Looks first, then asks for what is missing, until everything is found or nothing is left to ask."""
    skills = agent.connect_all(customer, registry.toggles(customer), lambda _: None, timeout_seconds=WAIT_SECONDS)
    context = _context(world, alerts, customer, skills)
    found = Found()
    for connected in skills:
        if connected.skill is None or not connected.usable:
            continue
        look = _look(connected.skill, context)
        if look is None:
            continue
        found.take("first_look", connected.name, look.evidence, look.symptoms)
        for change in look.changes:
            found.changes.setdefault(change.id, change)
            found.take("first_look", connected.name, change.evidence, ())
            found.entities.append(change.entity)
        for edge in look.edges:
            found.entities += [edge.source, edge.target]
            found.take("first_look", connected.name, [edge.evidence] if edge.evidence else [], ())
    found.candidates = len({e.name for e in found.entities})
    tools = {t.name: (s.name, t) for s in skills if s.skill is not None and s.usable for t in s.skill.tools}
    for true in world.truth.causes:
        for name, arguments in _questions(true, found, tools):
            skill, tool = tools[name]
            _call(tool, skill, arguments, context, found)
    return Asked(found, alerts, sources(skills))


def _look(skill: Skill, context: SkillContext) -> FirstLook | None:
    """Once more when the machine was too busy for the first; None when nothing could be read."""
    for last in (False,) * (TRIES - 1) + (True,):
        try:
            look = skill.first_look(context)
        except (ToolError, SkillError) as error:
            if last or not gave_up(str(error)):
                return None
            continue
        if last or not any(gave_up(gap.why) for gap in look.gaps):
            return look
    return None


def _questions(true: TrueCause, found: Found, tools: Mapping[str, tuple[str, Tool]]) -> Iterator[Call]:
    """Lazily: a question is only asked while something is still missing."""
    wanted = [p for p in true.evidence if predicates.is_checkable(p)]
    for name, arguments in _possible(true, wanted):
        if all(found.shows(p) for p in wanted) and found.knows(true):
            return
        for known in tools:
            if known == name or (name.startswith("*") and known.endswith(name[1:])):
                yield known, arguments


def _possible(true: TrueCause, wanted: Sequence[str]) -> Iterator[Call]:
    """What to ask; a name with * stands for every skill that has such a tool."""
    steps = [parse(step) for edge in true.chain for step in edge]
    aliases = [parse(a) for a in true.entity.get("aliases", ()) if "*" not in a]
    about = list(dict.fromkeys([parse(_spelt(true)), *aliases, *steps]))
    for predicate in wanted:
        for metric in predicates.metrics(predicate):
            yield "prometheus_query", {"query": metric}
        for words in predicates.texts(predicate):
            for entity in about:
                place = {"namespace": entity.namespace} if entity.namespace else {}
                yield "*_search", {"text": words, **place}
                yield "kubernetes_logs", {"name": entity.name, "contains": words, **place}
                yield "kubernetes_logs", {"name": entity.name, "contains": words, "previous": True, **place}
    for entity in about:
        place = {"namespace": entity.namespace} if entity.namespace else {}
        yield "kubernetes_describe", {"kind": entity.kind, "name": entity.name, **place}
        yield "kubernetes_events", {"name": entity.name, **place}
        yield "kubernetes_rollouts", {"name": entity.name, **place}
    for space in dict.fromkeys(entity.namespace for entity in about if entity.namespace):
        for name in ("kubernetes_analyze", "kubernetes_overview", "prometheus_analyze", "*_errors", "*_patterns"):
            yield name, {"namespace": space}
        yield "kubernetes_events", {"namespace": space}
    yield "kubernetes_nodes", {}
    yield "*_timeline", {}


def _call(tool: Tool, skill: str, arguments: Mapping[str, Any], context: SkillContext, found: Found) -> None:
    found.calls += 1
    try:
        result = tool.run(tool.input.model_validate(dict(arguments)), context)
    except (ToolError, SkillError, ValidationError):
        return
    found.take(tool.name, skill, result.evidence, result.symptoms)


def _context(
    world: simulation.Running, alerts: tuple[Alert, ...], customer: Customer, skills: tuple[agent.ConnectedSkill, ...]
) -> SkillContext:
    """As the agent makes it."""
    request = agent.Request(
        customer=customer, incident_id="", investigation_id="", trace_id="", alerts=alerts, now=world.now
    )
    read = window.window(request)
    return SkillContext(
        focus=window.focus(request),
        now=world.now,
        window=read,
        baseline=window.baseline(read),
        sources=sources(skills),
    )


def _spelt(true: TrueCause) -> str:
    place = f"{true.entity['namespace']}/" if true.entity.get("namespace") else ""
    return f"{true.entity['kind']} {place}{true.entity['name']}"
