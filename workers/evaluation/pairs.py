"""Two runs, case by case: what a change did, and whether more than noise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from workers.evaluation import statistics as st
from workers.evaluation.grading.marks import SCORES, WORSE_WHEN_HIGHER
from workers.evaluation.results import Result
from workers.evaluation.statistics import Interval
from workers.evaluation.summary import said_in_words, truth_in_words

OFF_TAPE = 0.2
"""Above this share of calls that a replay could not answer, an effect is unknown, never better."""
ALPHA = 0.05


@dataclass(frozen=True)
class Pair:
    before: Result
    after: Result

    @property
    def known(self) -> bool:
        """Whether the recordings answered enough for the effect to mean anything."""
        return all((r.off_tape or 0.0) <= OFF_TAPE for r in (self.before, self.after))


@dataclass(frozen=True)
class Effect:
    """What changed in one case, in words."""

    key: str
    kind: str
    """fixed, broken, otherwise, unknown"""
    before: str
    after: str
    truth: str


@dataclass(frozen=True)
class Comparison:
    pairs: int
    only_before: tuple[str, ...]
    only_after: tuple[str, ...]
    fixed: int
    broken: int
    unknown: int
    """Pairs off the tape, left out of everything."""
    p: float
    """McNemar's, exact, two-sided, over passed."""
    p_worse: float
    """One-sided: how likely as many losses by chance."""
    differences: dict[str, Interval]
    """By score, after minus before."""
    effects: tuple[Effect, ...]
    new_high_and_wrong: tuple[str, ...]


def paired(before: Iterable[Result], after: Iterable[Result]) -> tuple[list[Pair], list[str], list[str]]:
    """Pairs by case and repeat (and by variant, when either side has several), and what has no partner."""
    old, new = list(before), list(after)
    several = len({r.variant for r in old}) > 1 or len({r.variant for r in new}) > 1

    def key(result: Result) -> str:
        return result.key if several else f"{result.case}|{result.repeat}"

    olds, news = {key(r): r for r in old}, {key(r): r for r in new}
    pairs = [Pair(olds[k], news[k]) for k in olds if k in news]
    return pairs, sorted(k for k in olds if k not in news), sorted(k for k in news if k not in olds)


def compare(before: Sequence[Result], after: Sequence[Result]) -> Comparison:
    pairs, only_before, only_after = paired(before, after)
    known = [p for p in pairs if p.known]
    fixed = sum(p.after.passed > p.before.passed for p in known)
    broken = sum(p.after.passed < p.before.passed for p in known)
    return Comparison(
        pairs=len(pairs),
        only_before=tuple(only_before),
        only_after=tuple(only_after),
        fixed=fixed,
        broken=broken,
        unknown=len(pairs) - len(known),
        p=st.mcnemar(fixed, broken),
        p_worse=st.worse_by_chance(fixed, broken),
        differences=differences(known),
        effects=tuple(effect for p in pairs if (effect := _effect(p)) is not None),
        new_high_and_wrong=tuple(
            r.key
            for r in after
            if r.marks
            and r.marks.high_and_wrong
            and not any(p.after is r and p.before.marks and p.before.marks.high_and_wrong for p in pairs)
        ),
    )


def differences(pairs: Sequence[Pair]) -> dict[str, Interval]:
    """After minus before, where the question arises on both sides."""
    found = {}
    for name in SCORES:
        both = [(p.before.score(name), p.after.score(name)) for p in pairs]
        asked = [(a, b) for a, b in both if a is not None and b is not None]
        if (interval := st.paired_difference(asked, seed=f"pairs:{name}")) is not None and asked:
            found[name] = interval
    return found


def is_worse(name: str, difference: Interval) -> bool:
    """Beyond noise: the whole interval lies on the bad side."""
    return difference.low > 0 if name in WORSE_WHEN_HIGHER else difference.high < 0


def _effect(pair: Pair) -> Effect | None:
    before, after = said_in_words(pair.before), said_in_words(pair.after)
    if pair.before.passed == pair.after.passed and before == after:
        return None
    kind = "otherwise"
    if not pair.known:
        kind = "unknown"
    elif pair.after.passed != pair.before.passed:
        kind = "fixed" if pair.after.passed > pair.before.passed else "broken"
    return Effect(pair.after.key, kind, before, after, truth_in_words(pair.after))
