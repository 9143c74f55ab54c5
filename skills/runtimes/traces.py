"""Stack traces of one language, equal ones together: how often, since when, against the baseline, and whose code.

A trace that a wording of logfaults explains (a refused connection, rejected credentials) is listed and is no symptom of
its own: that symptom is the log skill's. What is left gets the words and the weight that logfaults gives it, so that
both are one voice; what is added is the frame that is ours and the commit that last touched it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from skills.contract import Change, CodeSource, Entity, Gap, Sources, Symptom, ToolError
from skills.logfaults.crashes import crash_symptoms
from skills.logfaults.sightings import CrashSighting, see
from skills.loglines import message_of
from skills.runtimes.hearing import Heard, Record
from skills.runtimes.structured import crash_in_json
from skills.stacks import Crash, Frame, crash_in

RECENT = timedelta(hours=24)
"""A commit as old as this at the onset is no suspect by its date alone."""
MOST_LOOKED_UP = 3


@dataclass(frozen=True)
class Trace:
    """Equal traces: one writer, type and place."""

    sightings: tuple[CrashSighting, ...]
    """Oldest first."""
    known: int
    """How many of them the baseline holds, in lines of the window."""
    explained: bool
    """A wording of logfaults says what happened: the trace tells where."""
    touched: Change | None = None

    @property
    def crash(self) -> Crash:
        return self.sightings[0].crash

    @property
    def writer(self) -> Entity:
        return self.sightings[0].writer

    @property
    def first_at(self) -> datetime:
        return self.sightings[0].record.at

    @property
    def is_recent_work(self) -> bool:
        return self.touched is not None and timedelta(0) <= self.first_at - self.touched.at <= RECENT

    @property
    def is_placed_by_customer(self) -> bool:
        """The customer's own paths name another frame than the one that logs take for ours; or logs see no trace."""
        known = crash_in(message_of(self.sightings[0].record.text))
        return known is None or known.frame != self.crash.frame

    def told(self) -> str:
        """`NEW orders x118 since 14:02:07 (before 0): AttributeError: … at total (/app/orders/total.py:42)`"""
        crash = self.crash
        new = "" if self.known else "NEW "
        what = f"{crash.kind}: {crash.message}" if crash.message else crash.kind
        chain = f" (raised on as {crash.raised})" if crash.deferred and crash.raised != crash.kind else ""
        where = (
            f" at {crash.frame}" if crash.frame else ", in no frame of ours" if crash.frames else ", without a stack"
        )
        count = f"x{len(self.sightings)} since {self.first_at:%H:%M:%S} (before {self.known})"
        touched = f"; last touched by {_commit(self.touched, self.first_at)}" if self.touched else ""
        return f"{new}{self.writer.name} {count}: {_cut(what)}{chain}{where}{touched}"


def traces_of(heard: Heard, language: str, ours: Sequence[str] = ()) -> list[Trace]:
    """Those that the baseline lacks first, then the most frequent."""
    known = _grouped(heard.before, language, ours)
    found = []
    for key, sightings in _grouped(heard.records, language, ours).items():
        explained = bool(see([sightings[0].record], heard.namespace).sightings)
        found.append(Trace(tuple(sightings), round(len(known.get(key, ())) * heard.scale), explained))
    return sorted(found, key=lambda t: (t.known > 0, -len(t.sightings), t.first_at))


def _grouped(
    records: Iterable[Record], language: str, ours: Sequence[str]
) -> Mapping[tuple[Entity, str, str], list[CrashSighting]]:
    groups: dict[tuple[Entity, str, str], list[CrashSighting]] = defaultdict(list)
    for record in records:
        crash = _crash(record.line.text, language)
        if crash is None or crash.language != language:
            continue
        if ours:
            crash = replace(crash, frame=_first_of(crash, ours))
        where = f"{crash.frame.function} {crash.frame.file}" if crash.frame else ""
        groups[(record.writer, crash.kind, where)].append(CrashSighting(record.line, record.writer, crash))
    return groups


_RECOVERED = re.compile(r"runtime error: [^\"\n]{1,120}")


def _crash(text: str, language: str) -> Crash | None:
    """Also a panic that was recovered and logged in one line, without its stack: in no frame then."""
    if structured := crash_in_json(text, language):
        return structured
    if "\n" in text or "\\n" in text or "panic: " in text:
        return crash_in(message_of(text))
    if language == "go" and (said := _RECOVERED.search(text)):
        return Crash("go", "panic", said[0], None, "panic")
    return None


def _first_of(crash: Crash, ours: Sequence[str]) -> Frame | None:
    """The innermost frame below one of the customer's own paths."""
    prefixes = tuple(ours)
    within = (f for f in crash.frames if f.file.startswith(prefixes) or f.function.startswith(prefixes))
    return next(within, crash.frame)


# --- who wrote it ---


def with_commits(traces: Sequence[Trace], sources: Mapping[str, Sources]) -> tuple[list[Trace], tuple[Gap, ...]]:
    """The first few that are new get the commit that last touched their frame, where a skill knows the code."""
    code = next((source.code for source in sources.values() if source.code is not None), None)
    wanted = [t for t in traces if not t.known and t.crash.frame is not None][:MOST_LOOKED_UP] if code else []
    gaps: list[Gap] = []
    known: dict[int, Change | None] = {}
    for trace in wanted:
        try:
            known[id(trace)] = _commit_of(code, trace) if code else None
        except ToolError as error:
            gaps.append(Gap(f"who last touched {trace.crash.frame}", str(error)))
            break
    return [replace(t, touched=known.get(id(t))) for t in traces], tuple(gaps)


def _commit_of(code: CodeSource, trace: Trace) -> Change | None:
    frame = trace.crash.frame
    assert frame is not None
    return code.last_touched(frame.file, frame.line or 1, trace.writer.name)


def _commit(change: Change, at: datetime) -> str:
    minutes = round((at - change.at).total_seconds() / 60)
    age = f"{minutes} min" if minutes < 120 else f"{minutes // 60} h" if minutes < 2880 else f"{minutes // 1440} days"
    by = f" of {change.author}" if change.author else ""
    name = " ".join(change.id.split("/")[-2:])  # commit 23f57f6
    return f"{name}{by}, {age} before"


# --- symptoms ---


def symptoms_of(traces: Iterable[Trace], heard: Heard, *, beyond_logs: bool = False) -> list[Symptom]:
    """Of traces that are new and that no wording explains. `beyond_logs`: only of those of which more is known than the
    log skill says of the same lines, a commit or a frame of the customer's own paths."""
    seen, before = heard.seen(), heard.seen_before()
    found = []
    for trace in traces:
        if trace.explained or (beyond_logs and not trace.is_recent_work and not trace.is_placed_by_customer):
            continue
        crashes = replace(seen, crashes=list(trace.sightings))
        known = replace(before, crashes=[trace.sightings[0]] * trace.known if before.count else [])
        for symptom in crash_symptoms(crashes, known, heard.source, 1.0):
            found.append(_with_commit(symptom, trace))
    return found


def _with_commit(symptom: Symptom, trace: Trace) -> Symptom:
    touched = trace.touched
    if touched is None or not trace.is_recent_work:
        return symptom
    return replace(
        symptom,
        summary=f"{symptom.summary}; last touched by {_commit(touched, trace.first_at)}",
        specificity=min(0.9, round(symptom.specificity + 0.07, 3)),
        evidence=(*symptom.evidence, *touched.evidence[:1]),
        change=touched.id,
    )


def _cut(text: str, characters: int = 160) -> str:
    return text if len(text) <= characters else text[: characters - 1] + "…"
