"""What each skill is worth: the same cases with it on and off, paired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workers.evaluation import statistics as st
from workers.evaluation.pairs import Pair, differences, paired
from workers.evaluation.results import Result
from workers.evaluation.statistics import Interval
from workers.evaluation.variants import base_of, toggle_of


@dataclass(frozen=True)
class Worth:
    """Of one toggle against everything on. Differences are toggled minus everything on."""

    base: str
    toggle: str
    pairs: int
    lost: tuple[str, ...]
    """Cases that pass with everything on, and not so."""
    gained: tuple[str, ...]
    p: float
    scores: dict[str, Interval]
    seconds: Interval | None
    tokens: Interval | None


def worths(results: Sequence[Result]) -> tuple[Worth, ...]:
    """One for each toggled variant whose variant with everything on was run too."""
    by_variant: dict[str, list[Result]] = {}
    for result in results:
        by_variant.setdefault(result.variant, []).append(result)
    return tuple(
        _worth(name, by_variant[base_of(name)], those)
        for name, those in by_variant.items()
        if toggle_of(name) and base_of(name) in by_variant
    )


def _worth(name: str, everything: Sequence[Result], toggled: Sequence[Result]) -> Worth:
    pairs, _, _ = paired(everything, toggled)
    lost = [p.before.case for p in pairs if p.after.passed < p.before.passed]
    gained = [p.before.case for p in pairs if p.after.passed > p.before.passed]
    return Worth(
        base=base_of(name),
        toggle=toggle_of(name),
        pairs=len(pairs),
        lost=tuple(lost),
        gained=tuple(gained),
        p=st.mcnemar(len(gained), len(lost)),
        scores=differences(pairs),
        seconds=_process(pairs, "seconds"),
        tokens=_process(pairs, "tokens"),
    )


def _process(pairs: Sequence[Pair], name: str) -> Interval | None:
    both = [
        (float(getattr(p.before.marks.process, name)), float(getattr(p.after.marks.process, name)))
        for p in pairs
        if p.before.marks and p.after.marks
    ]
    return st.paired_difference(both, seed=name) if both else None
