"""The simulated Prometheus through prometheus-api-client, and both alert APIs through promtool and amtool."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.faces.conftest import binary
from workers.simulation import Running, start

pytestmark = pytest.mark.faces
client = pytest.importorskip("prometheus_api_client", reason="`make faces` installs it")

WORLDS = ("oom-after-deploy", "two-at-once", "poison-message")


@pytest.fixture(scope="module", params=WORLDS)
def world(request: pytest.FixtureRequest) -> Iterator[Running]:
    running = start(request.param, skills=("prometheus",))
    yield running
    running.close()


@pytest.fixture(scope="module")
def prometheus(world: Running) -> Any:
    return client.PrometheusConnect(url=world.urls["prometheus"], disable_ssl=True)


def test_it_takes_the_server_for_one(prometheus: Any, world: Running) -> None:
    assert prometheus.check_prometheus_connection()
    names = prometheus.all_metrics()
    assert {"up", "kube_pod_info", "container_memory_working_set_bytes"} <= set(names)
    assert "namespace" in prometheus.get_label_names()
    assert "kubelet" in prometheus.get_label_values("job")
    assert set(prometheus.get_scrape_pools()) == set(prometheus.get_label_values("job", {"match[]": "up"}))


def test_every_family_is_read_now_and_over_time(prometheus: Any, world: Running) -> None:
    """Each name that it lists: the newest value, and a range in pieces that fit together."""
    read = 0
    for name in prometheus.all_metrics():
        now = prometheus.custom_query(name, {"time": world.now.timestamp()})
        series = prometheus.custom_query_range(name, world.now - timedelta(minutes=10), world.now, "60")
        there = {frozenset(s["metric"].items()) for s in series}
        assert {frozenset(s["metric"].items()) for s in now} <= there
        for row in now:
            assert row["metric"]["__name__"] == name
            float(row["value"][1])
        read += len(now)
    print(f"\n{world.name}: {read} series of {len(prometheus.all_metrics())} families")
    assert read > 1000


def test_a_range_in_chunks_is_the_range(prometheus: Any, world: Running) -> None:
    asked = {"start_time": world.now - timedelta(minutes=30), "end_time": world.now}
    chunks = prometheus.get_metric_range_data("up", {"job": "kubelet"}, chunk_size=timedelta(minutes=10), **asked)
    whole = prometheus.get_metric_range_data("up", {"job": "kubelet"}, **asked)

    def joined(rows: list[Any]) -> dict[str, set[tuple[float, str]]]:
        found: dict[str, set[tuple[float, str]]] = {}
        for row in rows:
            found.setdefault(row["metric"]["instance"], set()).update((t, v) for t, v in row["values"])
        return found

    assert joined(chunks) == joined(whole) != {}


def test_targets_and_what_they_tell_agree(prometheus: Any) -> None:
    targets = prometheus.get_targets()["activeTargets"]
    up = {(r["metric"]["job"], r["metric"]["instance"]): r["value"][1] for r in prometheus.custom_query("up")}
    assert {(t["labels"]["job"], t["labels"]["instance"]): {"up": "1", "down": "0"}[t["health"]] for t in targets} == up
    assert len({t["lastScrapeDuration"] for t in targets}) == len(targets)
    told = prometheus.get_target_metadata({"job": "kubelet"})
    assert {t["target"]["job"] for t in told} == {"kubelet"}
    assert {t["metric"] for t in told} <= set(prometheus.all_metrics())
    assert prometheus.get_target_metadata({"job": "kubelet"}, metric="kubelet_running_pods") is not None
    assert prometheus.get_metric_metadata("up")[0]["metric_name"] == "up"


def test_a_query_that_is_none_is_refused_in_words(prometheus: Any) -> None:
    with pytest.raises(client.PrometheusApiClientException, match=r"400.*bad_data.*parse error"):
        prometheus.custom_query("sum(")


def tool(name: str, *arguments: str) -> str:
    done = subprocess.run([binary(name), *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{name} {' '.join(arguments)}: {done.stderr or done.stdout}"
    return done.stdout


def test_promtool_asks_all_that_it_can(world: Running) -> None:
    url, now = world.urls["prometheus"], world.now
    at = f"{now:%Y-%m-%dT%H:%M:%SZ}"
    vector = json.loads(tool("promtool", "query", "instant", "-o", "json", f"--time={at}", url, "sum by (job) (up)"))
    assert {row["metric"]["job"] for row in vector} >= {"kubelet", "apiserver"}
    span = (f"--start={(now - timedelta(minutes=5)).timestamp()}", f"--end={now.timestamp()}")
    matrix = tool("promtool", "query", "range", *span, "--step=1m", url, "sum(up)")
    assert matrix.count("@[") == 6
    assert "kubelet" in tool("promtool", "query", "labels", url, "job")
    series = tool("promtool", "query", "series", "--match=up{job='kubelet'}", url)
    assert len(series.splitlines()) == len(prometheus_nodes(world))


def prometheus_nodes(world: Running) -> list[Any]:
    found: list[Any] = client.PrometheusConnect(url=world.urls["prometheus"]).custom_query("up{job='kubelet'}")
    return found


def test_amtool_asks_all_that_it_can(world: Running) -> None:
    def am(*arguments: str) -> str:
        return tool("amtool", f"--alertmanager.url={world.urls['alertmanager']}", *arguments)

    alerts = json.loads(am("alert", "query", "-o", "json"))
    firing = {(a["labels"]["alertname"], a["fingerprint"]) for a in alerts}
    assert {(a["labels"]["alertname"], a["fingerprint"]) for a in world.alert["alerts"]} <= firing
    name = world.alert["alerts"][0]["labels"]["alertname"]
    some = json.loads(am("alert", "query", "-o", "json", f"alertname={name}"))
    assert {a["labels"]["alertname"] for a in some} == {name}
    assert name in am("alert", "query", name)
    assert json.loads(am("silence", "query", "-o", "json"))
    assert "receiver" in am("config", "show")
    assert am("cluster", "show")
    refused = subprocess.run(
        [binary("amtool"), f"--alertmanager.url={world.urls['alertmanager']}", "silence", "add", "-c", "x", "a=b"],
        capture_output=True,
        text=True,
    )
    assert refused.returncode != 0
