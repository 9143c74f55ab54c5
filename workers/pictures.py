"""Charts as PNG: one series, what is said of it in two lines, and where it changed. Readable on a phone.

A white card, so that it looks the same in a light and a dark Slack. Pillow's own font, so that it looks the same on any
machine. Knows nothing of investigations: a chart comes in, bytes go out.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from statistics import fmean, median
from typing import TYPE_CHECKING

from skills.contract import Chart

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

WIDTH, HEIGHT = 1200, 660
SCALE = 2
"""Drawn larger and shrunk, because Pillow's lines have no soft edges of their own."""
LEFT, RIGHT, TOP, BOTTOM = 170, 50, 170, 90
INK, SOFT, GRID, LINE, ALARM, ONSET = "#1d1c1d", "#616061", "#e4e4e4", "#1264a3", "#c0143c", "#8a5a00"
TITLE, TEXT = 38, 32
_BYTES, _SHARE = ("bytes", "byte", "b"), ("ratio", "percentunit")
_SCALED = (*_BYTES, *_SHARE, "percent", "%", "seconds", "second", "s")
_STEPS_MINUTES = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080)


@dataclass(frozen=True)
class Picture:
    png: bytes
    title: str
    alt: str
    """What it shows, for those who do not see it."""


def draw(chart: Chart) -> Picture | None:
    """None when there is nothing that could be drawn: fewer than two finite points."""
    points = [(at, value) for at, value in chart.points if math.isfinite(value)]
    if len(points) < 2 or points[0][0] >= points[-1][0]:
        return None
    fact = told(chart)
    return Picture(_png(chart, points, fact), chart.title, f"{chart.title}: {fact}")


def told(chart: Chart) -> str:
    """The fact that the chart shows: the levels before and after the onset where they differ, and the threshold."""
    values = [value for _, value in chart.points if math.isfinite(value)]
    parts = []
    if (levels := shift(chart)) and chart.onset:
        usual, now = (amount(level, chart.unit) for level in levels)
        parts.append(f"{usual} before {_clock(chart.onset)}, {now} since")
    else:
        least, most = amount(min(values), chart.unit), amount(max(values), chart.unit)
        parts.append(f"steady at {most}" if least == most else f"between {least} and {most}")
    if chart.threshold is not None:
        parts.append(f"{_bound(chart)} {amount(chart.threshold, chart.unit)}")
    return "; ".join(parts)


def shift(chart: Chart) -> tuple[float, float] | None:
    """The means before and since the onset; None where there is no change that an eye would see."""
    points = [(at, value) for at, value in chart.points if math.isfinite(value)]
    before = [v for at, v in points if chart.onset and at < chart.onset]
    after = [v for at, v in points if chart.onset and at >= chart.onset]
    if not before or not after:
        return None
    values = [v for _, v in points]
    spread = max(values) - min(values)
    visible = spread > 0.05 * max(map(abs, values)) and abs(fmean(after) - fmean(before)) > 0.3 * spread
    return (fmean(before), fmean(after)) if visible else None


def amount(value: float, unit: str) -> str:
    """A value as people write it: 128 MiB, 31 %, 250 ms, 1.9k requests/s."""
    kind = unit.lower()
    if kind in _BYTES:
        return _scaled(value, (("TiB", 2.0**40), ("GiB", 2.0**30), ("MiB", 2.0**20), ("KiB", 2.0**10), ("B", 1.0)))
    if kind in _SHARE:
        return f"{_short(value * 100)} %"
    if kind in ("percent", "%"):
        return f"{_short(value)} %"
    if kind in ("seconds", "second", "s"):
        return _scaled(value, (("h", 3600.0), ("min", 60.0), ("s", 1.0), ("ms", 1e-3), ("us", 1e-6)), top=120.0)
    text = _scaled(value, (("G", 1e9), ("M", 1e6), ("k", 1e3), ("", 1.0)), join="")
    return f"{text} {unit}".strip()


def _scaled(value: float, steps: Sequence[tuple[str, float]], join: str = " ", top: float = 0.0) -> str:
    size = abs(value)
    if size == 0:
        return f"0{join}{steps[-1][0] if steps[-1][1] == 1 else 's'}".strip()
    for name, factor in steps:
        # 90 s are not 1.5 min to an engineer.
        if size >= factor and (not top or factor <= 1 or size >= top * factor / 60):
            return f"{_short(value / factor)}{join}{name}".strip()
    name, factor = steps[-1]
    return f"{_short(value / factor)}{join}{name}".strip()


