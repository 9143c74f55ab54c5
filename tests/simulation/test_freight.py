"""The second company: another cloud's names, another log schema, Kafka; and a reader who may not read everything."""

from __future__ import annotations

import json
from typing import Any

import pytest

from workers.simulation.faces.exchange import Ask
from workers.simulation.running import Staged, stage
from workers.simulation.scenario import load


@pytest.fixture(scope="module")
def poisoned() -> Staged:
    return stage("consumer-poisoned")


def search(staged: Staged, body: dict[str, Any]) -> Any:
    return json.loads(
        staged.faces["elasticsearch"].answer(Ask("POST", "/logs-*/_search", body=json.dumps(body).encode())).body
    )


def test_logs_are_in_the_schema_of_fluent_bit(poisoned: Staged) -> None:
    found = search(
        poisoned,
        {
            "size": 3,
            "query": {
                "bool": {
                    "filter": [
                        {"match_phrase": {"log": "cannot decode message"}},
                        {"term": {"kubernetes.labels.app.keyword": "enricher"}},
                    ]
                }
            },
        },
    )
    hit = found["hits"]["hits"][0]
    assert hit["_index"].startswith("logs-ops-west4-")
    assert hit["_source"]["kubernetes"]["namespace_name"] == "pipeline"
    assert "json.decoder.JSONDecodeError" in hit["_source"]["log"]
    assert hit["_source"]["level"] == "ERROR"
    assert "message" not in hit["_source"]


def test_terms_need_the_keyword_and_text_is_analyzed(poisoned: Staged) -> None:
    def count(query: dict[str, Any]) -> int:
        window = {"range": {"@timestamp": {"gte": "now-15m"}}}
        return int(
            search(poisoned, {"size": 0, "query": {"bool": {"filter": [window, query]}}})["hits"]["total"]["value"]
        )

    assert count({"term": {"level.keyword": "ERROR"}}) > 0
    assert count({"term": {"level": "ERROR"}}) == 0  # the analyzer made it lower case
    assert count({"match": {"level": "ERROR"}}) == count({"term": {"level": "error"}}) > 0


def test_lag_of_the_consumer_grows_from_the_onset(poisoned: Staged) -> None:
    now = poisoned.scene.world.now
    series = [
        s for s in poisoned.scene.metrics.named("kafka_consumergroup_lag") if s.labels["consumergroup"] == "enricher"
    ]
    before, after = ([s.sample(t) for s in series] for t in (now - 1800, now))
    assert all(b is not None and b[1] < 20 for b in before)
    high = [s.labels["partition"] for s, a in zip(series, after, strict=True) if a is not None and a[1] > 3000]
    assert high == ["2"]  # the partition of the message that cannot be read; the others go on


def test_nodes_have_their_cloud_s_names(poisoned: Staged) -> None:
    nodes = json.loads(poisoned.faces["kubernetes"].answer(Ask("GET", "/api/v1/nodes")).body)["items"]
    assert len(nodes) == 7
    assert all(n["metadata"]["name"].startswith("gke-") for n in nodes)


def test_a_reader_without_a_permission_is_told_so() -> None:
    staged = stage("x", of=load("consumer-poisoned").model_copy(update={"forbidden": ("nodes", "secrets")}))
    answer = staged.faces["kubernetes"].answer(Ask("GET", "/api/v1/namespaces/data/secrets"))
    assert answer.status == 403
    body = json.loads(answer.body)
    assert body["message"].startswith('secrets is forbidden: User "system:serviceaccount:')
    assert body["message"].endswith('cannot list resource "secrets" in API group "" in the namespace "data"')


def test_missing_telemetry_is_missing_without_a_trace() -> None:
    scenario = load("consumer-poisoned")
    staged = stage(
        "x", of=scenario.model_copy(update={"missing": ("logs:enricher", "container_memory_working_set_bytes")})
    )
    found = search(staged, {"size": 0, "query": {"term": {"kubernetes.labels.app.keyword": "enricher"}}})
    assert found["hits"]["total"]["value"] == 0
    body = json.loads(
        staged.faces["prometheus"]
        .answer(Ask("GET", "/api/v1/query", (("query", "container_memory_working_set_bytes"),)))
        .body
    )
    assert body["data"]["result"] == []
