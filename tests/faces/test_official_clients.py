"""The official clients of Kubernetes and Elasticsearch, beyond what the skills ask: discovery, scrolls, refusals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import elasticsearch
import pytest
from elasticsearch import helpers
from kubernetes import client, dynamic, watch
from kubernetes.client.exceptions import ApiException

from workers.simulation import Running, start

pytestmark = pytest.mark.faces


@pytest.fixture(scope="module", params=("oom-after-deploy", "two-at-once"))
def world(request: pytest.FixtureRequest) -> Iterator[Running]:
    running = start(request.param, skills=("kubernetes", "elasticsearch"))
    yield running
    running.close()


@pytest.fixture(scope="module")
def api(world: Running) -> client.ApiClient:
    configuration = client.Configuration()
    configuration.host, configuration.retries = world.urls["kubernetes"], False
    return client.ApiClient(configuration)


@pytest.fixture(scope="module")
def es(world: Running) -> Iterator[elasticsearch.Elasticsearch]:
    with elasticsearch.Elasticsearch(world.urls["elasticsearch"], request_timeout=120) as it:
        yield it


def test_the_dynamic_client_discovers_all_kinds_and_reads_each(api: client.ApiClient, tmp_path: Path) -> None:
    it = dynamic.DynamicClient(api, cache_file=str(tmp_path / "discovery"))
    kinds = [
        r
        for r in it.resources.search()
        if "list" in (r.verbs or ()) and "/" not in r.name and not r.kind.endswith("List")
    ]
    read = 0
    for kind in kinds:
        if kind.kind != "CustomResourceDefinition":
            listed = it.resources.get(api_version=kind.group_version, kind=kind.kind, name=kind.name).get()
            for each in listed.items[:1]:
                assert each.kind in (kind.kind, None)
            read += len(listed.items)
    print(f"\n{len(kinds)} kinds, {read} objects")
    assert len(kinds) > 35
    assert read > 500


def test_both_versions_of_an_autoscaler_say_the_same(api: client.ApiClient) -> None:
    one = client.AutoscalingV1Api(api).list_horizontal_pod_autoscaler_for_all_namespaces().items
    two = client.AutoscalingV2Api(api).list_horizontal_pod_autoscaler_for_all_namespaces().items
    assert [(h.metadata.name, h.spec.max_replicas, h.status.current_replicas) for h in one] == [
        (h.metadata.name, h.spec.max_replicas, h.status.current_replicas) for h in two
    ]
    assert all(h.spec.target_cpu_utilization_percentage for h in one)


def test_a_watch_tells_what_there_is_and_ends(api: client.ApiClient) -> None:
    core = client.CoreV1Api(api)
    told = list(watch.Watch().stream(core.list_namespaced_pod, "shop", timeout_seconds=5))
    assert {e["type"] for e in told} == {"ADDED"}
    assert {e["object"].metadata.name for e in told} == {
        p.metadata.name for p in core.list_namespaced_pod("shop").items
    }


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (lambda api: client.CoreV1Api(api).delete_namespaced_pod("x", "shop"), 'pods \\\\"x\\\\" is forbidden'),
        (lambda api: client.AppsV1Api(api).delete_collection_namespaced_deployment("shop"), "cannot deletecollection"),
        (lambda api: client.ApiextensionsV1Api(api).list_custom_resource_definition(), "at the cluster scope"),
        (lambda api: client.LogsApi(api).log_file_list_handler(), "cannot get path"),
    ],
)
def test_what_changes_something_is_forbidden(api: client.ApiClient, asked: Any, words: str) -> None:
    with pytest.raises(ApiException, match=words) as refused:
        asked(api)
    assert refused.value.status == 403


def test_a_scroll_gives_every_hit_once_and_is_cleared(es: elasticsearch.Elasticsearch, world: Running) -> None:
    since = (world.now - timedelta(minutes=10)).isoformat()
    query = {"bool": {"filter": [{"range": {"@timestamp": {"gte": since}}}, {"term": {"log.level": "error"}}]}}
    scanned = [h["_id"] for h in helpers.scan(es, index="logs-*", query={"query": query}, size=50)]
    assert len(scanned) == len(set(scanned)) == es.count(index="logs-*", query=query)["count"] > 100
    first = es.search(index="logs-*", query=query, size=5, scroll="1m", sort=["@timestamp"])
    second = es.scroll(scroll_id=first["_scroll_id"], scroll="1m")
    pages = es.search(index="logs-*", query=query, size=10, sort=["@timestamp"])
    assert [h["_id"] for h in (*first["hits"]["hits"], *second["hits"]["hits"])] == [
        h["_id"] for h in pages["hits"]["hits"]
    ]
    assert es.clear_scroll(scroll_id=first["_scroll_id"])["num_freed"] == 1
    with pytest.raises(elasticsearch.NotFoundError, match="search_phase_execution_exception"):
        es.scroll(scroll_id=first["_scroll_id"])


@pytest.mark.parametrize(
    ("asked", "action"),
    [
        (lambda es: es.index(index="logs-x", document={"a": 1}), "indices:data/write/index"),
        (lambda es: es.bulk(operations=[{"index": {"_index": "x"}}, {"a": 1}]), "indices:data/write/bulk"),
        (lambda es: es.delete_by_query(index="logs-*", query={"match_all": {}}), "write/delete/byquery"),
        (lambda es: es.indices.delete(index="logs-*"), "indices:admin/delete"),
        (lambda es: es.indices.stats(index="logs-*"), "indices:monitor/stats"),
        (lambda es: es.nodes.info(), "cluster:monitor/nodes/info"),
        (lambda es: es.sql.query(query="SELECT 1"), "indices:data/read/sql"),
    ],
)
def test_what_a_reader_may_not_is_unauthorized(es: elasticsearch.Elasticsearch, asked: Any, action: str) -> None:
    with pytest.raises(elasticsearch.AuthorizationException, match=f"{action}.* is unauthorized"):
        asked(es)
