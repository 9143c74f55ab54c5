"""Metrics of a case: what kube-state-metrics says of its objects, what services say of their requests, single series.

A series in short form: `name{labels} 3 9@-12 ~40@-2`: 3 until twelve minutes ago, then 9, rising to 40 by two minutes
ago; it begins where its first figure has a moment. With `+` before that figure it is a counter that grows by so much a
second.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.field.objects import NOW, Obj
from workers.simulation.metrics.series import Series

_SERIES = re.compile(r"^(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>[^}]*)\})? (?P<course>.+)$")
_POINT = re.compile(r"^(?P<slope>~)?(?P<value>[-\d.e]+)(?:@-?(?P<at>[\d.]+))?$")
_BEFORE = 12 * 3600.0
Course = Callable[[float], float]


def parsed(text: str, pods: Mapping[str, str]) -> Series:
    """`%orders` is the first pod of orders, `%orders.1` its second."""
    match = _SERIES.match(re.sub(r"%([\w-]+(?:\.\d)?)", lambda m: pods[m[1]], text))
    assert match, text
    labels = dict(re.findall(r'(\w+)="([^"]*)"', match["labels"] or ""))
    begins, _, _ = _point(match["course"].split()[0].removeprefix("+"))
    return Series({"__name__": match["name"], **labels}, course(match["course"]), ((begins, 1e12),))


def course(text: str) -> Course:
    words = text.split()
    grows = words[0].startswith("+")
    points = [_point(word.removeprefix("+")) for word in words]
    return _summed(points) if grows else lambda at: _value(points, at)


def _point(word: str) -> tuple[float, float, bool]:
    """(moment, value, whether it is approached in a line)"""
    match = _POINT.match(word)
    assert match, word
    at = NOW.timestamp() - float(match["at"]) * 60 if match["at"] else NOW.timestamp() - _BEFORE
    return at, float(match["value"]), bool(match["slope"])


def _value(points: Sequence[tuple[float, float, bool]], at: float) -> float:
    before = points[0]
    for point in points[1:]:
        moment, value, slope = point
        if at < moment:
            if not slope:
                return before[1]
            share = (at - before[0]) / (moment - before[0])
            return before[1] + (value - before[1]) * min(1.0, max(0.0, share))
        before = point
    return before[1]


def _summed(points: Sequence[tuple[float, float, bool]]) -> Course:
    """What a counter shows that grows at these rates (steps only)."""

    def at_moment(at: float) -> float:
        total = 0.0
        for number, (moment, rate, _) in enumerate(points):
            until = points[number + 1][0] if number + 1 < len(points) else at
            total += rate * max(0.0, min(at, until) - moment)
        return total

    return at_moment


_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


_FORMS: dict[str, tuple[str, str, str, str, str, dict[str, str]]] = {
    "istio": (
        "istio_requests_total", "istio_request_duration_milliseconds", "response_code", "200", "503",
        {"reporter": "destination", "destination_workload": "SERVICE", "destination_service_name": "SERVICE",
         "destination_workload_namespace": "PLACE", "source_workload": "CALLER", "source_workload_namespace": "PLACE"},
    ),
    "classic": (
        "http_requests_total", "http_request_duration_seconds", "code", "200", "500",
        {"namespace": "PLACE", "service": "SERVICE", "pod": "POD", "job": "SERVICE", "method": "POST"},
    ),
    "spring": (
        "http_server_requests_seconds_count", "http_server_requests_seconds", "status", "200", "500",
        {"namespace": "PLACE", "pod": "POD", "application": "SERVICE", "uri": "/api", "method": "POST"},
    ),
    "otel": (
        "http_server_request_duration_seconds_count", "http_server_request_duration_seconds",
        "http_response_status_code", "200", "500",
        {"service_name": "SERVICE", "job": "PLACE/SERVICE", "http_request_method": "POST", "http_route": "/api"},
    ),
    "spans": (
        "traces_span_metrics_calls_total", "traces_span_metrics_duration_milliseconds", "status_code",
        "STATUS_CODE_UNSET", "STATUS_CODE_ERROR",
        {"service_name": "SERVICE", "span_kind": "SPAN_KIND_SERVER", "span_name": "POST /api"},
    ),
}  # fmt: skip
"""Counter, duration, label of the status, its value when well and when not, labels."""


def golden(it: Mapping[str, Any], namespace: str, pods: Mapping[str, str]) -> Iterator[Series]:
    """Requests of one service: {form, service, rate, errors, seconds, caller}; each figure a course of steps."""
    counts, times, label, well, ill, labels = _FORMS[it["form"]]
    words = {"SERVICE": it["service"], "PLACE": namespace, "CALLER": it.get("caller", "frontend")}
    words["POD"] = pods.get(it["service"], it["service"])
    about = {k: re.sub("|".join(words), lambda m: str(words[m[0]]), v) for k, v in labels.items()}
    ok, failed = {label: well}, {label: it.get("code", ill)}
    unit = 1000.0 if times.endswith("milliseconds") else 1.0
    rate, bad = it.get("rate", "20"), it.get("errors", "0")
    slow = it.get("seconds", "0.05")
    begins = ((_point(rate.split()[0])[0], 1e12),)
    points = [_point(w) for w in rate.split()]
    yield Series({"__name__": counts, **about, **ok}, _summed(points), begins)
    yield Series({"__name__": counts, **about, **failed}, _summed([_point(w) for w in bad.split()]), begins)
    steps = _product(rate, slow)
    if counts != f"{times}_count":
        flat = [(a, r, False) for a, r, _ in steps]
        yield Series({"__name__": f"{times}_count", **about, **ok}, _summed(flat), begins)
    taken = [(a, r * s * unit, False) for a, r, s in steps]
    yield Series({"__name__": f"{times}_sum", **about, **ok}, _summed(taken), begins)
    for bound in (*_BOUNDS, None):
        le = "+Inf" if bound is None else f"{bound * unit:g}"
        shares = [(a, r * _share(bound, s), False) for a, r, s in steps]
        yield Series({"__name__": f"{times}_bucket", **about, **ok, "le": le}, _summed(shares), begins)


def _product(rate: str, slow: str) -> list[tuple[float, float, float]]:
    """(moment, rate, mean seconds) wherever either changes."""
    rates, times = [_point(w) for w in rate.split()], [_point(w) for w in slow.split()]
    moments = sorted({p[0] for p in (*rates, *times)})
    return [(m, _value(rates, m), _value(times, m)) for m in moments]


def _share(bound: float | None, mean: float) -> float:
    """Of requests within a bound, where they are spread from half the mean to three times the mean."""
    if bound is None:
        return 1.0
    return min(1.0, max(0.0, (bound / mean - 0.4) / 2.6))


def object_state(objects: Sequence[Obj]) -> Iterator[Series]:
    """What kube-state-metrics says of the objects. Restarts are spread over the last minutes."""
    for obj in objects:
        metadata, status = obj["metadata"], obj.get("status", {})
        place, name = metadata.get("namespace", ""), metadata["name"]
        born = _moment(metadata["creationTimestamp"])
        if obj["kind"] == "Pod":
            yield from _pod_state(obj, place, name, born)
        elif obj["kind"] == "Deployment":
            about = {"namespace": place, "deployment": name}
            yield _gauge("kube_deployment_spec_replicas", about, obj["spec"]["replicas"], born)
            yield _gauge("kube_deployment_status_replicas_available", about, status.get("availableReplicas", 0), born)
        elif obj["kind"] == "StatefulSet":
            about = {"namespace": place, "statefulset": name}
            yield _gauge("kube_statefulset_replicas", about, obj["spec"]["replicas"], born)
            yield _gauge("kube_statefulset_status_replicas_ready", about, status.get("readyReplicas", 0), born)
        elif obj["kind"] == "ReplicaSet":
            owner = metadata["ownerReferences"][0]
            about = {"namespace": place, "replicaset": name, "owner_kind": owner["kind"], "owner_name": owner["name"]}
            yield _gauge("kube_replicaset_owner", about, 1, born)
        elif obj["kind"] == "Node":
            address = status["addresses"][0]["address"]
            yield _gauge("kube_node_info", {"node": name, "internal_ip": address}, 1, born)
            for each in status["conditions"]:
                for value in ("true", "false", "unknown"):
                    about = {"node": name, "condition": each["type"], "status": value}
                    turned = _moment(each["lastTransitionTime"])
                    usual = "true" if each["type"] == "Ready" else "false"
                    yield Series(
                        {"__name__": "kube_node_status_condition", **about},
                        _turning(float(value == usual), float(value == each["status"].lower()), turned),
                    )
        elif obj["kind"] == "ResourceQuota":
            for kind in ("hard", "used"):
                for resource, amount in status.get(kind, {}).items():
                    about = {"namespace": place, "resourcequota": name, "resource": resource, "type": kind}
                    yield _gauge("kube_resourcequota", about, _quantity(amount), born)


def _pod_state(pod: Obj, place: str, name: str, born: float) -> Iterator[Series]:
    status, spec = pod["status"], pod["spec"]
    about = {"namespace": place, "pod": name}
    owner = (pod["metadata"].get("ownerReferences") or [{"kind": "", "name": ""}])[0]
    where = {"node": spec.get("nodeName", ""), "pod_ip": status.get("podIP", ""), "host_ip": status.get("hostIP", "")}
    by = {"created_by_kind": owner["kind"], "created_by_name": owner["name"]}
    yield _gauge("kube_pod_info", {**about, **where, **by}, 1, born)
    for phase in ("Pending", "Running", "Succeeded", "Failed", "Unknown"):
        yield _gauge("kube_pod_status_phase", {**about, "phase": phase}, float(phase == status["phase"]), born)
    ready = next((c for c in status.get("conditions", []) if c["type"] == "Ready"), None)
    if ready:
        for value in ("true", "false", "unknown"):
            turned = _turning(
                float(value == "true"), float(value == ready["status"].lower()), _moment(ready["lastTransitionTime"])
            )
            yield Series({"__name__": "kube_pod_status_ready", **about, "condition": value}, turned, ((born, 1e12),))
    for each in status.get("containerStatuses", []):
        of = {**about, "container": each["name"]}
        count = each["restartCount"]
        climbing = _climbing(count, born, each.get("lastState", {}).get("terminated"))
        yield Series({"__name__": "kube_pod_container_status_restarts_total", **of}, climbing, ((born, 1e12),))
        if reason := each["state"].get("waiting", {}).get("reason"):
            yield _gauge("kube_pod_container_status_waiting_reason", {**of, "reason": reason}, 1, born)
        if ended := each.get("lastState", {}).get("terminated"):
            about_end = {**of, "reason": ended["reason"]}
            yield _gauge("kube_pod_container_status_last_terminated_reason", about_end, 1, _moment(ended["finishedAt"]))
    for container in spec["containers"]:
        for kind in ("limits", "requests"):
            for resource, amount in container.get("resources", {}).get(kind, {}).items():
                unit = "core" if resource == "cpu" else "byte"
                of = {**about, "container": container["name"], "resource": resource, "unit": unit}
                yield _gauge(f"kube_pod_container_resource_{kind}", of, _quantity(amount), born)


def _gauge(name: str, labels: Mapping[str, str], value: float, since: float) -> Series:
    return Series({"__name__": name, **labels}, lambda _at: float(value), ((since, 1e12),))


def _turning(before: float, after: float, moment: float) -> Course:
    return lambda at: before if at < moment else after


def _climbing(count: int, born: float, ended: Obj | None) -> Course:
    """Restarts as far apart as the last run and the time since tell."""
    if not ended:
        return lambda _at: float(count)
    last, now = _moment(ended["finishedAt"]), NOW.timestamp()
    apart = max(30.0, now - _moment(ended["startedAt"]))
    moments = [max(born, last - apart * number) for number in range(count)]
    return lambda at: float(sum(m <= at for m in moments))


def _moment(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()


_UNITS = {"m": 1e-3, "k": 1e3, "Ki": 2**10, "M": 1e6, "Mi": 2**20, "G": 1e9, "Gi": 2**30, "": 1.0}


def _quantity(text: Any) -> float:
    match = re.fullmatch(r"([\d.]+)([A-Za-z]*)", str(text))
    return float(match[1]) * _UNITS[match[2]] if match else 0.0


# --- Prometheus -----------------------------------------------------------------------------------------------------


@dataclass
class Metrics:
    """The series of a case, found by name as the face asks for them."""

    series: list[Series]
    families: dict[str, list[Series]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for each in self.series:
            self.families.setdefault(each.labels["__name__"], []).append(each)

    def named(self, name: str) -> list[Series]:
        return self.families.get(name, [])
