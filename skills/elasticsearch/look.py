"""What stands out in the logs, without being asked: counts first, then lines, then what they mean.

Few requests on purpose: field names, counts of both windows, lines of now, lines of before; two more where stack traces
lie in rows of their own. A server that refuses aggregations is asked for lines alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from skills.contract import (
    Edge,
    Entity,
    Excerpt,
    FirstLook,
    Gap,
    LogLine,
    LogQuery,
    SkillContext,
    Symptom,
    ToolError,
    Window,
)
from skills.digest import Digest, LogDigest
from skills.elasticsearch import queries
from skills.elasticsearch.client import Refused
from skills.elasticsearch.links import excerpt_link
from skills.elasticsearch.reading import Read, Reader
from skills.logfaults import recognise
from skills.stacks import crash_in

EVERYTHING = 1500
"""Up to so many lines in the window all of them are read, not errors alone: context costs nothing then."""
ERRORS = 3000
BASELINE = 1500


@dataclass(frozen=True)
class Counts:
    """Lines and errors in a window; errors by writer."""

    lines: int
    errors: int
    by_writer: dict[str, int]


@dataclass(frozen=True)
class View:
    """What was read for one question, and what it shows."""

    read: Read
    before: Read
    digest: LogDigest
    symptoms: tuple[Symptom, ...]
    query: LogQuery
    gaps: tuple[Gap, ...]


def first_look(reader: Reader, context: SkillContext) -> FirstLook:
    """Raises ToolError when nothing could be read."""
    namespace = context.focus.namespace or _only(reader.client.settings.namespaces)
    counted, gaps = _counts(reader, context, namespace)
    if counted and namespace and not counted[0].lines and not counted[1].lines:
        gaps.append(Gap(f"logs of namespace {namespace}", f"no line in {context.window} nor in the baseline"))
        namespace = ""
        counted, _ = _counts(reader, context, namespace)
    errors_only = not counted or counted[0].lines > EVERYTHING
    query = LogQuery(context.window, namespace=namespace, errors_only=errors_only, limit=ERRORS)
    view = look(reader, query, context)
    text = "\n".join(part for part in (_told(counted, reader, namespace), view.digest.text()) if part)
    if not view.read.lines:
        text = f"No lines: {reader.shown(query)}"
        gaps.append(Gap("logs", f"no line matches {reader.shown(query)}"))
    return FirstLook(
        text=text,
        symptoms=view.symptoms,
        edges=_edges(view.symptoms),
        gaps=(*gaps, *view.gaps),
        evidence=_new_samples(reader, view),
        full="\n".join(f"{line.at.isoformat()} {line.entity or ''} {line.text}" for line in view.read.lines[:5000]),
    )


def look(reader: Reader, query: LogQuery, context: SkillContext) -> View:
    """Lines of a question and of the same question in the baseline: digest, symptoms, gaps. Raises ToolError."""
    read = reader.pages(reader.clauses(query), limit=query.limit)
    gaps = [Gap("some log lines", problem) for problem in read.problems]
    before = Read((), 0, ())
    if read.lines:
        try:
            earlier = replace(query, window=context.baseline, limit=BASELINE)
            before = reader.pages(reader.clauses(earlier), limit=BASELINE)
        except ToolError as error:
            gaps.append(Gap("log lines of the baseline", str(error)))
    lines = _with_traces(reader, read.lines) if query.errors_only else read.lines
    digest = Digest(context.focus.started_at).add_all(lines, before.lines).result()
    symptoms = recognise(
        lines,
        namespace=query.namespace or context.focus.namespace,
        query=reader.shown(query),
        link=reader.link(query),
        onset=context.focus.started_at,
        baseline=before.lines,
        baseline_scale=_density(read) / _density(before),
    )
    whole = replace(read, lines=tuple(lines))
    return View(whole, before, digest, tuple(_linked(reader, s) for s in symptoms), query, tuple(gaps))


def _density(read: Read) -> float:
    """How much of what matches was read."""
    return len(read.lines) / read.total if read.lines and read.total else 1.0


# --- counts ---


def _counts(reader: Reader, context: SkillContext, namespace: str) -> tuple[tuple[Counts, Counts] | None, list[Gap]]:
    """None where the server does not aggregate; that is no gap, lines are counted then."""
    layout = reader.layout
    if layout.guessed:
        return None, []
    both = Window(min(context.baseline.start, context.window.start), context.window.end)
    clauses = [queries.within(layout, both), *queries.of_namespace(layout, namespace)]
    body = {
        "size": 0,
        "query": queries.query(*clauses),
        "aggs": queries.counts(layout, context.window, context.baseline),
    }
    try:
        answer = reader.client.search(body)
    except Refused as error:
        if error.status in (401, 429):
            raise
        return None, []
    if "now" not in answer.aggregations:
        return None, []
    gaps = [Gap("counts of log lines", problem) for problem in answer.problems]
    return (_read_counts(answer.aggregations["now"]), _read_counts(answer.aggregations.get("before"))), gaps


def _read_counts(bucket: object) -> Counts:
    if not isinstance(bucket, dict):
        return Counts(0, 0, {})
    errors = bucket.get("errors") or {}
    buckets = (errors.get("who") or {}).get("buckets") or []
    return Counts(
        lines=int(bucket.get("doc_count") or 0),
        errors=int(errors.get("doc_count") or 0),
        by_writer={str(b.get("key")): int(b.get("doc_count") or 0) for b in buckets if isinstance(b, dict)},
    )


def _told(counted: tuple[Counts, Counts] | None, reader: Reader, namespace: str) -> str:
    if counted is None:
        return ""
    now, before = counted
    where = f"namespace {namespace}" if namespace else reader.client.settings.index
    text = f"{where}: {now.errors} error lines of {now.lines} (baseline {before.errors} of {before.lines})"
    loud = sorted(now.by_writer.items(), key=lambda item: (before.by_writer.get(item[0], 0) - item[1], item[0]))[:8]
    if loud:
        text += "; " + ", ".join(f"{who} {count} (was {before.by_writer.get(who, 0)})" for who, count in loud)
    return text


# --- traces in rows of their own ---

_BEGINS = ("Traceback (most recent call last)", "panic: ", "fatal error: ", "Exception in thread", "Unhandled ")


def _with_traces(reader: Reader, lines: Sequence[LogLine], limit: int = 2) -> tuple[LogLine, ...]:
    """Errors alone lose the rows of a stack trace that a shipper did not join: fetch them, of the first two writers."""
    found = {line.fields.get("id") or (line.at, line.text): line for line in lines}
    torn: dict[str, LogLine] = {}
    for line in lines:
        if line.entity and line.text.lstrip().startswith(_BEGINS) and crash_in(line.text) is None:
            torn.setdefault(line.entity.name, line)
    for line in list(torn.values())[:limit]:
        near = Window(line.at - timedelta(seconds=1), line.at + timedelta(seconds=2))
        writer = line.entity or Entity(kind="", name="")
        asked = LogQuery(near, namespace=writer.namespace or "", service=writer.name)
        try:
            rows = reader.pages(reader.clauses(asked), limit=400).lines
        except ToolError:
            continue
        found |= {row.fields.get("id") or (row.at, row.text): row for row in rows}
    return tuple(sorted(found.values(), key=lambda line: line.at))


# --- what is handed on ---


def _linked(reader: Reader, symptom: Symptom) -> Symptom:
    return replace(symptom, evidence=tuple(linked(reader, excerpt) for excerpt in symptom.evidence))


def linked(reader: Reader, excerpt: Excerpt) -> Excerpt:
    """With the address of its own minute rather than that of the whole question."""
    return replace(excerpt, link=excerpt_link(reader.client.settings, reader.layout, excerpt))


def _edges(symptoms: Iterable[Symptom]) -> tuple[Edge, ...]:
    """A writer that complains of a service depends on it."""
    found = {
        (s.entity, target): Edge(s.entity, target, "log", s.evidence[0] if s.evidence else None)
        for s in symptoms
        if s.role == "effect"
        for target in s.points_at
    }
    return tuple(found.values())


def _new_samples(reader: Reader, view: View, limit: int = 5) -> tuple[Excerpt, ...]:
    """Templates that are new and loud, and that no symptom cites."""
    cited = {excerpt.text[:80] for symptom in view.symptoms for excerpt in symptom.evidence}
    new = [
        t for t in view.digest.templates
        if t.is_new and t.level in ("fatal", "error", "warning") and t.sample.text[:80] not in cited
    ]  # fmt: skip
    return tuple(linked(reader, excerpt_of(t.sample, reader, view.query)) for t in new[:limit])


def excerpt_of(line: LogLine, reader: Reader, query: LogQuery) -> Excerpt:
    rows = line.text.split("\n")[:30]
    text = "\n".join(row if len(row) <= 400 else row[:399] + "…" for row in rows)
    return Excerpt(text, reader.shown(query), query.window, reader.link(query), line.entity, line.at)


def _only(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else ""
