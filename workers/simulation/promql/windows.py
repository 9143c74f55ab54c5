"""Series cut by the moments of a query: the newest sample of each, or the samples of the range before it.

A scrape is known by its number, so a moment is turned into numbers once for all series of a target.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from workers.simulation.metrics.series import Sample, Series
from workers.simulation.promql.values import Column

LOOKBACK_SECONDS = 300.0


@dataclass(frozen=True)
class Cut:
    """The samples of one series that a range query touches, and which of them each moment's range holds."""

    samples: list[Sample]
    """Oldest first."""
    bounds: list[tuple[int, int]]
    """(first, one past the last) for each moment."""

    def windows(self) -> Iterator[list[Sample]]:
        return (self.samples[i:j] for i, j in self.bounds)


def newest(series: Iterable[Series], moments: Sequence[float], now: float) -> Iterator[tuple[Series, Column]]:
    """Each series with its value at each moment, as far as it has any."""
    visible = [m <= now + LOOKBACK_SECONDS for m in moments]
    numbers: dict[float, list[int]] = {}
    for each in series:
        wanted = numbers.get(each.offset)
        if wanted is None:
            wanted = numbers[each.offset] = [each.number(min(m, now)) for m in moments]
        found = each.scrapes(wanted)
        if any(found):
            yield each, [s[1] if s and seen else None for s, seen in zip(found, visible, strict=True)]


class Ranges:
    """The ranges (end - seconds, end] for each moment `end`."""

    def __init__(self, ends: Sequence[float], seconds: float, now: float) -> None:
        self.spans = [(end - seconds, end) for end in ends]
        self._now = now
        self._numbers: dict[float, list[tuple[int, int]]] = {}

    def cut(self, series: Series) -> Cut | None:
        """None when it has no samples in any of the ranges."""
        numbers = self._numbers.get(series.offset)
        if numbers is None:
            numbers = self._numbers[series.offset] = [
                (series.number(start) + 1, series.number(min(end, self._now)) + 1) for start, end in self.spans
            ]
        low, high = numbers[0][0], max(numbers[0][0], numbers[-1][1])
        if len(numbers) > 1 and numbers[1][0] - numbers[0][1] > 20:  # far apart: what lies between is not read
            return _sparse(series, numbers)
        scrapes = series.scrapes(range(low, high))
        samples = [s for s in scrapes if s is not None]
        if not samples:
            return None
        if len(samples) == len(scrapes):
            return Cut(samples, [(i - low, max(i, j) - low) for i, j in numbers])
        before = [0, *accumulate(s is not None for s in scrapes)]
        return Cut(samples, [(before[i - low], before[max(i, j) - low]) for i, j in numbers])


def _sparse(series: Series, numbers: list[tuple[int, int]]) -> Cut | None:
    samples: list[Sample] = []
    bounds = []
    for i, j in numbers:
        start = len(samples)
        samples += [s for s in series.scrapes(range(i, j)) if s is not None]
        bounds.append((start, len(samples)))
    return Cut(samples, bounds) if samples else None
