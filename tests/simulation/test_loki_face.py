"""The Loki face by its documented API, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

from workers.simulation import Running, start
from workers.simulation.faces.loki import detected_level


@pytest.fixture(scope="module")
def defect() -> Iterator[Running]:
    running = start("exception-in-release", skills=("loki", "elasticsearch"))
    yield running
    running.close()


class Api:
    def __init__(self, running: Running) -> None:
        self.base = running.urls["loki"] + "/loki/api/v1"
        self.end = int(running.now.timestamp() * 1e9)

    def get(self, path: str, **fields: str) -> tuple[int, Any]:
        answer = urllib3.request("GET", self.base + path, fields=fields, retries=False, timeout=20)
        text = answer.data.decode()
        return answer.status, json.loads(text) if answer.headers["Content-Type"] == "application/json" else text

    def range(self, query: str, minutes: float, **fields: str) -> Any:
        start_at = str(int(self.end - minutes * 60e9))
        status, answer = self.get("/query_range", query=query, start=start_at, end=str(self.end), **fields)
        assert status == 200, answer
        return answer["data"]


@pytest.fixture(scope="module")
def loki(defect: Running) -> Api:
    return Api(defect)


def test_log_lines_come_as_streams_with_nanoseconds_as_text_and_metadata_among_the_labels(loki: Api) -> None:
    data = loki.range('{namespace="shop", app="orders"} |= "AttributeError" | detected_level="unknown"', 11, limit="50")
    rows = loki.range('{namespace="shop", app="orders"} |= "AttributeError"', 11, limit="50", direction="forward")
    assert data["resultType"] == rows["resultType"] == "streams"
    stream = rows["result"][0]
    assert {"namespace", "app", "pod", "container", "node_name", "service_name", "detected_level"} == set(
        stream["stream"]
    )
    stamps = [int(at) for at, _ in stream["values"]]
    assert stamps == sorted(stamps)
    assert all(loki.end - 660e9 <= at < loki.end for at in stamps)
    assert all("AttributeError" in text for _, text in stream["values"])
    assert rows["stats"]["summary"]["totalEntriesReturned"] == sum(len(r["values"]) for r in rows["result"])


def test_counts_agree_with_the_lines_and_with_elasticsearch(loki: Api, defect: Running) -> None:
    errors = '{namespace="shop"} |= "AttributeError"'
    found = loki.range(errors, 11, limit="5000")["result"]
    status, answer = loki.get("/query", query=f"sum(count_over_time({errors} [11m]))", time=str(loki.end))
    assert (status, answer["data"]["resultType"]) == (200, "vector")
    lines = sum(len(stream["values"]) for stream in found)
    assert int(answer["data"]["result"][0]["value"][1]) == lines > 20
    window = {"range": {"@timestamp": {"gte": loki.end // 1_000_000 - 660_000, "lte": loki.end // 1_000_000}}}
    filters = [window, {"term": {"kubernetes.namespace": "shop"}}, {"match_phrase": {"message": "AttributeError"}}]
    body = json.dumps({"query": {"bool": {"filter": filters}}})
    count = urllib3.request(
        "POST", defect.urls["elasticsearch"] + "/logs-*/_count", body=body, headers={"Content-Type": "application/json"}
    )
    assert abs(count.json()["count"] - lines) <= 1


def test_metric_queries_over_a_range_give_a_matrix_and_topk_the_loudest(loki: Api) -> None:
    by_app = loki.range('sum by (app) (rate({namespace="shop"} |~ `(?i)error` [5m]))', 20, step="300")
    assert by_app["resultType"] == "matrix"
    assert all(set(row["metric"]) == {"app"} and len(row["values"]) <= 5 for row in by_app["result"])
    loudest = loki.range('topk(1, sum by (app) (count_over_time({namespace="shop"} |= "Traceback" [10m])))', 0.001)
    assert {row["metric"]["app"] for row in loudest["result"]} == {"orders"}


def test_json_and_logfmt_give_labels_to_filter_by(loki: Api) -> None:
    found = loki.range('{namespace="shop"} | json | level="info" and msg=~"req.*" or status="500"', 5, limit="10")
    assert found["result"]
    assert all(r["stream"].get("msg") == "request" or r["stream"].get("status") == "500" for r in found["result"])


def test_labels_values_and_series_tell_what_there_is(loki: Api) -> None:
    assert "namespace" in loki.get("/labels")[1]["data"]
    assert "orders" in loki.get("/label/app/values", query='{namespace="shop"}')[1]["data"]
    assert "data" not in loki.get("/label/unicorn/values")[1]
    series = loki.get("/series", **{"match[]": '{app="orders"}'})[1]["data"]
    assert {s["app"] for s in series} == {"orders"}
    stats = loki.get("/index/stats", query='{app="orders"}', start=str(loki.end - 300_000_000_000), end=str(loki.end))[
        1
    ]
    assert set(stats) == {"streams", "chunks", "entries", "bytes"}


@pytest.mark.parametrize(
    ("path", "fields", "words"),
    [
        ("/query_range", {"query": '{app="orders"'}, "parse error at line 1, col 14: syntax error: unexpected $end"),
        ("/query_range", {"query": '{app=~".*"}'}, "at least one regexp or equality matcher"),
        ("/query_range", {"query": '{app="orders"}', "limit": "5001"}, "(5001 > 5000)"),
        (
            "/query_range",
            {"query": '{app="orders"}', "start": "1"},
            "the query time range exceeds the limit (query length",
        ),
        ("/query", {"query": '{app="orders"}'}, "log queries are not supported as an instant query type"),
        ("/query", {"query": 'sum(count_over_time({app="a"} [5x]))'}, "parse error at line 1"),
    ],
)
def test_a_request_that_is_not_valid_is_refused_in_plain_text(
    loki: Api, path: str, fields: dict[str, str], words: str
) -> None:
    status, answer = loki.get(path, **fields)
    assert status == 400
    assert isinstance(answer, str)
    assert words in answer


def test_what_is_valid_and_not_done_is_refused_and_counted(loki: Api, defect: Running) -> None:
    assert loki.get("/query_range", query='{app="orders"} | line_format "{{.pod}}"')[0] == 400
    assert loki.get("/patterns", query='{app="orders"}')[0] == 404
    assert defect.refused["loki"] == {"query stage line_format": 1, "GET /loki/api/v1/patterns": 1}


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ('{"level":"error","msg":"informed"}', "error"),
        ("level=warn msg=slow", "warn"),
        ("2026-01-01 00:00:00 ERROR    [a] no", "unknown"),
        ("ERROR: no userinfo", "info"),
        ("[ERROR] no", "error"),
        ("Traceback (most recent call last):", "unknown"),
    ],
)
def test_the_level_is_guessed_as_the_server_guesses_it(text: str, level: str) -> None:
    assert detected_level(text) == level
