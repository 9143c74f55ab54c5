"""Which field holds what: the layouts of ECS, fluentd, fluent-bit, filebeat, vector and OpenTelemetry, discovered.

Asked of the field capabilities; where those are refused of the mapping; where that is refused guessed from one hit.
A text field is matched, a keyword field is compared: a term query on a text field finds nothing, and says so nowhere.
Field names: ECS reference; fluent-bit and fluentd kubernetes filters; vector kubernetes_logs source; OpenTelemetry
Elasticsearch exporter (mapping modes none, ecs, otel) and OpenSearch exporter (ss4o).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from skills.contract import ToolError
from skills.elasticsearch.client import Client
from skills.elasticsearch.settings import FieldNames
from skills.trouble import Refused

_K8S = ("resource.attributes.k8s", "resource.k8s", "Resource.k8s", "k8s", "resource.attributes.resource.k8s")


def _otel(name: str) -> tuple[str, ...]:
    return tuple(f"{prefix}.{name}" for prefix in _K8S)


CANDIDATES: Mapping[str, tuple[str, ...]] = {
    "timestamp": ("@timestamp", "timestamp", "time", "Timestamp", "ts", "observedTimestamp", "date"),
    "message": ("message", "body.text", "log", "msg", "body", "Body", "event.original", "textPayload", "MESSAGE"),
    "level": (
        "log.level", "severity_text", "severity.text", "SeverityText", "level", "severity", "loglevel", "log_level",
        "levelname", "lvl",
    ),
    "service": (
        "service.name", "resource.attributes.service.name", "resource.service.name", "Resource.service.name",
        "kubernetes.labels.app_kubernetes_io/name", "kubernetes.labels.app", "kubernetes.pod_labels.app",
        "kubernetes.labels.app.kubernetes.io/name", "kubernetes.labels.k8s-app", "kubernetes.labels.component",
        "serviceName", "service_name", "service", "app", "application",
    ),
    "namespace": (
        "kubernetes.namespace", "kubernetes.namespace_name", "kubernetes.pod_namespace", "kubernetes.namespace.name",
        *_otel("namespace.name"), "namespace", "namespace_name",
    ),
    "pod": ("kubernetes.pod.name", "kubernetes.pod_name", *_otel("pod.name"), "kubernetes.pod", "pod_name", "pod"),
    "container": (
        "kubernetes.container.name", "kubernetes.container_name", *_otel("container.name"), "container_name",
        "container.name", "container",
    ),
    "Deployment": ("kubernetes.deployment.name", *_otel("deployment.name")),
    "StatefulSet": ("kubernetes.statefulset.name", *_otel("statefulset.name")),
    "DaemonSet": ("kubernetes.daemonset.name", *_otel("daemonset.name")),
    "CronJob": ("kubernetes.cronjob.name", *_otel("cronjob.name")),
    "stack": (
        "error.stack_trace", "attributes.exception.stacktrace", "exception.stacktrace",
        "Attributes.exception.stacktrace", "stack_trace", "stacktrace", "stack", "exc_info", "exception",
    ),
    "detail": (
        "error.message", "attributes.exception.message", "exception.message", "Attributes.exception.message", "error",
        "err",
    ),
    "trace": (
        "trace.id", "trace_id", "traceId", "TraceId", "traceID", "traceid", "dd.trace_id", "http.request.id",
        "request_id", "requestId", "x_request_id", "correlation_id", "correlationId",
    ),
}  # fmt: skip
"""Roles, and the names that they have, the likeliest first."""

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "CronJob")
_MANY = frozenset(("message", "trace", "detail", "stack", *WORKLOADS))
"""Roles that several fields may play at once."""

_EXACT = frozenset(("keyword", "constant_keyword", "wildcard", "flattened", "ip", "long", "integer", "boolean"))
_TEXT = frozenset(("text", "match_only_text", "pattern_text"))


@dataclass(frozen=True)
class Field:
    name: str
    type: str
    exact: str | None
    """The name to compare and aggregate by: itself, or its .keyword; None when only words can be matched."""

    @property
    def is_text(self) -> bool:
        return self.type in _TEXT


@dataclass(frozen=True)
class Layout:
    roles: Mapping[str, tuple[Field, ...]] = field(default_factory=dict)
    guessed: bool = False
    """From a hit, not from the cluster's word: only forgiving queries are safe."""

    def one(self, role: str) -> Field | None:
        fields = self.roles.get(role, ())
        return fields[0] if fields else None

    def all(self, role: str) -> tuple[Field, ...]:
        return self.roles.get(role, ())

    @property
    def timestamp(self) -> str:
        found = self.one("timestamp")
        return found.name if found else "@timestamp"


