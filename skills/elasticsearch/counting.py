"""How many lines and errors there are, now and before: by ES|QL where the cluster has it, minute by minute, else by one
aggregation."""

from __future__ import annotations

from skills.contract import Window
from skills.elasticsearch import esql, queries
from skills.elasticsearch.client import Client
from skills.elasticsearch.fields import Layout
from skills.logview.reading import Counted, Counts
from skills.rest import at, rows
from skills.trouble import Refused, Unanswered


def count(client: Client, layout: Layout, now: Window, before: Window, namespace: str) -> Counted | None:
    """None where the server does not aggregate. Raises ToolError for credentials and for load."""
    if layout.guessed:
        return None
    try:
        return esql.count(client, layout, now, before, namespace) or _aggregated(client, layout, now, before, namespace)
    except Unanswered:
        client.without_esql = True
        return None  # counting took too long; lines are read without it


def _aggregated(client: Client, layout: Layout, now: Window, before: Window, namespace: str) -> Counted | None:
    both = Window(min(before.start, now.start), now.end)
    body = {
        "size": 0,
        "query": queries.query(queries.within(layout, both), *queries.of_namespace(layout, namespace)),
        "aggs": queries.counts(layout, now, before),
    }
    try:
        answer = client.search(body)
    except Refused as error:
        if error.status in (401, 429):
            raise
        return None
    if "now" not in answer.aggregations:
        return None
    return Counted(_counts(answer.aggregations["now"]), _counts(answer.aggregations.get("before")), answer.problems)


def _counts(bucket: object) -> Counts:
    if not isinstance(bucket, dict):
        return Counts(0, 0, {})
    buckets = rows(bucket, "errors", "who", "buckets")
    return Counts(
        lines=_number(bucket, "doc_count"),
        errors=_number(bucket, "errors", "doc_count"),
        by_writer={str(b.get("key")): _number(b, "doc_count") for b in buckets},
    )


def _number(obj: object, *path: str) -> int:
    found = at(obj, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) else 0
