"""Addresses in Grafana Explore: a range and a query (Grafana documentation, "Explore", schema version 1 of its URL)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import quote

from skills.contract import Excerpt, Window
from skills.loki import logql
from skills.loki.labels import WORKLOADS, Layout
from skills.loki.settings import Settings


def explore_link(settings: Settings, window: Window, expressions: Sequence[str]) -> str | None:
    """None without link_base."""
    if settings.link_base is None:
        return None
    source = {"type": "loki", **({"uid": settings.datasource} if settings.datasource else {})}
    queries = [
        {"refId": chr(ord("A") + i), "expr": each, "queryType": "range", "datasource": source}
        for i, each in enumerate(expressions)
    ]
    millis = [str(int(at.timestamp() * 1000)) for at in (window.start, window.end)]
    pane = {
        **({"datasource": settings.datasource} if settings.datasource else {}),
        "queries": queries,
        "range": {"from": millis[0], "to": millis[1]},
    }
    panes = quote(json.dumps({"logs": pane}, separators=(",", ":")), safe="")
    return f"{settings.link_base.rstrip('/')}/explore?schemaVersion=1&panes={panes}&orgId=1"


def excerpt_link(settings: Settings, known: Layout, excerpt: Excerpt) -> str | None:
    """A minute on either side of the excerpt, in its writer's lines."""
    if excerpt.at is None:
        return excerpt.link
    entity, matchers = excerpt.entity, []
    if entity is not None and (pod := known.selectable("pod")) and entity.kind in (*WORKLOADS, "Pod"):
        matchers.append(logql.among(pod, f"{entity.name}.*"))
    elif entity is not None and (service := known.selectable("service")) and entity.kind in WORKLOADS:
        matchers.append(logql.matcher(service, entity.name))
    namespace = (entity.namespace or "") if entity else ""
    where = logql.place(known, namespace, settings.matchers, settings.namespaces, matchers)
    minute = timedelta(minutes=1)
    return explore_link(settings, Window(excerpt.at - minute, excerpt.at + minute), [where])
