"""How many cases are enough: the smallest set that ranks variants as the whole does, and where more changed nothing."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, quantiles

from workers.evaluation import statistics as st
from workers.evaluation.results import Result
from workers.evaluation.variants import base_of

AGREES = 0.95
"""Kendall's tau-b from which two rankings are the same for this purpose."""
POINTS = 0.05
"""A mean that moves less than this has stopped changing."""
DRAWS = 200

Table = Mapping[str, Mapping[str, float]]
"""case -> variant -> score"""


@dataclass(frozen=True)
class Step:
    size: int
    tau: float | None
    """Mean agreement of a random subset of this size with the whole; None with one variant."""
    spread: float
    """Half of the middle 95 % of a variant's mean over random subsets, the widest of all variants."""


@dataclass(frozen=True)
class Saturation:
    cases: int
    variants: dict[str, float]
    """Mean over the whole, best first."""
    curve: tuple[Step, ...]
    enough: int | None
    """The size from which random subsets agree with the whole within the tolerance; None: not within the library."""
    smallest: tuple[str, ...]
    """Greedily chosen: ranks as the whole does, and each variant's mean is within the tolerance."""


def table(results: Sequence[Result], score: str = "passed") -> dict[str, dict[str, float]]:
    """Cases that every variant has a score for. A toggle that does not touch a case scores as everything on does."""
    scores: dict[tuple[str, str], list[float]] = {}
    for result in results:
        if (value := result.score(score)) is not None:
            scores.setdefault((result.case, result.variant), []).append(value)
    means = {key: fmean(values) for key, values in scores.items()}
    variants = sorted({variant for _, variant in means})
    found: dict[str, dict[str, float]] = {}
    for case in sorted({case for case, _ in means}):
        row = {v: means.get((case, v), means.get((case, base_of(v)))) for v in variants}
        if all(value is not None for value in row.values()):
            found[case] = {v: value for v, value in row.items() if value is not None}
    return found


def saturation(rows: Table, *, seed: str = "saturate") -> Saturation:
    cases = list(rows)
    whole = _means(rows, cases)
    sizes = sorted({s for s in (2, 3, 5, 8, 12, 16, 20, 30, 40, 60, 80, 100, 120, 160, 200) if s < len(cases)})
    curve = tuple(_step(rows, whole, size, seed) for size in sizes)
    agreed = [s.size for s in curve if _good(s)]
    enough = next((size for size in agreed if all(_good(s) for s in curve if s.size >= size)), None)
    ranked = dict(sorted(whole.items(), key=lambda item: (-item[1], item[0])))
    return Saturation(len(cases), ranked, curve, enough, smallest(rows, whole))


def smallest(rows: Table, whole: Mapping[str, float]) -> tuple[str, ...]:
    """Greedy: each time the case that brings ranking and means nearest to the whole's."""
    chosen: list[str] = []
    left = list(rows)
    while left:
        best = min(left, key=lambda case: (*_distance(rows, whole, [*chosen, case]), case))
        chosen.append(best)
        left.remove(best)
        disagreement, off = _distance(rows, whole, chosen)
        if disagreement <= 1 - AGREES and off <= POINTS:
            break
    return tuple(chosen)


def _distance(rows: Table, whole: Mapping[str, float], cases: Sequence[str]) -> tuple[float, float]:
    means = _means(rows, cases)
    tau = st.kendall_tau(means, whole)
    # Where the whole ranks nothing, there is no ranking to agree with.
    ranks_nothing = len(set(whole.values())) < 2
    disagreement = 0.0 if ranks_nothing else 1 - (tau if tau is not None else -1.0)
    return round(disagreement, 9), max(abs(means[v] - whole[v]) for v in whole)


def _step(rows: Table, whole: Mapping[str, float], size: int, seed: str) -> Step:
    dice = random.Random(f"{seed}:{size}")
    taus: list[float] = []
    means: dict[str, list[float]] = {v: [] for v in whole}
    for _ in range(DRAWS):
        drawn = _means(rows, dice.sample(list(rows), size))
        if (tau := st.kendall_tau(drawn, whole)) is not None:
            taus.append(tau)
        for variant, value in drawn.items():
            means[variant].append(value)
    spread = max((q[-1] - q[0]) / 2 for values in means.values() for q in [quantiles(values, n=40)])
    return Step(size, fmean(taus) if taus and len(whole) > 1 else None, spread)


def _good(step: Step) -> bool:
    return step.spread <= POINTS and (step.tau is None or step.tau >= AGREES)


def _means(rows: Table, cases: Sequence[str]) -> dict[str, float]:
    variants = next(iter(rows.values()), {})
    return {v: fmean(rows[case][v] for case in cases) for v in variants} if cases else {}
