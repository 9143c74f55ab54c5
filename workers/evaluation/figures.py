"""Numbers as they are shown, in text, page and picture alike."""

from __future__ import annotations

from workers.evaluation.matrices import Cell
from workers.evaluation.statistics import Interval


def share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"


def interval(it: Interval | None) -> str:
    """`62 % (51-72, n 80)`"""
    return "-" if it is None else f"{it.value:.0%} ({it.low * 100:.0f}-{it.high * 100:.0f}, n {it.n})"


def signed(it: Interval) -> str:
    return f"{it.value * 100:+.0f} ({it.low * 100:+.0f} to {it.high * 100:+.0f})"


def cell(column: str, it: Cell) -> str:
    """The value of a heat map's cell."""
    if it.value is None:
        return "-"
    if column == "time":
        return f"{it.value:.2f} s" if it.value < 10 else f"{it.value:.0f} s"
    if column == "tokens":
        return f"{it.value:.0f}" if it.value < 1000 else f"{it.value / 1000:.1f}k"
    if column == "cost":
        return f"${it.value:.3f}" if it.value else "$0"
    return f"{it.value:.0%}"
