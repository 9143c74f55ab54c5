"""The skill of a language's runtime: two questions, a first look, no system of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from skills.contract import (
    Access,
    Check,
    Excerpt,
    FirstLook,
    SkillContext,
    Sources,
    Symptom,
    Tool,
    ToolError,
    ToolResult,
)
from skills.logfaults import recognise
from skills.logfaults.citing import bounded
from skills.logfaults.pattern import Pattern
from skills.logview.tools import Where, window_of
from skills.runtimes.hearing import Asked, Heard, hear
from skills.runtimes.settings import Settings
from skills.runtimes.traces import Trace, symptoms_of, traces_of, with_commits

SHOWN = 8


class Traces(Where):
    pass


class Runtime(Where):
    pass


@dataclass(frozen=True)
class Said:
    """What a runtime's own output says beyond wordings: lines for a reader, and symptoms."""

    rows: tuple[str, ...] = ()
    symptoms: tuple[Symptom, ...] = ()
    evidence: tuple[Excerpt, ...] = ()


def nothing(_: Heard) -> Said:
    return Said()


@dataclass(frozen=True)
class Language:
    skill: str
    stacks: str
    """As skills.stacks calls it."""
    called: str
    patterns: tuple[Pattern, ...]
    """Wordings that the common table of logfaults does not hold."""
    trace_tool: str
    runtime_tool: str
    reads: Callable[[Heard], Said] = nothing
    """Reads what is neither a trace nor a wording, e.g. dumps and the collector's lines."""


class RuntimeSkill:
    """Everything is read through the log sources of the context."""

    def __init__(self, language: Language, access: Access) -> None:
        self._language = language
        self._settings: Settings = access.settings

    @property
    def name(self) -> str:
        return self._language.skill

    @property
    def sources(self) -> Sources:
        return Sources()

    @property
    def tools(self) -> Sequence[Tool]:
        name, says = self._language.skill, self._language
        return (
            Tool(f"{name}_traces", says.trace_tool, Traces, partial(_run, self._traces), ("logs",)),
            Tool(f"{name}_runtime", says.runtime_tool, Runtime, partial(_run, self._runtime), ("logs",)),
        )

    def reach(self) -> None:
        """There is nothing to reach: the log skills say themselves whether they can."""

    def checks(self) -> Sequence[Check]:
        return (Check("logs", True, "read through whichever of elasticsearch, loki and kubernetes is on"),)

    def first_look(self, context: SkillContext) -> FirstLook:
        """Raises ToolError when no log can be read."""
        heard = hear(context, Asked())
        traces, gaps = with_commits(self._found(heard), context.sources)
        said = self._said(heard)
        symptoms = (*symptoms_of(traces, heard, beyond_logs=heard.by_log_skill), *said.symptoms)
        rows = [trace.told() for trace in traces if not trace.known][:4]
        rows += said.rows[:4]
        called = self._language.called
        text = "\n".join(rows) or f"No new {called} traces or runtime complaints in {len(heard.records)} log records."
        return FirstLook(
            text=text, symptoms=symptoms, gaps=(*heard.gaps, *gaps), evidence=said.evidence, full=_full(traces)
        )

    def _found(self, heard: Heard) -> list[Trace]:
        return traces_of(heard, self._language.stacks, self._settings.ours)

    def _said(self, heard: Heard) -> Said:
        """Wordings of the language's own table, then what its reader makes of dumps and the like."""
        told = recognise(
            [record.line for record in heard.records],
            namespace=heard.namespace,
            query=heard.source.query,
            link=heard.source.link,
            baseline=[record.line for record in heard.before],
            baseline_scale=heard.scale,
            patterns=self._language.patterns,
        )
        read = self._language.reads(heard)
        return Said((*(s.summary for s in told), *read.rows), (*told, *read.symptoms), read.evidence)

    # --- tools ---

    def _traces(self, asked: Asked, context: SkillContext) -> ToolResult:
        heard = hear(context, asked)
        traces, gaps = with_commits(self._found(heard), context.sources)
        where = f"{heard.by}: {heard.source.query}"
        if not traces:
            return ToolResult("no_data", f"no {self._language.called} traces in {where}", gaps=(*heard.gaps, *gaps))
        left = f"\n… {len(traces) - SHOWN} more kinds" if len(traces) > SHOWN else ""
        return ToolResult(
            "ok",
            "\n".join((f"{len(traces)} kinds of traces in {where}", *(t.told() for t in traces[:SHOWN]))) + left,
            tuple(excerpt for trace in traces[:SHOWN] for excerpt in _cited(trace, heard)),
            tuple(symptoms_of(traces, heard)),
            (*heard.gaps, *gaps),
            _full(traces),
        )

    def _runtime(self, asked: Asked, context: SkillContext) -> ToolResult:
        heard = hear(context, Asked(asked.namespace, asked.service, asked.window, errors_only=not asked.service))
        said = self._said(heard)
        where = f"{heard.by}: {heard.source.query}"
        if not said.rows:
            text = f"nothing of pools, workers, memory or locks in {len(heard.records)} records of {where}"
            return ToolResult("no_data", text, gaps=heard.gaps)
        return ToolResult("ok", "\n".join(said.rows[:SHOWN]), said.evidence, said.symptoms, heard.gaps)


def _run(answer: Callable[[Asked, SkillContext], ToolResult], asked: Where, context: SkillContext) -> ToolResult:
    try:
        return answer(Asked(asked.namespace, asked.service, window_of(asked, context)), context)
    except ToolError as error:
        return ToolResult("error", str(error))


def _cited(trace: Trace, heard: Heard) -> Iterable[Excerpt]:
    record = trace.sightings[0].record
    yield Excerpt(bounded(record.text), heard.source.query, heard.window, heard.source.link, trace.writer, record.at)
    if trace.touched is not None:
        yield from trace.touched.evidence[:1]


def _full(traces: Iterable[Trace]) -> str:
    return "\n\n".join(f"{trace.told()}\n{trace.sightings[0].record.text}" for trace in traces)
