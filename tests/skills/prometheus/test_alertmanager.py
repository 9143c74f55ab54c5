"""Alertmanager's side, against answers in the shapes of its API v2 (openapi.yaml: gettableAlert, gettableSilence)."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from skills.contract import Access, Focus, QueryMeter, SkillContext, ToolResult, Window
from skills.prometheus.settings import Settings
from skills.prometheus.tools import AlertsInput, Prometheus, connect

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
WINDOW = Window(NOW - timedelta(minutes=30), NOW)


def alert(name: str, minutes: int, *, state: str = "active", **labels: str) -> dict[str, Any]:
    return {
        "annotations": {"summary": f"{name} says so", "runbook_url": "https://runbooks.example.com/x"},
        "endsAt": "2026-11-25T12:03:46.412Z",
        "fingerprint": "a1b2c3d4e5f60718",
        "receivers": [{"name": "on-call"}],
        "startsAt": (NOW - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.412Z"),
        "status": {"inhibitedBy": [], "silencedBy": ["x"] if state == "suppressed" else [], "state": state},
        "updatedAt": "2026-11-25T11:59:46.412Z",
        "generatorURL": "https://prometheus.example.com/graph?g0.expr=up",
        "labels": {"alertname": name, "severity": "critical", **labels},
    }


SILENCE = {
    "id": "6b1f9c6e-2f0a-4a53-9d0a-5e1f0b8a7c11",
    "status": {"state": "active"},
    "updatedAt": "2026-11-25T10:00:00.000Z",
    "comment": "disks are\nbeing replaced",
    "createdBy": "amira",
    "endsAt": "2026-11-25T18:00:00.000Z",
    "matchers": [
        {"name": "alertname", "value": "NodeDiskFull|NodeIo", "isRegex": True, "isEqual": True},
        {"name": "env", "value": "dev", "isRegex": False, "isEqual": False},
    ],
    "startsAt": "2026-11-25T10:00:00.000Z",
}
OVER = {**SILENCE, "status": {"state": "expired"}, "comment": "long gone"}


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    servers: list[ThreadingHTTPServer] = []

    def start(alerts: Any, silences: Any = (), status: int = 200, seen: list[str | None] | None = None) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if seen is not None:
                    seen.append(self.headers.get("X-Scope-OrgID"))
                found = alerts if self.path.startswith("/alertmanager/api/v2/alerts") else silences
                if "/api/v1/" in self.path:
                    found = {"status": "success", "data": {"resultType": "vector", "result": [], "groups": []}}
                body = json.dumps(found).encode()
                self.send_response(status if "/api/v2/" in self.path else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def skill(base: str) -> Prometheus:
    values = {"url": base, "alertmanager_url": f"{base}/alertmanager", "headers": {"X-Scope-OrgID": "shop"}}
    connected = connect(Access(Settings.model_validate(values), lambda _name: None, QueryMeter("prometheus"), 2.0))
    assert isinstance(connected, Prometheus)
    return connected


def context() -> SkillContext:
    labels = {"alertname": "CartErrors", "namespace": "shop", "service": "cart", "severity": "critical"}
    focus = Focus(alert_type="CartErrors", namespace="shop", service="cart", labels=labels)
    return SkillContext(focus, NOW, WINDOW, WINDOW.before())


def asked(connected: Prometheus, namespace: str = "") -> ToolResult:
    (tool,) = (t for t in connected.tools if t.name == "prometheus_alerts")
    return tool.run(AlertsInput(namespace=namespace), context())


FIRING = [
    alert("CartErrors", 12, namespace="shop", service="cart"),
    alert("RedisDown", 14, namespace="shop", service="cart-cache"),
    alert("NodeNotReady", 40, node="worker-3"),
    alert("MailSlow", 90, state="suppressed", namespace="mail", service="mail"),
]


def test_what_else_fires_is_told_from_near_to_far_without_the_alert_itself(serve: Callable[..., str]) -> None:
    told = asked(skill(serve(FIRING, [SILENCE, OVER])))
    assert told.status == "ok"
    assert "3 other alerts fire" in told.text
    assert "1 of them suppressed" in told.text
    assert [line.text.split()[1] for line in told.evidence[:3]] == ["RedisDown", "MailSlow", "NodeNotReady"]
    assert told.evidence[0].at == NOW - timedelta(minutes=14) + timedelta(milliseconds=412)
    assert "RedisDown says so" in told.evidence[0].text


def test_a_silence_is_told_as_people_write_it_and_one_that_ended_is_not(serve: Callable[..., str]) -> None:
    lines = [line.text for line in asked(skill(serve([], [SILENCE, OVER]))).evidence]
    assert lines == [
        'silenced {alertname=~"NodeDiskFull|NodeIo", env!="dev"} until 2026-11-25 18:00Z by amira: '
        "disks are being replaced"
    ]


def test_the_first_look_has_a_line_and_the_alerts_nearby(serve: Callable[..., str]) -> None:
    seen: list[str | None] = []
    looked = skill(serve(FIRING, [SILENCE], seen=seen)).first_look(context())
    assert "Alertmanager: 3 other alerts fire" in looked.text
    assert ["RedisDown" in line.text for line in looked.evidence] == [True]
    assert set(seen) == {"shop"}, "the tenant is named to both"


def test_an_alertmanager_that_refuses_is_a_gap_and_not_the_end(serve: Callable[..., str]) -> None:
    looked = skill(serve("no", status=403)).first_look(context())
    assert any(gap.what == "other alerts and silences" and "403" in gap.why for gap in looked.gaps)


@pytest.mark.parametrize("garbage", ["a string", {"alerts": 3}, [3, None, {"labels": "x"}], [{}]])
def test_garbage_is_no_crash(serve: Callable[..., str], garbage: Any) -> None:
    assert asked(skill(serve(garbage, garbage))).status in ("ok", "no_data")


def test_without_an_address_there_is_no_such_tool(serve: Callable[..., str]) -> None:
    values = Settings.model_validate({"url": serve([])})
    connected = connect(Access(values, lambda _name: None, QueryMeter("prometheus"), 2.0))
    assert "prometheus_alerts" not in [tool.name for tool in connected.tools]
