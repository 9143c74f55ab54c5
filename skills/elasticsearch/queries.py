"""Questions as query DSL: by time, place, level and words. Pure; absolute times only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from skills.contract import Window
from skills.elasticsearch.fields import WORKLOADS, Field, Layout

Clause = dict[str, Any]

_BAD_WORDS_OF_LEVELS = (
    "error", "err", "fatal", "critical", "crit", "panic", "severe", "emerg", "emergency", "alert", "dpanic",
)  # fmt: skip
_BAD_LEVELS = (*(f for w in _BAD_WORDS_OF_LEVELS for f in (w, w.upper(), w.capitalize())), "E", "F", "50", "60")
"""As programs spell them: a keyword is compared letter by letter. E and F are klog's and mongod's, 50 and 60 pino's."""
_BAD_WORDS = (
    "error exception traceback panic fatal failed failure refused denied unauthorized forbidden timeout unavailable "
    "unreachable exhausted killed oom"
)
"""For lines without a level of their own: words that a tokenizer leaves whole."""
_STRONG_WORDS = "refused denied unauthorized forbidden traceback panic unavailable unreachable exhausted oom killed"
"""Faults that some programs tell at level info (a MongoDB server: all of them)."""


def iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def within(layout: Layout, window: Window) -> Clause:
    found = layout.one("timestamp")
    if found is not None and found.type in ("long", "double", "unsigned_long", "float"):
        return {"range": {found.name: {"gte": _millis(window.start), "lte": _millis(window.end)}}}
    return {"range": {layout.timestamp: {"gte": iso(window.start), "lte": iso(window.end)}}}


def _millis(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def equals(field: Field, value: str) -> Clause:
    """Compared where it can be, else matched as a phrase."""
    return {"term": {field.exact: value}} if field.exact else {"match_phrase": {field.name: value}}


def begins(field: Field, value: str) -> Clause:
    return {"prefix": {field.exact: value}} if field.exact else {"match_phrase_prefix": {field.name: value}}


def any_of(clauses: Sequence[Clause]) -> Clause:
    return clauses[0] if len(clauses) == 1 else {"bool": {"should": list(clauses), "minimum_should_match": 1}}


def of_namespace(layout: Layout, namespace: str) -> list[Clause]:
    field = layout.one("namespace")
    return [equals(field, namespace)] if field and namespace else []


def of_service(layout: Layout, service: str) -> list[Clause]:
    """A service, workload, container or pod (prefix); nothing when the layout knows none of them."""
    if not service:
        return []
    named = [layout.one("service"), layout.one("container"), *(layout.one(kind) for kind in WORKLOADS)]
    clauses = [equals(field, service) for field in named if field]
    if pod := layout.one("pod"):
        clauses += [equals(pod, service), begins(pod, f"{service}-")]
    return [any_of(clauses)] if clauses else []


def has_words(layout: Layout, words: str) -> Clause:
    """Any of these words in any of the message fields."""
    texts = [f.name for f in layout.all("message") if f.is_text]
    if texts:
        return {"multi_match": {"query": words, "fields": texts}} if len(texts) > 1 else {"match": {texts[0]: words}}
    field = layout.one("message")
    name = field.name if field else "message"
    return any_of([{"wildcard": {name: {"value": f"*{word}*", "case_insensitive": True}}} for word in words.split()])


def has_text(layout: Layout, text: str) -> Clause:
    """What a person typed: all of its words, in the simple query syntax."""
    texts = [f.name for f in layout.all("message") if f.is_text]
    if texts:
        return {"simple_query_string": {"query": text, "fields": texts, "default_operator": "and"}}
    field = layout.one("message")
    return {"wildcard": {field.name if field else "message": {"value": f"*{text}*", "case_insensitive": True}}}


def errors(layout: Layout) -> Clause:
    """Lines that complain: by level, by stack trace, or by words where there is no level."""
    level = layout.one("level")
    clauses: list[Clause] = []
    if level is None:
        clauses.append(has_words(layout, _BAD_WORDS))
    else:
        by_words = {"match": {level.name: "error err fatal critical panic severe"}}
        clauses.append({"terms": {level.exact: list(_BAD_LEVELS)}} if level.exact else by_words)
        clauses.append(has_words(layout, _STRONG_WORDS))
        unlevelled = {"must_not": [{"exists": {"field": level.name}}], "must": [has_words(layout, _BAD_WORDS)]}
        clauses.append({"bool": unlevelled})
    clauses += [{"exists": {"field": field.name}} for field in layout.all("stack")]
    return any_of(clauses)


def query(*clauses: Clause) -> Clause:
    return {"bool": {"filter": list(clauses)}}


def sort(layout: Layout, *, newest: bool = False, pit: bool = False) -> list[Clause]:
    order = "desc" if newest else "asc"
    by_time = {layout.timestamp: {"order": order, "unmapped_type": "date"}}
    return [by_time, {"_shard_doc": {"order": order}}] if pit else [by_time]


def writer_field(layout: Layout) -> str | None:
    """By what writers are told apart, of what can be grouped by."""
    writers = (layout.one(role) for role in ("service", *WORKLOADS, "container", "pod"))
    return next((f.exact for f in writers if f and f.exact), None)


def counts(layout: Layout, now: Window, before: Window) -> Mapping[str, Any]:
    """Lines and errors in both windows, by whoever can be told apart: one request for the whole first question."""
    who = writer_field(layout)
    per = {"aggs": {"who": {"terms": {"field": who, "size": 40}}}} if who else {}
    bad = {"filter": errors(layout), **per}
    return {
        "now": {"filter": within(layout, now), "aggs": {"errors": bad}},
        "before": {"filter": within(layout, before), "aggs": {"errors": bad}},
    }
