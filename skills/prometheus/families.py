"""What the same golden signals are called by others: each is asked for by the names of every family, and told in the
labels of one (namespace, service), so that rules are written once.

Names and labels: OpenTelemetry semantic conventions for HTTP and RPC metrics as its Prometheus exporter writes them
(`job` is `<service.namespace>/<service.name>`), the span metrics connector, Micrometer's `http.server.requests` and
`http.client.requests`, go-grpc-prometheus, Istio's standard metrics as the destination reports them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from skills.contract import Series
from skills.prometheus.look import Question

_OTEL = "job, service_name, k8s_namespace_name, namespace"
_SPRING = "namespace, application, service, app, job"
_MESH = "destination_service_name, destination_workload_namespace"
_SERVED = 'span_kind="SPAN_KIND_SERVER"'


@dataclass(frozen=True)
class _Family:
    name: str
    by: str
    count: str
    times: str
    """Of durations, without _sum and _count."""
    ill: str
    matchers: str = ""
    scale: str = ""


_BAD_STATUS = 'status_code="STATUS_CODE_ERROR"'
_BAD_GRPC = 'grpc_code=~"Unknown|Internal|Unavailable|DataLoss|DeadlineExceeded"'
_BY_GRPC = "namespace, service, job, app"
_HTTP, _HTTP_BEFORE = "http_server_request_duration_seconds", "http_server_duration_milliseconds"
_RPC, _SPANS = "rpc_server_duration_milliseconds", "traces_span_metrics_duration_milliseconds"
_SERVER = "http_server_requests_seconds"
_FAMILIES = (
    _Family("otel", _OTEL, f"{_HTTP}_count", _HTTP, 'http_response_status_code=~"5.."'),
    _Family("otel_before", _OTEL, f"{_HTTP_BEFORE}_count", _HTTP_BEFORE, 'http_status_code=~"5.."', scale=" / 1000"),
    _Family("spring", _SPRING, f"{_SERVER}_count", _SERVER, 'status=~"5.."', "{ns}"),
    _Family("spans", "service_name", "traces_span_metrics_calls_total", _SPANS, _BAD_STATUS, _SERVED, " / 1000"),
    _Family("spans_before", "service_name", "calls_total", "duration_milliseconds", _BAD_STATUS, _SERVED, " / 1000"),
    _Family("grpc", _BY_GRPC, "grpc_server_handled_total", "grpc_server_handling_seconds", _BAD_GRPC, "{ns}"),
    _Family("rpc", _OTEL, f"{_RPC}_count", _RPC, 'rpc_grpc_status_code=~"2|4|13|14|15"', scale=" / 1000"),
    _Family("mesh", _MESH, "istio_requests_total", "istio_request_duration_milliseconds", 'response_code=~"5..|0"',
            'reporter="destination"', " / 1000"),
)  # fmt: skip


def _asked(it: _Family) -> dict[str, str]:
    also = f",{it.ill}" if it.matchers else it.ill
    mean = (
        f"sum by ({it.by}) (rate({it.times}_sum{{{it.matchers}}}[5m]))"
        f" / sum by ({it.by}) (rate({it.times}_count{{{it.matchers}}}[5m])){it.scale}"
    )
    return {
        "requests": f"sum by ({it.by}) (rate({it.count}{{{it.matchers}}}[5m]))",
        "errors": f"sum by ({it.by}) (rate({it.count}{{{it.matchers}{also}}}[5m]))",
        "latency": mean,
    }


_CLIENTS = {
    "calls@spring": "http_client_requests_seconds",
    "calls@otel": "http_client_request_duration_seconds",
}
_OF_CLIENTS = {"calls@spring": f"{_SPRING}, client_name", "calls@otel": f"{_OTEL}, server_address"}
_WHOSE = {"calls@spring": "{ns}", "calls@otel": 'service_name!=""'}


def questions() -> tuple[Question, ...]:
    """`requests@otel` and so on: what the question before the @ asks, in the names of the family behind it."""
    signals = [Question(f"{q}@{f.name}", expression) for f in _FAMILIES for q, expression in _asked(f).items()]
    clients = [
        Question(
            name,
            f"sum by ({_OF_CLIENTS[name]}) (rate({metric}_sum{{{_WHOSE[name]}}}[5m]))"
            f" / sum by ({_OF_CLIENTS[name]}) (rate({metric}_count{{{_WHOSE[name]}}}[5m]))",
        )
        for name, metric in _CLIENTS.items()
    ]
    return (*signals, *clients)


def united(
    answers: Mapping[str, tuple[Series, ...]], expressions: Mapping[str, str], namespaces: Iterable[str]
) -> tuple[dict[str, tuple[Series, ...]], dict[str, str]]:
    """Answers and expressions by the plain names: of each service what the first family that knows it says."""
    here = tuple(namespaces)
    merged = {name: found for name, found in answers.items() if "@" not in name}
    asked = {name: text for name, text in expressions.items() if "@" not in name}
    for name, found in answers.items():
        question, at, _ = name.partition("@")
        if not at or not found:
            continue
        known = {_key(s) for s in merged.get(question, ())}
        told = [plain for s in found if (plain := _plain(s, here)) is not None and _key(plain) not in known]
        if told:
            before = merged.get(question, ())
            merged[question] = (*before, *told)
            asked[question] = f"{asked[question]} or {expressions[name]}" if before else expressions[name]
    return merged, asked


def _key(series: Series) -> tuple[str, str]:
    labels = series.labels
    whose = labels.get("service") or labels.get("app") or labels.get("job") or ""
    return whose, labels.get("peer") or labels.get("server_address") or ""


def _plain(series: Series, namespaces: tuple[str, ...]) -> Series | None:
    """The same with namespace, service and peer; None for what is of another namespace."""
    labels = series.labels
    prefix, _, last = labels.get("job", "").rpartition("/")
    service = (
        labels.get("destination_service_name")
        or labels.get("service_name")
        or labels.get("application")
        or labels.get("service")
        or labels.get("app")
        or last
    )
    place = labels.get("destination_workload_namespace") or labels.get("k8s_namespace_name") or labels.get("namespace")
    # OpenTelemetry's service.namespace is the cluster's only where somebody made it so.
    place = place or (prefix if prefix in namespaces else "")
    if not service or service == "unknown" or (place and namespaces and place not in namespaces):
        return None
    told = {"service": service, **({"namespace": place} if place else {})}
    peer = labels.get("client_name") or labels.get("server_address") or labels.get("peer")
    return replace(series, labels={**told, **({"peer": peer} if peer else {})})
