"""What a model reads: results and the first page as text. Everything from outside is quoted, and cannot close a quote.

First line `ok|no_data|error: summary`, then citable lines `[E7] ...`, then one JSON object a line within
<symptoms>, <changes>, <topology> and <gaps>.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from skills.contract import Change, Edge, Gap
from workers.agent.evidence import Ledger, NumberedSymptom, Observed

LINES = 60
LINE_CHARACTERS = 700
SYMPTOMS = 40
EDGES = 60
CHANGES = 30
SUMMARY_CHARACTERS = 4000
SUMMARY_LINE_CHARACTERS = 400
WORTH_A_NUMBER = 40
"""Characters of an excerpt from which its number stands for it in a summary."""

_OUR_TAGS = re.compile(
    r"<(?=/?(?:alerts?|question|guidance|track_record|similar|previous_finding|symptoms|changes|topology|gaps|steering|tools)\b)",
    re.IGNORECASE,
)


def result(seen: Observed, ledger: Ledger) -> str:
    """One result of a tool."""
    parts = [f"{seen.status}: {summary(seen, ledger)}"]
    if not seen.new and seen.status == "ok":
        parts.append("Nothing new: every line of this was seen before.")
    parts.extend(body(seen, ledger))
    return "\n".join(parts)


def summary(seen: Observed, ledger: Ledger) -> str:
    """A skill's own words, without what stands below them anyway: symptoms, and lines that have a number."""
    said = [n.symptom.summary for n in seen.symptoms if n.symptom.summary]
    texts = {n: ledger.excerpt(n).text for n in seen.evidence}
    first, *lines = seen.text.splitlines() or [""]
    kept = [first, *(line for line in lines if not line.endswith(tuple(said)))]
    for number, text in texts.items():
        if len(text) >= WORTH_A_NUMBER:
            kept = [line.replace(text, f"[{number}]") for line in kept]
    return quoted("\n".join(quoted(line, SUMMARY_LINE_CHARACTERS) for line in kept), SUMMARY_CHARACTERS)


def body(seen: Observed, ledger: Ledger, near: Sequence[Edge] | None = None) -> list[str]:
    """Evidence lines and blocks of one result; `near` replaces its edges by those that matter here."""
    parts = [evidence_line(number, ledger.excerpt(number).text) for number in _shown(seen)]
    if len(seen.evidence) > LINES:
        parts.append(f"… {len(seen.evidence) - LINES} more lines in the record")
    parts.extend(symptom_block(seen.symptoms))
    parts.extend(block("changes", [change_row(c, ledger) for c in seen.changes], CHANGES))
    edges = seen.edges if near is None else near
    parts.extend(block("topology", [edge_row(e, ledger) for e in edges], EDGES))
    parts.extend(block("gaps", [{"what": g.what, "why": g.why} for g in seen.gaps], LINES))
    return parts


def _shown(seen: Observed) -> list[str]:
    """The lines that there is room for, in their order: what symptoms rest on goes before what merely stood there."""
    strongest = sorted(seen.symptoms, key=lambda n: -n.symptom.specificity)
    wanted = dict.fromkeys((*(e for n in strongest for e in n.evidence), *seen.evidence))
    room = set(list(wanted)[:LINES])
    return [number for number in seen.evidence if number in room]


def evidence_line(number: str, text: str) -> str:
    return f"[{number}] " + quoted(text, LINE_CHARACTERS).replace("\n", "\n    | ")


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
