"""A tree of PromQL evaluated at a moment over the world's series."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Protocol

from workers.simulation.metrics.series import Sample, Series
from workers.simulation.promql import functions as fn
from workers.simulation.promql.special import SPECIAL
from workers.simulation.promql.syntax import (
    Aggregation,
    Binary,
    Call,
    Matcher,
    Node,
    Number,
    ParseError,
    Selector,
    Text,
    Unary,
)
from workers.simulation.promql.text import number
from workers.simulation.promql.values import (
    Element,
    ExecutionError,
    Labels,
    Value,
    Vector,
    arity,
    equalities,
    scalar_of,
    without_name,
)

LOOKBACK_SECONDS = 300.0


class Source(Protocol):
    def select(self, name: str, matchers: tuple[Matcher, ...]) -> list[Series]: ...


class Evaluator:
    """One query at one moment, or at many."""

    def __init__(self, source: Source, now: float) -> None:
        self._source, self.now = source, now
        self._chosen: dict[Selector, list[Series]] = {}

    def at(self, node: Node, t: float) -> Value:
        if isinstance(node, (Number, Text)):
            return node.value
        if isinstance(node, Selector):
            if node.range_seconds:
                raise ParseError(
                    'invalid expression type "range vector" for range query, must be Scalar or instant Vector'
                )
            return self._instant(node, t)
        if isinstance(node, Unary):
            of = self.at(node.of, t)
            return [Element(without_name(e.labels), -e.value) for e in of] if isinstance(of, list) else -scalar_of(of)
        if isinstance(node, Call):
            return self._call(node, t)
        if isinstance(node, Aggregation):
            return self._aggregate(node, t)
        return self._binary(node, t)

    # Series

    def series(self, node: Selector) -> list[Series]:
        bare = Selector(node.name, node.matchers)
        if bare not in self._chosen:
            self._chosen[bare] = self._source.select(node.name, node.matchers)
        return self._chosen[bare]

    def _instant(self, node: Selector, t: float) -> Vector:
        if t - node.offset_seconds > self.now + LOOKBACK_SECONDS:
            return []
        at = min(t - node.offset_seconds, self.now)
        found = ((s.key, s.sample(at)) for s in self.series(node))
        return [Element(key, sample[1]) for key, sample in found if sample]

    def range(self, node: Selector, t: float) -> Iterable[tuple[Labels, list[Sample], float, float]]:
        """(labels, samples, start, end) of each series that has samples in the selector's range."""
        end = t - node.offset_seconds
        start = end - node.range_seconds
        for series in self.series(node):
            samples = series.samples(start, min(end, self.now))
            if samples:
                yield series.key, samples, start, end

    # Functions

    def _call(self, node: Call, t: float) -> Value:
        name = node.function
        if name in fn.OVER_RANGE:
            return self._over_range(node, t)
        if name in ("quantile_over_time", "predict_linear", "absent_over_time"):
            return self._over_range_with(node, t)
        if name in fn.OF_VALUE:
            arity(node, 1, {"clamp": 3, "clamp_min": 2, "clamp_max": 2, "round": 2}.get(name, 1))
            extra = [scalar_of(self.at(a, t)) for a in node.args[1:]]
            return [
                Element(without_name(e.labels), fn.OF_VALUE[name](e.value, *extra))
                for e in self.vector(node.args[0], t, name)
            ]
        special = SPECIAL.get(name)
        if special is None:
            raise ParseError(f'1:1: parse error: unknown function with name "{name}"')
        return special(self, node, t)

    def vector(self, node: Node, t: float, function: str) -> Vector:
        value = self.at(node, t)
        if not isinstance(value, list):
            raise ParseError(
                f'1:1: parse error: expected type instant vector in call to function "{function}", got {"string" if isinstance(value, str) else "scalar"}'  # noqa: E501
            )
        return value

    def _ranged(self, node: Call, index: int) -> Selector:
        found = node.args[index] if len(node.args) > index else None
        if not isinstance(found, Selector) or not found.range_seconds:
            kind = (
                "nothing"
                if found is None
                else "instant vector"
                if isinstance(found, (Selector, Call, Aggregation, Binary))
                else "scalar"
            )
            raise ParseError(
                f'1:1: parse error: expected type range vector in call to function "{node.function}", got {kind}'
            )
        return found

    def _over_range(self, node: Call, t: float) -> Vector:
        arity(node, 1, 1)
        function, out = fn.OVER_RANGE[node.function], []
        for labels, samples, start, end in self.range(self._ranged(node, 0), t):
            value = function(samples, start, end)
            if value is not None:
                out.append(Element(labels if node.function in fn.KEEPS_NAME else without_name(labels), value))
        return out

    def _over_range_with(self, node: Call, t: float) -> Vector:
        if node.function == "absent_over_time":
            selector = self._ranged(node, 0)
            return [] if list(self.range(selector, t)) else [Element(equalities(selector), 1.0)]
        first = node.function == "quantile_over_time"
        arity(node, 2, 2)
        parameter = scalar_of(self.at(node.args[0 if first else 1], t))
        out: Vector = []
        for labels, samples, _, end in self.range(self._ranged(node, 1 if first else 0), t):
            value = (
                fn.quantile(parameter, [v for _, v in samples]) if first else fn.predict_linear(samples, end, parameter)
            )
            if value is not None:
                out.append(Element(without_name(labels), value))
        return out

    # Aggregations

    def _aggregate(self, node: Aggregation, t: float) -> Vector:
        of = self.at(node.of, t)
        if not isinstance(of, list):
            raise ParseError("1:1: parse error: expected type instant vector in aggregation expression, got scalar")
        groups: dict[Labels, Vector] = {}
        for element in of:
            groups.setdefault(_grouped(element.labels, node), []).append(element)
        if node.op in ("topk", "bottomk"):
            assert node.param
            count = int(scalar_of(self.at(node.param, t)))
            return [
                e
                for g in groups.values()
                for e in sorted(g, key=lambda e: (math.isnan(e.value), -e.value if node.op == "topk" else e.value))[
                    : max(0, count)
                ]
            ]
        if node.op == "count_values":
            assert node.param
            label = self.at(node.param, t)
            counts: dict[Labels, float] = {}
            for key, group in groups.items():
                for element in group:
                    full = tuple(sorted([*key, (str(label), number(element.value))]))
                    counts[full] = counts.get(full, 0.0) + 1
            return [Element(k, v) for k, v in counts.items()]
        parameter = scalar_of(self.at(node.param, t)) if node.param else 0.0
        return [Element(key, _AGGREGATE[node.op]([e.value for e in group], parameter)) for key, group in groups.items()]

    # Operators

    def _binary(self, node: Binary, t: float) -> Value:
        left, right = self.at(node.left, t), self.at(node.right, t)
        if isinstance(left, str) or isinstance(right, str):
            raise ParseError("1:1: parse error: binary expression must contain only scalar and instant vector types")
        if node.op in ("and", "or", "unless"):
            if not isinstance(left, list) or not isinstance(right, list):
                raise ParseError(f'1:1: parse error: set operator "{node.op}" not allowed in binary scalar expression')
            return _set_operation(node, left, right)
        compares = node.op in _COMPARE
        if not isinstance(left, list) and not isinstance(right, list):
            if compares and not node.bool_modifier:
                raise ParseError("1:1: parse error: comparisons between scalars must use BOOL modifier")
            return float(_COMPARE[node.op](left, right)) if compares else _arithmetic(node.op, left, right)
        if isinstance(left, list) and isinstance(right, list):
            return _matched(node, left, right)
        out: Vector = []
        for element in left if isinstance(left, list) else right:  # type: ignore[union-attr]
            a, b = (element.value, right) if isinstance(left, list) else (left, element.value)
            combined = _combine(node, a, b, element.value, element.labels)  # type: ignore[arg-type]
            if combined:
                out.append(combined)
        return out


