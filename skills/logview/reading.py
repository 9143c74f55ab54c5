"""What a log system offers to the questions here, and how the answer to one question serves all who ask it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from skills.contract import Entity, Excerpt, LogBatch, LogLine, LogQuery, ToolError, Window

MAX_LINES = 50_000


@dataclass(frozen=True)
class Read:
    """Lines and how complete they are."""

    lines: tuple[LogLine, ...]
    """Oldest first."""
    total: int
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Counts:
    """Lines and errors in a window; errors by writer."""

    lines: int
    errors: int
    by_writer: dict[str, int]


@dataclass(frozen=True)
class Counted:
    now: Counts
    before: Counts
    problems: tuple[str, ...] = ()
    since: Mapping[str, datetime] = field(default_factory=dict)
    """By writer, the minute in which its errors rose above the baseline's rate, where the system tells."""


RISEN = 3
"""Times the baseline's rate, and errors in a minute at least, that count as a rise."""


def risen(minutes: Mapping[datetime, int], was: int, before: Window, now: Window) -> datetime | None:
    """The first minute of many errors; none when the window begins with it, for then it may always have been so."""
    usual = max(1.0, was / max(1.0, before.seconds / 60))
    first = next((minute for minute in sorted(minutes) if minutes[minute] >= RISEN * usual), None)
    return first if first is not None and first - now.start >= timedelta(minutes=1) else None


class Logs(Protocol):
    """One log system. It is a LogSource as well."""

    @property
    def system(self) -> str:
        """The skill's name: what its tools' names begin with."""

    @property
    def place(self) -> str:
        """What is read when no namespace is asked for, in the system's words: an index, all streams."""

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Those that the customer restricts the skill to."""

    def find(self, query: LogQuery) -> Read:
        """Up to `query.limit` lines; of more than that the oldest and the newest. Raises ToolError."""

    def read(self, query: LogQuery) -> LogBatch:
        """Raises ToolError."""

    def traced(self, identifier: str, window: Window, limit: int) -> Read:
        """Lines that carry a trace or request id. Raises ToolError."""

    def counts(self, now: Window, before: Window, namespace: str) -> Counted | None:
        """None where the system does not count; that is no gap, lines are counted then. Raises ToolError."""

    def shown(self, query: LogQuery) -> str:
        """The question as a person would type it."""

    def link(self, query: LogQuery) -> str | None: ...

    def link_of(self, excerpt: Excerpt) -> str | None:
        """The minute around the excerpt rather than the whole question."""


@dataclass
class Once:
    """Each question is asked once, also when several ask it at the same time; a failure is not kept, nor are very many
    lines: what several skills ask alike is a first look."""

    kept: int = 8
    most_lines: int = 3000
    _answers: OrderedDict[LogQuery, Read] = field(default_factory=OrderedDict)
    _busy: dict[LogQuery, threading.Lock] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, query: LogQuery, ask: Callable[[LogQuery], Read]) -> Read:
        with self._lock:
            turn = self._busy.setdefault(query, threading.Lock())
        with turn:
            with self._lock:
                known = self._answers.get(query)
            if known is not None:
                return known
            answer = ask(query)
            with self._lock:
                self._busy.pop(query, None)
                if len(answer.lines) <= self.most_lines:
                    self._answers[query] = answer
                while len(self._answers) > self.kept:
                    self._answers.popitem(last=False)
            return answer


_BEGINS = (
    "Traceback (most recent call last)", "panic: ", "fatal error: ", "SIGQUIT: ", "Exception in thread", "Unhandled ",
)  # fmt: skip
_ROWS = 2000
"""Of one trace at most: a dump of goroutines is long."""


def with_traces(
    lines: Iterable[LogLine], ask: Callable[[LogQuery], Sequence[LogLine]], limit: int = 2
) -> list[LogLine]:
    """Errors alone lose the rows of a stack trace that a shipper did not join: fetch them, of the first writers."""
    found = {_identity(line): line for line in lines}
    torn: dict[str, LogLine] = {}
    for line in found.values():
        if line.entity and line.text.lstrip().startswith(_BEGINS) and "\n" not in line.text.strip():
            torn.setdefault(line.entity.name, line)
    for line in list(torn.values())[:limit]:
        near = Window(line.at - timedelta(seconds=1), line.at + timedelta(seconds=2))
        writer = line.entity or Entity(kind="", name="")
        try:
            rows = ask(LogQuery(near, namespace=writer.namespace or "", service=writer.name, limit=_ROWS))
        except ToolError:
            continue
        found |= {_identity(row): row for row in rows}
    return sorted(found.values(), key=lambda line: line.at)


def _identity(line: LogLine) -> object:
    return line.fields.get("id") or (line.at, line.entity, line.text)
