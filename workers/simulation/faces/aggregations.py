"""Elasticsearch's aggregations over chosen documents: buckets (terms, date_histogram, filters ...) and metrics."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from workers.simulation import clock
from workers.simulation.faces.query_dsl import Dsl, shown
from workers.simulation.faces.searching import Doc, NoSuchQuery
from workers.simulation.promql.syntax import duration

Hits = Callable[[Sequence[Doc], Any], dict[str, Any]]
"""How top_hits renders documents."""

_CALENDAR = {
    "minute": 60.0,
    "1m": 60.0,
    "hour": 3600.0,
    "1h": 3600.0,
    "day": 86400.0,
    "1d": 86400.0,
    "second": 1.0,
    "1s": 1.0,
    "week": 604800.0,
    "1w": 604800.0,
}


def aggregate(aggs: Any, docs: Sequence[Doc], dsl: Dsl, hits: Hits) -> dict[str, Any]:
    """Results by name. Raises NoSuchQuery for what is unknown."""
    out: dict[str, Any] = {}
    for name, body in aggs.items():
        kinds = [k for k in body if k not in ("aggs", "aggregations", "meta")]
        if len(kinds) != 1:
            raise NoSuchQuery(
                f"Expected [START_OBJECT] under [{kinds[1] if len(kinds) > 1 else name}], but got nothing"
            )
        kind, options = kinds[0], body[kinds[0]]
        made = _KINDS.get(kind)
        if made is None:
            raise NoSuchQuery(f"Unknown aggregation type [{kind}]")
        inner = body.get("aggs") or body.get("aggregations")
        out[name] = made(options, docs, _Inside(inner, dsl, hits))
    return out


class _Inside:
    """What buckets need: the aggregations below them."""

    def __init__(self, aggs: Any, dsl: Dsl, hits: Hits) -> None:
        self.dsl, self.hits, self._aggs = dsl, hits, aggs

    def bucket(self, docs: Sequence[Doc], **more: Any) -> dict[str, Any]:
        made = {**more, "doc_count": len(docs)}
        if self._aggs:
            made.update(aggregate(self._aggs, docs, self.dsl, self.hits))
        return made


def _terms(options: Any, docs: Sequence[Doc], inside: _Inside) -> dict[str, Any]:
    field = options["field"]
    groups: dict[str, list[Doc]] = {}
    for doc in docs:
        value = doc.get(field, options.get("missing"))
        if value is not None:
            groups.setdefault(str(value), []).append(doc)
    for pattern, keep in ((options.get("include"), True), (options.get("exclude"), False)):
        if pattern is not None:
            groups = {
                k: v
                for k, v in groups.items()
                if (k in pattern if isinstance(pattern, list) else re.fullmatch(pattern, k) is not None) is keep
            }
    order = options.get("order", {"_count": "desc"})
    order = order[0] if isinstance(order, list) else order
    key, direction = next(iter(order.items()))
    buckets = [inside.bucket(v, key=k) for k, v in groups.items() if len(v) >= options.get("min_doc_count", 1)]
    buckets.sort(key=lambda b: b["key"])
    if key not in ("_key", "_term"):
        buckets.sort(key=lambda b: b["doc_count"] if key == "_count" else _metric(b, key), reverse=direction == "desc")
    elif direction == "desc":
        buckets.reverse()
    kept = buckets[: options.get("size", 10)]
    return {
        "doc_count_error_upper_bound": 0,
        "sum_other_doc_count": sum(b["doc_count"] for b in buckets[len(kept) :]),
        "buckets": kept,
    }


def _metric(bucket: dict[str, Any], path: str) -> float:
    name, _, part = path.partition(".")
    return float(bucket[name][part or "value"] or 0)


def _date_histogram(options: Any, docs: Sequence[Doc], inside: _Inside) -> dict[str, Any]:
    text = options.get("fixed_interval") or options.get("calendar_interval") or options.get("interval")
    if text is None:
        raise NoSuchQuery("Invalid interval specified, must be non-null and non-empty", "illegal_argument_exception")
    try:
        size = _CALENDAR.get(text) or duration(text)
    except ValueError:
        raise NoSuchQuery(
            f"failed to parse setting [date_histogram.fixedInterval] with value [{text}] as a time value: unit is missing or unrecognized",  # noqa: E501
            "parse_exception",
        ) from None
    groups: dict[float, list[Doc]] = {}
    for doc in docs:
        groups.setdefault(doc["_at"] // size * size, []).append(doc)
    keys = sorted(groups)
    bounds = options.get("extended_bounds") or {}
    ends = [inside.dsl.moment(bounds[k]) // size * size for k in ("min", "max") if bounds.get(k) is not None]
    if options.get("min_doc_count", 0) == 0 and (keys or ends):
        first, last = min([*keys, *ends]), max([*keys, *ends])
        keys = [first + i * size for i in range(int((last - first) / size + 1e-9) + 1)]
    return {
        "buckets": [inside.bucket(groups.get(k, []), key_as_string=clock.millis(k), key=int(k * 1000)) for k in keys]
    }


def _filter(options: Any, docs: Sequence[Doc], inside: _Inside) -> dict[str, Any]:
    predicate = inside.dsl.compile(options)
    return inside.bucket([d for d in docs if predicate(d)])


def _filters(options: Any, docs: Sequence[Doc], inside: _Inside) -> dict[str, Any]:
    named = options["filters"]
    if isinstance(named, list):
        return {"buckets": [_filter(f, docs, inside) for f in named]}
    return {"buckets": {name: _filter(f, docs, inside) for name, f in named.items()}}


def _missing(options: Any, docs: Sequence[Doc], inside: _Inside) -> dict[str, Any]:
    return inside.bucket([d for d in docs if options["field"] not in d])


def _global(_options: Any, docs: Sequence[Doc], inside: _Inside) -> dict[str, Any]:
    return inside.bucket(docs)


def _date_range(options: Any, docs: Sequence[Doc], inside: _Inside) -> dict[str, Any]:
    buckets = []
    for each in options["ranges"]:
        low = inside.dsl.moment(each["from"]) if "from" in each else float("-inf")
        high = inside.dsl.moment(each["to"]) if "to" in each else float("inf")
        key = each.get("key") or f"{each.get('from', '*')}-{each.get('to', '*')}"
        buckets.append(inside.bucket([d for d in docs if low <= d["_at"] < high], key=key))
    return {"buckets": buckets}


def _cardinality(options: Any, docs: Sequence[Doc], _inside: _Inside) -> dict[str, Any]:
    return {"value": len({shown(d[options["field"]]) for d in docs if options["field"] in d})}


def _value_count(options: Any, docs: Sequence[Doc], _inside: _Inside) -> dict[str, Any]:
    return {"value": sum(1 for d in docs if options["field"] in d or options["field"] == "_id")}


def _extreme(pick: Callable[[list[float]], float]) -> Callable[[Any, Sequence[Doc], _Inside], dict[str, Any]]:
    def made(options: Any, docs: Sequence[Doc], _inside: _Inside) -> dict[str, Any]:
        field = options["field"]
        date = field == "@timestamp"
        values = [d["_at"] * 1000 if date else float(d[field]) for d in docs if field in d]
        if not values:
            return {"value": None}
        value = pick(values)
        if date:
            return {"value": float(round(value)), "value_as_string": clock.of_millis(round(value))}
        return {"value": value}

    return made


def _top_hits(options: Any, docs: Sequence[Doc], inside: _Inside) -> dict[str, Any]:
    return {"hits": inside.hits(docs, options)}


_KINDS: dict[str, Callable[[Any, Sequence[Doc], _Inside], dict[str, Any]]] = {
    "terms": _terms,
    "date_histogram": _date_histogram,
    "filter": _filter,
    "filters": _filters,
    "missing": _missing,
    "global": _global,
    "date_range": _date_range,
    "cardinality": _cardinality,
    "value_count": _value_count,
    "min": _extreme(min),
    "max": _extreme(max),
    "sum": _extreme(sum),
    "avg": _extreme(lambda v: sum(v) / len(v)),
    "top_hits": _top_hits,
}
