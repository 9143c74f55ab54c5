"""The hits of a search: sorted, cut to a page, and with the parts of each document that were asked for."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from workers.simulation import dice
from workers.simulation.faces import documents
from workers.simulation.faces.exchange import Ask
from workers.simulation.faces.searching import Doc, Failure, listed
from workers.simulation.world import World

MAX_WINDOW = 10_000
Sort = list[tuple[str, bool, bool]]
"""(field, descending, with a format) of each sort key."""


class Hits:
    """Of one index pattern's mapping."""

    def __init__(self, world: World, mapping: Mapping[str, str], moment: Callable[[Any], float]) -> None:
        self._world, self._mapping, self._moment = world, mapping, moment

    def of(
        self, docs: Sequence[Doc], body: Any, ask: Ask, *, pit: bool = False, onwards: int | None = None
    ) -> dict[str, Any]:
        """`onwards`: where a scroll is, whatever the window allows."""
        size, start = page(body, ask)
        start = start if onwards is None else onwards
        sort = _sort(body.get("sort") or ask.get("sort"), pit=pit)
        ordered = self._ordered(docs, sort)
        after = body.get("search_after")
        if after is not None:
            if len(after) != len(sort):
                raise Failure(
                    400,
                    "illegal_argument_exception",
                    f"search_after has {len(after)} value(s) but sort has {len(sort)}.",
                )
            keys = [_key(self._sort_values(d, sort), sort) for d in ordered]
            start = bisect_right(keys, _key(self._after_values(after, sort), sort))
        chosen = ordered[start : start + size]
        tracked = body.get("track_total_hits", 10_000)
        out: dict[str, Any] = {}
        if tracked is not False:
            exact = tracked is True or len(docs) <= int(tracked)
            out["total"] = {"value": len(docs) if exact else int(tracked), "relation": "eq" if exact else "gte"}
        out["max_score"] = None if sort or not chosen else 1.0
        choice = _choice(body)
        out["hits"] = [self._hit(d, sort, choice) for d in chosen]
        return out

    def _hit(self, doc: Doc, sort: Sort, choice: _Choice) -> dict[str, Any]:
        hit: dict[str, Any] = {
            "_index": documents.index_name(self._world, doc["_at"]),
            "_id": _document_id(doc),
            "_score": None if sort else 1.0,
        }
        if choice.source is not None:
            hit["_source"] = documents.source({k: v for k, v in doc.items() if choice.source(k)})
        if choice.fields is not None:
            hit["fields"] = {k: [v] for k, v in doc.items() if choice.fields(k)}
        if sort:
            hit["sort"] = self._sort_values(doc, sort)
        return hit

    def _ordered(self, docs: Sequence[Doc], sort: Sort) -> list[Doc]:
        if not sort:
            return list(docs)
        rows = [(self._sort_values(d, sort), d) for d in docs]
        for i, (_, down, _) in reversed([*enumerate(sort)]):  # stable: the last key first
            missing = [row for row in rows if row[0][i] is None]
            there = [row for row in rows if row[0][i] is not None] if missing else rows
            rows = sorted(there, key=lambda row: row[0][i], reverse=down) + missing
        return [d for _, d in rows]

    def _sort_values(self, doc: Doc, sort: Sort) -> list[Any]:
        out: list[Any] = []
        for name, _, formatted in sort:
            if name == "_shard_doc":
                out.append(int(doc["_at"] * 1000) * 4096 + dice.number(doc["_n"]) % 4096)
            elif name == "@timestamp":
                out.append(doc["@timestamp"] if formatted else round(doc["_at"] * 1000))
            elif name in ("_doc", "_score"):
                out.append(1.0 if name == "_score" else int(doc["_at"] * 1000))
            elif name not in self._mapping:
                raise Failure(400, "query_shard_exception", f"No mapping found for [{name}] in order to sort on")
            elif self._mapping[name] == "text":
                raise Failure(
                    400,
                    "illegal_argument_exception",
                    f"Fielddata is disabled on [{name}] in [{documents.index_name(self._world, self._world.now)}]. Text fields are not optimised for operations that require per-document field data like aggregations and sorting, so these operations are disabled by default. Please use a keyword field instead.",  # noqa: E501
                )
            else:
                out.append(doc.get(name))
        return out

    def _after_values(self, after: list[Any], sort: Sort) -> list[Any]:
        return [
            self._moment(v) * 1000 if name == "@timestamp" and isinstance(v, str) and not formatted else v
            for v, (name, _, formatted) in zip(after, sort, strict=True)
        ]


def _sort(given: Any, *, pit: bool) -> Sort:
    out: Sort = []
    for each in given.split(",") if isinstance(given, str) and given else listed(given or None):
        if isinstance(each, str):
            name, _, direction = each.partition(":")
            out.append((name, direction == "desc" or name == "_score", False))
        else:
            ((name, options),) = each.items()
            direction = options if isinstance(options, str) else options.get("order", "asc")
            out.append((name, direction == "desc", isinstance(options, dict) and bool(options.get("format"))))
    if pit and out and out[-1][0] != "_shard_doc":
        out.append(("_shard_doc", False, False))
    return out


class _Down:
    """Orders the other way round."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __lt__(self, other: _Down) -> bool:
        return bool(other.value < self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Down) and bool(self.value == other.value)


def _key(values: list[Any], sort: Sort) -> list[Any]:
    """Missing values come last, as the default of Elasticsearch is."""
    return [
        (v is None, _Down(v if v is not None else "") if down else (v if v is not None else ""))
        for v, (_, down, _) in zip(values, sort, strict=True)
    ]


@dataclass(frozen=True)
class _Choice:
    """Which fields of a document a hit shows."""

    source: Callable[[str], bool] | None
    fields: Callable[[str], bool] | None


def _choice(body: Any) -> _Choice:
    wanted = body.get("_source", True)
    includes = wanted.get("includes", wanted.get("include", [])) if isinstance(wanted, dict) else wanted
    excludes = wanted.get("excludes", wanted.get("exclude", [])) if isinstance(wanted, dict) else []
    patterns = [f if isinstance(f, str) else f["field"] for f in body.get("fields") or ()]

    def named(name: str, patterns: Any) -> bool:
        return any(fnmatchcase(name, p) or name.startswith(p + ".") for p in listed(patterns))

    # Documents have the same few names over and over: each is decided once a search.
    @cache
    def source(name: str) -> bool:
        if name.startswith("_"):
            return False
        return wanted is True or ((not includes or named(name, includes)) and not named(name, excludes))

    @cache
    def fields(name: str) -> bool:
        return not name.startswith("_") and any(fnmatchcase(name, p) for p in patterns)

    return _Choice(None if wanted is False else source, fields if patterns else None)


def page(body: Any, ask: Ask) -> tuple[int, int]:
    """Size and offset. Raises where the window is larger than an index allows."""
    size = int(body.get("size", ask.get("size") or 10))
    start = int(body.get("from", ask.get("from") or 0))
    if size + start > MAX_WINDOW:
        raise Failure(
            400,
            "illegal_argument_exception",
            f"Result window is too large, from + size must be less than or equal to: [{MAX_WINDOW}] but was [{size + start}]. See the scroll api for a more efficient way to request large data sets. This limit can be set by changing the [index.max_result_window] index level setting.",  # noqa: E501
        )
    return size, start


def _document_id(doc: Doc) -> str:
    """Twenty characters, as the server makes them."""
    high, low = dice.number(doc["_n"]), dice.number(doc["_n"], 2)
    return urlsafe_b64encode(high.to_bytes(8, "big") + low.to_bytes(8, "big")[:7]).decode()
