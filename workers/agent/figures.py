"""Figures and quotes in a sentence, and whether they stand in other text. The arithmetic of grounding.

`512Mi`, `0.5 GiB` and `536870912` are one quantity; `1,900` and `1900` one number; `31 %` and `0.31` one share.
A figure may be rounded, to the digits that it shows; it may not be invented.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_UNITS = {
    "%": 0.01,
    "ki": 2.0**10, "kib": 2.0**10, "mi": 2.0**20, "mib": 2.0**20, "gi": 2.0**30, "gib": 2.0**30,
    "ti": 2.0**40, "tib": 2.0**40,
    "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "k": 1e3,
    "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0,
    "min": 60.0, "minute": 60.0, "minutes": 60.0, "h": 3600.0, "hour": 3600.0, "hours": 3600.0,
    "d": 86400.0, "day": 86400.0, "days": 86400.0,
}  # fmt: skip
_CASED_UNITS = {"m": 1e-3, "M": 1e6, "G": 1e9, "K": 1e3}
"""Kubernetes writes 250m for a quarter of a core and 1M for a million bytes."""

_NUMBER = re.compile(
    r"(?<![\w./:-])(?P<about>(?:~|≈)\s?)?[-+−]?(?P<digits>\d{1,3}(?:[,\u00a0\u202f ]\d{3})+(?!\d)|\d+)"
    r"(?P<fraction>\.\d+)?(?:(?P<space>[ \u00a0\u202f]?)(?P<unit>%|µs|[A-Za-z]+))?(?![\w-])(?!\.\d)"
)
_LOOSE = re.compile(r"(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?\s?(%|µs|[A-Za-z]{1,7})?")
_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?|\b\d{1,2}:\d{2}(?::\d{2})?\b"
)
_VERSION = re.compile(r"(?<![\w.])v?\d+(?:\.\d+){2,}[\w.+-]*")
_QUOTE = re.compile(r"`([^`\n]{1,300})`|“([^”\n]{1,300})”|\"([^\"\n]{1,300})\"")
_ABOUT = re.compile(r"(?:about|around|roughly|nearly|almost|some|over|more than|approximately)\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class Figure:
    text: str
    value: float
    factor: float | None
    """Of the unit, to its base; None without a unit that is known."""
    tolerance: float
    """Half of the last digit shown, or a twentieth where it says "about"."""
    loose: bool = False
    """It says "about": whole numbers may be rounded too."""


def quotes(text: str) -> tuple[str, ...]:
    return tuple(next(g for g in m.groups() if g) for m in _QUOTE.finditer(text))


def times(text: str) -> tuple[str, ...]:
    return tuple(m.group() for m in _TIME.finditer(text))


def versions(text: str) -> tuple[str, ...]:
    return tuple(m.group() for m in _VERSION.finditer(text))


def figures(text: str) -> tuple[Figure, ...]:
    """The numbers that a sentence claims: not those within names, times, versions or quotes."""
    for pattern in (_QUOTE, _TIME, _VERSION):
        text = pattern.sub(lambda m: " " * len(m.group()), text)
    found = []
    for match in _NUMBER.finditer(text):
        digits, fraction, unit = match["digits"], match["fraction"] or "", match["unit"] or ""
        factor = _factor(unit)
        if unit and factor is None and not match["space"]:
            continue  # 5xx, 2nd, 3am: a word that begins with a digit
        value = float(re.sub(r"[,\s]", "", digits) + fraction)
        tolerance = 0.5 * 10.0 ** -max(0, len(fraction) - 1)
        loose = bool(match["about"] or _ABOUT.search(text[: match.start()]))
        if loose:
            tolerance = max(tolerance, value * 0.05)
        found.append(Figure(match.group().strip(), value, factor, tolerance, loose))
    return tuple(found)


def stands_in(figure: Figure, pool: Iterable[tuple[float, float | None]]) -> bool:
    """Whether a figure equals one of the pool's, as written or in base units, within its own rounding."""
    for value, factor in pool:
        if _near(figure.value, value, figure.tolerance if value % 1 or figure.loose else 0.0):
            return True
        scale = figure.factor or 1.0
        if scale != (factor or 1.0) and _near(figure.value * scale, value * (factor or 1.0), figure.tolerance * scale):
            return True
    return False


def pool(texts: Iterable[str]) -> tuple[tuple[float, float | None], ...]:
    """Every number in the texts, also those within names and quotes, with the factor of its unit."""
    found: dict[tuple[float, float | None], None] = {}
    for text in texts:
        for digits, fraction, unit in _LOOSE.findall(text):
            found[(float(digits.replace(",", "") + fraction), _factor(unit))] = None
    return tuple(found)


def folded(text: str) -> str:
    """For comparing quotes: case, runs of white space and typographic signs do not matter."""
    for sign, plain in (("→", "->"), ("’", "'"), ("“", '"'), ("”", '"'), ("\u00a0", " "), ("\u202f", " ")):
        text = text.replace(sign, plain)
    return re.sub(r"\s+", " ", text).strip().casefold()


def _factor(unit: str) -> float | None:
    return _CASED_UNITS.get(unit) or _UNITS.get(unit.lower())


def _near(a: float, b: float, tolerance: float) -> bool:
    return abs(a - b) <= tolerance + 1e-9 * max(abs(a), abs(b), 1e-9)
