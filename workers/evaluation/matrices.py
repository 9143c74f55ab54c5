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
WIDE = 0.4
"""Below this many, or with an interval wider than this, a cell says too little, and is greyed."""
SAYS = {
    "success": "steps: nothing was lost in this step; alert types: the finding is right",
    "validity": "steps that ended without an error",
    "evidence": "steps: required evidence was seen in it; alert types: required evidence that is cited",
    "time": "seconds an investigation spends in it",
    "tokens": "tokens an investigation spends in it",
    "cost": "dollars an investigation spends in it",
}
"""What a column is, in words."""
KINDS = {"step": "step of an investigation", "alert": "alert type"}


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
        wide = self.low is not None and self.high is not None and self.high - self.low > WIDE
        return self.n < FEW or wide


@dataclass(frozen=True)
class Row:
    name: str
    kind: str
    """step or alert"""
    cells: dict[str, Cell]
    """By column."""

    @property
    def title(self) -> str:
        """As people read it: `first look`, `query elasticsearch`, `KubePodNotReady`."""
        return self.name.replace("_", " ") if self.kind == "step" else self.name


@dataclass(frozen=True)
class Transition:
    last_good: str
    first_failed: str
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Observed:
    """One investigation as the matrices see it, of a case or of production."""

    key: str
    alert_type: str
    passed: float | None
    """None: nobody has judged it."""
    failure: tuple[str, str] | None
    """(last good, first failed step state)"""
    states: dict[str, StateMarks]
    evidence: float | None
    seconds: float
    tokens: int
    dollars: float


def of_results(results: Iterable[Result]) -> tuple[Observed, ...]:
    return tuple(
        Observed(
            r.key,
            r.alert_type,
            r.passed,
            r.marks.failure,
            r.states,
            r.score("evidence"),
            r.marks.process.seconds,
            r.marks.process.tokens,
            r.marks.process.dollars,
        )
        for r in results
        if r.marks
    )


def heat_map(seen: Sequence[Observed]) -> tuple[Row, ...]:
    """Step states in the order of an investigation, then alert types."""
    states = state_order(s for o in seen for s in (*o.states, *(o.failure[1:] if o.failure else ())))
    kinds = sorted({o.alert_type for o in seen})
    alerts = (_alert_row(kind, [o for o in seen if o.alert_type == kind]) for kind in kinds)
    return (*(_step_row(state, seen) for state in states), *alerts)


def transitions(seen: Sequence[Observed]) -> tuple[Transition, ...]:
    """Only the first upstream failure of an investigation counts; the most frequent first."""
    found: dict[tuple[str, str], list[str]] = {}
    for each in seen:
        if each.failure:
            found.setdefault(each.failure, []).append(each.key)
    ordered = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple(Transition(last, failed, tuple(keys)) for (last, failed), keys in ordered)


def state_order(states: Iterable[str]) -> list[str]:
    """receive, first_look, plan, query_…, interpret, …"""
    fixed = list(FIXED_STATES)
    after_plan = fixed.index("plan") + 0.5
    return sorted(set(states), key=lambda s: (fixed.index(s) if s in fixed else after_plan, s))


def _step_row(state: str, seen: Sequence[Observed]) -> Row:
    """Success of a step state: of the investigations that came to it with nothing lost yet, how many lost nothing."""
    reached = [o for o in seen if _lost_at(o, state) or (state in o.states and not _lost_before(o, state))]
    held = sum(not _lost_at(o, state) for o in reached)
    through = [o for o in seen if state in o.states]
    marks, keys = [o.states[state] for o in through], tuple(o.key for o in through)
    return Row(
        state,
        "step",
        {
            "success": _rate(held, len(reached), tuple(o.key for o in reached)),
            "validity": _rate(sum(m.valid for m in marks), sum(m.steps for m in marks), keys),
            "evidence": _shows(marks, keys),
            "time": _mean([m.seconds for m in marks], keys),
            "tokens": _mean([m.tokens for m in marks], keys),
            "cost": _mean([m.dollars for m in marks], keys),
        },
    )


def _alert_row(kind: str, seen: Sequence[Observed]) -> Row:
    keys = tuple(o.key for o in seen)
    steps = sum(m.steps for o in seen for m in o.states.values())
    valid = sum(m.valid for o in seen for m in o.states.values())
    judged = [(o.key, o.passed) for o in seen if o.passed is not None]
    covered = [(o.key, o.evidence) for o in seen if o.evidence is not None]
    return Row(
        kind,
        "alert",
        {
            "success": _rate(sum(v for _, v in judged), len(judged), tuple(k for k, _ in judged)),
            "validity": _rate(valid, steps, keys),
            "evidence": _mean([v for _, v in covered], tuple(k for k, _ in covered)),
            "time": _mean([o.seconds for o in seen], keys),
            "tokens": _mean([o.tokens for o in seen], keys),
            "cost": _mean([o.dollars for o in seen], keys),
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


def _lost_at(each: Observed, state: str) -> bool:
    return each.failure is not None and each.failure[1] == state


def _lost_before(each: Observed, state: str) -> bool:
    return each.failure is not None and state_order([state, each.failure[1]])[0] != state
