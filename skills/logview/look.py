"""What stands out in the logs, without being asked: counts first, then lines, then what they mean.

Few requests on purpose: counts of both windows, lines of now, lines of before; two more where stack traces lie in rows
of their own. A system that does not count is asked for lines alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from skills.contract import Edge, Excerpt, FirstLook, Gap, LogLine, LogQuery, SkillContext, Symptom, ToolError
from skills.digest import Digest, LogDigest
from skills.logfaults import recognise
from skills.logview.reading import Counted, Logs, Read

EVERYTHING = 1500
"""Up to so many lines in the window all of them are read, not errors alone: context costs nothing then."""
ERRORS = 3000
BASELINE = 1500


@dataclass(frozen=True)
class View:
    """What was read for one question, and what it shows."""

    read: Read
    before: Read
    digest: LogDigest
    symptoms: tuple[Symptom, ...]
    query: LogQuery
    gaps: tuple[Gap, ...]


def first_look(logs: Logs, context: SkillContext) -> FirstLook:
    """Raises ToolError when nothing could be read."""
    namespace = context.focus.namespace or _only(logs.namespaces)
    counted, gaps = _counts(logs, context, namespace)
    if counted and namespace and not counted.now.lines and not counted.before.lines:
        gaps.append(Gap(f"logs of namespace {namespace}", f"no line in {context.window} nor in the baseline"))
        namespace = ""
        counted, _ = _counts(logs, context, namespace)
    errors_only = counted is None or counted.now.lines > EVERYTHING
    query = LogQuery(context.window, namespace=namespace, errors_only=errors_only, limit=ERRORS)
    view = look(logs, query, context)
    text = "\n".join(part for part in (_told(counted, logs, namespace), view.digest.text()) if part)
    if not view.read.lines:
        text = f"No lines: {logs.shown(query)}"
        gaps.append(Gap("logs", f"no line matches {logs.shown(query)}"))
    return FirstLook(
        text=text,
        symptoms=view.symptoms,
        edges=_edges(view.symptoms),
        gaps=(*gaps, *view.gaps),
        evidence=_new_samples(logs, view),
        full=whole(view.read),
    )


def look(logs: Logs, query: LogQuery, context: SkillContext) -> View:
    """Lines of a question and of the same question in the baseline: digest, symptoms, gaps. Raises ToolError."""
    read = logs.find(query)
    gaps = [Gap("some log lines", problem) for problem in read.problems]
    before = Read((), 0)
    if read.lines:
        try:
            before = logs.find(replace(query, window=context.baseline, limit=BASELINE))
        except ToolError as error:
            gaps.append(Gap("log lines of the baseline", str(error)))
    digest = Digest(context.focus.started_at).add_all(read.lines, before.lines).result()
    symptoms = recognise(
        read.lines,
        namespace=query.namespace or context.focus.namespace,
        query=logs.shown(query),
        link=logs.link(query),
        onset=context.focus.started_at,
        baseline=before.lines,
        baseline_scale=density(read) / density(before),
    )
    return View(read, before, digest, tuple(_linked(logs, s) for s in symptoms), query, tuple(gaps))


def density(read: Read) -> float:
    """How much of what matches was read."""
    return min(1.0, len(read.lines) / read.total) if read.lines and read.total else 1.0


def whole(read: Read) -> str:
    return "\n".join(f"{line.at.isoformat()} {line.entity or ''} {line.text}" for line in read.lines[:5000])


# --- counts ---


def _counts(logs: Logs, context: SkillContext, namespace: str) -> tuple[Counted | None, list[Gap]]:
    counted = logs.counts(context.window, context.baseline, namespace)
    return counted, [Gap("counts of log lines", problem) for problem in (counted.problems if counted else ())]


def _told(counted: Counted | None, logs: Logs, namespace: str) -> str:
    if counted is None:
        return ""
    now, before = counted.now, counted.before
    where = f"namespace {namespace}" if namespace else logs.place
    text = f"{where}: {now.errors} error lines of {now.lines} (baseline {before.errors} of {before.lines})"
    loud = sorted(now.by_writer.items(), key=lambda item: (before.by_writer.get(item[0], 0) - item[1], item[0]))[:8]
    if loud:
        text += "; " + ", ".join(f"{who} {_risen(counted, who)}" for who, _ in loud)
    return text


def _risen(counted: Counted, who: str) -> str:
    since = f" since {counted.since[who]:%H:%M}" if who in counted.since else ""
    return f"{counted.now.by_writer[who]} (was {counted.before.by_writer.get(who, 0)}){since}"


# --- what is handed on ---


def _linked(logs: Logs, symptom: Symptom) -> Symptom:
    return replace(symptom, evidence=tuple(linked(logs, excerpt) for excerpt in symptom.evidence))


def linked(logs: Logs, excerpt: Excerpt) -> Excerpt:
    """With the address of its own minute rather than that of the whole question."""
    return replace(excerpt, link=logs.link_of(excerpt))


def _edges(symptoms: Iterable[Symptom]) -> tuple[Edge, ...]:
    """A writer that complains of a service depends on it."""
    found = {
        (s.entity, target): Edge(s.entity, target, "log", s.evidence[0] if s.evidence else None)
        for s in symptoms
        if s.role == "effect"
        for target in s.points_at
    }
    return tuple(found.values())


def _new_samples(logs: Logs, view: View, limit: int = 5) -> tuple[Excerpt, ...]:
    """Templates that are new and loud, and that no symptom cites."""
    cited = {excerpt.text[:80] for symptom in view.symptoms for excerpt in symptom.evidence}
    new = [
        t for t in view.digest.templates
        if t.is_new and t.level in ("fatal", "error", "warning") and t.sample.text[:80] not in cited
    ]  # fmt: skip
    return tuple(linked(logs, excerpt_of(t.sample, logs, view.query)) for t in new[:limit])


def excerpt_of(line: LogLine, logs: Logs, query: LogQuery) -> Excerpt:
    rows = line.text.split("\n")[:30]
    text = "\n".join(row if len(row) <= 400 else row[:399] + "…" for row in rows)
    return Excerpt(text, logs.shown(query), query.window, logs.link(query), line.entity, line.at)


def _only(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else ""
