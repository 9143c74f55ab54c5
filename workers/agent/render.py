"""What a model reads: results and the first page as text. Everything from outside is quoted, and cannot close a quote.

First line `ok|no_data|error: summary`, then citable lines `[E7] ...`, then one JSON object a line within
<symptoms>, <changes>, <topology> and <gaps>.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from skills.contract import Change, Edge, Excerpt, Gap
from workers.agent.evidence import Ledger, NumberedSymptom, Observed

LINES = 60
LINE_CHARACTERS = 700
TAIL_CHARACTERS = 220
ALIKE = 4
"""Log lines of one kind in one result that are shown: the first three and the last."""
FAINT = 0.3
"""Specificity below which a symptom that is over is told by one line."""
SYMPTOMS = 40
EDGES = 60
CHANGES = 30
SUMMARY_CHARACTERS = 4000
SUMMARY_LINE_CHARACTERS = 400
WORTH_A_NUMBER = 40
"""Characters of an excerpt from which its number stands for it in a summary."""

_LOG_LINE = re.compile(r"\s*(\{\"|\[?\d{4}[-/]\d\d[-/]\d\d|[EWIF]\d{4} |\d\d:\d\d:\d\d)")
_VARIES = re.compile(r"\b[0-9a-f]{8,}\b|\d+")

_OUR_TAGS = re.compile(
    r"<(?=/?(?:alerts?|question|guidance|track_record|similar|previous_finding|symptoms|changes|topology|gaps|steering|tools)\b)",
    re.IGNORECASE,
)


def result(seen: Observed, ledger: Ledger, *, known_is_above: bool = False) -> str:
    """One result of a tool. `known_is_above`: what was shown before still stands there, so its number is enough."""
    parts = [f"{seen.status}: {summary(seen, ledger)}"]
    if not seen.new and seen.status == "ok" and seen.evidence:
        where = f": {spans(seen.evidence)}" if known_is_above else ""
        parts.append(f"Nothing new: every line of this was seen before{where}.")
        if known_is_above:
            return "\n".join(parts)
    parts.extend(body(seen, ledger))
    return "\n".join(parts)


def spans(numbers: Sequence[str]) -> str:
    """E1, E3-E5: many numbers in few words."""
    ordered = sorted({int(n[1:]) for n in numbers if n[1:].isdigit()})
    runs: list[list[int]] = []
    for number in ordered:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"E{run[0]}" if len(run) == 1 else f"E{run[0]}-E{run[-1]}" for run in runs)


def summary(seen: Observed, ledger: Ledger) -> str:
    """A skill's own words, without what stands below them anyway: symptoms, and lines that have a number."""
    said = [n.symptom.summary for n in seen.symptoms if n.symptom.summary]
    texts = {n: ledger.excerpt(n).text for n in seen.evidence}
    whole = seen.text
    for number, text in texts.items():
        if "\n" in text:
            whole = whole.replace(text, f"[{number}]")
    first, *lines = whole.splitlines() or [""]
    kept = [first, *(line for line in lines if not line.endswith(tuple(said)))]
    for number, text in texts.items():
        if len(text) >= WORTH_A_NUMBER:
            kept = [line.replace(text, f"[{number}]") for line in kept]
    return quoted("\n".join(quoted(line, SUMMARY_LINE_CHARACTERS) for line in kept), SUMMARY_CHARACTERS)


def body(
    seen: Observed, ledger: Ledger, near: Sequence[Edge] | None = None, traces: dict[str, str] | None = None
) -> list[str]:
    """Evidence lines and blocks of one result; `near` replaces its edges by those that matter here, `traces` are the
    stack traces that the same page has shown."""
    parts = list(_lines(seen, ledger, {} if traces is None else traces))
    parts.extend(symptom_block(seen.symptoms))
    parts.extend(block("changes", [change_row(c, ledger) for c in _latest(seen.changes)], CHANGES))
    if len(seen.changes) > CHANGES:
        parts.append(f"… {len(seen.changes) - CHANGES} earlier changes in the record")
    edges = seen.edges if near is None else near
    parts.extend(block("topology", [edge_row(e, ledger) for e in edges], EDGES))
    parts.extend(block("gaps", [{"what": g.what, "why": g.why} for g in seen.gaps], LINES))
    return parts


def _latest(changes: Sequence[Change]) -> Sequence[Change]:
    """Those that there is room for: what was changed last stands nearest to the trouble."""
    return sorted(changes, key=lambda c: c.at)[-CHANGES:]


def _lines(seen: Observed, ledger: Ledger, traces: dict[str, str]) -> Iterator[str]:
    """The lines that are worth their place, in their order: of log lines that are alike the first ones and the last, of
    traces that are alike one."""
    shown = _shown(seen, ledger)
    alike: dict[str, list[str]] = {}
    for number in shown:
        alike.setdefault(_skeleton(number, ledger.excerpt(number).text), []).append(number)
    cut = {n: group for group in alike.values() if len(group) > ALIKE for n in group[ALIKE - 1 : -1]}
    for number in shown:
        if number not in cut:
            excerpt = ledger.excerpt(number)
            first, _, trace = excerpt.text.partition("\n")
            whole = traces.setdefault(_VARIES.sub("#", trace), number) if trace else number
            again = "" if whole == number else f" (… the trace of [{whole}])"
            yield evidence_line(number, replace(excerpt, text=first) if again else excerpt) + again
        elif number == cut[number][ALIKE - 1]:
            told = cut[number][ALIKE - 1 : -1]
            yield f"… {len(told)} more like these: {spans(told)}"
    if len(seen.evidence) > LINES:
        yield f"… {len(seen.evidence) - LINES} more lines in the record"


