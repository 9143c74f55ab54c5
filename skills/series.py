"""Arithmetic over metric series: change points, comparison with a baseline, slopes. Pure, without dependencies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from skills.contract import Series, Window

Point = tuple[datetime, float]


@dataclass(frozen=True)
class ChangePoint:
    """The moment that splits a series best into two levels."""

    at: datetime
    """Time of the first point of the later level."""
    before: float
    after: float
    explained: float
    """0..1: share of the variance that the two levels explain."""


def values(series: Series, window: Window | None = None) -> list[float]:
    """Finite values, those inside the window if one is given."""
    return [v for at, v in series.points if math.isfinite(v) and (window is None or window.start <= at <= window.end)]


def mean(numbers: Sequence[float]) -> float | None:
    return sum(numbers) / len(numbers) if numbers else None


def last(series: Series) -> float | None:
    finite = values(series)
    return finite[-1] if finite else None


def change_point(points: Sequence[Point], least: int = 3) -> ChangePoint | None:
    """Least-squares split into two constant levels of at least `least` points each; None for a flat or short series.

    The split that minimises the sum of squared residuals, found in one pass over running sums (Bai 1994).
    """
    clean = [(at, v) for at, v in points if math.isfinite(v)]
    n = len(clean)
    if n < 2 * least:
        return None
    total = sum(v for _, v in clean)
    centre = total / n
    variance = sum((v - centre) ** 2 for _, v in clean)
    if variance <= 1e-12 * max(1.0, centre * centre) * n:
        return None
    best, best_gain, running = 0, -1.0, 0.0
    for i in range(1, n):
        running += clean[i - 1][1]
        if least <= i <= n - least:
            left, right = running / i, (total - running) / (n - i)
            gain = i * (left - centre) ** 2 + (n - i) * (right - centre) ** 2
            if gain > best_gain:
                best, best_gain = i, gain
    if best == 0:
        return None
    before = sum(v for _, v in clean[:best]) / best
    after = sum(v for _, v in clean[best:]) / (n - best)
    return ChangePoint(clean[best][0], before, after, best_gain / variance)


def slope_per_hour(points: Sequence[Point]) -> float | None:
    """Least-squares slope in units an hour; None for fewer than three points."""
    clean = [(at.timestamp(), v) for at, v in points if math.isfinite(v)]
    if len(clean) < 3:
        return None
    t0 = clean[0][0]
    xs = [(t - t0) / 3600 for t, _ in clean]
    ys = [v for _, v in clean]
    mx, my = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - mx) ** 2 for x in xs)
    return sum((x - mx) * (y - my) for x, y in zip(xs, ys, strict=True)) / spread if spread else None


def longest_climb(points: Sequence[Point]) -> tuple[Point, ...]:
    """The longest run between drops of more than a fifth: what a leak looks like between two restarts."""
    best: list[Point] = []
    run: list[Point] = []
    for at, v in points:
        if not math.isfinite(v):
            continue
        if run and v < 0.8 * run[-1][1]:
            best, run = _longer(best, run), []
        run.append((at, v))
    return tuple(_longer(best, run))


def _longer(a: list[Point], b: list[Point]) -> list[Point]:
    return a if len(a) >= len(b) else b


@dataclass(frozen=True)
class Comparison:
    """A window against its baseline."""

    before: float | None
    now: float | None
    peak: float | None

    @property
    def ratio(self) -> float | None:
        """now / before; infinite when something came from nothing, None when either is missing."""
        if self.before is None or self.now is None:
            return None
        if self.before == 0:
            return math.inf if self.now > 0 else 1.0
        return self.now / self.before


def compare(series: Series, window: Window, baseline: Window) -> Comparison:
    inside = values(series, window)
    # The baseline's end is the window's start, which belongs to the window.
    before = [v for at, v in series.points if math.isfinite(v) and baseline.start <= at < baseline.end]
    return Comparison(mean(before), mean(inside), max(inside) if inside else None)


def shown(number: float | None) -> str:
    """A figure for people: three significant digits, no exponent for everyday sizes."""
    if number is None:
        return "no data"
    if number == 0 or not math.isfinite(number):
        return "0" if number == 0 else str(number)
    if 0.001 <= abs(number) < 1_000_000:
        digits = max(0, 2 - math.floor(math.log10(abs(number))))
        text = f"{number:.{digits}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{number:.3g}"


def bytes_shown(number: float | None) -> str:
    """Bytes in the units of Kubernetes quantities: 512Mi, 1.5Gi."""
    if number is None:
        return "no data"
    for unit, size in (("Ti", 2**40), ("Gi", 2**30), ("Mi", 2**20), ("Ki", 2**10)):
        if abs(number) >= size:
            return f"{shown(number / size)}{unit}"
    return f"{number:.0f}"
