"""The client against a server on loopback: what is asked, how the answers are read, what a refusal says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from skills.contract import Access, Focus, QueryMeter, SkillContext, ToolError, Window
from skills.prometheus.client import Client
from skills.prometheus.explain import explain
from skills.prometheus.settings import Settings
from skills.prometheus.tools import Prometheus, connect

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
WINDOW = Window(NOW - timedelta(minutes=30), NOW)
Answer = Callable[[BaseHTTPRequestHandler], None]


def send(status: int, body: bytes, content_type: str = "application/json") -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", content_type)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], str]]:
    servers: list[ThreadingHTTPServer] = []

    def start(answer: Answer) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer(self)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                answer(self)

            def log_message(self, *arguments: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def skill(url: str, timeout: float = 1.0, **settings: object) -> Prometheus:
    values = Settings.model_validate({"url": url, **settings})
    connected = connect(Access(values, {"TOKEN": "made-up-token"}.get, QueryMeter("prometheus"), timeout))
    assert isinstance(connected, Prometheus)
    return connected


# Shapes: Prometheus documentation, "HTTP API", format overview and expression query result formats.
MATRIX = json.dumps(
    {
        "status": "success",
        "data": {
            "resultType": "matrix",
            "result": [
                {"metric": {"job": "cart"}, "values": [[NOW.timestamp(), "NaN"], [NOW.timestamp() + 15, "+Inf"]]}
            ],
        },
    }
).encode()
REJECTED = json.dumps(
    {"status": "error", "errorType": "bad_data", "error": "1:5: parse error: unexpected <eof>"}
).encode()


def test_values_that_are_no_finite_numbers_are_read(serve: Callable[[Answer], str]) -> None:
    series = skill(serve(send(200, MATRIX))).sources.series
    assert series is not None
    (one,) = series.range("up", WINDOW, 15)
    assert [str(value) for _, value in one.points] == ["nan", "inf"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (send(400, REJECTED), "parse error: unexpected <eof>"),
        (send(503, b"upstream connect error or disconnect/reset before headers", "text/plain"), "a proxy before"),
        (send(200, b'{"status": "success", "data": {"resultType": "matrix"}}'), "without a result"),
    ],
)
def test_a_refusal_names_the_query_and_the_servers_words(
    serve: Callable[[Answer], str], answer: Answer, words: str
) -> None:
    series = skill(serve(answer)).sources.series
    assert series is not None
    with pytest.raises(ToolError) as refused:
        series.range("sum(rate(x[5m]))", WINDOW, 15)
    assert "sum(rate(x[5m]))" in str(refused.value)
    assert words in str(refused.value)


def test_the_token_is_sent_and_a_long_query_goes_as_a_form(serve: Callable[[Answer], str]) -> None:
    seen: list[tuple[str, str | None]] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        seen.append((handler.command, handler.headers.get("Authorization")))
        send(200, MATRIX)(handler)

    series = skill(serve(answer), token_env="TOKEN").sources.series
    assert series is not None
    series.range("up", WINDOW, 15)
    series.range("up" + " + 0" * 1600, WINDOW, 15)
    assert seen == [("GET", "Bearer made-up-token"), ("POST", "Bearer made-up-token")]


# Shapes: Prometheus "HTTP API" (warnings), as Thanos fills it for partial responses; VictoriaMetrics "isPartial".
@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"warnings": ["No StoreAPIs matched for this query"]}, "No StoreAPIs matched"),
        ({"isPartial": True}, "partial"),
    ],
)
def test_what_the_server_warns_of_its_answer_is_a_gap(
    serve: Callable[[Answer], str], more: dict[str, object], words: str
) -> None:
    body = json.dumps({"status": "success", "data": {"resultType": "matrix", "result": [], "groups": []}, **more})
    seen = skill(serve(send(200, body.encode()))).first_look(context())
    assert [words in gap.why for gap in seen.gaps if gap.what == "some of the metrics"] == [True]


def test_a_tenant_and_a_path_before_the_api_are_kept(serve: Callable[[Answer], str]) -> None:
    seen: list[tuple[str, str | None]] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        seen.append((handler.path.partition("?")[0], handler.headers.get("X-Scope-OrgID")))
        send(200, MATRIX)(handler)

    skill(f"{serve(answer)}/prometheus/", headers={"X-Scope-OrgID": "shop"}).reach()
    assert seen == [("/prometheus/api/v1/query", "shop")]


def context() -> SkillContext:
    return SkillContext(Focus(alert_type="HighErrorRate", namespace="shop"), NOW, WINDOW, WINDOW.before())


def test_a_first_look_at_a_server_that_refuses_some_questions_names_them_as_a_gap(
    serve: Callable[[Answer], str],
) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        if "coredns" in handler.path:
            send(422, REJECTED)(handler)
        elif "/rules" in handler.path:
            send(200, b'{"status": "success", "data": {"groups": []}}')(handler)
        else:
            send(200, b'{"status": "success", "data": {"resultType": "matrix", "result": []}}')(handler)

    seen = skill(serve(answer)).first_look(context())
    assert not seen.symptoms
    assert any("1 of" in gap.what and "parse error" in gap.why for gap in seen.gaps)
    assert any(gap.what == "metrics" and "no series" in gap.why for gap in seen.gaps)


def test_a_first_look_at_a_dead_server_is_an_error() -> None:
    with pytest.raises(ToolError):
        skill("http://127.0.0.1:9", timeout=0.3).first_look(context())


RULE = {"type": "alerting", "name": "HighErrorRate", "query": "waiting == 1", "duration": 60, "alerts": [{}]}


def crashed_until(minutes: float, *, scraped: bool) -> Answer:
    """A rule that saw a pod waiting until so many minutes ago, and whether its exporter is scraped now."""
    source = {"job": "kube-state-metrics", "instance": "10.0.0.7:8080"}
    until = (NOW - timedelta(minutes=minutes)).timestamp()
    points = [[until - 60 * i, "1"] for i in reversed(range(5))]
    seen = {"resultType": "matrix", "result": [{"metric": {"pod": "cart-x", **source}, "values": points}]}
    up = {"resultType": "vector", "result": [{"metric": source, "value": [NOW.timestamp(), "1"]}] if scraped else []}

    def answer(handler: BaseHTTPRequestHandler) -> None:
        data: object = {"groups": [{"name": "g", "rules": [RULE]}]} if "/rules" in handler.path else up
        data = seen if "query_range" in handler.path else data
        send(200, json.dumps({"status": "success", "data": data}).encode())(handler)

    return answer


@pytest.mark.parametrize(
    ("minutes", "scraped", "words"),
    [
        (9, True, "was 1 until 11:51:00Z and is no more"),
        (9, False, "is 1"),
        (1, True, "is 1"),
    ],
    ids=["the pod is gone", "nobody can tell", "only just seen"],
)
def test_what_an_alert_was_about_is_gone_when_its_source_is_scraped_and_knows_it_no_more(
    serve: Callable[[Answer], str], minutes: float, scraped: bool, words: str
) -> None:
    client = Client(Access(Settings(url=serve(crashed_until(minutes, scraped=scraped))), {}.get, QueryMeter("p"), 1.0))
    told = explain(client, "HighErrorRate", context(), None)
    assert told is not None
    assert told.evidence[0].text.endswith(words)
