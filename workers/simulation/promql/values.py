"""What an evaluation works on: labels, elements, vectors; and the checks that functions share."""

from __future__ import annotations

from dataclasses import dataclass

from workers.simulation.promql.syntax import Call, Node, ParseError, Selector

Labels = tuple[tuple[str, str], ...]
"""Sorted pairs."""


class ExecutionError(Exception):
    """The expression is well formed and cannot be evaluated over these series."""


@dataclass(frozen=True)
class Element:
    labels: Labels
    value: float


Vector = list[Element]
Value = float | str | Vector


def without_name(labels: Labels) -> Labels:
    return tuple(p for p in labels if p[0] != "__name__")


def equalities(node: Node) -> Labels:
    if not isinstance(node, Selector):
        return ()
    return tuple(sorted((m.label, m.value) for m in node.matchers if m.op == "=" and m.label != "__name__"))


def scalar_of(value: Value) -> float:
    if isinstance(value, float):
        return value
    if isinstance(value, int):
        return float(value)
    raise ParseError("1:1: parse error: expected type scalar")


def arity(node: Call, low: int, high: int) -> None:
    if not low <= len(node.args) <= high:
        count = str(low) if low == high else f"at least {low}" if len(node.args) < low else f"at most {high}"
        raise ParseError(
            f'1:1: parse error: expected {count} argument(s) in call to "{node.function}", got {len(node.args)}'
        )
