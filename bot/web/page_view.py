"""What the evidence page shows: records, put in the order in which a doubting reader asks for them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workers.domain import Alert, Evidence, Finding, Incident, Investigation, Progress
from workers.store import Store
from workers.trace import PICTURE, Span

LARGEST_SHOWN = 200_000
MOST_EXCERPTS = 200
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")


@dataclass(frozen=True)
class Step:
    """One span of the trace, as a row of the timeline that unfolds."""

    number: int
    at: str
    state: str
    name: str
    status: str
    error: str
    took: str
    tokens: str
    asked: str
    answered: str
    """What it found, in one or a few lines."""
    excerpts: tuple[tuple[str, str, str], ...]
    """(what was seen, query, window) of each citable observation."""
    gaps: tuple[str, ...]
    full: str
    """The undigested result, masked."""
    is_query: bool


@dataclass(frozen=True)
class Picture:
    source: str
    """A data: address."""
    alt: str


@dataclass(frozen=True)
class View:
    incident: Incident
    investigation: Investigation
    alerts: tuple[Alert, ...]
    finding: Finding | None
    progress: Progress | None
    evidence: tuple[Evidence, ...]
    cited: frozenset[str]
    """Evidence that the finding rests on."""
    steps: tuple[Step, ...]
    votes: Mapping[str, int]
    picture: Picture | None = None


def view_of(store: Store, investigation_id: str) -> View | None:
    """None when it is not in the records."""
    investigation = store.investigations.get(investigation_id)
    incident = store.incidents.get(investigation.incident_id) if investigation else None
    if investigation is None or incident is None:
        return None
    finding = store.findings.get(investigation_id)
    trace = store.traces.of_investigation(investigation_id)
    spans = store.traces.spans(trace.id) if trace else ()
    counted: dict[str, int] = {}
    for feedback in store.feedback.current(investigation_id).values():
        counted[feedback.vote] = counted.get(feedback.vote, 0) + 1
    return View(
        incident=incident,
        investigation=investigation,
        alerts=store.incidents.alerts(incident.id),
        finding=finding,
        progress=store.investigations.get_progress(investigation_id),
        evidence=finding.evidence if finding else (),
        cited=_cited(finding) if finding else frozenset(),
        steps=tuple(_step(number, span) for number, span in enumerate(spans, 1)),
        votes=counted,
        picture=_picture(spans),
    )


def _picture(spans: Sequence[Span]) -> Picture | None:
    """As it stands in the thread. It goes into the page itself, which fetches nothing."""
    drawn = [s.output for s in spans if s.name == PICTURE and isinstance(s.output, Mapping)]
    png = str(drawn[-1].get("png") or "") if drawn else ""
    if not png or _BASE64.fullmatch(png) is None:
        return None
    return Picture(f"data:image/png;base64,{png}", str(drawn[-1].get("alt") or "chart"))


def _cited(finding: Finding) -> frozenset[str]:
    claims = [finding.headline.evidence, finding.impact.evidence if finding.impact else ()]
    claims += [cause.evidence for cause in finding.causes]
    claims += [link.evidence for link in finding.chain]
    claims += [out.evidence for out in finding.ruled_out]
    return frozenset(e for claim in claims for e in claim)


def _step(number: int, span: Span) -> Step:
    used = span.tokens_in + span.tokens_out
    output = span.output if isinstance(span.output, Mapping) and isinstance(span.output.get("text"), str) else None
    return Step(
        number=number,
        at=f"{span.t0:%H:%M:%S}",
        state=span.step_state,
        name=span.name,
        status=span.status,
        error=span.error_type or "",
        took=f"{max(0.0, (span.t1 - span.t0).total_seconds()):.2f} s",
        tokens=f"{used:,} tokens{' (estimated)' if span.tokens_estimated else ''}" if used else "",
        asked=_shown(span.input),
        answered=_shown(output["text"] if output else span.output),
        excerpts=tuple(_excerpt(e) for e in _rows(output, "evidence")[:MOST_EXCERPTS]),
        gaps=tuple(f"{g.get('what', '')}: {g.get('why', '')}" for g in _rows(output, "gaps")),
        full=_shown(output.get("full")) if output else "",
        is_query=span.step_state.startswith("query_") or span.step_state == "first_look",
    )


def _rows(output: Mapping[str, Any] | None, name: str) -> list[Mapping[str, Any]]:
    """The list of that name in a tool's result; traces of older versions may lack it."""
    rows = (output or {}).get(name) or ()
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, (list, tuple)) else []


def _excerpt(row: Mapping[str, Any]) -> tuple[str, str, str]:
    window = row.get("window")
    if isinstance(window, Mapping):
        window = f"{window.get('start', '')} to {window.get('end', '')}"
    return str(row.get("text") or ""), str(row.get("query") or ""), str(window or "").replace("/", " to ")


def _shown(value: Any) -> str:
    """As a person reads it: text as it is, anything else as JSON."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= LARGEST_SHOWN else f"{text[:LARGEST_SHOWN]}… ({len(text) - LARGEST_SHOWN:,} more)"
