"""Figures as evidence states them, with their units: `83%`, `1019Mi`, `8.8 s`, `4144 of 4150`. Names, addresses,
moments and versions hold no figures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# unit -> (dimension, factor)
UNITS: dict[str, tuple[str, float]] = {
    "%": ("share", 0.01),
    **{f"{p}{s}": ("bytes", 1024.0 ** (i + 1)) for i, p in enumerate("KMGT") for s in ("i", "iB")},
    **{p: ("bytes", 1000.0 ** (i + 1)) for i, p in enumerate(("kB", "MB", "GB", "TB"))},
    "bytes": ("bytes", 1.0),
    "ms": ("seconds", 1e-3),
    "s": ("seconds", 1.0),
    "min": ("seconds", 60.0),
    "h": ("seconds", 3600.0),
    "d": ("seconds", 86400.0),
    "m": ("", 1e-3),
    "/s": ("rate", 1.0),
    "": ("", 1.0),
}
_UNIT = "|".join(re.escape(unit) for unit in sorted(UNITS, key=len, reverse=True) if unit)
_NUMBER = r"[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?"
FIGURE = re.compile(rf"^({_NUMBER})\s?({_UNIT})?$")
_STATED = re.compile(rf"(?<![\w.:/=@#-])({_NUMBER})(?:\s?({_UNIT})(?![\w-]))?(?![\w:]|[.:/-]\w)")
_EARLIER = re.compile(
    rf"(?:baseline|against|lowered from|\bfrom)\s(?:mean\s)?({_NUMBER})\s?({_UNIT})?"
    rf"|({_NUMBER})\s?({_UNIT})?(?:/s)?\s(?:requests/s\s|cores\s)?(?:before|in the baseline|a day before|->)(?!\w)"
)
OPERATORS = (">=", "<=", ">", "<", "=")


@dataclass(frozen=True)
class Figure:
    value: float
    dimension: str
    """share, bytes, seconds, rate, or empty for a bare number."""


@dataclass(frozen=True)
class Bound:
    """`> 50%`, or `> 2x before`: what a stated figure must be."""

    operator: str
    than: Figure
    times_before: bool = False

    def holds(self, text: str, series: bool = False) -> bool:
        """Whether the first figure in these units that the text states is within the bound. What it says of earlier is
        no figure of now. `series`: the figures of a series, whose units are not written."""
        earlier = [m.span() for m in _EARLIER.finditer(text)]
        for now in stated(text, earlier):
            if (value := self._comparable(now, series)) is None:
                continue
            if not self.times_before:
                return _is(value, self.operator, self.than.value)
            before = next((b for b in _before(text) if b.dimension == now.dimension), None)
            if before is not None:
                # Of nothing there is no multiple: `0 before` would satisfy any growth.
                return before.value > 0 and _is(value, self.operator, self.than.value * before.value)
        return False

    def _comparable(self, now: Figure, series: bool) -> float | None:
        """A share is stated in percent; a series has it as a ratio, and bytes and seconds bare. Elsewhere a bare number
        counts something: `1 of 5 volumes`."""
        if self.times_before or now.dimension == self.than.dimension:
            return now.value
        if now.dimension:
            return now.value if now.dimension == "rate" and not self.than.dimension else None
        if not series:
            return None
        return now.value if self.than.dimension != "share" or 0 <= now.value <= 1 else None


def figure(text: str) -> Figure | None:
    """`128Mi`; None for what is none."""
    match = FIGURE.match(text.strip())
    return _figure(match[1], match[2]) if match else None


def stated(text: str, leaving_out: list[tuple[int, int]] | None = None) -> Iterator[Figure]:
    for match in _STATED.finditer(text):
        if not any(start <= match.start() < end for start, end in leaving_out or ()):
            yield _figure(match[1], match[2])


def _before(text: str) -> Iterator[Figure]:
    for match in _EARLIER.finditer(text):
        yield _figure(match[1] or match[3], match[2] if match[1] else match[4])


def _figure(number: str, unit: str | None) -> Figure:
    dimension, factor = UNITS[unit or ""]
    return Figure(float(number) * factor, dimension)


def _is(value: float, operator: str, other: float) -> bool:
    near = abs(value - other) <= 1e-3 * max(abs(value), abs(other))
    if operator == "=":
        return near
    if operator in (">=", "<=") and near:
        return True
    return value > other if operator[0] == ">" else value < other
