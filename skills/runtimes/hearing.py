"""Log lines for skills that have no system of their own: from whichever log skill is on.

The same question that the log skill's first look asks is asked here in the same words, so that it is answered from what
was read already (logview.Once). Records are joined once; everything else looks at records.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from skills.contract import (
    Entity,
    Gap,
    LogBatch,
    LogLine,
    LogQuery,
    LogSource,
    SkillContext,
    Sources,
    ToolError,
    Window,
)
from skills.logfaults.citing import Source
from skills.logfaults.places import workload
from skills.logfaults.sightings import Seen
from skills.loglines import join
from skills.logview.look import BASELINE, ERRORS

_LAST = ("kubernetes",)
"""Asked when nothing else is there: it reads tails of pods, one by one. Hence one service, and no baseline: a tail does
not reach that far back."""


@dataclass(frozen=True)
class Record:
    line: LogLine
    """A stack trace is one record."""
    writer: Entity


@dataclass(frozen=True)
class Heard:
    """What a question to the logs gave, and the same question in the baseline."""

    records: tuple[Record, ...]
    before: tuple[Record, ...]
    scale: float
    """How many lines one of the baseline stands for, where the windows were sampled unequally."""
    source: Source
    window: Window
    namespace: str
    by: str
    """The skill that was asked."""
    total: int
    gaps: tuple[Gap, ...] = ()

    @property
    def by_log_skill(self) -> bool:
        """Read from a system whose own first look says what the common table finds in the same lines."""
        return self.by not in _LAST

    def seen(self) -> Seen:
        return _seen(self.records)

    def seen_before(self) -> Seen:
        return _seen(self.before)


@dataclass(frozen=True)
class Asked:
    namespace: str = ""
    service: str = ""
    window: Window | None = None
    errors_only: bool = True


def hear(context: SkillContext, asked: Asked) -> Heard:
    """Raises ToolError when no log skill is on, or none answers."""
    problems = []
    for name, logs in _sources(context.sources):
        try:
            return _ask(name, logs, context, asked)
        except ToolError as error:
            problems.append(str(error))
    if problems:
        raise ToolError("; ".join(problems))
    raise ToolError("no log skill is on that can be read: elasticsearch, loki or kubernetes")


def _sources(sources: Mapping[str, Sources]) -> list[tuple[str, LogSource]]:
    offered = [(name, source.logs) for name, source in sorted(sources.items()) if source.logs is not None]
    return sorted(offered, key=lambda pair: pair[0] in _LAST)


def _ask(name: str, logs: LogSource, context: SkillContext, asked: Asked) -> Heard:
    window = asked.window or context.window
    if name in _LAST:
        return _ask_tails(name, logs, context, asked, window)
    namespace = asked.namespace or ("" if asked.service else context.focus.namespace)
    errors_only = asked.errors_only
    query = LogQuery(window, namespace=namespace, service=asked.service, errors_only=errors_only, limit=ERRORS)
    now = logs.read(query)
    if not now.lines and namespace and not asked.namespace:
        namespace = ""
        query = LogQuery(window, service=asked.service, errors_only=errors_only, limit=ERRORS)
        now = logs.read(query)
    before = LogBatch((), 0, now.query)
    gaps: tuple[Gap, ...] = ()
    if now.lines:
        earlier = LogQuery(context.baseline, query.namespace, query.service, query.text, errors_only, BASELINE)
        try:
            before = logs.read(earlier)
        except ToolError as error:
            gaps = (Gap("log lines of the baseline", str(error)),)
    return Heard(
        _records(now.lines, namespace),
        _records(before.lines, namespace),
        _density(now) / _density(before),
        Source(now.query, now.link),
        window,
        namespace,
        name,
        now.total,
        gaps,
    )


def _ask_tails(name: str, logs: LogSource, context: SkillContext, asked: Asked, window: Window) -> Heard:
    namespace, service = asked.namespace or context.focus.namespace, asked.service or context.focus.service
    if not namespace or not service:
        raise ToolError(f"{name}: logs of pods are read one service at a time; name a namespace and a service")
    now = logs.read(LogQuery(window, namespace=namespace, service=service, limit=ERRORS))
    source = Source(now.query, now.link)
    return Heard(_records(now.lines, namespace), (), 1.0, source, window, namespace, name, now.total)


def _density(batch: LogBatch) -> float:
    return min(1.0, len(batch.lines) / batch.total) if batch.lines and batch.total else 1.0


def _records(lines: Iterable[LogLine], namespace: str) -> tuple[Record, ...]:
    return tuple(Record(line, workload(line.entity, namespace, line.container)) for line in join(lines))


def _seen(records: Iterable[Record]) -> Seen:
    """How much was read and when who wrote last: what the reasoning about novelty needs."""
    seen = Seen()
    times: list[datetime] = []
    for record in records:
        seen.count += 1
        seen.last[record.writer] = record.line.at
        times.append(record.line.at)
    seen.start, seen.end = min(times, default=None), max(times, default=None)
    return seen
