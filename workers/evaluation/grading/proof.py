"""Whether the evidence carries the conclusion: the check against guessing. Apart from whether the cause is right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from workers.domain import Evidence, Finding
from workers.evaluation import predicates
from workers.simulation import Truth
from workers.trace import Span


def required(truth: Truth) -> tuple[str, ...]:
    """The predicates of the truth that can be checked by code."""
    all_of_them = dict.fromkeys(p for cause in truth.causes for p in cause.evidence)
    return tuple(p for p in all_of_them if predicates.is_checkable(p))


def cited(finding: Finding) -> tuple[Evidence, ...]:
    """The evidence that headline, impact and causes rest on."""
    claims = [finding.headline.evidence, finding.impact.evidence if finding.impact else ()]
    numbers = {n for group in (*claims, *(cause.evidence for cause in finding.causes)) for n in group}
    return tuple(e for e in finding.evidence if e.id in numbers)


def coverage(finding: Finding, truth: Truth) -> float | None:
    """The share of the required predicates that the cited evidence shows."""
    wanted = required(truth)
    if not wanted:
        return None
    evidence = cited(finding)
    return sum(predicates.covered(p, evidence) for p in wanted) / len(wanted)


def on_point(finding: Finding, truth: Truth) -> float | None:
    """The share of the first cause's evidence that shows any required predicate."""
    wanted = required(truth)
    if not wanted or not finding.causes:
        return None
    numbers = set(finding.causes[0].evidence)
    evidence = [e for e in finding.evidence if e.id in numbers]
    if not evidence:
        return 0.0
    return sum(any(predicates.satisfied(p, e) for p in wanted) for e in evidence) / len(evidence)


def grounding(finding: Finding, spans: Sequence[Span]) -> float | None:
    """The share of all cited numbers that are in the finding's list and whose excerpt a tool of the trace returned."""
    numbers = {
        n
        for claim in (finding.headline, *((finding.impact,) if finding.impact else ()), *finding.causes, *finding.chain)
        for n in claim.evidence
    } | {n for out in finding.ruled_out for n in out.evidence}
    if not numbers:
        return None
    returned = {(e.query, e.excerpt) for e in seen(spans)}
    known = {e.id for e in finding.evidence if (e.query, e.excerpt) in returned}
    return len(numbers & known) / len(numbers)


def seen(spans: Iterable[Span]) -> tuple[Evidence, ...]:
    """Everything citable that tools and first looks returned, in the order of the trace; without numbers."""
    found: dict[tuple[str, str], Evidence] = {}
    for span in spans:
        if span.op != "execute_tool" or not isinstance(span.output, dict):
            continue
        for excerpt in excerpts(span.output):
            key = (str(excerpt.get("query", "")), str(excerpt["text"]))
            found.setdefault(key, Evidence(id="", skill="", tool=span.name, query=key[0], excerpt=key[1]))
    return tuple(found.values())


def changes(spans: Iterable[Span]) -> dict[str, dict[str, Any]]:
    """The changes that skills reported, by id."""
    found: dict[str, dict[str, Any]] = {}
    for span in spans:
        if span.op == "execute_tool" and isinstance(span.output, dict):
            for change in span.output.get("changes") or ():
                found.setdefault(str(change["id"]), change)
    return found


def excerpts(output: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """The excerpts of a recorded ToolResult or FirstLook: its own, its symptoms', its changes' and its edges'."""
    for excerpt in output.get("evidence") or ():
        if isinstance(excerpt, dict):
            yield excerpt
    for part in ("symptoms", "changes"):
        for each in output.get(part) or ():
            yield from (e for e in each.get("evidence") or () if isinstance(e, dict))
    for edge in output.get("edges") or ():
        if edge.get("evidence"):
            yield edge["evidence"]
