"""What the steps of each state did within one investigation: the cells of the heat map's lower half are made of it."""

from __future__ import annotations

from collections.abc import Sequence

from workers.evaluation import predicates
from workers.evaluation.grading.proof import required, seen
from workers.evaluation.results import StateMarks
from workers.simulation import Truth
from workers.trace import Span


def state_marks(spans: Sequence[Span], truth: Truth) -> dict[str, StateMarks]:
    """By step state, in the order of the trace."""
    return of_states(spans, required(truth))


def of_states(spans: Sequence[Span], wanted: Sequence[str] = ()) -> dict[str, StateMarks]:
    """`wanted`: predicates of the truth; without a truth nothing is known of what a step should have shown."""
    found: dict[str, list[Span]] = {}
    for span in spans:
        found.setdefault(span.step_state, []).append(span)
    return {state: _of(steps, state, wanted) for state, steps in found.items()}


def _of(steps: Sequence[Span], state: str, wanted: Sequence[str]) -> StateMarks:
    reads = state == "first_look" or state.startswith("query_")
    return StateMarks(
        steps=len(steps),
        valid=sum(s.status == "ok" for s in steps),
        shows=sum(_shows(s, wanted) for s in steps) if reads and wanted else None,
        seconds=round(_elapsed(steps), 3),
        tokens=sum(s.tokens_in + s.tokens_out + s.tokens_cached for s in steps),
        dollars=sum(s.dollars for s in steps),
    )


def _elapsed(steps: Sequence[Span]) -> float:
    """What steps side by side took together: their union, not their sum."""
    seconds, until = 0.0, None
    for step in sorted(steps, key=lambda s: s.t0):
        begin = step.t0 if until is None else max(step.t0, until)
        if step.t1 > begin:
            seconds += (step.t1 - begin).total_seconds()
            until = step.t1
    return seconds


def _shows(span: Span, wanted: Sequence[str]) -> bool:
    evidence = seen([span])
    return any(predicates.covered(p, evidence) for p in wanted)