def _combine(node: Binary, a: float, b: float, kept: float, labels: Labels) -> Element | None:
    """A value for a pair, or None where a comparison filters it out."""
    if node.op not in _COMPARE:
        return Element(without_name(labels), _arithmetic(node.op, a, b))
    holds = _COMPARE[node.op](a, b)
    if node.bool_modifier:
        return Element(without_name(labels), float(holds))
    return Element(labels, kept) if holds else None


def _matched(node: Binary, left: Vector, right: Vector) -> Vector:
    """Vector matching: one to one, or with group_left / group_right many to one."""
    many, one = (right, left) if node.group == "right" else (left, right)
    by_key: dict[Labels, Element] = {}
    side = "left" if node.group == "right" else "right"
    for element in one:
        key = _key(node, element.labels)
        if key in by_key:
            raise ExecutionError(
                f"found duplicate series for the match group {_braces(key)} on the {side} hand-side of the operation: [{_braces(element.labels)}, {_braces(by_key[key].labels)}];many-to-many matching not allowed: matching labels must be unique on one side"  # noqa: E501
            )
        by_key[key] = element
    out: Vector = []
    used: set[Labels] = set()
    for element in many:
        key = _key(node, element.labels)
        partner = by_key.get(key)
        if partner is None:
            continue
        a, b = (partner.value, element.value) if node.group == "right" else (element.value, partner.value)
        compared = node.op in _COMPARE and not node.bool_modifier
        if node.group:
            extra = {k: v for k, v in partner.labels if k in node.include}
            labels = tuple(
                sorted({**dict(element.labels if compared else without_name(element.labels)), **extra}.items())
            )
        else:
            if key in used:
                raise ExecutionError(
                    "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
                )
            used.add(key)
            labels = element.labels if compared else key
        combined = _combine(node, a, b, a, labels)
        if combined:
            out.append(combined)
    return out


