"""Functions that need more than their values: of time, of labels, of histograms, of what is absent."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Protocol

from workers.simulation.metrics.series import Series
from workers.simulation.promql import functions as fn
from workers.simulation.promql.syntax import Call, Node, Selector
from workers.simulation.promql.values import Element, Labels, Value, Vector, arity, equalities, scalar_of, without_name


class Evaluating(Protocol):
    """The evaluation that a function is part of."""

    @property
    def now(self) -> float: ...

    def at(self, node: Node, t: float) -> Value: ...

    def vector(self, node: Node, t: float, function: str) -> Vector: ...

    def series(self, node: Selector) -> list[Series]: ...


def _time(_e: Evaluating, _node: Call, t: float) -> Value:
    return t


def _vector_of(e: Evaluating, node: Call, t: float) -> Value:
    arity(node, 1, 1)
    return [Element((), scalar_of(e.at(node.args[0], t)))]


def _scalar(e: Evaluating, node: Call, t: float) -> Value:
    arity(node, 1, 1)
    found = e.vector(node.args[0], t, "scalar")
    return found[0].value if len(found) == 1 else math.nan


def _absent(e: Evaluating, node: Call, t: float) -> Value:
    arity(node, 1, 1)
    return [] if e.vector(node.args[0], t, "absent") else [Element(equalities(node.args[0]), 1.0)]


def _sorted(e: Evaluating, node: Call, t: float) -> Value:
    arity(node, 1, 1)
    return sorted(e.vector(node.args[0], t, node.function), key=lambda x: x.value, reverse=node.function == "sort_desc")


def _timestamp(e: Evaluating, node: Call, t: float) -> Value:
    arity(node, 1, 1)
    if isinstance(node.args[0], Selector) and not node.args[0].range_seconds:
        found = ((s.key, s.sample(min(t, e.now))) for s in e.series(node.args[0]))
        return [Element(without_name(key), sample[0]) for key, sample in found if sample]
    return [Element(without_name(x.labels), t) for x in e.vector(node.args[0], t, "timestamp")]


def _histogram_quantile(e: Evaluating, node: Call, t: float) -> Value:
    arity(node, 2, 2)
    q = scalar_of(e.at(node.args[0], t))
    groups: dict[Labels, list[tuple[float, float]]] = {}
    for x in e.vector(node.args[1], t, "histogram_quantile"):
        bound = dict(x.labels).get("le")
        if bound is not None:
            key = tuple(p for p in x.labels if p[0] not in ("le", "__name__"))
            groups.setdefault(key, []).append((float(bound.replace("+Inf", "inf")), x.value))
    return [Element(k, fn.histogram_quantile(q, b)) for k, b in groups.items()]


def _label_replace(e: Evaluating, node: Call, t: float) -> Value:
    arity(node, 5, 5)
    target, replacement, source, pattern = (str(e.at(a, t)) for a in node.args[1:])
    template = re.sub(r"\$(\d+|\w+)|\$\{(\w+)\}", lambda m: f"\\g<{m[1] or m[2]}>", replacement)
    out: Vector = []
    for x in e.vector(node.args[0], t, "label_replace"):
        labels = dict(x.labels)
        found = re.fullmatch(pattern, labels.get(source, ""))
        if found:
            labels[target] = found.expand(template)
            if not labels[target]:
                del labels[target]
        out.append(Element(tuple(sorted(labels.items())), x.value))
    return out


def _label_join(e: Evaluating, node: Call, t: float) -> Value:
    arity(node, 3, 20)
    target, separator, *sources = (str(e.at(a, t)) for a in node.args[1:])
    out: Vector = []
    for x in e.vector(node.args[0], t, "label_join"):
        labels: Mapping[str, str] = dict(x.labels)
        out.append(
            Element(
                tuple(sorted({**labels, target: separator.join(labels.get(s, "") for s in sources)}.items())), x.value
            )
        )
    return out


def _calendar(part: Callable[[datetime], int]) -> Callable[[Evaluating, Call, float], Value]:
    def call(e: Evaluating, node: Call, t: float) -> Value:
        of = e.vector(node.args[0], t, node.function) if node.args else [Element((), t)]
        return [Element(without_name(x.labels), float(part(datetime.fromtimestamp(x.value, UTC)))) for x in of]

    return call


SPECIAL: dict[str, Callable[[Evaluating, Call, float], Value]] = {
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
