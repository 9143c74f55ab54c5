"""Names that are a slip away from each other: what a reference to nothing was probably meant to be."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(called: str, names: Iterable[str]) -> str:
    """The name that is one edit or two away, or that begins with the other; empty when none is."""
    close = [n for n in names if n != called and min(len(n), len(called)) >= 3]
    for other in close:
        if edits(other, called) <= (1 if len(other) < 6 else 2):
            return other
    parted = [n for n in close if n.startswith(f"{called}-") or called.startswith((f"{n}-", f"{n}_", f"{n}."))]
    return max(parted, key=len, default="")


def edits(a: str, b: str) -> int:
    """Levenshtein distance."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (x != y))
    return row[-1]
