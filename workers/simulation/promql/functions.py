"""Functions of PromQL: over ranges of samples, over values, and on labels.

Formulas follow the documentation of Prometheus 2.54, with the extrapolation of `rate`, `increase` and `delta`.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import pairwise

from workers.simulation.promql.values import Column
from workers.simulation.promql.windows import Cut

Samples = Sequence[tuple[float, float]]
OverRange = Callable[[Samples], float | None]
"""The samples of a range -> value, or None where there are too few."""


def growth(cut: Cut, spans: Sequence[tuple[float, float]], *, counter: bool, per_second: bool) -> Column:
    """`rate`, `increase` and `delta` at each moment: what grew between the first and the last sample of its range,
    extrapolated to the range's edges. A range needs its two ends alone, and the resets between them."""
    samples = cut.samples
    resets = [k for k in range(1, len(samples)) if samples[k][1] < samples[k - 1][1]] if counter else []
    out: Column = []
    for (i, j), (start, end) in zip(cut.bounds, spans, strict=True):
        if j - i < 2:
            out.append(None)
            continue
        (first_at, first), (last_at, last) = samples[i], samples[j - 1]
        result = last - first
        if resets:
            result += sum(samples[k - 1][1] for k in resets[bisect_right(resets, i) : bisect_right(resets, j - 1)])
        sampled = last_at - first_at
        average = sampled / (j - i - 1)
        to_start, to_end = first_at - start, end - last_at
        threshold = average * 1.1
        if to_start >= threshold:
            to_start = average / 2
        if counter and result > 0 and first >= 0:
            to_start = min(to_start, sampled * (first / result))
        if to_end >= threshold:
            to_end = average / 2
        grown = result * ((sampled + to_start + to_end) / sampled)
        out.append(grown / (end - start) if per_second else grown)
    return out


GROWTH: dict[str, tuple[bool, bool]] = {"rate": (True, True), "increase": (True, False), "delta": (False, False)}
"""Function -> (of a counter, per second)."""


def irate(s: Samples) -> float | None:
    if len(s) < 2:
        return None
    (t0, v0), (t1, v1) = s[-2], s[-1]
    return (v1 - v0 if v1 >= v0 else v1) / (t1 - t0)


def idelta(s: Samples) -> float | None:
    return s[-1][1] - s[-2][1] if len(s) > 1 else None


def deriv(s: Samples) -> float | None:
    fit = _regression(s, s[0][0]) if len(s) > 1 else None
    return fit[0] if fit else None


def _regression(s: Samples, origin: float) -> tuple[float, float]:
    """Slope and value at the origin by least squares."""
    n = len(s)
    xs, ys = [t - origin for t, _ in s], [v for _, v in s]
    mx, my = sum(xs) / n, sum(ys) / n
    spread = sum((x - mx) ** 2 for x in xs)
    slope = sum((x - mx) * (y - my) for x, y in zip(xs, ys, strict=True)) / spread if spread else 0.0
    return slope, my - slope * mx


def predict_linear(s: Samples, end: float, seconds: float) -> float | None:
    if len(s) < 2:
        return None
    slope, value = _regression(s, end)
    return value + slope * seconds


def quantile(q: float, values: Sequence[float]) -> float:
    if not values or math.isnan(q):
        return math.nan
    if q < 0:
        return -math.inf
    if q > 1:
        return math.inf
    ordered = sorted(values)
    rank = q * (len(ordered) - 1)
    low = math.floor(rank)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (rank - low)


def _spread(s: Samples) -> float:
    mean = sum(v for _, v in s) / len(s)
    return sum((v - mean) ** 2 for _, v in s) / len(s)


OVER_RANGE: dict[str, OverRange] = {
    "irate": irate,
    "idelta": idelta,
    "deriv": deriv,
    "avg_over_time": lambda s: sum(v for _, v in s) / len(s),
    "sum_over_time": lambda s: math.fsum(v for _, v in s),
    "min_over_time": lambda s: min(v for _, v in s),
    "max_over_time": lambda s: max(v for _, v in s),
    "count_over_time": lambda s: float(len(s)),
    "last_over_time": lambda s: s[-1][1],
    "present_over_time": lambda s: 1.0,
    "stddev_over_time": lambda s: math.sqrt(_spread(s)),
    "stdvar_over_time": lambda s: _spread(s),
    "changes": lambda s: float(sum(1 for (_, x), (_, y) in pairwise(s) if x != y)),
    "resets": lambda s: float(sum(1 for (_, x), (_, y) in pairwise(s) if y < x)),
}
KEEPS_NAME = {"last_over_time"}


def _round(value: float, to: float = 1.0) -> float:
    return math.floor(value / to + 0.5) * to


def _guarded(function: Callable[[float], float]) -> Callable[[float], float]:
    def call(value: float) -> float:
        try:
            return function(value)
        except (ValueError, OverflowError):
            return -math.inf if value == 0 else math.nan

    return call


OF_VALUE: dict[str, Callable[..., float]] = {
    "abs": abs,
    "ceil": lambda v: float(math.ceil(v)) if math.isfinite(v) else v,
    "floor": lambda v: float(math.floor(v)) if math.isfinite(v) else v,
    "round": _round,
    "exp": _guarded(math.exp),
    "ln": _guarded(math.log),
    "log2": _guarded(math.log2),
    "log10": _guarded(math.log10),
    "sqrt": _guarded(math.sqrt),
    "sgn": lambda v: math.copysign(1.0, v) if v else 0.0,
    "clamp": lambda v, low, high: math.nan if low > high else max(low, min(high, v)),
    "clamp_min": lambda v, low: max(low, v),
    "clamp_max": lambda v, high: min(high, v),
}


def histogram_quantile(q: float, buckets: Sequence[tuple[float, float]]) -> float:
    """Classic histograms: cumulative (upper bound, count), linear within a bucket."""
    ordered = sorted(buckets)
    if len(ordered) < 2 or ordered[-1][0] != math.inf:
        return math.nan
    if q < 0 or q > 1:
        return -math.inf if q < 0 else math.inf
    counts, highest = [], 0.0
    for _, count in ordered:
        highest = max(highest, count)
        counts.append(highest)
    total = counts[-1]
    if total == 0 or math.isnan(q):
        return math.nan
    rank = q * total
    i = next((k for k, c in enumerate(counts) if c >= rank), len(counts) - 1)
    if i == len(ordered) - 1:
        return ordered[-2][0]
    low = ordered[i - 1][0] if i else 0.0
    below = counts[i - 1] if i else 0.0
    if i == 0 and ordered[0][0] <= 0:
        return ordered[0][0]
    inside = counts[i] - below
    return low + (ordered[i][0] - low) * ((rank - below) / inside) if inside else low
