"""One step, one span: recorded before the next begins, and taken from the record when an earlier attempt made it.

A step is known by its place in the sequence and by its input. So a resumed run asks neither the model nor a system
anything twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from workers.agent.parallel import in_order
from workers.agent.request import Journal
from workers.llm.base import canonical
from workers.trace import ErrorType, Operation, Span


@dataclass(frozen=True)
class Outcome:
    """What came of a step, as it is recorded."""

    output: Any
    error_type: ErrorType | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    tokens_estimated: bool = False
    dollars: float = 0.0
    attributes: dict[str, Any] = field(default_factory=dict)
    keep: bool = True
    """Whether a later attempt takes this output, though an error, instead of trying again."""


@dataclass(frozen=True)
class Step:
    op: Operation
    name: str
    state: str
    given: Any
    """Everything that decides the output, as JSON."""
    run: Callable[[], Outcome]


@dataclass(frozen=True)
class Done:
    step: Step
    outcome: Outcome
    seconds: float
    replayed: bool


class Steps:
    """The sequence of one trace."""

    def __init__(
        self, trace_id: str, journal: Journal, clock: Callable[[], datetime], monotonic: Callable[[], float]
    ) -> None:
        self._trace_id = trace_id
        self._journal = journal
        self._clock = clock
        self._monotonic = monotonic
        self._earlier: dict[int, list[Span]] = {}
        for span in journal.recorded():
            self._earlier.setdefault(span.sequence, []).append(span)
        self._next = 0

    def planned(self) -> str | None:
        """What an earlier attempt did at this place: the name of its span; None: it did not come this far."""
        spans = self._earlier.get(self._next)
        return spans[-1].name if spans else None

    def take(self, step: Step) -> Done:
        """One step, in this thread."""
        recorded = self._recorded(step, self._next)
        if recorded is not None:
            self._next += 1
            return recorded
        t0, began = self._clock(), self._monotonic()
        outcome = step.run()
        return self._record(step, outcome, t0, self._monotonic() - began)

    def take_all(self, steps: Sequence[Step], seconds: float, late: Outcome) -> Iterator[Done]:
        """Several at once, none waited for longer than `seconds`; recorded and yielded in their order."""
        known = [self._recorded(step, self._next + i) for i, step in enumerate(steps)]
        t0 = self._clock()
        missing = [_timed(step, self._monotonic) for step, done in zip(steps, known, strict=True) if done is None]
        fresh = in_order(missing, seconds, (late, seconds), self._monotonic)
        for step, done in zip(steps, known, strict=True):
            if done is not None:
                self._next += 1
                yield done
            else:
                outcome, took = next(fresh)
                yield self._record(step, outcome, t0, took)

    def _recorded(self, step: Step, sequence: int) -> Done | None:
        given = canonical(step.given)
        for span in self._earlier.get(sequence, ()):
            kept = span.status == "ok" or span.attributes.get("gumshoe.keep") is True
            if kept and (span.op, span.name) == (step.op, step.name) and canonical(span.input) == given:
                outcome = Outcome(
                    output=span.output,
                    error_type=span.error_type,
                    tokens_in=span.tokens_in,
                    tokens_out=span.tokens_out,
                    tokens_cached=span.tokens_cached,
                    tokens_estimated=span.tokens_estimated,
                    dollars=span.dollars,
                    attributes=span.attributes,
                )
                return Done(step, outcome, (span.t1 - span.t0).total_seconds(), replayed=True)
        return None

    def _record(self, step: Step, outcome: Outcome, t0: datetime, seconds: float) -> Done:
        sequence, self._next = self._next, self._next + 1
        tries = len(self._earlier.get(sequence, ()))
        attributes = dict(outcome.attributes)
        if outcome.error_type is not None and outcome.keep:
            attributes["gumshoe.keep"] = True
        self._journal.record(
            Span(
                id=_hex(f"{self._trace_id}:{sequence}:{tries}"),
                trace_id=self._trace_id,
                parent_id=None if sequence == 0 else _hex(f"{self._trace_id}:0:0"),
                sequence=sequence,
                op=step.op,
                name=step.name,
                step_state=step.state,
                status="ok" if outcome.error_type is None else "error",
                error_type=outcome.error_type,
                t0=t0,
                t1=self._clock(),
                tokens_in=outcome.tokens_in,
                tokens_out=outcome.tokens_out,
                tokens_cached=outcome.tokens_cached,
                tokens_estimated=outcome.tokens_estimated,
                dollars=outcome.dollars,
                input=step.given,
                output=outcome.output,
                attributes=attributes,
            )
        )
        return Done(step, outcome, seconds, replayed=False)


def _timed(step: Step, monotonic: Callable[[], float]) -> Callable[[], tuple[Outcome, float]]:
    def run() -> tuple[Outcome, float]:
        began = monotonic()
        outcome = step.run()
        return outcome, monotonic() - began

    return run


def _hex(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
