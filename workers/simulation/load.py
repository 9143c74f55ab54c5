"""The shape of the company's traffic over time, with a closed integral, so that counters need no simulation steps."""

from __future__ import annotations

from math import cos, pi, sin

from workers.simulation import dice

_RIPPLES = ((1721.0, 0.035), (613.0, 0.026), (187.0, 0.018))
"""Period in seconds and amplitude of what makes a rate look alive."""


class Shape:
    """Mean 1 over a day: a daily wave that is highest at the peak hour, and ripples."""

    def __init__(self, seed: str, peak_hour: float, swing: float) -> None:
        day = 2 * pi / 86400
        terms = [(swing, day, pi / 2 - day * peak_hour * 3600)]
        terms += [(swing / 5, 2 * day, dice.between(0, 6, seed, "half-day"))]
        terms += [(a, 2 * pi / p, dice.between(0, 6.28, seed, "ripple", p)) for p, a in _RIPPLES]
        self._waves = terms
        self._integrals = [(a / w, cos(f), w, f) for a, w, f in terms]

    def at(self, t: float) -> float:
        total = 0.0
        for a, w, f in self._waves:
            total += a * sin(w * t + f)
        return 1 + total

    def until(self, t: float) -> float:
        """The integral from the epoch to t; differences of it are what counts."""
        total = 0.0
        for height, start, w, f in self._integrals:
            total += height * (start - cos(w * t + f))
        return t + total
