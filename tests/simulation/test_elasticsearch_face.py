"""The Elasticsearch face through the official client."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from elasticsearch import BadRequestError, Elasticsearch, NotFoundError

from workers.simulation import Running


@pytest.fixture(scope="module")
def es(defect: Running) -> Iterator[Elasticsearch]:
    with Elasticsearch(defect.urls["elasticsearch"], api_key="made-up", request_timeout=10) as client:
        yield client


def minutes(defect: Running, before: int, until: int = 0) -> dict[str, Any]:
    end = defect.now.timestamp()
    return {"range": {"@timestamp": {"gte": int((end - before * 60) * 1000), "lte": int((end - until * 60) * 1000)}}}


def test_the_new_exception_is_found_and_was_not_there_before(es: Elasticsearch, defect: Running) -> None:
    def count(window: dict[str, Any]) -> int:
        query = {
            "bool": {
                "filter": [
                    window,
                    {"term": {"service.name": "orders"}},
                    {"match_phrase": {"message": "AttributeError"}},
                ]
            }
        }
        return int(es.count(index="logs-*", query=query)["count"])

    assert count(minutes(defect, 11)) > 20
    assert count(minutes(defect, 240, 14)) == 0


def test_pages_by_point_in_time_cover_every_document_once(es: Elasticsearch, defect: Running) -> None:
    query = {"bool": {"filter": [minutes(defect, 20), {"terms": {"service.name": ["orders", "checkout"]}}]}}
    total = es.search(index="logs-*", query=query, size=0, track_total_hits=True)["hits"]["total"]["value"]
    pit = es.open_point_in_time(index="logs-*", keep_alive="1m")["id"]
    seen: list[str] = []
    after = None
    while True:
        page = es.search(
            pit={"id": pit, "keep_alive": "1m"},
            size=100,
            query=query,
            search_after=after,
            sort=[{"@timestamp": "desc"}, {"_shard_doc": "asc"}],
            track_total_hits=False,
        )
        hits = page["hits"]["hits"]
        if not hits:
            break
        seen += [h["_id"] for h in hits]
        after = hits[-1]["sort"]
    assert es.close_point_in_time(id=pit)["succeeded"]
    assert len(seen) == len(set(seen)) == total > 100


@pytest.mark.parametrize(
    "query",
    [
        {"query_string": {"query": 'log.level:error AND message:"unhandled exception"'}},
        {"simple_query_string": {"query": '"unhandled exception"', "fields": ["message"]}},
        {
            "bool": {
                "must": [{"match": {"message": {"query": "unhandled exception", "operator": "and"}}}],
                "must_not": [{"term": {"log.level": "info"}}],
            }
        },
        {
            "bool": {
                "should": [{"match_phrase": {"message": "unhandled exception"}}, {"term": {"log.level": "nothing"}}],
                "minimum_should_match": 1,
            }
        },
        {
            "bool": {
                "filter": [
                    {"wildcard": {"kubernetes.pod.name": "orders-*"}},
                    {"match_phrase": {"message": "unhandled exception"}},
                ]
            }
        },
        {
            "bool": {
                "filter": [
                    {"prefix": {"kubernetes.pod.name": "orders-"}},
                    {"exists": {"field": "kubernetes"}},
                    {"match": {"message": "AttributeError"}},
                ]
            }
        },
    ],
)
def test_ways_of_asking_agree(es: Elasticsearch, defect: Running, query: dict[str, Any]) -> None:
    body = {"bool": {"filter": [minutes(defect, 11), query]}}
    hits = es.search(index="logs-*", query=body, size=50, source=["service.name", "message"])["hits"]["hits"]
    assert hits
    assert {h["_source"]["service"]["name"] for h in hits} == {"orders"}
    assert all("unhandled exception in POST /orders" in h["_source"]["message"] for h in hits)


def test_aggregations_count_by_service_and_time(es: Elasticsearch, defect: Running) -> None:
    aggs = {
        "by": {
            "terms": {"field": "service.name", "size": 5},
            "aggs": {
                "first": {"min": {"field": "@timestamp"}},
                "some": {"top_hits": {"size": 1, "_source": ["message"]}},
            },
        },
        "over": {"date_histogram": {"field": "@timestamp", "fixed_interval": "5m"}},
        "pods": {"cardinality": {"field": "kubernetes.pod.name"}},
        "kinds": {"filters": {"filters": {"errors": {"term": {"log.level": "error"}}}}},
    }
    found = es.search(
        index="logs-*",
        size=0,
        query={"bool": {"filter": [minutes(defect, 30), {"term": {"log.level": "error"}}]}},
        aggs=aggs,
    )
    result, total = found["aggregations"], found["hits"]["total"]["value"]
    assert sum(b["doc_count"] for b in result["by"]["buckets"]) + result["by"]["sum_other_doc_count"] == total
    assert (
        sum(b["doc_count"] for b in result["over"]["buckets"])
        == result["kinds"]["buckets"]["errors"]["doc_count"]
        == total
    )
    counts = [b["doc_count"] for b in result["by"]["buckets"]]
    assert counts == sorted(counts, reverse=True)
    assert result["by"]["buckets"][0]["some"]["hits"]["hits"][0]["_source"]["message"]


def test_fields_and_mappings_say_the_same(es: Elasticsearch) -> None:
    caps = es.field_caps(index="logs-*", fields="*")["fields"]
    assert caps["message"]["text"]["aggregatable"] is False
    assert caps["kubernetes.pod.name"]["keyword"]["aggregatable"] is True
    mapping = next(iter(es.indices.get_mapping(index="logs-*").body.values()))["mappings"]["properties"]
    assert mapping["kubernetes"]["properties"]["pod"]["properties"]["name"]["type"] == "keyword"


def test_what_is_not_there_or_not_known_is_refused_in_its_words_and_counted(es: Elasticsearch, defect: Running) -> None:
    with pytest.raises(NotFoundError) as missing:
        es.search(index="nginx", query={"match_all": {}})
    assert missing.value.body["error"]["type"] == "index_not_found_exception"
    assert es.search(index="nginx-*", query={"match_all": {}})["hits"]["total"]["value"] == 0
    with pytest.raises(BadRequestError) as unknown:
        es.search(index="logs-*", query={"geo_shape": {}})
    assert unknown.value.body["error"]["reason"] == "unknown query [geo_shape]"
    with pytest.raises(BadRequestError) as large:
        es.search(index="logs-*", size=20_000)
    assert "Result window is too large" in str(large.value.body)
    assert "query unknown query [geo_shape]" in defect.refused["elasticsearch"]


def test_es_ql_counts_what_the_search_counts(es: Elasticsearch, defect: Running) -> None:
    matching = {"bool": {"filter": [minutes(defect, 30), {"term": {"log.level": "error"}}]}}
    answer = es.esql.query(
        query="FROM logs-* | EVAL late = `@timestamp` >= TO_DATETIME(?start), minute = DATE_TRUNC(1 minute, @timestamp)"
        " | STATS n = COUNT(*) BY late, minute, who = `service.name` | SORT n DESC | LIMIT 5000",
        params=[{"start": (defect.now - timedelta(minutes=10)).isoformat()}],
        filter=matching,
    )
    assert [c["name"] for c in answer["columns"]] == ["n", "late", "minute", "who"]
    assert sum(row[0] for row in answer["values"]) == es.count(index="logs-*", query=matching)["count"]
    assert answer["values"][0][1] is True
    assert answer["values"][0][3] in ("orders", "checkout", "storefront")
    with pytest.raises(BadRequestError, match="Unknown column"):
        es.esql.query(query="FROM logs-* | STATS n = COUNT(*) BY unicorn")
    with pytest.raises(BadRequestError, match="mismatched input"):
        es.esql.query(query='FROM logs-* | DISSECT message "%{a}"')
