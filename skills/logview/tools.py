"""What a model may ask of the logs, whichever system holds them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from pydantic import Field

from skills.contract import LogQuery, SkillContext, Tool, ToolError, ToolInput, ToolResult, Window
from skills.logview.look import View, excerpt_of, linked, look, whole
from skills.logview.reading import Logs, Read

SHOWN_LINES = 60


class Where(ToolInput):
    namespace: str = Field("", max_length=253)
    service: str = Field("", max_length=253, description="service, workload or pod prefix")
    start: datetime | None = Field(None, description="ISO; default: the investigation's window")
    end: datetime | None = None


class Errors(Where):
    pass


class Patterns(Where):
    pass


class Search(Where):
    text: str = Field(min_length=1, max_length=500, description='words, "a phrase", a | b, -not')
    errors_only: bool = False


class Around(ToolInput):
    at: datetime
    service: str = Field(max_length=253, description="pod, workload or service")
    namespace: str = Field("", max_length=253)
    seconds: int = Field(30, ge=1, le=3600)


class Trace(ToolInput):
    id: str = Field(min_length=4, max_length=200, description="trace or request id")


def tools(logs: Logs) -> tuple[Tool, ...]:
    return tuple(
        Tool(f"{logs.system}_{name}", says, takes, partial(run, logs), ("logs",))
        for name, (says, takes, run) in _TOOLS.items()
    )


def window_of(asked: Where, context: SkillContext) -> Window:
    """Raises ToolError for a range that is empty."""
    start = _aware(asked.start) or context.window.start
    end = _aware(asked.end) or max(context.window.end, start)
    if end <= start:
        raise ToolError(f"the range {start.isoformat()} to {end.isoformat()} is empty")
    return Window(start, end)


def _aware(at: datetime | None) -> datetime | None:
    return at if at is None or at.tzinfo else at.replace(tzinfo=UTC)


def query_of(asked: Where, context: SkillContext, *, errors_only: bool, text: str = "", limit: int = 5000) -> LogQuery:
    return LogQuery(
        window_of(asked, context),
        namespace=asked.namespace or (context.focus.namespace if not asked.service else ""),
        service=asked.service,
        text=text,
        errors_only=errors_only,
        limit=limit,
    )


def _errors(logs: Logs, asked: Errors, context: SkillContext) -> ToolResult:
    return _digested(logs, look(logs, query_of(asked, context, errors_only=True), context))


def _patterns(logs: Logs, asked: Patterns, context: SkillContext) -> ToolResult:
    view = look(logs, query_of(asked, context, errors_only=False), context)
    new = [t for t in view.digest.templates if t.is_new]
    result = _digested(logs, view)
    return replace(result, text=f"{len(new)} templates are new\n{result.text}") if view.read.lines else result


def _digested(logs: Logs, view: View) -> ToolResult:
    if not view.read.lines:
        return ToolResult("no_data", f"no lines: {logs.shown(view.query)}", gaps=view.gaps)
    samples = [t.sample for t in view.digest.templates if t.is_new or t.level in ("fatal", "error")][:8]
    return ToolResult(
        "ok",
        f"{view.read.total} lines match {logs.shown(view.query)}\n{view.digest.text()}",
        tuple(linked(logs, excerpt_of(line, logs, view.query)) for line in samples),
        view.symptoms,
        view.gaps,
        whole(view.read),
    )


def _search(logs: Logs, asked: Search, context: SkillContext) -> ToolResult:
    query = query_of(asked, context, errors_only=asked.errors_only, text=asked.text, limit=SHOWN_LINES)
    return _listed(logs, query, logs.find(query))


def _around(logs: Logs, asked: Around, context: SkillContext) -> ToolResult:
    at = _aware(asked.at) or context.now
    half = timedelta(seconds=asked.seconds)
    query = LogQuery(Window(at - half, at + half), namespace=asked.namespace, service=asked.service, limit=400)
    read = logs.find(query)
    nearest = sorted(read.lines, key=lambda line: abs(line.at - at))[:SHOWN_LINES]
    lines = tuple(sorted(nearest, key=lambda line: line.at))
    return _listed(logs, query, Read(lines, read.total, read.problems))


def _trace(logs: Logs, asked: Trace, context: SkillContext) -> ToolResult:
    window = Window(context.baseline.start, context.window.end)
    query = LogQuery(window, text=f'"{asked.id}"', limit=SHOWN_LINES)
    return _listed(logs, query, logs.traced(asked.id, window, SHOWN_LINES))


def _listed(logs: Logs, query: LogQuery, read: Read) -> ToolResult:
    from_query = logs.shown(query)
    if not read.lines:
        return ToolResult("no_data", f"no lines: {from_query}")
    some = f", {len(read.lines)} of them shown" if read.total > len(read.lines) else ""
    return ToolResult(
        "ok",
        f"{read.total} lines match {from_query}{some}",
        tuple(linked(logs, excerpt_of(line, logs, query)) for line in read.lines[:SHOWN_LINES]),
        full=whole(read),
    )


_TOOLS: dict[str, tuple[str, type[ToolInput], Callable[..., ToolResult]]] = {
    "errors": ("Error lines as templates with counts against the baseline, and the faults they show.", Errors, _errors),
    "search": ("Lines that hold given words.", Search, _search),
    "around": ("What a pod or service wrote just before and after a moment.", Around, _around),
    "trace": ("All lines of one trace or request id, across services.", Trace, _trace),
    "patterns": ("Templates of all levels, those new since the onset first.", Patterns, _patterns),
}
