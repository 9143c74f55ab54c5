"""Hand-made results for comparisons and reports."""

from __future__ import annotations

from tests.evaluation.made import AT, cause, finding, truth
from workers.domain import Finding
from workers.evaluation.grading import grade
from workers.evaluation.results import Guess, Result, Run, StateMarks, ordered
from workers.simulation import Truth

RIGHT = finding(cause())
WRONG = finding(cause("Deployment shop/pricing", band="medium", value=0.6))
HIGH_WRONG = finding(cause("Deployment shop/pricing"))


def result(
    case: str,
    said: Finding | None = RIGHT,
    *,
    variant: str = "offline",
    repeat: int = 0,
    alert_type: str = "HighErrorRate",
    true: Truth | None = None,
    off_tape: float | None = None,
    guessed: bool = False,
) -> Result:
    it = true or truth()
    return Result(
        case=case,
        variant=variant,
        repeat=repeat,
        alert_type=alert_type,
        group="E",
        leaf="memory_limit_too_low",
        kinds=it.kinds,
        truth=it,
        finding=said,
        marks=grade(said, [], it) if said else None,
        error="" if said else "broke",
        guesses={"alerting service": Guess(entity="Service shop/storefront", right=guessed)},
        candidates=10,
        states={"first_look": StateMarks(steps=3, valid=3, shows=1, seconds=1.0, tokens=0, dollars=0)},
        off_tape=off_tape,
        trace=f"run.json.traces/{case}.jsonl",
    )


def run_of(*results: Result, stopped: str = "") -> Run:
    return Run(
        began_at=AT,
        ended_at=AT,
        version="0",
        code="c",
        variants=tuple(dict.fromkeys(r.variant for r in results)),
        repeats=max((r.repeat + 1 for r in results), default=1),
        results=ordered(results),
        stopped=stopped,
    )
