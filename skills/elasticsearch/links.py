"""Addresses in Kibana Discover (OpenSearch Dashboards takes the same): a time range and a query."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

from skills.contract import Entity, Excerpt, Window
from skills.elasticsearch.fields import Layout
from skills.elasticsearch.queries import iso
from skills.elasticsearch.settings import Settings


def discover_link(settings: Settings, window: Window, kuery: str = "") -> str | None:
    """None without link_base. Rison as Discover reads it: strings in single quotes, ! and ' escaped by !."""
    if settings.link_base is None:
        return None
    span = f"(time:(from:'{iso(window.start)}',to:'{iso(window.end)}'))"
    view = f"index:'{_rison(settings.data_view)}'," if settings.data_view else ""
    state = f"({view}query:(language:kuery,query:'{_rison(kuery)}'))"
    base = settings.link_base.rstrip("/")
    return f"{base}/app/discover#/?_g={quote(span, safe=_PLAIN)}&_a={quote(state, safe=_PLAIN)}"


_PLAIN = "():,'!*"


def _rison(text: str) -> str:
    return text.replace("!", "!!").replace("'", "!'")


def kuery(layout: Layout, *, namespace: str = "", service: str = "", text: str = "") -> str:
    parts = []
    if namespace and (field := layout.one("namespace")):
        parts.append(f'{field.name}:"{_quoted(namespace)}"')
    if service and (field := layout.one("pod")):
        parts.append(f"{field.name}:{service}*")
    elif service and (field := layout.one("service")):
        parts.append(f'{field.name}:"{_quoted(service)}"')
    if text:
        parts.append(f'"{_quoted(text)}"')
    return " and ".join(parts)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def excerpt_link(settings: Settings, layout: Layout, excerpt: Excerpt) -> str | None:
    """A minute on either side of the excerpt, in its writer's lines."""
    if excerpt.at is None:
        return excerpt.link
    entity = excerpt.entity or Entity(kind="", name="")
    minute = timedelta(minutes=1)
    asked = kuery(layout, namespace=entity.namespace or "", service=entity.name if entity.kind != "Namespace" else "")
    return discover_link(settings, Window(excerpt.at - minute, excerpt.at + minute), asked)