def discover(client: Client, overrides: FieldNames) -> Layout:
    """The layout of the client's index. Raises ToolError when the index is not there or nothing may be read."""
    asked = tuple(dict.fromkeys(n for name in _names(overrides) for n in (name, f"{name}.keyword")))
    try:
        types = _types_of_caps(client.field_caps(asked))
    except Refused as error:
        if error.status in (401, 429):
            raise
        types = _types_of_mapping(client)
    if types:
        return _layout(types, overrides)
    return _guess(client, overrides)


def _names(overrides: FieldNames) -> Iterator[str]:
    for role, names in CANDIDATES.items():
        if given := getattr(overrides, role, None):
            yield given
        yield from names


def _types_of_caps(fields: Mapping[str, Any]) -> dict[str, str]:
    """The commonest type of each field; a field of two types is compared only if each of them can be."""
    types = {}
    for name, by_type in fields.items():
        if isinstance(by_type, Mapping) and by_type:
            kinds = [kind for kind in by_type if kind not in ("unmapped", "object", "nested")]
            if kinds:
                types[name] = next((k for k in kinds if k in _TEXT), kinds[0])
    return types


def _types_of_mapping(client: Client) -> dict[str, str]:
    try:
        answer = client.mapping()
    except Refused:
        return {}
    types: dict[str, str] = {}
    for index in answer.values():
        mappings = index.get("mappings") if isinstance(index, Mapping) else None
        if isinstance(mappings, Mapping):
            types |= dict(_leaves(mappings.get("properties") or {}, ""))
    return types


def _leaves(properties: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, spec in properties.items():
        if not isinstance(spec, Mapping):
            continue
        if isinstance(spec.get("type"), str) and spec["type"] not in ("object", "nested"):
            yield prefix + name, spec["type"]
        yield from _leaves(spec.get("properties") or {}, f"{prefix}{name}.")
        yield from _leaves(spec.get("fields") or {}, f"{prefix}{name}.")


def _layout(types: Mapping[str, str], overrides: FieldNames, guessed: bool = False) -> Layout:
    roles: dict[str, tuple[Field, ...]] = {}
    for role, names in CANDIDATES.items():
        given = getattr(overrides, role, None)
        found = [_field(name, types) for name in ([given] if given else names) if name in types or name == given]
        if role == "timestamp":
            found.sort(key=lambda f: not f.type.startswith("date"))
        if found:
            roles[role] = tuple(found) if role in _MANY else (found[0],)
    return Layout(roles, guessed)


def _field(name: str, types: Mapping[str, str]) -> Field:
    kind = types.get(name, "keyword")
    if kind in _EXACT:
        return Field(name, kind, name)
    keyword = f"{name}.keyword"
    return Field(name, kind, keyword if keyword in types else None)


def _guess(client: Client, overrides: FieldNames) -> Layout:
    """From the fields of one hit, all taken for text: words are matched, nothing is aggregated."""
    answer = client.search({"size": 1, "query": {"match_all": {}}})
    if not answer.hits:
        nothing = "no index matches" if answer.shards == 0 else "it holds no document that may be read"
        raise ToolError(f"nothing to read in {client.settings.index!r}: {nothing}")
    source = answer.hits[0].get("_source")
    names = dict(flat(source)) if isinstance(source, Mapping) else {}
    types = {name: "date" if name in CANDIDATES["timestamp"] else "text" for name in names}
    return _layout(types, overrides, guessed=True)


def flat(source: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Leaves by dotted name, whether the document nests or dots them."""
    for key, value in source.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def first(values: Mapping[str, Any], fields: Iterable[Field]) -> str:
    """The first of these fields that a flattened document has, as text."""
    for each in fields:
        value = values.get(each.name)
        if isinstance(value, list):
            value = value[0] if value else None
        if value not in (None, ""):
            return str(value)
    return ""
