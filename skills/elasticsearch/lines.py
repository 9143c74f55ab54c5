"""Hits to log lines: when, what, by whom, in any of the layouts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from skills.contract import Entity, LogLine
from skills.elasticsearch.fields import WORKLOADS, Layout, first, flat
from skills.loglines import opened

EXTRA = frozenset(("kubernetes.pod_owner",))
"""Fields that are read here beyond those of the layout."""
_FRACTION = re.compile(r"(\.\d{6})\d+")
_REPLICA_SET = re.compile(r"^(?:ReplicaSet/)?(.+)-[a-z0-9]{5,10}$")


def lines_of(hits: Iterable[Mapping[str, Any]], layout: Layout) -> list[LogLine]:
    """Oldest first; a hit without a readable time is left out."""
    found = [line for hit in hits if (line := line_of(hit, layout))]
    return sorted(found, key=lambda line: line.at)


def line_of(hit: Mapping[str, Any], layout: Layout) -> LogLine | None:
    source = hit.get("_source")
    values = dict(flat(source)) if isinstance(source, Mapping) else {}
    at = time_of(values.get(layout.timestamp), hit.get("sort"))
    if at is None:
        return None
    trace = first(values, layout.all("trace"))
    fields = {"id": str(hit.get("_id", "")), **({"trace": trace} if trace else {})}
    service = first(values, layout.all("service"))
    if service:
        fields["service"] = service
    return LogLine(
        at=at,
        text=_text(values, layout),
        entity=_writer(values, layout, service),
        container=first(values, layout.all("container")),
        level=first(values, layout.all("level")),
        fields=fields,
    )


def _text(values: Mapping[str, Any], layout: Layout) -> str:
    """The message, then what it does not already say of the error and its stack trace."""
    text = opened(first(values, layout.all("message"))).rstrip("\n")
    for role, joint in (("detail", ": "), ("stack", "\n")):
        more = first(values, layout.all(role)).rstrip("\n")
        if more and more[:200] not in text:
            text = f"{text}{joint}{more}" if text else more
    return text or json.dumps({k: v for k, v in values.items() if k != layout.timestamp}, default=str)[:2000]


def _writer(values: Mapping[str, Any], layout: Layout, service: str) -> Entity | None:
    """The owning workload where the shipper knows it, else the pod, else what is named like the service."""
    namespace = first(values, layout.all("namespace")) or None
    for kind in WORKLOADS:
        if name := first(values, layout.all(kind)):
            return Entity(kind=kind, namespace=namespace, name=name)
    owner = values.get("kubernetes.pod_owner")  # vector: Kind/name
    if isinstance(owner, str) and "/" in owner:
        kind, _, name = owner.partition("/")
        if kind in WORKLOADS:
            return Entity(kind=kind, namespace=namespace, name=name)
        if kind == "ReplicaSet" and (match := _REPLICA_SET.match(name)):
            return Entity(kind="Deployment", namespace=namespace, name=match[1])
    if pod := first(values, layout.all("pod")):
        return Entity(kind="Pod", namespace=namespace, name=pod)
    return Entity(kind="Deployment", namespace=namespace, name=service) if service else None


def time_of(value: Any, sort: Any = None) -> datetime | None:
    """ISO text, epoch seconds or milliseconds; else the sort value, which is epoch milliseconds."""
    if isinstance(value, str):
        try:
            at = datetime.fromisoformat(_FRACTION.sub(r"\1", value))
            return at if at.tzinfo else at.replace(tzinfo=UTC)
        except ValueError:
            if value.replace(".", "", 1).isdigit():
                return time_of(float(value))
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        unit = next((unit for limit, unit in ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3)) if value > limit), 1.0)
        return _moment(value, unit)
    if isinstance(sort, list) and sort and isinstance(sort[0], (int, float)):
        return _moment(sort[0], 1000)
    return None


def _moment(value: float, unit: float) -> datetime | None:
    """None for what no clock has shown."""
    try:
        return datetime.fromtimestamp(value / unit, UTC)
    except (ValueError, OverflowError, OSError):
        return None