def _short(value: float) -> str:
    """Three digits at most, as far as they say something."""
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value)))) if abs(value) < 100 else 0
    text = f"{value:.{min(digits, 4)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _png(chart: Chart, points: Sequence[tuple[datetime, float]], fact: str) -> bytes:
    from PIL import Image, ImageDraw  # noqa: PLC0415  30 MB and a tenth of a second, for the worker that draws

    image = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), "white")
    canvas = _Canvas(ImageDraw.Draw(image), chart, points)
    canvas.words(fact)
    canvas.axes()
    canvas.series()
    canvas.marks()
    small = image.reduce(SCALE)
    packed = io.BytesIO()
    small.save(packed, format="PNG")
    return packed.getvalue()


class _Canvas:
    """One chart's card: where a moment and a value are on it."""

    def __init__(self, pen: ImageDraw, chart: Chart, points: Sequence[tuple[datetime, float]]) -> None:
        self._pen = pen
        self._chart = chart
        self._points = points
        self._start, self._end = points[0][0], points[-1][0]
        values = [v for _, v in points] + ([chart.threshold] if chart.threshold is not None else [])
        self._ticks = value_ticks(min(values), max(values), _base(chart.unit, max(map(abs, values))))
        self._low, self._high = self._ticks[0], self._ticks[-1]
        self._axis_unit = chart.unit if chart.unit.lower() in _SCALED else ""
        """Words that do not fit beside every tick are said once, below the title."""

    def words(self, fact: str) -> None:
        self._text((40, 34), self._fitted(self._chart.title, TITLE), TITLE, INK, bold=True)
        self._text((40, 92), self._fitted(fact, TEXT), TEXT, SOFT)

    def axes(self) -> None:
        for value in self._ticks:
            y = self._y(value)
            self._line([(LEFT, y), (WIDTH - RIGHT, y)], GRID, 2)
            self._text((LEFT - 16, y), amount(value, self._axis_unit), TEXT - 4, SOFT, anchor="rm")
        for moment in time_ticks(self._start, self._end):
            x = self._x(moment)
            self._line([(x, HEIGHT - BOTTOM), (x, HEIGHT - BOTTOM + 10)], SOFT, 2)
            if x < WIDTH - RIGHT - 110:
                self._text((x, HEIGHT - BOTTOM + 18), self._moment(moment), TEXT - 4, SOFT, anchor="ma")
        self._text((WIDTH - RIGHT, HEIGHT - BOTTOM + 18), "UTC", TEXT - 4, SOFT, anchor="ra")

    def marks(self) -> None:
        chart = self._chart
        if chart.threshold is not None:
            y = self._y(chart.threshold)
            self._dashes((LEFT, y), (WIDTH - RIGHT, y), ALARM)
            label = f"{_bound(chart)} {amount(chart.threshold, chart.unit)}"
            above = y - 12 - TEXT > TOP - 20
            right = self._room_at_right(chart.threshold)
            end, side = (WIDTH - RIGHT, "r") if right else (LEFT + 8, "l")
            self._label((end, y - 8 if above else y + 8), label, ALARM, side + ("b" if above else "a"))
        if chart.onset is not None and self._start <= chart.onset <= self._end and shift(chart):
            at = self._x(chart.onset)
            self._dashes((at, TOP), (at, HEIGHT - BOTTOM), ONSET)
            place, anchor = (at + 12, "lb") if at < WIDTH * 0.6 else (at - 12, "rb")
            self._label((place, TOP - 4), f"since {_clock(chart.onset)}", ONSET, anchor)

    def _room_at_right(self, value: float) -> bool:
        """Whether the series keeps further away from a value at the right end than at the left one."""
        quarter = max(1, len(self._points) // 4)
        left, right = self._points[:quarter], self._points[-quarter:]
        return min(abs(v - value) for _, v in right) >= min(abs(v - value) for _, v in left)

    def series(self) -> None:
        """Lines between neighbours; where samples are missing there is none."""
        usual = median((b - a).total_seconds() for (a, _), (b, _) in pairwise(self._points))
        run: list[tuple[float, float]] = []
        for before, (at, value) in zip([None, *self._points], self._points, strict=False):
            if before is not None and (at - before[0]).total_seconds() > 3 * usual:
                self._run(run)
                run = []
            run.append((self._x(at), self._y(value)))
        self._run(run)

    def _run(self, run: Sequence[tuple[float, float]]) -> None:
        if len(run) == 1:
            x, y = run[0]
            self._pen.ellipse([SCALE * (x - 4), SCALE * (y - 4), SCALE * (x + 4), SCALE * (y + 4)], fill=LINE)
        elif run:
            self._line(run, LINE, 5)

    def _x(self, at: datetime) -> float:
        share = (at - self._start).total_seconds() / (self._end - self._start).total_seconds()
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def _y(self, value: float) -> float:
        share = (value - self._low) / (self._high - self._low)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    def _moment(self, at: datetime) -> str:
        return _clock(at) if self._end - self._start <= timedelta(hours=26) else f"{at:%d %b}"

    def _label(self, at: tuple[float, float], text: str, colour: str, anchor: str) -> None:
        """Words within the chart, with a white rim, so that a line below them does not strike them out."""
        self._pen.text(
            (at[0] * SCALE, at[1] * SCALE), text, "white", _font(TEXT - 2), anchor=anchor, stroke_width=4 * SCALE
        )
        self._text(at, text, TEXT - 2, colour, anchor=anchor)

    def _text(
        self, at: tuple[float, float], text: str, size: int, colour: str, *, anchor: str = "la", bold: bool = False
    ) -> None:
        where = (at[0] * SCALE, at[1] * SCALE)
        self._pen.text(where, text, colour, _font(size), anchor=anchor, stroke_width=1 if bold else 0)

    def _fitted(self, text: str, size: int) -> str:
        """Cut visibly where the card ends."""
        room = (WIDTH - 80) * SCALE
        if self._pen.textlength(text, _font(size)) <= room:
            return text
        while text and self._pen.textlength(f"{text}...", _font(size)) > room:
            text = text[:-1]
        return f"{text.rstrip()}..."

    def _line(self, points: Sequence[tuple[float, float]], colour: str, width: int) -> None:
        self._pen.line(
            [(x * SCALE, y * SCALE) for x, y in points], fill=colour, width=width * SCALE // 2, joint="curve"
        )

    def _dashes(self, a: tuple[float, float], b: tuple[float, float], colour: str) -> None:
        length = math.dist(a, b)
        for begin in range(0, int(length), 22):
            share, end = begin / length, min(1.0, (begin + 13) / length)
            self._line([_between(a, b, share), _between(a, b, end)], colour, 4)


def value_ticks(low: float, high: float, base: float = 1.0) -> list[float]:
    """Three to six round values that hold both ends, from zero where that wastes no more than half of the height.
    `base`: the unit in which they are round, e.g. 2**20 for mebibytes."""
    low, high = low / base, high / base
    if low >= 0 and low <= high / 2:
        low = 0.0
    if high <= low:
        low, high = (min(low, 0.0), max(2 * high, 0.0)) if low else (0.0, 1.0)
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough - 1e-12)
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    return [n * step * base for n in range(first, max(last, first + 1) + 1)]


