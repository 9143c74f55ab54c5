"""Judges: binary, one per failure mode, measured on a held-out split before they may count, corrected when they do.

A judge never overrides a code or an outcome score. Rates are never mixed with those of another source.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from workers.evaluation import statistics as st
from workers.evaluation.recorded import Split
from workers.evaluation.statistics import Interval

USABLE = 1.2
"""TPR + TNR below this carries hardly more than a coin: the corrected rate is nonsense."""
MINIMUM = 0.8
"""TPR and TNR below this are weak, and said to be."""
FEWEST_LABELS = 60
SAMPLES = 2000


@dataclass(frozen=True)
class Label:
    """One item, judged by a person and by the judge. True: the failure is absent (pass)."""

    item: str
    truth: bool
    judged: bool
    split: Split
    criterion_version: int = 1


@dataclass(frozen=True)
class Quality:
    tpr: Interval | None
    """Of what truly passes, how much it passes."""
    tnr: Interval | None
    """Of what truly fails, how much it fails."""
    labels: int
    state: Literal["usable", "weak", "not usable"]
    why: str


@dataclass(frozen=True)
class Corrected:
    observed: float
    corrected: Interval | None
    """None: the judge is not usable."""
    quality: Quality


def quality(labels: Iterable[Label], *, criterion_version: int = 1) -> Quality:
    """On the held-out split alone; labels that were made under another version of the criterion are stale."""
    held = [one for one in labels if one.split == "test" and one.criterion_version == criterion_version]
    passes = [one for one in held if one.truth]
    fails = [one for one in held if not one.truth]
    tpr = st.wilson(sum(one.judged for one in passes), len(passes))
    tnr = st.wilson(sum(not one.judged for one in fails), len(fails))
    if not held:
        return Quality(tpr, tnr, 0, "not usable", "no labels")
    if tpr is None or tnr is None:
        return Quality(tpr, tnr, len(held), "not usable", "no labels of both kinds in the held-out split")
    if tpr.value + tnr.value < USABLE:
        return Quality(
            tpr, tnr, len(held), "not usable", f"TPR {tpr.value:.2f} + TNR {tnr.value:.2f} is below {USABLE}"
        )
    if len(held) < FEWEST_LABELS:
        return Quality(tpr, tnr, len(held), "weak", f"{len(held)} labels; below {FEWEST_LABELS} the intervals are wide")
    if min(tpr.value, tnr.value) < MINIMUM:
        return Quality(tpr, tnr, len(held), "weak", f"TPR {tpr.value:.2f}, TNR {tnr.value:.2f}; at least {MINIMUM}")
    return Quality(tpr, tnr, len(held), "usable", f"TPR {tpr.value:.2f}, TNR {tnr.value:.2f} on {len(held)} labels")


def rogan_gladen(observed: float, tpr: float, tnr: float) -> float | None:
    """The true rate behind an observed one (Rogan and Gladen 1978), within [0, 1]; None for a judge like a coin."""
    below = tpr + tnr - 1
    return None if below <= 0 else min(1.0, max(0.0, (observed + tnr - 1) / below))


def corrected(verdicts: Sequence[bool], labels: Sequence[Label], *, seed: str, criterion_version: int = 1) -> Corrected:
    """The pass rate of what was judged, corrected for the judge's own errors; the interval draws both anew."""
    it = quality(labels, criterion_version=criterion_version)
    observed = sum(verdicts) / len(verdicts) if verdicts else 0.0
    if it.state == "not usable" or it.tpr is None or it.tnr is None or not verdicts:
        return Corrected(observed, None, it)
    value = rogan_gladen(observed, it.tpr.value, it.tnr.value)
    held = [one for one in labels if one.split == "test" and one.criterion_version == criterion_version]
    drawn = _drawn(list(verdicts), held, random.Random(seed))
    if value is None or not drawn:
        return Corrected(observed, None, it)
    last = len(drawn) - 1
    low, high = drawn[round(0.025 * last)], drawn[round(0.975 * last)]
    return Corrected(observed, Interval(value, min(low, value), max(high, value), len(verdicts)), it)


def _drawn(verdicts: list[bool], held: Sequence[Label], dice: random.Random) -> list[float]:
    passes = [one.judged for one in held if one.truth]
    fails = [not one.judged for one in held if not one.truth]
    found = []
    for _ in range(SAMPLES):
        sample, yes, no = (dice.choices(these, k=len(these)) for these in (verdicts, passes, fails))
        value = rogan_gladen(sum(sample) / len(sample), sum(yes) / len(yes), sum(no) / len(no))
        if value is not None:
            found.append(value)
    return sorted(found)


@dataclass(frozen=True)
class Alignment:
    """How well a criterion sorts good from bad outputs (EvalGen, arXiv 2404.12272)."""

    coverage: float
    """Share of bad outputs that it fails."""
    false_failures: float
    """Share of good outputs that it fails."""
    alignment: float
    """Harmonic mean of coverage and 1 - false_failures."""


def alignment(labels: Sequence[Label]) -> Alignment | None:
    good, bad = [one for one in labels if one.truth], [one for one in labels if not one.truth]
    if not good or not bad:
        return None
    coverage = sum(not one.judged for one in bad) / len(bad)
    false = sum(not one.judged for one in good) / len(good)
    both = coverage + 1 - false
    return Alignment(coverage, false, 2 * coverage * (1 - false) / both if both else 0.0)


def cohens_kappa(first: Sequence[bool], second: Sequence[bool]) -> float | None:
    """Agreement of two people beyond chance (Cohen 1960). Not for judging a judge."""
    n = len(first)
    if n == 0 or n != len(second):
        return None
    observed = sum(a == b for a, b in zip(first, second, strict=True)) / n
    yes, also = sum(first) / n, sum(second) / n
    chance = yes * also + (1 - yes) * (1 - also)
    return 1.0 if chance == 1 else (observed - chance) / (1 - chance)
