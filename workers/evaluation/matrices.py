"""The two matrices: tasks × metrics, and last good × first failed step. Counts with denominators, no model output."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from workers.evaluation import statistics as st
from workers.evaluation.results import Result, StateMarks
from workers.trace import FIXED_STATES

COLUMNS = ("success", "validity", "evidence", "time", "tokens", "cost")
RATES = frozenset({"success", "validity", "evidence"})
FEW = 5
"""Below this many a cell says too little, and is greyed."""


@dataclass(frozen=True)
class Cell:
    value: float | None
    """A rate, or seconds, tokens, dollars; None: the question does not arise."""
    n: int
    """The denominator: investigations for success, evidence and cost; steps or calls for validity."""
    low: float | None = None
    high: float | None = None
    keys: tuple[str, ...] = ()
    """The investigations behind it."""

    @property
    def few(self) -> bool:
        return self.n < FEW


@dataclass(frozen=True)
class Row:
    name: str
    kind: str
    """step or alert"""
    cells: dict[str, Cell]
    """By column."""


@dataclass(frozen=True)
class Transition:
    last_good: str
    first_failed: str
    keys: tuple[str, ...]


def heat_map(results: Sequence[Result]) -> tuple[Row, ...]:
    """Step states in the order of an investigation, then alert types."""
    graded = [r for r in results if r.marks]
    steps = [_step_row(state, graded) for state in _states(graded)]
    kinds = sorted({r.alert_type for r in graded})
    return (*steps, *(_alert_row(kind, [r for r in graded if r.alert_type == kind]) for kind in kinds))


def transitions(results: Sequence[Result]) -> tuple[Transition, ...]:
    """Only the first upstream failure of an investigation counts; the most frequent first."""
    found: dict[tuple[str, str], list[str]] = {}
    for result in results:
        if result.marks and result.marks.failure:
            found.setdefault(result.marks.failure, []).append(result.key)
    ordered = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple(Transition(last, failed, tuple(keys)) for (last, failed), keys in ordered)


def state_order(states: Iterable[str]) -> list[str]:
    """receive, first_look, plan, query_…, interpret, …"""
    fixed = list(FIXED_STATES)
    after_plan = fixed.index("plan") + 0.5
    return sorted(set(states), key=lambda s: (fixed.index(s) if s in fixed else after_plan, s))


def _states(results: Sequence[Result]) -> list[str]:
    return state_order(state for r in results for state in r.states)


def _step_row(state: str, results: Sequence[Result]) -> Row:
    """Success of a step state: of the investigations that came to it with the truth still to be had, how many did not
    lose it there."""
    through = [r for r in results if state in r.states]
    reached = [r for r in through if not _lost_before(r, state)]
    held = sum(not _lost_at(r, state) for r in reached)
    marks = [r.states[state] for r in through]
    keys = tuple(r.key for r in through)
    return Row(
        state,
        "step",
        {
            "success": _rate(held, len(reached), tuple(r.key for r in reached)),
            "validity": _rate(sum(m.valid for m in marks), sum(m.steps for m in marks), keys),
            "evidence": _shows(marks, keys),
            "time": _mean([m.seconds for m in marks], keys),
            "tokens": _mean([m.tokens for m in marks], keys),
            "cost": _mean([m.dollars for m in marks], keys),
        },
    )


def _alert_row(kind: str, results: Sequence[Result]) -> Row:
    keys = tuple(r.key for r in results)
    ways = [r.marks.process for r in results if r.marks]
    steps = sum(m.steps for r in results for m in r.states.values())
    valid = sum(m.valid for r in results for m in r.states.values())
    covered = [(r.key, v) for r in results if (v := r.score("evidence")) is not None]
    return Row(
        kind,
        "alert",
        {
            "success": _rate(sum(r.passed for r in results), len(results), keys),
            "validity": _rate(valid, steps, keys),
            "evidence": _mean([v for _, v in covered], tuple(k for k, _ in covered)),
            "time": _mean([w.seconds for w in ways], keys),
            "tokens": _mean([w.tokens for w in ways], keys),
            "cost": _mean([w.dollars for w in ways], keys),
        },
    )


def _rate(right: float, n: int, keys: tuple[str, ...]) -> Cell:
    interval = st.wilson(right, n)
    return Cell(interval.value, n, interval.low, interval.high, keys) if interval else Cell(None, 0)


def _mean(values: Sequence[float], keys: tuple[str, ...]) -> Cell:
    return Cell(fmean(values), len(values), keys=keys) if values else Cell(None, 0)


def _shows(marks: Sequence[StateMarks], keys: tuple[str, ...]) -> Cell:
    """Of the investigations with required evidence, how many saw any of it in this state."""
    asked = [(m, k) for m, k in zip(marks, keys, strict=True) if m.shows is not None]
    return _rate(sum(bool(m.shows) for m, _ in asked), len(asked), tuple(k for _, k in asked))


def _lost_at(result: Result, state: str) -> bool:
    return bool(result.marks and result.marks.failure and result.marks.failure[1] == state)


def _lost_before(result: Result, state: str) -> bool:
    if not (result.marks and result.marks.failure):
        return False
    order = state_order([state, result.marks.failure[1]])
    return order[0] != state
