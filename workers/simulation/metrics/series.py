"""A series: labels, when it was scraped, and its value at any moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import compress
from math import inf

from workers.simulation import dice

SCRAPE_SECONDS = 30.0


Sample = tuple[float, float]


@dataclass(eq=False)
class Series:
    labels: dict[str, str]
    value: Callable[[float], float]
    spans: tuple[tuple[float, float], ...] = ((-inf, inf),)
    """When its target exposed it."""
    offset: float = 0.0
    """Of its target's scrapes."""
    _scrapes: dict[int, Sample | None] = field(default_factory=dict, repr=False)

    @cached_property
    def key(self) -> tuple[tuple[str, str], ...]:
        return tuple(sorted(self.labels.items()))

    def number(self, at: float) -> int:
        """Which scrape was the newest at a moment."""
        return int((at - self.offset) // SCRAPE_SECONDS)

    def scrape(self, number: int) -> Sample | None:
        """A sample by its scrape's number; a target that is gone leaves a staleness marker, hence nothing."""
        return self.scrapes((number,))[0]

    def scrapes(self, numbers: Sequence[int]) -> list[Sample | None]:
        """Many at once, oldest first. Each is made once, whoever asks for it."""
        known = self._scrapes
        try:
            return [known[n] for n in numbers]
        except KeyError:
            self._read(tuple(dict.fromkeys([n for n in numbers if n not in known])))
            return [known[n] for n in numbers]

    def _read(self, numbers: tuple[int, ...]) -> None:
        """Values are read together: an investigation asks for a hundred thousand. Faces share series and have a thread
        each, so what was read is told at once, and may have been told by another meanwhile."""
        if not numbers:
            return
        read_now: dict[int, Sample | None] = {}
        moments = _moments(self.offset, numbers)
        for start, end in self.spans:
            if start <= moments[0] and moments[-1] < end:
                break
        else:
            read_now = dict.fromkeys(numbers)
            there = [any(start <= at < end for start, end in self.spans) for at in moments]
            numbers, moments = tuple(compress(numbers, there)), tuple(compress(moments, there))
        if numbers:
            read_now.update(zip(numbers, zip(moments, read(self.value, moments), strict=True), strict=True))
        self._scrapes.update(read_now)

    def sample(self, at: float) -> Sample | None:
        return self.scrape(self.number(at))

    def samples(self, start: float, end: float) -> list[Sample]:
        """Scrapes in (start, end]."""
        return [s for s in self.scrapes(range(self.number(start) + 1, self.number(end) + 1)) if s is not None]

    def last_scrape(self, at: float) -> float:
        return round(self.number(at) * SCRAPE_SECONDS + self.offset, 3)


@lru_cache(maxsize=4096)
def _moments(offset: float, numbers: tuple[int, ...]) -> tuple[float, ...]:
    """Of scrapes: the same for all series of a target."""
    return tuple([round(number * SCRAPE_SECONDS + offset, 3) for number in numbers])


def read(value: Callable[[float], float], moments: Sequence[float]) -> Sequence[float]:
    """A value at moments, oldest first; what has a cheaper way to tell many of them at once (`many`) is asked so."""
    many: Callable[[Sequence[float]], Sequence[float]] | None = getattr(value, "many", None)
    return many(moments) if many else [value(at) for at in moments]


def offset(instance: str) -> float:
    return round(dice.between(0.0, SCRAPE_SECONDS, "scrape", instance), 3)


def gauge(
    name: str,
    labels: dict[str, str],
    value: Callable[[float], float] | float,
    spans: Iterable[tuple[float, float]] = ((-inf, inf),),
) -> Series:
    full = {"__name__": name, **labels}
    read = value if callable(value) else _constant(value)
    return Series(full, read, tuple(spans), offset(labels.get("instance", "")))


def _constant(value: float) -> Callable[[float], float]:
    return lambda _at: value


def bound(function: Callable[..., float], *given: object) -> Callable[[float], float]:
    """A function of time alone: the others are given now, not when the loop around it has gone on."""
    return lambda at: function(*given, at)