def time_ticks(start: datetime, end: datetime) -> list[datetime]:
    """At most six round times."""
    minutes = (end - start).total_seconds() / 60
    step = timedelta(minutes=next((s for s in _STEPS_MINUTES if minutes / s <= 5), _STEPS_MINUTES[-1]))
    day = start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    at = day + step * math.ceil((start - day) / step)
    ticks: list[datetime] = []
    while at <= end and len(ticks) < 12:
        ticks.append(at)
        at += step
    return ticks


def _base(unit: str, largest: float) -> float:
    """The unit in which the axis is round."""
    if unit.lower() in _BYTES:
        return 1024.0 ** max(0, math.floor(math.log(max(largest, 1), 1024)))
    return 0.01 if unit.lower() in _SHARE else 1.0


def _bound(chart: Chart) -> str:
    return "limit" if chart.unit.lower() in (*_BYTES, "cores") else "threshold"


def _between(a: tuple[float, float], b: tuple[float, float], share: float) -> tuple[float, float]:
    return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share


def _clock(at: datetime) -> str:
    return f"{at.astimezone(UTC):%H:%M}"


@cache
def _font(size: int) -> FreeTypeFont | ImageFont:
    from PIL.ImageFont import load_default  # noqa: PLC0415  see _png

    return load_default(size * SCALE)
