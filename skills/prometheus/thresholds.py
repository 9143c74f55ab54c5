"""An alert's expression taken apart by Prometheus' own grammar: what it measures, and the level at which it fires."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import promql_parser as promql

_COMPARE = (">", "<", ">=", "<=", "==", "!=")
_SPLIT = re.compile(r"\band\b|\bunless\b|[<>=!]=|[<>]", re.IGNORECASE)


@dataclass(frozen=True)
class Measured:
    """What an alert watches."""

    expression: str
    """Without the outermost comparison, so that healthy values can be seen as well."""
    threshold: float | None = None
    unit: str = ""
    """As far as the names of its metrics and its shape say."""


def measured(expression: str) -> Measured:
    """An expression that cannot be read, or compares two series, stays as it is."""
    try:
        tree = promql.parse(expression)
    except ValueError:
        return Measured(expression)
    return _measured(expression.strip(), tree)


def _measured(text: str, tree: Any) -> Measured:
    if isinstance(tree, promql.ParenExpr) and text.startswith("(") and text.endswith(")"):
        return _measured(text[1:-1].strip(), tree.expr)
    op = str(tree.op).lower() if isinstance(tree, promql.BinaryExpr) else ""
    if op in ("and", "unless"):  # what follows only narrows it
        narrowed = _side(text, tree.lhs, op, left=True)
        return _measured(narrowed, tree.lhs) if narrowed else Measured(text, unit=_unit(tree))
    if op in _COMPARE:
        for side, other, left in ((tree.lhs, tree.rhs, True), (tree.rhs, tree.lhs, False)):
            level = _number(other)
            if level is not None and _number(side) is None and (kept := _side(text, side, op, left=left)):
                return Measured(kept, level, _unit(side))
    return Measured(text, unit=_unit(tree))


def _side(text: str, side: Any, op: str, *, left: bool) -> str | None:
    """The text of one side of the outermost operator: the cut at which the text parses to that side."""
    for found in _SPLIT.finditer(text):
        if found[0].lower() != op:
            continue
        part = text[: found.start()] if left else text[found.end() :]
        try:
            if str(promql.parse(part)) == str(side):
                return part.strip()
        except ValueError:
            continue
    return None


def _number(tree: Any) -> float | None:
    """The value of a constant: `0.05`, `-3`, `15 * 60`, `(10 * 1024)`."""
    if isinstance(tree, promql.NumberLiteral):
        return float(tree.val)
    if isinstance(tree, promql.ParenExpr):
        return _number(tree.expr)
    if isinstance(tree, promql.UnaryExpr):
        value = _number(tree.expr)
        return None if value is None else -value
    if isinstance(tree, promql.BinaryExpr) and str(tree.op) in ("+", "-", "*", "/"):
        a, b = _number(tree.lhs), _number(tree.rhs)
        if a is None or b is None or (str(tree.op) == "/" and b == 0):
            return None
        return {"+": a + b, "-": a - b, "*": a * b}.get(str(tree.op), a / b if b else 0.0)
    return None


_PER_SECOND = ("rate", "irate")
_KEEPS_UNIT = ("max_over_time", "min_over_time", "avg_over_time", "last_over_time", "abs", "label_replace")


def _unit(tree: Any) -> str:
    """`ratio` of a quotient, `/s` of a rate; else what the metric's name ends in, by the naming rules of Prometheus."""
    if isinstance(tree, promql.ParenExpr):
        return _unit(tree.expr)
    if isinstance(tree, promql.AggregateExpr):
        return "" if str(tree.op) in ("count", "count_values", "group") else _unit(tree.expr)
    if isinstance(tree, promql.BinaryExpr):
        if str(tree.op) == "/" and _number(tree.rhs) is None:
            return _quotient(_unit(tree.lhs), _unit(tree.rhs))
        return (_unit(tree.lhs) or _unit(tree.rhs)) if str(tree.op) in ("+", "-", "*", "/", "or") else ""
    if isinstance(tree, promql.Call):
        return _unit_of_call(tree)
    if isinstance(tree, promql.MatrixSelector):
        return _unit(tree.vector_selector)
    if isinstance(tree, promql.VectorSelector):
        name = (tree.name or "").removesuffix("_total").removesuffix("_sum").removesuffix("_bucket")
        return next((unit for unit in ("bytes", "seconds", "ratio") if name.endswith(f"_{unit}")), "")
    return ""


def _unit_of_call(tree: Any) -> str:
    if tree.func.name == "histogram_quantile":
        return _unit(tree.args[1]).removesuffix("/s")
    inner = _unit(tree.args[0]) if tree.args else ""
    if tree.func.name in _PER_SECOND:
        return f"{inner}/s" if inner else "/s"
    return inner if tree.func.name in _KEEPS_UNIT else ""


def _quotient(above: str, below: str) -> str:
    """Seconds by count is seconds each; like by like is a share."""
    if above == below:
        return "ratio"
    return above.removesuffix("/s") if below in ("", "/s") else ""