def _set_operation(node: Binary, left: Vector, right: Vector) -> Vector:
    keys = {_key(node, e.labels) for e in right}
    if node.op == "and":
        return [e for e in left if _key(node, e.labels) in keys]
    if node.op == "unless":
        return [e for e in left if _key(node, e.labels) not in keys]
    taken = {_key(node, e.labels) for e in left}
    return [*left, *(e for e in right if _key(node, e.labels) not in taken)]


def _key(node: Binary, labels: Labels) -> Labels:
    if node.on is not None:
        return tuple((k, v) for k, v in labels if k in node.on)
    return tuple((k, v) for k, v in labels if k != "__name__" and k not in node.ignoring)


def _grouped(labels: Labels, node: Aggregation) -> Labels:
    if node.without:
        return tuple((k, v) for k, v in labels if k != "__name__" and k not in node.labels)
    return tuple((k, v) for k, v in labels if k in node.labels)


def _braces(labels: Labels) -> str:
    return "{" + ", ".join(f'{k}="{v}"' for k, v in labels) + "}"


_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
}


def _arithmetic(op: str, a: float, b: float) -> float:
    if op == "+":
        return a + b
    if op == "-":
        return a - b
    if op == "*":
        return a * b
    if op == "/":
        if b:
            return a / b
        return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a)
    if op == "%":
        return math.fmod(a, b) if b else math.nan
    if op == "atan2":
        return math.atan2(a, b)
    try:
        return float(a**b)
    except (OverflowError, ZeroDivisionError):
        return math.inf


def _variance(values: list[float], _p: float) -> float:
    mean = math.fsum(values) / len(values)
    return math.fsum((v - mean) ** 2 for v in values) / len(values)


_AGGREGATE: dict[str, Callable[[list[float], float], float]] = {
    "sum": lambda v, _p: math.fsum(v) if all(map(math.isfinite, v)) else sum(v),
    "avg": lambda v, _p: (math.fsum(v) if all(map(math.isfinite, v)) else sum(v)) / len(v),
    "min": lambda v, _p: min((x for x in v if not math.isnan(x)), default=math.nan),
    "max": lambda v, _p: max((x for x in v if not math.isnan(x)), default=math.nan),
    "count": lambda v, _p: float(len(v)),
    "group": lambda _v, _p: 1.0,
    "stdvar": _variance,
    "stddev": lambda v, p: math.sqrt(_variance(v, p)),
    "quantile": lambda v, p: fn.quantile(p, v),
}
