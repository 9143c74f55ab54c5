"""What the model may ask of the logs, and how the skill is connected."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from pydantic import Field

from skills.contract import (
    Access,
    Check,
    FirstLook,
    LogQuery,
    SkillContext,
    Sources,
    Tool,
    ToolError,
    ToolInput,
    ToolResult,
    Window,
)
from skills.elasticsearch import queries
from skills.elasticsearch.client import Client
from skills.elasticsearch.look import View, excerpt_of, first_look, linked, look
from skills.elasticsearch.reading import Read, Reader
from skills.elasticsearch.settings import Settings

__all__ = ["Settings", "connect"]


class _Where(ToolInput):
    namespace: str = Field("", max_length=253)
    service: str = Field("", max_length=253, description="service, workload or pod prefix")
    start: datetime | None = Field(None, description="ISO; default: the investigation's window")
    end: datetime | None = None


class Errors(_Where):
    pass


class Patterns(_Where):
    pass


class Search(_Where):
    text: str = Field(min_length=1, max_length=500, description='words, "a phrase", a | b, -not')
    errors_only: bool = False


class Around(ToolInput):
    at: datetime
    service: str = Field(max_length=253, description="pod, workload or service")
    namespace: str = Field("", max_length=253)
    seconds: int = Field(30, ge=1, le=3600)


class Trace(ToolInput):
    id: str = Field(min_length=4, max_length=200, description="trace or request id")


SHOWN_LINES = 60


def connect(access: Access) -> Elasticsearch:
    return Elasticsearch(access)


class Elasticsearch:
    """The skill. Nothing is imported from the vendor or sent before the first question."""

    name = "elasticsearch"

    def __init__(self, access: Access) -> None:
        self._reader = Reader(Client(access))

    @property
    def sources(self) -> Sources:
        return Sources(logs=self._reader)

    @property
    def tools(self) -> Sequence[Tool]:
        return tuple(
            Tool(f"elasticsearch_{name}", says, takes, partial(run, self._reader), ("logs",))
            for name, (says, takes, run) in _TOOLS.items()
        )

    def reach(self) -> None:
        """One search of nothing: it needs no more rights than reading does. Raises ToolError."""
        answer = self._reader.client.search({"size": 0, "query": {"match_all": {}}, "terminate_after": 1})
        if answer.shards == 0:
            raise ToolError(f"no index matches {self._reader.client.settings.index!r}: check index")

    def first_look(self, context: SkillContext) -> FirstLook:
        return first_look(self._reader, context)

    def checks(self) -> Sequence[Check]:
        return tuple(_checks(self))


@dataclass(frozen=True)
class _Step:
    what: str
    ask: Callable[[], object]
    remedy: str


def _checks(skill: Elasticsearch) -> list[Check]:
    client = skill._reader.client
    index = client.settings.index
    steps = (
        _Step(f"search {index}", skill.reach, "check url, index and credentials; the privilege `read` is needed"),
        _Step(f"fields of {index}", lambda: skill._reader.layout, "grant `view_index_metadata` on the index"),
    )
    checks = []
    for step in steps:
        try:
            step.ask()
            checks.append(Check(step.what, True, "plain JSON" if client.plain else "ok"))
        except ToolError as error:
            checks.append(Check(step.what, False, str(error), step.remedy))
            return checks
    layout = skill._reader.layout
    roles = [role for role in ("timestamp", "message", "level", "namespace", "pod") if not layout.one(role)]
    detail = f"no field for {', '.join(roles)}" if roles else "all found"
    checks.append(Check("field layout", not {"timestamp", "message"} & set(roles), detail, "name them under fields:"))
    return checks


# --- tools ---


def _window(asked: _Where, context: SkillContext) -> Window:
    start = _aware(asked.start) or context.window.start
    end = _aware(asked.end) or max(context.window.end, start)
    if end <= start:
        raise ToolError(f"the range {start.isoformat()} to {end.isoformat()} is empty")
    return Window(start, end)


def _aware(at: datetime | None) -> datetime | None:
    return at if at is None or at.tzinfo else at.replace(tzinfo=UTC)


def _query(asked: _Where, context: SkillContext, *, errors_only: bool, text: str = "", limit: int = 5000) -> LogQuery:
    return LogQuery(
        _window(asked, context),
        namespace=asked.namespace or (context.focus.namespace if not asked.service else ""),
        service=asked.service,
        text=text,
        errors_only=errors_only,
        limit=limit,
    )


def _errors(reader: Reader, asked: Errors, context: SkillContext) -> ToolResult:
    return _digested(reader, look(reader, _query(asked, context, errors_only=True), context))


def _patterns(reader: Reader, asked: Patterns, context: SkillContext) -> ToolResult:
    view = look(reader, _query(asked, context, errors_only=False), context)
    new = [t for t in view.digest.templates if t.is_new]
    result = _digested(reader, view)
    return ToolResult(
        result.status, f"{len(new)} templates are new\n{result.text}" if view.read.lines else result.text,
        result.evidence, result.symptoms, result.gaps, result.full,
    )  # fmt: skip


def _digested(reader: Reader, view: View) -> ToolResult:
    if not view.read.lines:
        return ToolResult("no_data", f"no lines: {reader.shown(view.query)}", gaps=view.gaps)
    samples = [t.sample for t in view.digest.templates if t.is_new or t.level in ("fatal", "error")][:8]
    return ToolResult(
        "ok",
        f"{view.read.total} lines match {reader.shown(view.query)}\n{view.digest.text()}",
        tuple(linked(reader, excerpt_of(line, reader, view.query)) for line in samples),
        view.symptoms,
        view.gaps,
        _full(view.read),
    )


def _search(reader: Reader, asked: Search, context: SkillContext) -> ToolResult:
    query = _query(asked, context, errors_only=asked.errors_only, text=asked.text, limit=SHOWN_LINES)
    return _listed(reader, query, reader.pages(reader.clauses(query), limit=SHOWN_LINES))


def _around(reader: Reader, asked: Around, context: SkillContext) -> ToolResult:
    at = _aware(asked.at) or context.now
    half = timedelta(seconds=asked.seconds)
    query = LogQuery(Window(at - half, at + half), namespace=asked.namespace, service=asked.service, limit=400)
    read = reader.pages(reader.clauses(query), limit=400)
    nearest = sorted(read.lines, key=lambda line: abs(line.at - at))[:SHOWN_LINES]
    lines = tuple(sorted(nearest, key=lambda line: line.at))
    return _listed(reader, query, Read(lines, read.total, read.problems))


def _trace(reader: Reader, asked: Trace, context: SkillContext) -> ToolResult:
    window = Window(context.baseline.start, context.window.end)
    query = LogQuery(window, text=f'"{asked.id}"', limit=SHOWN_LINES)
    fields = reader.layout.all("trace")
    by_field = [queries.equals(field, asked.id) for field in fields]
    clauses = [
        queries.within(reader.layout, window),
        queries.any_of([*by_field, queries.has_text(reader.layout, f'"{asked.id}"')]),
    ]
    return _listed(reader, query, reader.pages(clauses, limit=SHOWN_LINES))


def _listed(reader: Reader, query: LogQuery, read: Read) -> ToolResult:
    from_query = reader.shown(query)
    if not read.lines:
        return ToolResult("no_data", f"no lines: {from_query}")
    some = f", {len(read.lines)} of them shown" if read.total > len(read.lines) else ""
    return ToolResult(
        "ok",
        f"{read.total} lines match {from_query}{some}",
        tuple(linked(reader, excerpt_of(line, reader, query)) for line in read.lines[:SHOWN_LINES]),
        full=_full(read),
    )


def _full(read: Read) -> str:
    return "\n".join(f"{line.at.isoformat()} {line.entity or ''} {line.text}" for line in read.lines[:5000])


_TOOLS: dict[str, tuple[str, type[ToolInput], Callable[..., ToolResult]]] = {
    "errors": ("Error lines as templates with counts against the baseline, and the faults they show.", Errors, _errors),
    "search": ("Lines that hold given words.", Search, _search),
    "around": ("What a pod or service wrote just before and after a moment.", Around, _around),
    "trace": ("All lines of one trace or request id, across services.", Trace, _trace),
    "patterns": ("Templates of all levels, those new since the onset first.", Patterns, _patterns),
}
