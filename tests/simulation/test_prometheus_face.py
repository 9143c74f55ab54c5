"""The Prometheus face over HTTP: its shapes, its errors, its catalogue."""

from __future__ import annotations

import json
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from workers.simulation import Running


def get(running: Running, path: str, *, post: bool = False, **fields: Any) -> Any:
    url, data = f"{running.urls['prometheus']}/api/v1/{path}", urlencode(fields, doseq=True)
    request = Request(url, data=data.encode()) if post else Request(f"{url}?{data}")
    try:
        with urlopen(request) as answer:
            return json.loads(answer.read())
    except HTTPError as error:
        return json.loads(error.read())


def test_a_range_asked_by_get_and_by_form_is_the_same(oom: Running) -> None:
    end = oom.now.timestamp()
    fields = {
        "query": 'sum by (code) (rate(http_requests_total{service="checkout"}[5m]))',
        "start": end - 1800,
        "end": end,
        "step": "60s",
    }
    one = get(oom, "query_range", **fields)
    assert one == get(oom, "query_range", post=True, **fields)
    assert one["data"]["resultType"] == "matrix"
    assert {r["metric"]["code"] for r in one["data"]["result"]} >= {"200", "503"}
    assert len(one["data"]["result"][0]["values"]) == 31


def test_errors_have_the_real_shape_and_what_is_not_done_is_counted(oom: Running) -> None:
    wrong = get(oom, "query", query="sum(rate(up[5m])")
    assert (wrong["status"], wrong["errorType"]) == ("error", "bad_data")
    assert wrong["error"] == 'invalid parameter "query": 1:17: parse error: unclosed left parenthesis'
    assert "subqueries" in get(oom, "query", query="max_over_time(up[1h:1m])")["error"]
    assert any("subqueries" in what for what in oom.refused["prometheus"])
    assert "11,000 points" in get(oom, "query_range", query="up", start=0, end=oom.now.timestamp(), step=1)["error"]
    execution = get(oom, "query", query="kube_pod_info / on (namespace) kube_pod_info")
    assert execution["errorType"] == "execution"


def test_the_catalogue_answers_by_matcher(oom: Running) -> None:
    assert "container_memory_working_set_bytes" in get(oom, "label/__name__/values")["data"]
    assert (
        get(oom, "label/service/values", **{"match[]": 'http_requests_total{namespace="shop"}'})["data"][0]
        == "accounts"
    )
    series = get(oom, "series", **{"match[]": 'kube_deployment_spec_replicas{deployment="cart"}'})["data"]
    assert [s["deployment"] for s in series] == ["cart"]
    assert {"namespace", "pod", "container"} <= set(
        get(oom, "labels", **{"match[]": "container_memory_working_set_bytes"})["data"]
    )
    assert get(oom, "metadata", metric="http_requests_total")["data"]["http_requests_total"][0]["type"] == "counter"


def test_the_alert_that_left_is_among_alerts_rules_and_series(oom: Running) -> None:
    firing = [a for a in get(oom, "alerts")["data"]["alerts"] if a["labels"]["alertname"] == "KubePodCrashLooping"]
    assert {a["labels"]["pod"] for a in firing} >= {a["labels"]["pod"] for a in oom.alert["alerts"]}
    rule = next(
        r for g in get(oom, "rules")["data"]["groups"] for r in g["rules"] if r["name"] == "KubePodCrashLooping"
    )
    assert (rule["state"], rule["health"]) == ("firing", "ok")
    series = get(oom, "query", query='ALERTS{alertname="KubePodCrashLooping", alertstate="firing"}')["data"]["result"]
    assert len(series) == len(firing)


def test_targets_tell_what_is_down(oom: Running) -> None:
    targets = get(oom, "targets")["data"]["activeTargets"]
    down = {t["labels"].get("service") for t in targets if t["health"] == "down"}
    assert down == {"cart"}


@pytest.mark.parametrize(
    "query",
    [
        "node_memory_MemAvailable_bytes",
        "pg_up",
        "kube_node_status_condition",
        "coredns_dns_requests_total",
        "kubelet_volume_stats_available_bytes",
    ],
)
def test_usual_exporters_are_there(oom: Running, query: str) -> None:
    assert get(oom, "query", query=query)["data"]["result"]