def _shown(seen: Observed, ledger: Ledger) -> list[str]:
    """What there is room for: what symptoms rest on goes before what merely stood there, and a change has a row of its
    own."""
    strongest = sorted(seen.symptoms, key=lambda n: -n.symptom.specificity)
    borne = {e for n in strongest for e in _telling(n)}
    told = {n for c in _latest(seen.changes) for e in c.evidence if c.summary in e.text and (n := ledger.known(e))}
    spared = {e for n in strongest for e in n.evidence} - borne
    wanted = dict.fromkeys((*(e for n in strongest for e in n.evidence), *seen.evidence))
    room = set([n for n in wanted if n in borne or n not in told | spared][:LINES])
    return [number for number in seen.evidence if number in room]


def _telling(numbered: NumberedSymptom) -> Sequence[str]:
    """The lines that a symptom needs: a cause all, a sufferer its first and last, a faint one that is over one."""
    symptom, lines = numbered.symptom, numbered.evidence
    if symptom.specificity < FAINT and not symptom.ongoing:
        return lines[:1]
    return (*lines[:1], *lines[-1:]) if symptom.role == "effect" else lines


def _skeleton(number: str, text: str) -> str:
    """A log line without what varies; anything else is like nothing but itself."""
    return _VARIES.sub("#", text) if _LOG_LINE.match(text) else number


def evidence_line(number: str, excerpt: Excerpt) -> str:
    """`[E7] text (14:03:10Z)`: the time where it is known and the text does not tell it."""
    text = excerpt.text if len(excerpt.text) <= LINE_CHARACTERS else _middle_cut(excerpt.text)
    line = f"[{number}] " + quoted(text, 2 * LINE_CHARACTERS).replace("\n", "\n    | ")
    at = excerpt.at
    return line if at is None or f"{at:%H:%M}" in excerpt.text else f"{line} ({instant(at)})"


def _middle_cut(text: str) -> str:
    """A trace says what is wrong in its last line."""
    head, tail = text[: LINE_CHARACTERS - TAIL_CHARACTERS], text[-TAIL_CHARACTERS:]
    return f"{head}… {len(text) - LINE_CHARACTERS} more characters …{tail}"


def symptom_block(symptoms: Iterable[NumberedSymptom]) -> list[str]:
    strongest = sorted(symptoms, key=lambda n: -n.symptom.specificity)
    return block("symptoms", [symptom_row(n) for n in strongest], SYMPTOMS)


def symptom_row(numbered: NumberedSymptom) -> dict[str, Any]:
    s = numbered.symptom
    row = {
        "entity": str(s.entity),
        "faults": list(s.faults),
        "says": s.summary,
        "specificity": s.specificity,
        "onset": instant(s.onset) if s.onset else None,
        "role": s.role,
        "points_at": [str(e) for e in s.points_at],
        "victims": [str(e) for e in s.victims],
        "evidence": list(numbered.evidence),
        "change": s.change,
        "ongoing": None if s.ongoing else False,
        "analyzer": s.analyzer,
    }
    return _told(row)


def change_row(change: Change, ledger: Ledger) -> dict[str, Any]:
    row = {
        "id": change.id,
        "at": instant(change.at),
        "entity": str(change.entity),
        "kind": change.kind,
        "what": change.summary,
        "author": change.author,
        "evidence": [n for e in change.evidence if (n := ledger.known(e)) is not None],
    }
    return _told(row)


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    """Without the keys that have nothing to tell."""
    return {key: value for key, value in row.items() if value not in (None, "", [], ())}


def instant(at: datetime) -> str:
    """To the second, which is how people and evidence tell it."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def edge_row(edge: Edge, ledger: Ledger) -> dict[str, Any]:
    row = {"from": str(edge.source), "to": str(edge.target), "via": edge.via}
    number = ledger.known(edge.evidence) if edge.evidence else None
    return {**row, "evidence": number} if number else row


def gap_rows(gaps: Iterable[Gap]) -> list[dict[str, str]]:
    return [{"what": g.what, "why": g.why} for g in gaps]


def block(tag: str, rows: Sequence[Mapping[str, Any]], limit: int) -> list[str]:
    """JSON lines between tags; nothing at all when there are no rows."""
    if not rows:
        return []
    lines = [f"<{tag}>", *(json_line(row) for row in rows[:limit]), f"</{tag}>"]
    if len(rows) > limit:
        lines.append(f"… {len(rows) - limit} more {tag} in the record")
    return lines


def json_line(row: Mapping[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(", ", ": "), default=str).replace("<", "\\u003c")


def quoted(text: str, limit: int) -> str:
    """Text from outside: bounded visibly, and unable to open or close one of our blocks."""
    text = _OUR_TAGS.sub("‹", text)
    return text if len(text) <= limit else f"{text[:limit]}… {len(text) - limit} more characters"
