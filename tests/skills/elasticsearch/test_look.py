"""The first look and the tools, through the real client over HTTP, in the layouts of the usual shippers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest

from skills.contract import (
    Access,
    Entity,
    Focus,
    LogQuery,
    QueryMeter,
    SkillContext,
    ToolResult,
    Window,
)
from skills.elasticsearch.settings import Settings
from skills.elasticsearch.tools import Elasticsearch, connect
from tests.skills.elasticsearch.cluster import Cluster, serve
from tests.skills.elasticsearch.layouts import ALWAYS, MAKERS, ONSET, POD, REFUSED, TRACE_ID, TYPES, incident

LAYOUTS = sorted(MAKERS)
CONTEXT = SkillContext(
    focus=Focus(namespace="shop", service="checkout", started_at=ONSET),
    now=ONSET + timedelta(minutes=10),
    window=Window(ONSET - timedelta(minutes=2), ONSET + timedelta(minutes=10)),
    baseline=Window(ONSET - timedelta(minutes=30), ONSET - timedelta(minutes=10)),
)


@contextmanager
def skill(cluster: Cluster, **settings: Any) -> Iterator[Elasticsearch]:
    with serve(cluster):
        asked = Settings.model_validate({"url": cluster.url, "link_base": "https://kibana.example.com", **settings})
        yield connect(Access(asked, lambda _: None, QueryMeter("elasticsearch"), timeout_seconds=5.0))


def cluster_of(layout: str, docs: Sequence[dict[str, Any]] | None = None, **options: Any) -> Cluster:
    return Cluster(list(docs) if docs is not None else incident(layout), TYPES[layout], **options)


def ask(connected: Elasticsearch, tool: str, **arguments: Any) -> ToolResult:
    found = next(t for t in connected.tools if t.name == f"elasticsearch_{tool}")
    return found.run(found.input.model_validate(arguments), CONTEXT)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_first_look_names_who_is_refused_by_whom_in_every_layout(layout: str) -> None:
    with skill(cluster_of(layout)) as connected:
        seen = connected.first_look(CONTEXT)
    (symptom,) = seen.symptoms
    assert (symptom.entity.kind, symptom.entity.namespace, symptom.entity.name) == ("Deployment", "shop", "checkout")
    assert symptom.points_at == (Entity(kind="Service", namespace="shop", name="cart"),)
    assert symptom.faults[0] == "service_selects_no_pods"
    assert symptom.onset == ONSET + timedelta(seconds=5)
    assert REFUSED in symptom.evidence[0].text
    assert [(e.source.name, e.target.name) for e in seen.edges] == [("checkout", "cart")]
    assert seen.gaps == ()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_error_of_every_day_is_told_with_its_baseline_and_is_no_symptom(layout: str) -> None:
    with skill(cluster_of(layout)) as connected:
        result = ask(connected, "errors")
    assert result.status == "ok"
    assert all(ALWAYS not in e.text for s in result.symptoms for e in s.evidence)
    row = next(row for row in result.text.splitlines() if ALWAYS in row)
    assert "x12 (before 21)" in row
    assert "NEW" not in row
    assert any(row.startswith("NEW") and REFUSED in row for row in result.text.splitlines())


def test_a_first_look_of_a_small_window_costs_five_requests() -> None:
    cluster = cluster_of("ecs")
    with skill(cluster) as connected:
        seen = connected.first_look(CONTEXT)
    assert [path for _, path, _ in cluster.asked] == ["/logs-*/_field_caps", *["/_query"] * 2, *["/logs-*/_search"] * 2]
    assert "42 error lines of 402 (baseline 21 of 622)" in seen.text
    assert "checkout 42 (was 21) since 14:00" in seen.text
    assert not any("now-" in str(body) for _, _, body in cluster.asked)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_es_ql_and_aggregations_count_the_same_and_only_es_ql_says_since_when(layout: str) -> None:
    with skill(cluster_of(layout)) as connected:
        by_esql = connected.first_look(CONTEXT).text.splitlines()[0]
    cluster = cluster_of(layout, esql=False)
    with skill(cluster) as connected:
        by_aggregation = connected.first_look(CONTEXT).text.splitlines()[0]
        connected.first_look(CONTEXT)
    assert by_esql == by_aggregation.replace(" (was 21)", " (was 21) since 14:00")
    assert [path for _, path, _ in cluster.asked].count("/_query") == 1  # what it refused is asked no second time


def test_es_ql_binds_its_values_and_quotes_its_names() -> None:
    cluster = cluster_of("fluent")
    with skill(cluster) as connected:
        connected.first_look(CONTEXT)
    lines, errors = (body for _, path, body in cluster.asked if path == "/_query")
    assert lines["params"] == [{"start": "2025-06-01T13:58:00.000Z"}]
    assert "2025" not in lines["query"] + errors["query"]
    assert "who = `kubernetes.labels.app.keyword`" in errors["query"]
    assert {"term": {"kubernetes.namespace_name.keyword": "shop"}} in errors["filter"]["bool"]["filter"]


def test_a_partial_result_of_es_ql_is_a_gap() -> None:
    with skill(cluster_of("ecs", timed_out=True)) as connected:
        assert any("partial" in gap.why for gap in connected.first_look(CONTEXT).gaps)


def test_text_is_matched_and_keywords_are_compared() -> None:
    cluster = cluster_of("fluent")
    with skill(cluster) as connected:
        connected.sources.logs.read(LogQuery(CONTEXT.window, namespace="shop", service="checkout"))  # type: ignore[union-attr]
    sent = str(cluster.asked[-1][2])
    assert "{'term': {'kubernetes.namespace_name.keyword': 'shop'}}" in sent
    assert "{'prefix': {'kubernetes.pod_name.keyword': 'checkout-'}}" in sent


@pytest.mark.parametrize(
    "refuses",
    [
        {"aggs": 403},
        {"_field_caps": 403},
        {"_field_caps": 404, "_mapping": 403},
        {"aggs": 400, "_pit": 404, "_field_caps": 405, "_mapping": 405},
        {"_query": 403, "aggs": 403},
        {"_query": 500},
    ],
    ids=str,
)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_a_server_refuses_is_done_without(layout: str, refuses: dict[str, int]) -> None:
    with skill(cluster_of(layout, refuses=refuses)) as connected:
        seen = connected.first_look(CONTEXT)
    assert [s.points_at for s in seen.symptoms] == [(Entity(kind="Service", namespace="shop", name="cart"),)]


def test_opensearch_is_asked_in_plain_json() -> None:
    cluster = cluster_of("otel", product="OpenSearch")
    with skill(cluster) as connected:
        connected.reach()
        seen = connected.first_look(CONTEXT)
        assert "plain JSON" in connected.checks()[0].detail
    assert len(seen.symptoms) == 1
    assert "compatible-with" in cluster.headers[0]["accept"]
    assert all("compatible-with" not in headers["accept"] for headers in cluster.headers[1:])


def test_many_lines_are_read_in_pages_under_one_point_in_time() -> None:
    cluster = cluster_of("ecs", incident("ecs", served=700))
    window = Window(ONSET, ONSET + timedelta(minutes=10))
    with skill(cluster) as connected:
        batch = connected.sources.logs.read(LogQuery(window, limit=50_000))  # type: ignore[union-attr]
    assert (batch.total, len(batch.lines)) == (7040, 7040)
    assert list(batch.lines) == sorted(batch.lines, key=lambda line: line.at)
    assert [m for m, path, _ in cluster.asked if path.endswith("_pit")] == ["POST", "DELETE"]


def test_of_too_many_lines_the_oldest_and_the_newest_are_kept() -> None:
    cluster = cluster_of("ecs", incident("ecs", served=60))
    with skill(cluster) as connected:
        batch = connected.sources.logs.read(LogQuery(Window(ONSET, CONTEXT.now), limit=100))  # type: ignore[union-attr]
    assert batch.total == 640
    assert 90 <= len(batch.lines) <= 100
    assert batch.lines[0].at < ONSET + timedelta(minutes=1)
    assert batch.lines[-1].at > ONSET + timedelta(minutes=9)


def test_a_stack_trace_in_rows_of_their_own_is_fetched_whole_among_many_lines() -> None:
    frame = '  File "/app/checkout/total.py", line 42, in total'
    rows = ["Traceback (most recent call last):", frame, "    f()", "KeyError: 'eur'"]
    docs = incident("ecs", served=500)
    at = ONSET + timedelta(minutes=3, milliseconds=7)
    docs += [
        MAKERS["ecs"](at + timedelta(milliseconds=i), "error" if i == 0 else "info", row) for i, row in enumerate(rows)
    ]
    with skill(cluster_of("ecs", docs)) as connected:
        seen = connected.first_look(CONTEXT)
    crash = next(s for s in seen.symptoms if s.faults[0] == "code_defect_in_release")
    assert "KeyError: 'eur' in total (/app/checkout/total.py:42)" in crash.summary
    assert crash.evidence[0].text == "\n".join(rows)


def test_failed_shards_and_a_search_that_timed_out_are_gaps() -> None:
    with skill(cluster_of("ecs", shards_failed=1, timed_out=True)) as connected:
        gaps = " ".join(gap.why for gap in connected.first_look(CONTEXT).gaps)
    assert "1 of 2 shards failed" in gaps
    assert "timed out on the server" in gaps


def test_a_namespace_without_lines_is_a_gap_and_the_rest_is_still_looked_at() -> None:
    docs = incident("ecs")
    for doc in docs:
        doc["kubernetes"]["namespace"] = "elsewhere"
    with skill(cluster_of("ecs", docs)) as connected:
        seen = connected.first_look(CONTEXT)
    assert "namespace shop" in seen.gaps[0].what
    assert seen.symptoms[0].entity.namespace == "elsewhere"


def test_silence_is_a_gap() -> None:
    with skill(cluster_of("ecs", [])) as connected:
        seen = connected.first_look(CONTEXT)
        assert ask(connected, "errors").status == "no_data"
    assert seen.symptoms == ()
    assert any("no line" in gap.why for gap in seen.gaps)


def test_search_around_trace_and_patterns_answer_with_citable_lines() -> None:
    with skill(cluster_of("ecs")) as connected:
        search = ask(connected, "search", text="connection refused", service="checkout")
        near = ask(connected, "around", at=ONSET + timedelta(seconds=25), service=POD, seconds=10)
        trace = ask(connected, "trace", id=TRACE_ID)
        patterns = ask(connected, "patterns", service="checkout")
        nothing = ask(connected, "search", text="unicorn")
    assert search.text.startswith("30 lines match")
    assert {e.text for e in search.evidence} == {REFUSED}
    assert {e.entity for e in search.evidence} == {Entity(kind="Deployment", namespace="shop", name="checkout")}
    assert sum(e.text == REFUSED for e in near.evidence) == 1
    assert all(abs((e.at - ONSET).total_seconds() - 25) <= 10 for e in near.evidence if e.at)
    assert trace.status == "ok"
    assert patterns.text.startswith("1 templates are new")
    assert (nothing.status, "unicorn" in nothing.text) == ("no_data", True)


def test_every_excerpt_links_to_its_minute_in_discover() -> None:
    with skill(cluster_of("ecs"), data_view="dv'1") as connected:
        excerpt = ask(connected, "search", text="refused").evidence[0]
    link = unquote(excerpt.link or "")
    assert link.startswith("https://kibana.example.com/app/discover#/?_g=(time:(from:'2025-06-01T13:59:05.000Z'")
    assert "index:'dv!'1'" in link
    assert 'kubernetes.namespace:"shop" and kubernetes.pod.name:checkout*' in link


def test_field_names_of_the_customer_win() -> None:
    docs = [{"@timestamp": d["@timestamp"], "words": d["message"], "message": "-"} for d in incident("ecs")]
    types = {"@timestamp": "date", "words": "text", "message": "text"}
    with skill(Cluster(docs, types), fields={"message": "words"}) as connected:
        assert ask(connected, "search", text="refused").evidence[0].text == REFUSED


def test_there_are_at_most_five_tools() -> None:
    with skill(cluster_of("ecs")) as connected:
        assert [t.name.removeprefix("elasticsearch_") for t in connected.tools] == [
            "errors", "search", "around", "trace", "patterns",
        ]  # fmt: skip
