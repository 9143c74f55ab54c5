"""What the API server tells of its own load. Names and labels: kubernetes.io/docs/reference/instrumentation/metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import sin

from workers.simulation.metrics.series import Series, bound, gauge
from workers.simulation.scene import Scene

Family = Callable[[Scene], Iterable[Series]]
LABELS = {"job": "apiserver", "instance": "apiserver.monitoring:443"}
RATES = {
    ("GET", "leases", "200"): 11.4,
    ("PUT", "leases", "200"): 6.3,
    ("LIST", "pods", "200"): 0.41,
    ("LIST", "nodes", "200"): 0.12,
    ("PATCH", "events", "200"): 0.9,
    ("PUT", "nodes", "200"): 1.2,
    ("WATCH", "pods", "200"): 0.23,
    ("GET", "configmaps", "404"): 0.004,
}
"""Requests a second of a quiet cluster, by verb, resource and code."""


def _requests(scene: Scene) -> Iterable[Series]:
    began = scene.world.founded
    for (verb, resource, code), rate in RATES.items():
        labels = {**LABELS, "verb": verb, "resource": resource, "code": code, "version": "v1", "group": ""}
        yield gauge("apiserver_request_total", labels, bound(lambda r, t: float(int((t - began) * r)), rate))


def _inflight(scene: Scene) -> Iterable[Series]:
    for kind, usual in (("mutating", 3.0), ("readOnly", 9.0)):
        yield gauge(
            "apiserver_current_inflight_requests",
            {**LABELS, "request_kind": kind},
            bound(lambda u, t: float(int(u + u * 0.4 * sin(t / 29))), usual),
        )


def _rejected(scene: Scene) -> Iterable[Series]:
    yield gauge(
        "apiserver_flowcontrol_rejected_requests_total",
        {**LABELS, "flow_schema": "service-accounts", "priority_level": "workload-low", "reason": "queue-full"},
        0.0,
    )


FAMILIES: dict[str, Family] = {
    "apiserver_request_total": _requests,
    "apiserver_current_inflight_requests": _inflight,
    "apiserver_flowcontrol_rejected_requests_total": _rejected,
}
