"""A tree of PromQL evaluated over the world's series, once for all moments of a query."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from workers.simulation.metrics.series import Series
from workers.simulation.promql import functions as fn
from workers.simulation.promql.aggregate import aggregated
from workers.simulation.promql.operators import binary
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
from workers.simulation.promql.values import (
    Element,
    Found,
    Rows,
    Value,
    add,
    arity,
    equalities,
    mapped,
    scalars_of,
    without_name,
)
from workers.simulation.promql.windows import Cut, Ranges, newest


class Source(Protocol):
    def select(self, name: str, matchers: tuple[Matcher, ...]) -> list[Series]: ...


class Evaluator:
    """One source at the world's time. Keeps what its selectors chose."""

    def __init__(self, source: Source, now: float) -> None:
        self._source, self.now = source, now
        self._chosen: dict[tuple[str, tuple[Matcher, ...]], list[Series]] = {}

    def at(self, node: Node, t: float) -> Value:
        """At one moment. Raises ParseError or ExecutionError."""
        found = self.over(node, (t,))
        if isinstance(found, dict):
            return [Element(k, column[0]) for k, column in found.items() if column[0] is not None]
        return found if isinstance(found, str) else found[0]

    def over(self, node: Node, moments: Sequence[float]) -> Found:
        """At moments, oldest first: rows, scalars, or a text. Raises ParseError or ExecutionError."""
        if isinstance(node, Number):
            return [node.value] * len(moments)
        if isinstance(node, Text):
            return node.value
        if isinstance(node, Selector):
            if node.range_seconds:
                raise ParseError(
                    'invalid expression type "range vector" for range query, must be Scalar or instant Vector'
                )
            return self._instant(node, moments)
        if isinstance(node, Unary):
            of = self.over(node.of, moments)
            return mapped(of, lambda v: -v) if isinstance(of, dict) else [-v for v in scalars_of(of)]
        if isinstance(node, Call):
            return self._call(node, moments)
        if isinstance(node, Aggregation):
            return self._aggregation(node, moments)
        assert isinstance(node, Binary)
        return binary(node, self.over(node.left, moments), self.over(node.right, moments))

    # Series

    def series(self, node: Selector) -> list[Series]:
        key = (node.name, node.matchers)
        if key not in self._chosen:
            self._chosen[key] = self._source.select(node.name, node.matchers)
        return self._chosen[key]

    def _instant(self, node: Selector, moments: Sequence[float]) -> Rows:
        rows: Rows = {}
        for series, column in newest(self.series(node), [t - node.offset_seconds for t in moments], self.now):
            add(rows, series.key, column)
        return rows

    def ranges(self, node: Selector, moments: Sequence[float]) -> tuple[Ranges, Iterator[tuple[Series, Cut]]]:
        """The ranges of a selector at each moment, and each series that has samples in one of them."""
        ranges = Ranges([t - node.offset_seconds for t in moments], node.range_seconds, self.now)
        return ranges, ((s, cut) for s in self.series(node) if (cut := ranges.cut(s)))

    # Functions

    def _call(self, node: Call, moments: Sequence[float]) -> Found:
        name = node.function
        if name in fn.GROWTH or name in fn.OVER_RANGE:
            return self._over_range(node, moments)
        if name in ("quantile_over_time", "predict_linear", "absent_over_time"):
            return self._over_range_with(node, moments)
        if name in fn.OF_VALUE:
            return self._of_value(node, moments)
        special = SPECIAL.get(name)
        if special is None:
            raise ParseError(f'1:1: parse error: unknown function with name "{name}"')
        return special(self, node, moments)

    def _of_value(self, node: Call, moments: Sequence[float]) -> Rows:
        arity(node, 1, {"clamp": 3, "clamp_min": 2, "clamp_max": 2, "round": 2}.get(node.function, 1))
        function = fn.OF_VALUE[node.function]
        rows = self.vector(node.args[0], moments, node.function)
        if len(node.args) == 1:
            return mapped(rows, function)
        extra = [*zip(*(scalars_of(self.over(a, moments)) for a in node.args[1:]), strict=True)]
        out: Rows = {}
        for labels, column in rows.items():
            values = [None if v is None else function(v, *more) for v, more in zip(column, extra, strict=True)]
            add(out, without_name(labels), values)
        return out

    def vector(self, node: Node, moments: Sequence[float], function: str) -> Rows:
        found = self.over(node, moments)
        if not isinstance(found, dict):
            raise ParseError(
                f'1:1: parse error: expected type instant vector in call to function "{function}", got {"string" if isinstance(found, str) else "scalar"}'  # noqa: E501
            )
        return found

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

    def _over_range(self, node: Call, moments: Sequence[float]) -> Rows:
        arity(node, 1, 1)
        ranges, cuts = self.ranges(self._ranged(node, 0), moments)
        rows: Rows = {}
        for series, cut in cuts:
            if node.function in fn.GROWTH:
                counter, per_second = fn.GROWTH[node.function]
                column = fn.growth(cut, ranges.spans, counter=counter, per_second=per_second)
            else:
                function = fn.OVER_RANGE[node.function]
                column = [function(samples) if samples else None for samples in cut.windows()]
            add(rows, series.key if node.function in fn.KEEPS_NAME else without_name(series.key), column)
        return rows

    def _over_range_with(self, node: Call, moments: Sequence[float]) -> Rows:
        if node.function == "absent_over_time":
            selector = self._ranged(node, 0)
            _, cuts = self.ranges(selector, moments)
            seen = [any(each) for each in zip(*([j > i for i, j in cut.bounds] for _, cut in cuts), strict=True)]
            return {equalities(selector): [None if s else 1.0 for s in seen or [False] * len(moments)]}
        first = node.function == "quantile_over_time"
        arity(node, 2, 2)
        given = scalars_of(self.over(node.args[0 if first else 1], moments))
        ranges, cuts = self.ranges(self._ranged(node, 1 if first else 0), moments)
        rows: Rows = {}
        for series, cut in cuts:
            column = [
                None
                if not samples
                else fn.quantile(parameter, [v for _, v in samples])
                if first
                else fn.predict_linear(samples, end, parameter)
                for samples, parameter, (_, end) in zip(cut.windows(), given, ranges.spans, strict=True)
            ]
            add(rows, without_name(series.key), column)
        return rows

    def _aggregation(self, node: Aggregation, moments: Sequence[float]) -> Rows:
        of = self.over(node.of, moments)
        if not isinstance(of, dict):
            raise ParseError("1:1: parse error: expected type instant vector in aggregation expression, got scalar")
        return aggregated(node, of, self.over(node.param, moments) if node.param else None, len(moments))
