"""sum, avg, topk and the others: rows put together by their labels, moment by moment."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from workers.simulation.promql import functions as fn
from workers.simulation.promql.syntax import Aggregation
from workers.simulation.promql.text import number
from workers.simulation.promql.values import Column, Found, Labels, Rows, Scalars, scalars_of


def aggregated(node: Aggregation, rows: Rows, parameter: Found | None, moments: int) -> Rows:
    """The rows of an aggregation; `parameter` is what its first argument gives. Raises ParseError."""
    groups: dict[Labels, Rows] = {}
    for labels, column in rows.items():
        groups.setdefault(_grouped(labels, node), {})[labels] = column
    if node.op == "count_values":
        return _counted(groups, str(parameter), moments)
    given = scalars_of(parameter) if parameter is not None else [0.0] * moments
    if node.op in ("topk", "bottomk"):
        return _extremes(groups.values(), given, largest=node.op == "topk")
    function = _AGGREGATE[node.op]
    out: Rows = {}
    for key, group in groups.items():
        columns = [*group.values()]
        if len(columns) == 1 and node.op in _SAME_ALONE:
            out[key] = columns[0]
            continue
        values = ([v for v in at if v is not None] for at in zip(*columns, strict=True))
        out[key] = [function(v, p) if v else None for v, p in zip(values, given, strict=True)]
    return out


def _grouped(labels: Labels, node: Aggregation) -> Labels:
    if node.without:
        return tuple(p for p in labels if p[0] != "__name__" and p[0] not in node.labels)
    if not node.labels:
        return ()
    return tuple(p for p in labels if p[0] in node.labels)


def _extremes(groups: Iterable[Rows], given: Scalars, *, largest: bool) -> Rows:
    def rank(it: tuple[Labels, float]) -> tuple[bool, float]:
        return math.isnan(it[1]), -it[1] if largest else it[1]

    out: Rows = {}
    for group in groups:
        for i, count in enumerate(given):
            there = [(k, v) for k, column in group.items() if (v := column[i]) is not None]
            for key, value in sorted(there, key=rank)[: max(0, int(count))]:
                column: Column = out.setdefault(key, [None] * len(given))
                column[i] = value
    return out


def _counted(groups: dict[Labels, Rows], label: str, moments: int) -> Rows:
    out: Rows = {}
    for key, group in groups.items():
        for column in group.values():
            for i, value in enumerate(column):
                if value is not None:
                    counts = out.setdefault(tuple(sorted([*key, (label, number(value))])), [None] * moments)
                    counts[i] = (counts[i] or 0.0) + 1.0
    return out


def _total(values: list[float]) -> float:
    # A sum of infinities is one, or none; fsum would raise.
    total = sum(values)
    return math.fsum(values) if math.isfinite(total) else total


def _variance(values: list[float]) -> float:
    mean = math.fsum(values) / len(values)
    return math.fsum((v - mean) ** 2 for v in values) / len(values)


_SAME_ALONE = {"sum", "avg", "min", "max"}
"""One value alone is its own."""
_AGGREGATE: dict[str, Callable[[list[float], float], float]] = {
    "sum": lambda v, _p: _total(v),
    "avg": lambda v, _p: _total(v) / len(v),
    "min": lambda v, _p: min((x for x in v if not math.isnan(x)), default=math.nan),
    "max": lambda v, _p: max((x for x in v if not math.isnan(x)), default=math.nan),
    "count": lambda v, _p: float(len(v)),
    "group": lambda _v, _p: 1.0,
    "stdvar": lambda v, _p: _variance(v),
    "stddev": lambda v, _p: math.sqrt(_variance(v)),
    "quantile": lambda v, p: fn.quantile(p, v),
}
