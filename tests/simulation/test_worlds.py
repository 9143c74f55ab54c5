"""The worlds: the same bytes each time, consequences after the onset and none before it, no loopback, honest files."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from workers.simulation import SimulationError
from workers.simulation.clock import moment
from workers.simulation.faces.exchange import Ask
from workers.simulation.running import Staged, stage
from workers.simulation.scenario import parse

ASKS = {
    "kubernetes": [
        Ask("GET", "/api/v1/pods"),
        Ask("GET", "/api/v1/events"),
        Ask("GET", "/apis/apps/v1/replicasets"),
        Ask("GET", "/api/v1/nodes"),
        Ask("GET", "/api/v1/services"),
    ],
    "elasticsearch": [
        Ask(
            "POST",
            "/logs-*/_search",
            body=json.dumps(
                {"size": 200, "sort": [{"@timestamp": "desc"}], "query": {"range": {"@timestamp": {"gte": "now-10m"}}}}
            ).encode(),
        )
    ],
    "prometheus": [
        Ask("GET", "/api/v1/query", (("query", "sum by (service, code) (rate(http_requests_total[5m]))"),)),
        Ask("GET", "/api/v1/alerts"),
    ],
}


def answers(staged: Staged) -> list[bytes]:
    return [staged.faces[name].answer(ask).body for name, asks in ASKS.items() for ask in asks]


def value(staged: Staged, query: str, at: float | None = None) -> float:
    time = (("time", str(at)),) if at else ()
    body = json.loads(staged.faces["prometheus"].answer(Ask("GET", "/api/v1/query", (("query", query), *time))).body)
    assert body["status"] == "success", body
    return sum(float(r["value"][1]) for r in body["data"]["result"])


def objects(staged: Staged, path: str) -> list[dict[str, Any]]:
    return list(json.loads(staged.faces["kubernetes"].answer(Ask("GET", path)).body)["items"])


@pytest.mark.parametrize("name", ["oom-after-deploy", "selector-mismatch", "exception-in-release"])
def test_the_same_scenario_gives_the_same_bytes(name: str) -> None:
    one, two = stage(name), stage(name)
    assert answers(one) == answers(two)
    assert one.alert == two.alert
    assert one.truth == two.truth


def test_another_moment_moves_the_whole_world() -> None:
    at = datetime(2027, 3, 2, 9, 41, 8, tzinfo=UTC)
    staged = stage("oom-after-deploy", at=at)
    fired = moment(staged.alert["alerts"][0]["startsAt"])
    assert 0 < at.timestamp() - fired < 900
    assert moment(staged.truth.causes[0].onset) < fired


@pytest.mark.parametrize("name", ["oom-after-deploy", "dns-misconfigured", "kubelet-silent", "traffic-surge"])
def test_the_alert_fires_after_the_onset_and_nothing_shows_a_loopback(name: str) -> None:
    staged = stage(name)
    now = staged.scene.world.now
    fired = moment(staged.alert["alerts"][0]["startsAt"])
    assert fired <= now
    for cause in staged.truth.causes:
        assert moment(cause.onset) < now
    texts = b"".join(answers(staged)) + json.dumps(staged.alert).encode()
    for tell in (b"127.0.0.1:", b"//localhost", b"test-1", b"simulat"):
        assert tell not in texts, tell


def test_memory_kills_are_seen_everywhere_and_only_after_the_release() -> None:
    staged = stage("oom-after-deploy")
    onset, now = moment(staged.truth.causes[0].onset), staged.scene.world.now
    pods = [p for p in objects(staged, "/api/v1/namespaces/shop/pods") if p["metadata"]["labels"].get("app") == "cart"]
    assert pods
    for pod in pods:
        status = pod["status"]["containerStatuses"][0]
        assert status["lastState"]["terminated"]["reason"] == "OOMKilled"
        assert status["lastState"]["terminated"]["exitCode"] == 137
        assert status["restartCount"] >= 2
    restarts = 'sum(kube_pod_container_status_restarts_total{namespace="shop",pod=~"cart-.*"})'
    assert value(staged, restarts, now) == sum(p["status"]["containerStatuses"][0]["restartCount"] for p in pods)
    assert value(staged, "sum(increase(container_oom_events_total[1h]))", onset - 60) == 0
    assert value(staged, 'max(container_memory_working_set_bytes{pod=~"cart-.*"})', onset - 600) > 250 * 2**20
    assert (
        value(staged, 'min(kube_pod_container_resource_limits{pod=~"cart-.*",resource="memory"})', now) == 128 * 2**20
    )
    failed = 'sum(rate(http_requests_total{service="checkout",code=~"5.."}[5m]))'
    assert value(staged, failed, onset - 60) == 0
    assert value(staged, failed, now) > 0.05


def test_a_selector_that_matches_nothing_empties_the_endpoints_while_pods_are_ready() -> None:
    staged = stage("selector-mismatch")
    onset, now = moment(staged.truth.causes[0].onset), staged.scene.world.now
    endpoints = next(
        e for e in objects(staged, "/api/v1/namespaces/shop/endpoints") if e["metadata"]["name"] == "payment"
    )
    assert not endpoints.get("subsets")
    pods = [
        p for p in objects(staged, "/api/v1/namespaces/shop/pods") if p["metadata"]["labels"].get("app") == "payment"
    ]
    assert pods
    assert all(p["status"]["containerStatuses"][0]["ready"] for p in pods)
    available = 'kube_endpoint_address_available{endpoint="payment"}'
    assert value(staged, available, onset - 60) == len(pods)
    assert value(staged, available, now) == 0
    served = 'sum(rate(http_requests_total{service="payment"}[2m]))'
    assert value(staged, served, onset - 60) > 0.1
    assert value(staged, served, now) == 0
    body = {
        "size": 1,
        "query": {
            "bool": {
                "filter": [{"term": {"service.name": "checkout"}}, {"match_phrase": {"message": "connection refused"}}]
            }
        },
    }
    hits = json.loads(
        staged.faces["elasticsearch"].answer(Ask("POST", "/logs-*/_search", body=json.dumps(body).encode())).body
    )["hits"]
    assert hits["total"]["value"] > 10
    assert moment(hits["hits"][0]["_source"]["@timestamp"]) >= onset


def test_an_exception_begins_with_its_release_on_its_pods_alone() -> None:
    staged = stage("exception-in-release")
    cause, now = staged.truth.causes[0], staged.scene.world.now
    assert cause.change
    replica_set = next(i for i in cause.change["ids"] if i.startswith("orders-"))
    failed = 'sum(increase(http_requests_total{service="orders",code="500",pod%s"%s-.*"}[1h]))'
    assert value(staged, failed % ("=~", replica_set), now) > 50
    assert value(staged, failed % ("!~", replica_set), now) == 0


GOOD: dict[str, Any] = {
    "title": "x",
    "company": "shop",
    "faults": [{"fault": "memory_limit_too_low", "victim": "cart"}],
    "alert": {"rule": "KubePodCrashLooping"},
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"company": "bakery"}, "company: there is no company called 'bakery'; there are freight, shop"),
        (
            {"faults": [{"fault": "gremlins", "victim": "cart"}]},
            "faults.0.fault: 'gremlins' is not in skills/faults.yaml",
        ),
        (
            {"faults": [{"fault": "memory_limit_too_low", "victim": "basket"}]},
            "faults.0.victim: shop has nothing called 'basket'",
        ),
        (
            {"faults": [{"fault": "memory_limit_too_low", "victim": "cart", "options": {"colour": 1}}]},
            "faults.0.options.colour: memory_limit_too_low has no such option",
        ),
        ({"weather": "bad"}, "weather: no such key"),
        ({"decoys": [{"service": "cart", "ago": "5m"}]}, "'cart' is the victim of a fault"),
        ({"faults": [{"fault": "memory_limit_too_low", "victim": "cart", "onset": "soon"}]}, "'soon' is no duration"),
        ({"verdict": "false_alarm"}, "faults: a false alarm has none"),
        ({"faults": []}, "faults: verdict incident needs one"),
        ({"kinds": ["bad_luck"]}, "kinds: 'bad_luck' is no kind of group L"),
    ],
)
def test_a_scenario_that_cannot_be_is_refused_with_file_key_and_reason(change: dict[str, Any], words: str) -> None:
    with pytest.raises(SimulationError) as refusal:
        parse({**GOOD, **change}, "x", "scenarios/x.yaml")
    assert words in str(refusal.value)


def test_a_scenario_whose_alert_does_not_follow_from_its_world_is_refused() -> None:
    wrong = parse({**GOOD, "alert": {"rule": "RedisDown"}}, "x", "scenarios/x.yaml")
    with pytest.raises(SimulationError, match="RedisDown does not fire"):
        stage("x", of=wrong)


def test_who_puts_a_service_right_owns_the_fields_that_were_wrong() -> None:
    path = "/api/v1/namespaces/shop/services"
    payment = next(s for s in objects(stage("port-put-right"), path) if s["metadata"]["name"] == "payment")
    newest = max(payment["metadata"]["managedFields"], key=lambda entry: str(entry["time"]))
    assert (newest["manager"], list(newest["fieldsV1"]["f:spec"])) == ("kubectl-edit", ["f:ports"])
