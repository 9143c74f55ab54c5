"""The first look and the tools over HTTP, with the labels of the usual shippers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from skills.contract import Access, Entity, Focus, LogQuery, QueryMeter, SkillContext, ToolResult, Window
from skills.loki.settings import Settings
from skills.loki.tools import Loki, connect
from tests.skills.elasticsearch.layouts import ALWAYS, ONSET, POD, REFUSED, TRACE_ID
from tests.skills.loki.layouts import MAKERS, incident
from tests.skills.loki.server import Store, serve
from workers.simulation.faces.logql_run import Entry

LAYOUTS = sorted(MAKERS)
CONTEXT = SkillContext(
    focus=Focus(namespace="shop", service="checkout", started_at=ONSET),
    now=ONSET + timedelta(minutes=10),
    window=Window(ONSET - timedelta(minutes=2), ONSET + timedelta(minutes=10)),
    baseline=Window(ONSET - timedelta(minutes=30), ONSET - timedelta(minutes=10)),
)


@contextmanager
def skill(store: Store, **settings: Any) -> Iterator[Loki]:
    with serve(store):
        asked = Settings.model_validate({"url": store.url, "link_base": "https://grafana.example.com", **settings})
        yield connect(Access(asked, lambda _: None, QueryMeter("loki"), timeout_seconds=5.0))


def store_of(layout: str, entries: Sequence[Entry] | None = None, **options: Any) -> Store:
    return Store(list(entries) if entries is not None else incident(layout), **options)


def ask(connected: Loki, tool: str, **arguments: Any) -> ToolResult:
    found = next(t for t in connected.tools if t.name == f"loki_{tool}")
    return found.run(found.input.model_validate(arguments), CONTEXT)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_first_look_names_who_is_refused_by_whom_in_every_layout(layout: str) -> None:
    with skill(store_of(layout)) as connected:
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
    with skill(store_of(layout)) as connected:
        result = ask(connected, "errors")
    assert result.status == "ok"
    assert all(ALWAYS not in e.text for s in result.symptoms for e in s.evidence)
    row = next(row for row in result.text.splitlines() if ALWAYS in row)
    assert "x12 (before 21)" in row
    assert "NEW" not in row
    assert any(row.startswith("NEW") and REFUSED in row for row in result.text.splitlines())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_lines_and_errors_of_both_windows_are_counted_before_any_is_read(layout: str) -> None:
    store = store_of(layout)
    with skill(store) as connected:
        seen = connected.first_look(CONTEXT)
    assert "42 error lines of 402 (baseline 21 of 622)" in seen.text
    assert layout == "vector" or "42 (was 21) since 14:00" in seen.text  # no label there tells writers apart
    asked = [(path, a.get("limit", "counts")) for path, a in store.asked]
    assert asked[:2] == [("/labels", "counts"), ("/query_range", "40")]
    assert {path for path, what in asked[2:-2] if what == "counts"} == {"/query", "/query_range"}
    assert [what for _, what in asked[2:] if what != "counts"] == ["3000", "1500"]
    assert len(asked) <= 12


def test_all_namespaces_together_are_not_counted_where_they_are_too_large() -> None:
    anywhere = replace(CONTEXT, focus=Focus(started_at=ONSET))
    for size, counted in ((0, True), (10**12, False)):
        store = store_of("promtail", bytes=size)
        with skill(store) as connected:
            seen = connected.first_look(anywhere)
        assert ("all streams: 42 error lines of 402" in seen.text) is counted
        assert any(path == "/query" for path, _ in store.asked) is counted
        assert [s.points_at[0].name for s in seen.symptoms] == ["cart"]


def test_a_label_is_selected_and_metadata_is_filtered() -> None:
    query = LogQuery(CONTEXT.window, namespace="shop", service="checkout")
    said = {}
    for layout in LAYOUTS:
        with skill(store_of(layout)) as connected:
            logs = connected.sources.logs
            assert logs is not None
            said[layout] = logs.read(query).query.partition(" @")[0]
    assert said == {
        "promtail": '{namespace="shop", app="checkout"}',
        "alloy": '{namespace="shop", app_kubernetes_io_name="checkout"}',
        "otel": '{k8s_namespace_name="shop", service_name="checkout"}',
        "vector": '{kubernetes_namespace="shop", kubernetes_pod_name=~`checkout(-.+)?`}',
        "fluent_bit": '{job=~`.+`} | kubernetes_namespace_name="shop" | job="checkout" or '
        "kubernetes_pod_name=~`checkout(-.+)?`",
    }


def test_the_servers_guess_of_a_level_is_not_trusted_where_the_line_says_more() -> None:
    """`info` in a word makes a line info to the server (detectLevelFromLogLine)."""
    entries = incident("alloy")
    at = ONSET + timedelta(minutes=3, seconds=1)
    entries.append(MAKERS["alloy"](at, "info", "").__class__(
        int(at.timestamp() * 1e9), "ERROR cannot read userinfo: Get http://rate:8084/: connection refused",
        entries[0].stream, {"detected_level": "info", "pod": POD},
    ))  # fmt: skip
    with skill(Store(entries)) as connected:
        lines = connected.sources.logs.read(LogQuery(CONTEXT.window, errors_only=True)).lines  # type: ignore[union-attr]
        pointed = {p.name for s in connected.first_look(CONTEXT).symptoms for p in s.points_at}
    assert [line.level for line in lines if "userinfo" in line.text] == [""]
    assert pointed == {"cart", "rate"}


@pytest.mark.parametrize("limit", [300, 5000])
def test_many_lines_are_read_in_pages_of_what_the_server_allows(limit: int) -> None:
    store = store_of("promtail", incident("promtail", served=700), max_entries=limit)
    window = Window(ONSET, ONSET + timedelta(minutes=10))
    with skill(store) as connected:
        batch = connected.sources.logs.read(LogQuery(window, limit=50_000))  # type: ignore[union-attr]
    assert (batch.total, len(batch.lines)) == (7040, 7040)
    assert list(batch.lines) == sorted(batch.lines, key=lambda line: line.at)
    assert max(int(a["limit"]) for path, a in store.asked[3:] if path == "/query_range") <= limit


def test_of_too_many_lines_the_oldest_and_the_newest_are_kept() -> None:
    with skill(store_of("otel", incident("otel", served=60))) as connected:
        batch = connected.sources.logs.read(LogQuery(Window(ONSET, CONTEXT.now), limit=100))  # type: ignore[union-attr]
    assert batch.total == 640
    assert len(batch.lines) == 100
    assert batch.lines[0].at < ONSET + timedelta(minutes=1)
    assert batch.lines[-1].at > ONSET + timedelta(minutes=9)


def test_a_range_longer_than_the_server_allows_is_cut_and_said() -> None:
    with skill(store_of("promtail", max_hours=0.1)) as connected:
        seen = connected.first_look(CONTEXT)
    assert [s.points_at[0].name for s in seen.symptoms] == ["cart"]
    assert any("only the last 0:06:00" in gap.why and "exceeds the limit" in gap.why for gap in seen.gaps)


@pytest.mark.parametrize(
    "refuses",
    [
        {"metric": (400, "maximum number of series (500) reached for a single query")},
        {"metric": (500, "context canceled")},
        {"/values": (404, "404 page not found")},
    ],
    ids=str,
)
def test_what_a_server_refuses_is_done_without(refuses: dict[str, tuple[int, str]]) -> None:
    with skill(store_of("alloy", refuses=refuses)) as connected:
        seen = connected.first_look(CONTEXT)
        assert ask(connected, "search", text="refused", service="checkout").status == "ok"
    assert [s.points_at for s in seen.symptoms] == [(Entity(kind="Service", namespace="shop", name="cart"),)]


@pytest.mark.parametrize("wrapped", ["", "2026-11-24T14:00:00.1Z stderr F "], ids=["bare", "CRI"])
@pytest.mark.parametrize("layout", ["promtail", "vector"])
def test_a_stack_trace_in_rows_of_their_own_is_fetched_whole_among_many_lines(layout: str, wrapped: str) -> None:
    frame = '  File "/app/checkout/total.py", line 42, in total'
    rows = ["Traceback (most recent call last):", frame, "    f()", "KeyError: 'eur'"]
    entries = incident(layout, served=500)
    at = ONSET + timedelta(minutes=3, milliseconds=7)
    stream = entries[0].stream
    entries += [
        Entry(int((at.timestamp() + i / 1000) * 1e6) * 1000, wrapped + row, stream, {}) for i, row in enumerate(rows)
    ]
    with skill(store_of(layout, entries)) as connected:
        seen = connected.first_look(CONTEXT)
    crash = next(s for s in seen.symptoms if s.faults and s.faults[0] == "code_defect_in_release")
    assert "KeyError: 'eur' in total (/app/checkout/total.py:42)" in crash.summary
    assert crash.evidence[0].text == "\n".join(rows)


def test_a_namespace_without_lines_is_a_gap_and_the_rest_is_still_looked_at() -> None:
    entries = [Entry(e.nanoseconds, e.text, {**e.stream, "namespace": "elsewhere"}, {}) for e in incident("promtail")]
    with skill(Store(entries)) as connected:
        seen = connected.first_look(CONTEXT)
    assert "namespace shop" in seen.gaps[0].what
    assert seen.symptoms[0].entity.namespace == "elsewhere"


def test_silence_is_a_gap() -> None:
    with skill(Store([])) as connected:
        connected.reach()
        seen = connected.first_look(CONTEXT)
        assert ask(connected, "errors").status == "no_data"
    assert seen.symptoms == ()
    assert any("no line" in gap.why for gap in seen.gaps)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_search_around_trace_and_patterns_answer_with_citable_lines(layout: str) -> None:
    with skill(store_of(layout)) as connected:
        search = ask(connected, "search", text="Connection refused -unicorn", service="checkout")
        near = ask(connected, "around", at=ONSET + timedelta(seconds=25), service=POD, seconds=10)
        trace = ask(connected, "trace", id=TRACE_ID)
        patterns = ask(connected, "patterns", service="checkout")
        nothing = ask(connected, "search", text="unicorn")
    assert search.text.startswith("30 lines match")
    assert all(REFUSED in e.text for e in search.evidence)
    assert {e.entity.name for e in search.evidence if e.entity} <= {"checkout", POD}
    assert sum(REFUSED in e.text for e in near.evidence) == 1
    assert all(abs((e.at - ONSET).total_seconds() - 25) <= 10 for e in near.evidence if e.at)
    assert trace.status == "ok"
    assert patterns.text.startswith("1 templates are new")
    assert (nothing.status, "unicorn" in nothing.text) == ("no_data", True)


def test_every_excerpt_links_to_its_minute_in_explore() -> None:
    with skill(store_of("promtail"), datasource="loki-1") as connected:
        excerpt = ask(connected, "search", text="refused").evidence[0]
    address = urlsplit(excerpt.link or "")
    assert (address.netloc, address.path) == ("grafana.example.com", "/explore")
    pane = json.loads(parse_qs(address.query)["panes"][0])["logs"]
    assert pane["datasource"] == "loki-1"
    assert pane["queries"][0]["expr"] == f'{{namespace="shop", pod=~`{POD}.*`}}'
    assert int(pane["range"]["to"]) - int(pane["range"]["from"]) == 120_000


def test_labels_and_matchers_of_the_customer_win() -> None:
    entries = [Entry(e.nanoseconds, e.text, {"env": "shop", "zone": z, "who": "checkout"}, {})
               for e in incident("promtail") for z in ("a", "b")]  # fmt: skip
    with skill(Store(entries), labels={"namespace": "env", "service": "who"}, matchers={"zone": "a"}) as connected:
        found = ask(connected, "search", text="refused", service="checkout", namespace="shop")
    assert found.text.startswith('30 lines match {zone="a", env="shop", who="checkout"}')


def test_the_tools_are_those_of_every_log_system() -> None:
    with skill(store_of("otel")) as connected:
        assert [t.name.removeprefix("loki_") for t in connected.tools] == [
            "errors", "search", "around", "trace", "patterns",
        ]  # fmt: skip
