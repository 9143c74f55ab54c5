"""LogQL run over entries: which lines a log query keeps, and the samples of a metric query at a moment."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from workers.simulation.faces.logql import (
    Aggregate,
    Both,
    Condition,
    Either,
    LineFilter,
    Log,
    Matcher,
    Metric,
    Parser,
    Range,
    pattern,
)

Labels = Mapping[str, str]


@dataclass(frozen=True)
class Entry:
    nanoseconds: int
    text: str
    stream: Labels
    metadata: Labels


@dataclass(frozen=True)
class Kept:
    """An entry with the labels that it has at the end of the pipeline."""

    entry: Entry
    labels: Labels


def selects(matchers: Sequence[Matcher], labels: Labels) -> bool:
    return all(_holds(m, labels.get(m.label, "")) for m in matchers)


def kept(log: Log, entries: Iterable[Entry]) -> list[Kept]:
    """Of entries whose streams are selected already."""
    steps = [_step(stage) for stage in log.stages]
    found = []
    for entry in entries:
        labels: Labels | None = {**entry.stream, **entry.metadata} if entry.metadata else entry.stream
        for step in steps:
            labels = step(entry.text, labels or {})
            if labels is None:
                break
        if labels is not None:
            found.append(Kept(entry, labels))
    return found


_Step = Callable[[str, Labels], Labels | None]


def _step(stage: object) -> _Step:
    if isinstance(stage, LineFilter):
        test = _line_test(stage)
        return lambda text, labels: labels if test(text) else None
    if isinstance(stage, Parser):
        read = _json if stage.kind == "json" else _logfmt
        return lambda text, labels: {**labels, **_new(read(text), labels)}
    assert isinstance(stage, Matcher | Both | Either)
    condition = stage
    return lambda text, labels: labels if _met(condition, labels) else None


def _line_test(stage: LineFilter) -> Callable[[str], bool]:
    if stage.op in ("|=", "!="):
        wanted = stage.op == "|="
        return lambda text: any(each in text for each in stage.texts) is wanted
    patterns = [pattern(each) for each in stage.texts]
    wanted = stage.op == "|~"
    return lambda text: any(each.search(text) for each in patterns) is wanted


def _met(condition: Condition, labels: Labels) -> bool:
    if isinstance(condition, Both):
        return _met(condition.left, labels) and _met(condition.right, labels)
    if isinstance(condition, Either):
        return _met(condition.left, labels) or _met(condition.right, labels)
    return _holds(condition, labels.get(condition.label, ""))


def _holds(matcher: Matcher, value: str) -> bool:
    if matcher.op in ("=", "!="):
        return (value == matcher.value) is (matcher.op == "=")
    return _anchored(matcher.value, value) is (matcher.op == "=~")


@cache
def _anchored(regexp: str, value: str) -> bool:
    return pattern(regexp).fullmatch(value) is not None


def _new(found: Mapping[str, str], labels: Labels) -> dict[str, str]:
    """What a parser extracts; a name that is taken gets _extracted."""
    return {(f"{k}_extracted" if k in labels else k): v for k, v in found.items()}


def _json(text: str) -> dict[str, str]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        return {
            "__error__": "JSONParserErr",
            "__error_details__": "Value looks like object, but can't find closing '}' symbol",
        }
    return dict(_flat(value, ""))


def _flat(value: Mapping[str, object], prefix: str) -> Iterable[tuple[str, str]]:
    for key, item in value.items():
        name = prefix + re.sub(r"\W", "_", str(key))
        if isinstance(item, dict):
            yield from _flat(item, f"{name}_")
        elif not isinstance(item, list) and item is not None:
            yield name, item if isinstance(item, str) else json.dumps(item)


_PAIR = re.compile(r'([^\s="]+)=(?:"((?:[^"\\]|\\.)*)"|(\S*))')


def _logfmt(text: str) -> dict[str, str]:
    return {re.sub(r"\W", "_", m[1]): m[2] if m[2] is not None else m[3] for m in _PAIR.finditer(text)}


# --- metric queries ---


def ranges(metric: Metric) -> Range:
    """The one range that a metric query counts over."""
    while isinstance(metric, Aggregate):
        metric = metric.inner
    return metric


Samples = dict[tuple[tuple[str, str], ...], float]


class Counter:
    """The entries of a metric query, ready to be counted at any moment."""

    def __init__(self, metric: Metric, entries: Iterable[Entry]) -> None:
        self._metric = metric
        self._range = ranges(metric)
        series: dict[tuple[tuple[str, str], ...], list[tuple[int, int]]] = defaultdict(list)
        for each in kept(self._range.log, entries):
            series[tuple(sorted(each.labels.items()))].append((each.entry.nanoseconds, len(each.entry.text.encode())))
        self._series = {labels: sorted(points) for labels, points in series.items()}

    def at(self, nanoseconds: int) -> Samples:
        return self._aggregated(self._metric, nanoseconds)

    def _aggregated(self, metric: Metric, at: int) -> Samples:
        if isinstance(metric, Range):
            return self._counted(at)
        groups: dict[tuple[tuple[str, str], ...], list[tuple[tuple[tuple[str, str], ...], float]]] = defaultdict(list)
        for labels, value in self._aggregated(metric.inner, at).items():
            named = [(k, v) for k, v in labels if (k in metric.labels) is not metric.without]
            groups[tuple(named)].append((labels, value))
        if metric.op in ("topk", "bottomk"):
            sign = -1 if metric.op == "topk" else 1
            return {
                labels: value
                for rows in groups.values()
                for labels, value in sorted(rows, key=lambda row: (sign * row[1], row[0]))[: metric.parameter]
            }
        return {group: _FOLD[metric.op]([value for _, value in rows]) for group, rows in groups.items()}

    def _counted(self, at: int) -> Samples:
        """Of the moments after the range's beginning up to its end."""
        end = at - int(self._range.offset * 1e9)
        start = end - int(self._range.seconds * 1e9)
        found: Samples = {}
        for labels, points in self._series.items():
            inside = points[bisect_right(points, (start, 1 << 62)) : bisect_right(points, (end, 1 << 62))]
            if inside:
                amount = float(sum(size for _, size in inside) if "bytes" in self._range.function else len(inside))
                found[labels] = amount / self._range.seconds if "rate" in self._range.function else amount
        return found


_FOLD: Mapping[str, Callable[[Sequence[float]], float]] = {
    "sum": sum,
    "min": min,
    "max": max,
    "avg": lambda values: sum(values) / len(values),
    "count": lambda values: float(len(values)),
}
