"""Logs held in memory, and a context that offers them, for the skills that have no system of their own."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from skills.contract import (
    Access,
    Change,
    CodeSource,
    Entity,
    Focus,
    LogBatch,
    LogLine,
    LogQuery,
    QueryMeter,
    SkillContext,
    Sources,
    Window,
)
from skills.runtimes.settings import Settings
from skills.runtimes.skill import RuntimeSkill

ONSET = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
POD = Entity(kind="Pod", namespace="shop", name="orders-6c5f8b7d9-x2k4p")
ORDERS = Entity(kind="Deployment", namespace="shop", name="orders")


def lines(*texts: str, start: datetime = ONSET, step: float = 10, writer: Entity = POD) -> list[LogLine]:
    """Every row a line of its own, as shippers write them; the rows of one text belong together."""
    return [
        LogLine(start + timedelta(seconds=i * step, milliseconds=j), row, writer)
        for i, text in enumerate(texts)
        for j, row in enumerate(text.split("\n"))
    ]


@dataclass
class Held:
    """A LogSource."""

    lines: list[LogLine]
    asked: list[LogQuery] = field(default_factory=list)

    def read(self, query: LogQuery) -> LogBatch:
        self.asked.append(query)
        found = [
            line
            for line in self.lines
            if query.window.start <= line.at <= query.window.end
            and (not query.namespace or (line.entity and line.entity.namespace == query.namespace))
            and (not query.service or (line.entity and line.entity.name.startswith(query.service)))
        ]
        return LogBatch(tuple(sorted(found, key=lambda line: line.at)), len(found), "the logs of shop")


@dataclass
class Blame:
    """A CodeSource that knows one commit."""

    change: Change | None
    asked: list[tuple[str, int, str]] = field(default_factory=list)

    def last_touched(self, path: str, line: int, service: str = "") -> Change | None:
        self.asked.append((path, line, service))
        return self.change


def context(*held: LogLine, source: str = "loki", code: CodeSource | None = None, healthy: bool = True) -> SkillContext:
    """`healthy`: the baseline has lines, and none of these."""
    before = lines(*(f"INFO served {i}" for i in range(60)), start=ONSET - timedelta(minutes=40)) if healthy else []
    offered = {source: Sources(logs=Held([*before, *held]))}
    if code is not None:
        offered["changes"] = Sources(code=code)
    return SkillContext(
        focus=Focus(namespace="shop", service="orders", started_at=ONSET),
        now=ONSET + timedelta(minutes=10),
        window=Window(ONSET - timedelta(minutes=2), ONSET + timedelta(minutes=10)),
        baseline=Window(ONSET - timedelta(minutes=45), ONSET - timedelta(minutes=15)),
        sources=offered,
    )


def connected(language: object, **settings: object) -> RuntimeSkill:
    access = Access(Settings.model_validate(settings), lambda _: None, QueryMeter("runtime"))
    made: RuntimeSkill = language(access)  # type: ignore[operator]  # a skill's connect
    return made
