"""A small made-up company: skills that say what a test tells them to, a journal in memory, and clocks that stand still.

The contract's own objects are the seam, so nothing here imitates a system.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from config.customers import Budget, Customer
from skills.contract import (
    Change,
    Check,
    Edge,
    Entity,
    Excerpt,
    FirstLook,
    Gap,
    QueryMeter,
    SkillContext,
    Sources,
    Symptom,
    Tool,
    ToolInput,
    ToolResult,
)
from skills.manifest import Manifest
from workers.agent import ConnectedSkill, Request, investigate
from workers.domain import Alert, Finding, Instructions, Progress
from workers.llm.base import Model
from workers.llm.offline import Offline
from workers.trace import Span

NOW = datetime(2026, 3, 4, 14, 10, tzinfo=UTC)
ONSET = NOW - timedelta(minutes=6)


def entity(text: str) -> Entity:
    kind, name = text.split()
    namespace, _, rest = name.rpartition("/")
    return Entity(kind=kind, namespace=namespace or None, name=rest)


def symptom(
    about: str,
    faults: str,
    says: str,
    specificity: float = 0.9,
    *,
    role: str = "cause",
    at: datetime | None = ONSET,
    points_at: Sequence[str] = (),
    victims: Sequence[str] = (),
    change: str | None = None,
    ongoing: bool = True,
    analyzer: str = "kubernetes.workloads",
    query: str = "kubectl get pods",
) -> Symptom:
    """A symptom whose one excerpt says what the symptom says."""
    return Symptom(
        analyzer=analyzer,
        entity=entity(about),
        faults=tuple(faults.split()),
        summary=says,
        specificity=specificity,
        evidence=(Excerpt(text=says, query=query, entity=entity(about), at=at),),
        onset=at,
        role=role,  # type: ignore[arg-type]  # a literal, spelt by the test
        points_at=tuple(map(entity, points_at)),
        victims=tuple(map(entity, victims)),
        change=change,
        ongoing=ongoing,
    )


def edge(source: str, target: str, via: str = "env") -> Edge:
    said = f"{source} refers to {target}"
    return Edge(entity(source), entity(target), via, Excerpt(text=said, query=f"kubectl get {source} -o yaml"))


def change(number: str, about: str, what: str, at: datetime) -> Change:
    said = Excerpt(text=f"{about}: {what}", query="kubectl rollout history", entity=entity(about), at=at)
    return Change(id=number, at=at, entity=entity(about), summary=what, kind="rollout", evidence=(said,))


class AnalyzeInput(ToolInput):
    namespace: str = ""


class LogsInput(ToolInput):
    namespace: str
    service: str
    text: str = ""


Answer = Callable[[Any, SkillContext], ToolResult]


@dataclass
class FakeSkill:
    name: str = "kubernetes"
    sees: FirstLook = field(default_factory=lambda: FirstLook(text="nothing stands out"))
    answers: dict[str, tuple[type[ToolInput], Answer]] = field(default_factory=dict)
    looked: int = 0
    asked: list[tuple[str, Any]] = field(default_factory=list)
    sources: Sources = field(default_factory=Sources)
    fails: BaseException | None = None

    @property
    def tools(self) -> Sequence[Tool]:
        return tuple(self._tool(name, given, answer) for name, (given, answer) in self.answers.items())

    def reach(self) -> None: ...

    def first_look(self, context: SkillContext) -> FirstLook:
        self.looked += 1
        if self.fails is not None:
            raise self.fails
        return self.sees

    def checks(self) -> Sequence[Check]:
        return ()

    def _tool(self, name: str, given: type[ToolInput], answer: Answer) -> Tool:
        def run(arguments: Any, context: SkillContext) -> ToolResult:
            self.asked.append((name, arguments))
            return answer(arguments, context)

        return Tool(name, f"{name} answers.", given, run, ("things",))


class MemoryJournal:
    """Keeps spans as the store would: by value, so that a resumed run compares what was written."""

    def __init__(self, earlier: Sequence[Span] = ()) -> None:
        self.earlier = tuple(earlier)
        self.spans: list[Span] = []
        self.shown: list[Progress] = []
        self.told = Instructions()
        self.dies_after: int | None = None

    def recorded(self) -> Sequence[Span]:
        return self.earlier

    def record(self, span: Span) -> None:
        self.spans.append(Span.model_validate_json(span.model_dump_json()))
        if self.dies_after is not None and len(self.spans) >= self.dies_after:
            raise Killed

    def progress(self, progress: Progress) -> None:
        self.shown.append(progress)

    def instructions(self) -> Instructions:
        return self.told


class Killed(BaseException):
    """What a test throws where a worker would be killed."""


def alert(service: str = "cart", namespace: str = "shop", **more: Any) -> Alert:
    given: dict[str, Any] = {
        "source": "alertmanager",
        "alert_type": "KubePodCrashLooping",
        "title": f"{service} is in trouble",
        "service": service,
        "labels": {"namespace": namespace} if namespace else {},
        "fingerprint": "f1",
        "started_at": ONSET,
        **more,
    }
    return Alert(**given)


def request(*alerts: Alert, budget: Budget | None = None, **more: Any) -> Request:
    given: dict[str, Any] = {
        "customer": Customer(name="acme", budget=budget or Budget()),
        "incident_id": "inc1",
        "investigation_id": "inv1",
        "trace_id": "0" * 32,
        "alerts": alerts or (alert(),),
        "now": NOW,
        **more,
    }
    return Request(**given)


def connected(*skills: FakeSkill) -> tuple[ConnectedSkill, ...]:
    return tuple(
        ConnectedSkill(s.name, s, QueryMeter(s.name), None, Manifest(s.name, "A fake.", "Nothing.", "Ask it."))
        for s in skills
    )


def unreachable(name: str, why: str) -> ConnectedSkill:
    return ConnectedSkill(name, None, QueryMeter(name), why)


def looks(
    *symptoms: Symptom, edges: Sequence[Edge] = (), changes: Sequence[Change] = (), gaps: Sequence[Gap] = ()
) -> FirstLook:
    return FirstLook("what stands out", tuple(symptoms), tuple(changes), tuple(edges), tuple(gaps))


@dataclass
class Clocks:
    """Wall clock and monotonic clock, moved by hand."""

    seconds: float = 0.0

    def clock(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds


def run(
    asked: Request,
    *skills: FakeSkill | ConnectedSkill,
    model: Model | None = None,
    journal: MemoryJournal | None = None,
    clocks: Clocks | None = None,
) -> Finding:
    clocks = clocks or Clocks()
    ready = [s for s in skills if isinstance(s, ConnectedSkill)] + list(
        connected(*(s for s in skills if isinstance(s, FakeSkill)))
    )
    return investigate(
        asked, model or Offline(), ready, journal or MemoryJournal(), clock=clocks.clock, monotonic=clocks.monotonic
    )
