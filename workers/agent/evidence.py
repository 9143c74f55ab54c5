"""Numbers what skills return, masked: E1, E2 ... over one investigation. Nothing unmasked gets past this module.

A claim of the finding may rest on what stands here and on nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from skills.contract import Change, Chart, Edge, Entity, Excerpt, FirstLook, Gap, Symptom, ToolResult
from workers.domain import Evidence

Mask = Callable[[str], str]

# Names and ids tell things apart; masking them would merge or split what is one thing.
_IDENTITY = frozenset(
    {
        "kind", "namespace", "name", "id", "change", "faults", "analyzer", "status", "role", "via",
        "at", "onset", "start", "end",
    }
)  # fmt: skip


@dataclass(frozen=True)
class NumberedSymptom:
    symptom: Symptom
    skill: str
    evidence: tuple[str, ...]
    """Numbers of the symptom's excerpts."""


@dataclass(frozen=True)
class Observed:
    """One result, numbered: what a model is shown of it."""

    status: str
    text: str
    evidence: tuple[str, ...] = ()
    symptoms: tuple[NumberedSymptom, ...] = ()
    changes: tuple[Change, ...] = ()
    edges: tuple[Edge, ...] = ()
    gaps: tuple[Gap, ...] = ()
    new: bool = True
    """False when every line and symptom had been seen before."""


class Ledger:
    """The evidence of one investigation, in the order in which it was first seen."""

    def __init__(self, earlier: Iterable[Evidence] = ()) -> None:
        self._records: dict[str, Evidence] = {}
        self._excerpts: dict[str, Excerpt] = {}
        self._numbers: dict[tuple[str, str, str], str] = {}
        self._by_words: dict[tuple[str, str], str] = {}
        self.symptoms: list[NumberedSymptom] = []
        self.changes: dict[str, Change] = {}
        self.edges: list[Edge] = []
        self.gaps: list[Gap] = []
        self.charts: list[Chart] = []
        self.owner = ""
        """Who answers for it now, by the first skill that knows."""
        for record in earlier:
            self._records[record.id] = record
            self._excerpts[record.id] = Excerpt(text=record.excerpt, query=record.query, link=record.link)
            self._numbers[(record.skill, record.query, record.excerpt)] = record.id
        self._last = max((int(i[1:]) for i in self._records if i[1:].isdigit()), default=0)

    def take(self, skill: str, tool: str, result: ToolResult | FirstLook) -> Observed:
        """Numbers everything in a result and keeps it."""
        before = (len(self._records), len(self.symptoms), len(self.changes), len(self.gaps))
        ids = [self.number(skill, tool, e) for e in result.evidence]
        symptoms = tuple(self._take_symptom(skill, tool, s) for s in result.symptoms)
        changes: tuple[Change, ...] = result.changes
        edges: tuple[Edge, ...] = ()
        for change in changes:
            self.changes.setdefault(change.id, change)
            ids.extend(self.number(skill, tool, e) for e in change.evidence)
        if isinstance(result, FirstLook):
            edges = result.edges
            self.owner = self.owner or result.owner
            for edge in edges:
                if edge.evidence is not None:
                    self.number(skill, tool, edge.evidence)
            self.edges.extend(edges)
        for symptom in symptoms:
            ids.extend(symptom.evidence)
        self.gaps.extend(g for g in result.gaps if g not in self.gaps)
        self.charts.extend(c for c in result.charts if c not in self.charts)
        after = (len(self._records), len(self.symptoms), len(self.changes), len(self.gaps))
        status = result.status if isinstance(result, ToolResult) else "ok"
        return Observed(
            status, result.text, tuple(dict.fromkeys(ids)), symptoms, changes, edges, result.gaps, after != before
        )

    def _take_symptom(self, skill: str, tool: str, symptom: Symptom) -> NumberedSymptom:
        ids = tuple(dict.fromkeys(self.number(skill, tool, e) for e in symptom.evidence))
        numbered = NumberedSymptom(symptom, skill, ids)
        if numbered not in self.symptoms:
            self.symptoms.append(numbered)
        return numbered

    def number(self, skill: str, tool: str, excerpt: Excerpt) -> str:
        """The excerpt's number; the same words in answer to the same question keep theirs, whichever skill brought
        them: two skills that read one log line are one source."""
        key = (skill, excerpt.query, excerpt.text)
        if key not in self._numbers and (known := self.known(excerpt)):
            self._numbers[key] = known
        if key not in self._numbers:
            self._last += 1
            number = f"E{self._last}"
            self._numbers[key] = number
            self._by_words.setdefault((excerpt.query, excerpt.text), number)
            self._excerpts[number] = excerpt
            self._records[number] = Evidence(
                id=number,
                skill=skill,
                tool=tool,
                query=excerpt.query,
                range=str(excerpt.window) if excerpt.window else None,
                excerpt=excerpt.text,
                link=excerpt.link,
            )
        return self._numbers[key]

    def __contains__(self, number: str) -> bool:
        return number in self._records

    @property
    def numbers(self) -> tuple[str, ...]:
        return tuple(self._records)

    def record(self, number: str) -> Evidence:
        return self._records[number]

    def excerpt(self, number: str) -> Excerpt:
        return self._excerpts[number]

    def records(self, numbers: Iterable[str]) -> tuple[Evidence, ...]:
        """In the order of their numbers."""
        wanted = {n for n in numbers if n in self._records}
        return tuple(record for number, record in self._records.items() if number in wanted)

    def known(self, excerpt: Excerpt) -> str | None:
        """The number of an excerpt, whichever skill brought it."""
        return self._by_words.get((excerpt.query, excerpt.text))

    def entities(self) -> tuple[Entity, ...]:
        """Everything that a symptom, a change, an edge or an excerpt is about."""
        found: dict[Entity, None] = {}
        for numbered in self.symptoms:
            symptom = numbered.symptom
            found.update(dict.fromkeys((symptom.entity, *symptom.points_at, *symptom.victims)))
        found.update(dict.fromkeys(c.entity for c in self.changes.values()))
        found.update(dict.fromkeys(e for edge in self.edges for e in (edge.source, edge.target)))
        found.update(dict.fromkeys(e.entity for e in self._excerpts.values() if e.entity is not None))
        return tuple(found)


def plain(result: ToolResult | FirstLook, mask: Mask) -> Any:
    """A result as JSON with secrets masked: what is recorded, and what everything after it is made from."""
    adapter = _looks() if isinstance(result, FirstLook) else _results()
    return masked(adapter.dump_python(result, mode="json"), mask)


def restored_look(recorded: Any) -> FirstLook:
    look: FirstLook = _looks().validate_python(recorded)
    return look


def restored_result(recorded: Any) -> ToolResult:
    result: ToolResult = _results().validate_python(recorded)
    return result


def masked(value: Any, mask: Mask, key: str = "") -> Any:
    """The same JSON with every free text masked."""
    if isinstance(value, str):
        return value if key in _IDENTITY else mask(value)
    if key == "points":
        return value  # of a chart: times and numbers, thousands of them
    if isinstance(value, list | tuple):
        return [masked(item, mask, key) for item in value]
    if isinstance(value, dict):
        return {k: masked(v, mask, k) for k, v in value.items()}
    return value


@cache
def _looks() -> TypeAdapter[Any]:
    return TypeAdapter(FirstLook)


@cache
def _results() -> TypeAdapter[Any]:
    return TypeAdapter(ToolResult)
