"""A series: labels, when it was scraped, and its value at any moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import ceil, inf

from workers.simulation import dice

SCRAPE_SECONDS = 30.0


@dataclass(eq=False)
class Series:
    labels: dict[str, str]
    value: Callable[[float], float]
    spans: tuple[tuple[float, float], ...] = ((-inf, inf),)
    """When its target exposed it."""
    offset: float = 0.0
    """Of its target's scrapes."""

    def alive(self, at: float) -> bool:
        return any(start <= at < end for start, end in self.spans)

    def last_scrape(self, at: float) -> float:
        return (at - self.offset) // SCRAPE_SECONDS * SCRAPE_SECONDS + self.offset

    def sample(self, at: float) -> tuple[float, float] | None:
        """The newest sample at a moment; a target that is gone leaves a staleness marker, hence nothing."""
        scraped = self.last_scrape(at)
        return (scraped, self.value(scraped)) if self.alive(scraped) else None

    def samples(self, start: float, end: float) -> list[tuple[float, float]]:
        """Scrapes in (start, end]."""
        first = ceil((start - self.offset + 1e-9) / SCRAPE_SECONDS) * SCRAPE_SECONDS + self.offset
        out: list[tuple[float, float]] = []
        at = first
        while at <= end:
            if self.alive(at):
                out.append((at, self.value(at)))
            at += SCRAPE_SECONDS
        return out


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
