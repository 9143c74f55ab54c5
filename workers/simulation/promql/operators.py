"""Binary operators: between scalars, a vector and a scalar, and vectors matched by their labels."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable

from workers.simulation.promql.syntax import Binary, ParseError
from workers.simulation.promql.values import (
    Column,
    ExecutionError,
    Found,
    Labels,
    Rows,
    Scalars,
    add,
    without_name,
)

Combine = Callable[[float, float], float]
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}


def binary(node: Binary, left: Found, right: Found) -> Rows | Scalars:
    """Both sides at the same moments. Raises ParseError or ExecutionError."""
    if isinstance(left, str) or isinstance(right, str):
        raise ParseError("1:1: parse error: binary expression must contain only scalar and instant vector types")
    if node.op in ("and", "or", "unless"):
        if not isinstance(left, dict) or not isinstance(right, dict):
            raise ParseError(f'1:1: parse error: set operator "{node.op}" not allowed in binary scalar expression')
        return _set_operation(node, left, right)
    if isinstance(left, dict) and isinstance(right, dict):
        return _matched(node, left, right)
    if isinstance(left, list) and isinstance(right, list):
        if node.op in _COMPARE and not node.bool_modifier:
            raise ParseError("1:1: parse error: comparisons between scalars must use BOOL modifier")
        combine = _combining(node)
        return [combine(a, b) for a, b in zip(left, right, strict=True)]
    out: Rows = {}
    vector_left = isinstance(left, dict)
    rows: Rows = left if isinstance(left, dict) else right  # type: ignore[assignment]  # one of them is, see above
    scalars: Scalars = right if vector_left else left  # type: ignore[assignment]  # and the other is not
    filters = node.op in _COMPARE and not node.bool_modifier
    for labels, column in rows.items():
        combined = _with_scalars(node, column, scalars, vector_left=vector_left)
        add(out, labels if filters else without_name(labels), combined)
    return out


def _with_scalars(node: Binary, column: Column, scalars: Scalars, *, vector_left: bool) -> Column:
    if node.op in _COMPARE and not node.bool_modifier:
        holds = _COMPARE[node.op]
        if vector_left:
            return [v if v is not None and holds(v, s) else None for v, s in zip(column, scalars, strict=True)]
        return [v if v is not None and holds(s, v) else None for v, s in zip(column, scalars, strict=True)]
    combine = _combining(node)
    if vector_left:
        return [None if v is None else combine(v, s) for v, s in zip(column, scalars, strict=True)]
    return [None if v is None else combine(s, v) for v, s in zip(column, scalars, strict=True)]


def _combining(node: Binary) -> Combine:
    """What makes a value of two; a comparison here has `bool`."""
    if node.op in _COMPARE:
        holds = _COMPARE[node.op]
        return lambda a, b: float(holds(a, b))
    return _ARITHMETIC[node.op]


def _pairs(node: Binary, a: Column, b: Column) -> Column:
    """Two columns combined; a comparison without `bool` keeps the left value where it holds."""
    if node.op in _COMPARE and not node.bool_modifier:
        holds = _COMPARE[node.op]
        return [x if x is not None and y is not None and holds(x, y) else None for x, y in zip(a, b, strict=True)]
    combine = _combining(node)
    return [None if x is None or y is None else combine(x, y) for x, y in zip(a, b, strict=True)]


def _matched(node: Binary, left: Rows, right: Rows) -> Rows:
    """Vector matching: one to one, or with group_left / group_right many to one."""
    many, one = (right, left) if node.group == "right" else (left, right)
    partners = _by_key(node, one, "left" if node.group == "right" else "right")
    out: Rows = {}
    used: Rows = {}
    filters = node.op in _COMPARE and not node.bool_modifier
    for labels, column in many.items():
        key = _key(node, labels)
        for other, values in partners.get(key, {}).items():
            met: Column = [None if a is None or b is None else a for a, b in zip(column, values, strict=True)]
            combined = _pairs(node, values, column) if node.group == "right" else _pairs(node, column, values)
            if node.group:
                kept = labels if filters else without_name(labels)
                extra = {k: v for k, v in other if k in node.include}
                named = tuple(sorted({**dict(kept), **extra}.items())) if extra else kept
                add(out, named, combined, "multiple matches for labels: grouping labels must ensure unique matches")
                continue
            explicit = "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
            add(used, key, met, explicit)
            add(out, labels if filters else key, combined, explicit)
    return out


def _by_key(node: Binary, rows: Rows, side: str) -> dict[Labels, Rows]:
    """The rows of the side that has one for each key at a moment. Raises ExecutionError where it has two."""
    groups: dict[Labels, Rows] = {}
    for labels, column in rows.items():
        group = groups.setdefault(_key(node, labels), {})
        for other, values in group.items():
            if any(a is not None and b is not None for a, b in zip(column, values, strict=True)):
                raise ExecutionError(
                    f"found duplicate series for the match group {_braces(_key(node, labels))} on the {side} hand-side of the operation: [{_braces(labels)}, {_braces(other)}];many-to-many matching not allowed: matching labels must be unique on one side"  # noqa: E501
                )
        group[labels] = column
    return groups


def _set_operation(node: Binary, left: Rows, right: Rows) -> Rows:
    deciding = left if node.op == "or" else right
    there: dict[Labels, list[bool]] = {}
    for labels, column in deciding.items():
        key = _key(node, labels)
        before = there.get(key)
        there[key] = [v is not None or bool(before and before[i]) for i, v in enumerate(column)]
    if node.op == "or":
        out = dict(left)
        for labels, column in right.items():
            mask = there.get(_key(node, labels))
            kept = column if mask is None else [None if m else v for v, m in zip(column, mask, strict=True)]
            if mask is None or any(v is not None for v in kept):
                add(out, labels, kept)
        return out
    out = {}
    for labels, column in left.items():
        mask = there.get(_key(node, labels))
        if node.op == "and" and mask:
            out[labels] = [v if m else None for v, m in zip(column, mask, strict=True)]
        elif node.op == "unless":
            out[labels] = [None if m else v for v, m in zip(column, mask, strict=True)] if mask else column
    return out


def _key(node: Binary, labels: Labels) -> Labels:
    if node.on is not None:
        return tuple(p for p in labels if p[0] in node.on)
    return tuple(p for p in labels if p[0] != "__name__" and p[0] not in node.ignoring)


def _braces(labels: Labels) -> str:
    return "{" + ", ".join(f'{k}="{v}"' for k, v in labels) + "}"


def _divided(a: float, b: float) -> float:
    if b:
        return a / b
    return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a)


def _power(a: float, b: float) -> float:
    try:
        return float(a**b)
    except (OverflowError, ZeroDivisionError):
        return math.inf


_ARITHMETIC: dict[str, Combine] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divided,
    "%": lambda a, b: math.fmod(a, b) if b else math.nan,
    "^": _power,
    "atan2": math.atan2,
}
