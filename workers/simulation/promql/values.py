"""What an evaluation works on: labels, columns over the moments that were asked, rows; and checks of functions.

Every part of an expression is evaluated once for all moments of a range query, not once for each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from workers.simulation.promql.syntax import Call, Node, ParseError, Selector

Labels = tuple[tuple[str, str], ...]
"""Sorted pairs."""
Column = list[float | None]
"""A value for each moment; None where there is none."""
Rows = dict[Labels, Column]
"""A vector at each moment. Order matters at a single moment alone (sort, topk)."""
Scalars = list[float]
"""A scalar at each moment."""
Found = Rows | Scalars | str


class ExecutionError(Exception):
    """The expression is well formed and cannot be evaluated over these series."""


@dataclass(frozen=True)
class Element:
    """One row at one moment."""

    labels: Labels
    value: float


Vector = list[Element]
Value = float | str | Vector


def without_name(labels: Labels) -> Labels:
    return tuple(p for p in labels if p[0] != "__name__")


def mapped(rows: Rows, function: Callable[[float], float]) -> Rows:
    """A function of each value, as functions do it: without the metric's name."""
    out: Rows = {}
    for labels, column in rows.items():
        add(out, without_name(labels), [None if v is None else function(v) for v in column])
    return out


def add(rows: Rows, labels: Labels, column: Column, problem: str = "") -> None:
    """Put a row in; rows of the same labels may only take turns. Raises ExecutionError with `problem`."""
    there = rows.get(labels)
    if there is None:
        rows[labels] = column
        return
    if any(a is not None and b is not None for a, b in zip(there, column, strict=True)):
        raise ExecutionError(problem or "vector cannot contain metrics with the same labelset")
    rows[labels] = [b if a is None else a for a, b in zip(there, column, strict=True)]


def equalities(node: Node) -> Labels:
    if not isinstance(node, Selector):
        return ()
    return tuple(sorted((m.label, m.value) for m in node.matchers if m.op == "=" and m.label != "__name__"))


def scalars_of(found: Found) -> Scalars:
    if isinstance(found, list):
        return found
    raise ParseError("1:1: parse error: expected type scalar")


def arity(node: Call, low: int, high: int) -> None:
    if not low <= len(node.args) <= high:
        count = str(low) if low == high else f"at least {low}" if len(node.args) < low else f"at most {high}"
        raise ParseError(
            f'1:1: parse error: expected {count} argument(s) in call to "{node.function}", got {len(node.args)}'
        )
