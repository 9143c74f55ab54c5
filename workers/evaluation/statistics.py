"""The statistics of the evaluation: intervals, paired tests, calibration. Pure, and random only by a seed.

An unscored item is absent, never 0: callers leave it out before they ask here.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import comb, sqrt
from statistics import fmean
from typing import TypeVar

Item = TypeVar("Item")

Z95 = 1.959963984540054
SAMPLES = 1000


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % interval over n items."""

    value: float
    low: float
    high: float
    n: int

    @property
    def width(self) -> float:
        return self.high - self.low


def wilson(right: float, n: int) -> Interval | None:
    """Wilson's score interval of a proportion (Wilson 1927); None without items."""
    if n == 0:
        return None
    share = right / n
    middle = share + Z95**2 / (2 * n)
    spread = Z95 * sqrt(share * (1 - share) / n + Z95**2 / (4 * n**2))
    scale = 1 + Z95**2 / n
    # At the ends rounding may leave the estimate a hair outside of its own interval.
    low, high = max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)
    return Interval(share, min(low, share), max(high, share), n)


def bootstrap(
    items: Sequence[Item], estimate: Callable[[Sequence[Item]], float | None], *, seed: str, samples: int = SAMPLES
) -> Interval | None:
    """Percentile bootstrap of any estimate over items; None when there is nothing to estimate."""
    value = estimate(items)
    if value is None:
        return None
    dice = random.Random(seed)
    drawn = (estimate(dice.choices(items, k=len(items))) for _ in range(samples))
    found = sorted(e for e in drawn if e is not None)
    return Interval(value, *_middle(found, value), len(items))


def mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None


def bootstrap_mean(values: Sequence[float], *, seed: str, samples: int = SAMPLES) -> Interval | None:
    return bootstrap(values, mean, seed=seed, samples=samples)


def macro(labelled: Iterable[tuple[Hashable, float]]) -> float | None:
    """The mean over labels of the means within each, so that a label with many items weighs as one with few."""
    groups: dict[Hashable, list[float]] = {}
    for label, value in labelled:
        groups.setdefault(label, []).append(value)
    return fmean(fmean(values) for values in groups.values()) if groups else None


def bootstrap_macro(labelled: Sequence[tuple[Hashable, float]], *, seed: str) -> Interval | None:
    return bootstrap(labelled, macro, seed=seed)


def mcnemar(better: int, worse: int) -> float:
    """Exact two-sided p of McNemar's test: of the pairs that differ, that many went each way."""
    n = better + worse
    if n == 0:
        return 1.0
    tail = sum(comb(n, k) for k in range(min(better, worse) + 1)) / float(2**n)
    return float(min(1.0, 2 * tail))


def worse_by_chance(better: int, worse: int) -> float:
    """Exact one-sided p: how likely at least this many of the pairs that differ got worse if nothing had changed."""
    n = better + worse
    return float(sum(comb(n, k) for k in range(worse, n + 1)) / 2**n) if n else 1.0


def paired_difference(pairs: Sequence[tuple[float, float]], *, seed: str) -> Interval | None:
    """Mean of second minus first, with a bootstrap over the pairs."""
    return bootstrap_mean([after - before for before, after in pairs], seed=seed)


def brier(forecasts: Iterable[tuple[float, bool]]) -> float | None:
    """Mean squared distance of a stated probability from what happened (Brier 1950); 0 is perfect, 0.25 a coin."""
    return mean([(value - right) ** 2 for value, right in forecasts])


@dataclass(frozen=True)
class Bin:
    label: str
    stated: float
    """Mean of the stated probabilities."""
    right: Interval


def reliability(forecasts: Iterable[tuple[str, float, bool]]) -> tuple[Bin, ...]:
    """By label (band): what was stated against how often it was right, in the order of first appearance."""
    groups: dict[str, list[tuple[float, bool]]] = {}
    for label, value, right in forecasts:
        groups.setdefault(label, []).append((value, right))
    bins = []
    for label, members in groups.items():
        interval = wilson(sum(right for _, right in members), len(members))
        assert interval is not None
        bins.append(Bin(label, fmean(value for value, _ in members), interval))
    return tuple(bins)


def kendall_tau(first: Mapping[str, float], second: Mapping[str, float]) -> float | None:
    """Kendall's tau-b of two rankings of the same things; 1: the same order. None when one of them ranks nothing."""
    names = sorted(set(first) & set(second))
    agree = tied_first = tied_second = pairs = 0
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            x, y = _sign(first[a] - first[b]), _sign(second[a] - second[b])
            pairs += 1
            agree += x * y
            tied_first += x == 0
            tied_second += y == 0
    below = sqrt((pairs - tied_first) * (pairs - tied_second))
    return agree / below if below else None


def _sign(value: float) -> int:
    return (value > 1e-12) - (value < -1e-12)


def _middle(found: Sequence[float], value: float) -> tuple[float, float]:
    """The middle 95 % of sorted samples."""
    if not found:
        return value, value
    last = len(found) - 1
    return found[round(0.025 * last)], found[round(0.975 * last)]
