"""Functions that need more than their values: of time, of labels, of histograms, of what is absent."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol

from workers.simulation.metrics.series import Series
from workers.simulation.promql import functions as fn
from workers.simulation.promql.syntax import Call, Node, Selector
from workers.simulation.promql.values import (
    Column,
    Found,
    Labels,
    Rows,
    add,
    arity,
    equalities,
    mapped,
    scalars_of,
    without_name,
)


class Evaluating(Protocol):
    """The evaluation that a function is part of."""

    @property
    def now(self) -> float: ...

    def over(self, node: Node, moments: Sequence[float]) -> Found: ...

    def vector(self, node: Node, moments: Sequence[float], function: str) -> Rows: ...

    def series(self, node: Selector) -> list[Series]: ...


Special = Callable[[Evaluating, Call, Sequence[float]], Found]


def _time(_e: Evaluating, _node: Call, moments: Sequence[float]) -> Found:
    return [*moments]


def _vector_of(e: Evaluating, node: Call, moments: Sequence[float]) -> Found:
    arity(node, 1, 1)
    return {(): [*scalars_of(e.over(node.args[0], moments))]}


def _scalar(e: Evaluating, node: Call, moments: Sequence[float]) -> Found:
    arity(node, 1, 1)
    columns = e.vector(node.args[0], moments, "scalar").values()
    there = ([v for v in at if v is not None] for at in zip(*columns, strict=True))
    return [v[0] if len(v) == 1 else math.nan for v in there] if columns else [math.nan] * len(moments)


def _absent(e: Evaluating, node: Call, moments: Sequence[float]) -> Found:
    arity(node, 1, 1)
    columns = e.vector(node.args[0], moments, "absent").values()
    seen = [any(v is not None for v in at) for at in zip(*columns, strict=True)] or [False] * len(moments)
    return {equalities(node.args[0]): [None if s else 1.0 for s in seen]}


def _sorted(e: Evaluating, node: Call, moments: Sequence[float]) -> Found:
    """Of one moment: a range query is sorted by labels whatever was asked."""
    arity(node, 1, 1)
    rows = e.vector(node.args[0], moments, node.function)
    if len(moments) > 1:
        return rows
    there = [(k, c, c[0]) for k, c in rows.items() if c[0] is not None]
    return {k: c for k, c, _ in sorted(there, key=lambda x: x[2], reverse=node.function == "sort_desc")}


def _timestamp(e: Evaluating, node: Call, moments: Sequence[float]) -> Found:
    arity(node, 1, 1)
    out: Rows = {}
    of = node.args[0]
    if isinstance(of, Selector) and not of.range_seconds:
        for series in e.series(of):
            found = [series.sample(min(t - of.offset_seconds, e.now)) for t in moments]
            if any(found):
                add(out, without_name(series.key), [s[0] if s else None for s in found])
        return out
    for labels, column in e.vector(of, moments, "timestamp").items():
        add(out, without_name(labels), [None if v is None else t for v, t in zip(column, moments, strict=True)])
    return out


def _histogram_quantile(e: Evaluating, node: Call, moments: Sequence[float]) -> Found:
    arity(node, 2, 2)
    wanted = scalars_of(e.over(node.args[0], moments))
    groups: dict[Labels, list[tuple[float, Column]]] = {}
    for labels, column in e.vector(node.args[1], moments, "histogram_quantile").items():
        bound = dict(labels).get("le")
        if bound is not None:
            key = tuple(p for p in labels if p[0] not in ("le", "__name__"))
            groups.setdefault(key, []).append((float(bound.replace("+Inf", "inf")), column))
    out: Rows = {}
    for key, buckets in groups.items():
        made: Column = []
        for i, q in enumerate(wanted):
            there = [(bound, v) for bound, column in buckets if (v := column[i]) is not None]
            made.append(fn.histogram_quantile(q, there) if there else None)
        out[key] = made
    return out


def _texts(e: Evaluating, nodes: Sequence[Node], moments: Sequence[float]) -> list[str]:
    return [str(e.over(a, moments)) for a in nodes]


def _label_replace(e: Evaluating, node: Call, moments: Sequence[float]) -> Found:
    arity(node, 5, 5)
    target, replacement, source, pattern = _texts(e, node.args[1:], moments)
    template = re.sub(r"\$(\d+|\w+)|\$\{(\w+)\}", lambda m: f"\\g<{m[1] or m[2]}>", replacement)
    matching = re.compile(pattern)
    out: Rows = {}
    for row, column in e.vector(node.args[0], moments, "label_replace").items():
        labels = dict(row)
        found = matching.fullmatch(labels.get(source, ""))
        if found:
            labels[target] = found.expand(template)
            if not labels[target]:
                del labels[target]
        add(out, tuple(sorted(labels.items())), column)
    return out


def _label_join(e: Evaluating, node: Call, moments: Sequence[float]) -> Found:
    arity(node, 3, 20)
    target, separator, *sources = _texts(e, node.args[1:], moments)
    out: Rows = {}
    for row, column in e.vector(node.args[0], moments, "label_join").items():
        labels: Mapping[str, str] = dict(row)
        joined = {**labels, target: separator.join(labels.get(s, "") for s in sources)}
        add(out, tuple(sorted(joined.items())), column)
    return out


def _calendar(part: Callable[[datetime], int]) -> Special:
    def call(e: Evaluating, node: Call, moments: Sequence[float]) -> Found:
        of: Rows = e.vector(node.args[0], moments, node.function) if node.args else {(): [*moments]}
        return mapped(of, lambda v: float(part(datetime.fromtimestamp(v, UTC))))

    return call


SPECIAL: dict[str, Special] = {
    "time": _time,
    "vector": _vector_of,
    "scalar": _scalar,
    "absent": _absent,
    "sort": _sorted,
    "sort_desc": _sorted,
    "timestamp": _timestamp,
    "histogram_quantile": _histogram_quantile,
    "label_replace": _label_replace,
    "label_join": _label_join,
    "hour": _calendar(lambda d: d.hour),
    "minute": _calendar(lambda d: d.minute),
    "day_of_week": _calendar(lambda d: d.isoweekday() % 7),
    "day_of_month": _calendar(lambda d: d.day),
    "month": _calendar(lambda d: d.month),
    "year": _calendar(lambda d: d.year),
}
