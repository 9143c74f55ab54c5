"""The first upstream failure of an investigation that went wrong: last good step state, first failed one.

Found by code from the truth: an investigation fails where the truth got lost. Nothing seen of it: the look or the
query that should have shown it. Seen but recognised by nobody: interpret. Recognised but never believed: hypothesise.
Believed and given up: challenge. Believed and not said first: conclude. Without a truth (production), a failure is
the first span with an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import ValidationError

from skills.contract import Entity
from workers.domain import Finding
from workers.evaluation import predicates
from workers.evaluation.grading.causes import passed
from workers.evaluation.grading.proof import required, seen
from workers.evaluation.sameness import is_entity, leaf_score
from workers.simulation import Truth
from workers.trace import Span

Failure = tuple[str, str]
"""(last good step state, first failed step state)"""
_ORDER = ("receive", "first_look", "plan", "query", "interpret", "hypothesise", "challenge", "conclude", "report")


def first_failure(finding: Finding, spans: Sequence[Span], truth: Truth) -> Failure | None:
    """Where it went wrong; None when it did not."""
    if passed(finding, truth):
        return None
    failed = _failed(spans, truth)
    return _last_good(spans, failed), failed


def first_error(spans: Sequence[Span]) -> Failure | None:
    """For a trace without a truth: the first span with an error, and the state before it."""
    for i, span in enumerate(spans):
        if span.status == "error":
            return (spans[i - 1].step_state if i else "receive"), span.step_state
    return None


def _failed(spans: Sequence[Span], truth: Truth) -> str:
    broken = next((s for s in spans if s.op == "chat" and s.status == "error"), None)
    if broken is not None:
        return broken.step_state
    if not truth.causes:
        return "conclude"
    wanted, evidence = required(truth), seen(spans)
    recognised = any(_is_true(s["entity"], s.get("faults") or (), truth) for s in _symptoms(spans))
    believed = [s for s in spans if s.name == "hypothesis" and _opens_true(s, truth)]
    if not recognised and not believed:
        if wanted and not any(predicates.covered(p, evidence) for p in wanted):
            failed = next((s for s in spans if s.op == "execute_tool" and s.status == "error"), None)
            return failed.step_state if failed is not None else "first_look"
        return "interpret"
    if not believed:
        return "hypothesise"
    if any(s.name == "hypothesis" and _input(s).get("action") == "discard" and _opens_true(s, truth) for s in spans):
        return "challenge"
    return "conclude"


def _last_good(spans: Sequence[Span], failed: str) -> str:
    """The last state before the failed one, in the order of an investigation, that the trace went through well."""
    at = _ORDER.index("query" if failed.startswith("query_") else failed)
    good = [s.step_state for s in spans if s.status == "ok" and _place(s.step_state) < at]
    return max(good, key=_place, default="receive")


def _place(state: str) -> int:
    known = "query" if state.startswith("query_") else state
    return _ORDER.index(known) if known in _ORDER else 0


def _symptoms(spans: Iterable[Span]) -> Iterable[dict[str, Any]]:
    for span in spans:
        if isinstance(span.output, dict):
            yield from (s for s in span.output.get("symptoms") or () if isinstance(s, dict))


def _opens_true(span: Span, truth: Truth) -> bool:
    given = _input(span)
    return bool(given.get("entity")) and _is_true(given["entity"], (str(given.get("fault", "")),), truth)


def _is_true(entity: Any, faults: Iterable[str], truth: Truth) -> bool:
    try:
        said = Entity.model_validate(entity)
    except ValidationError:
        return False
    return any(is_entity(said, t.entity) and any(leaf_score(f, t) == 1 for f in faults) for t in truth.causes)


def _input(span: Span) -> dict[str, Any]:
    return span.input if isinstance(span.input, dict) else {}
