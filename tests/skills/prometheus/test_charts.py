"""The decisive series, with its threshold and its onset, as a chart needs them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from skills.contract import Access, Focus, QueryMeter, Series, SkillContext, Window
from skills.prometheus import analyzers
from skills.prometheus.charts import of_symptoms
from skills.prometheus.look import Look
from skills.prometheus.settings import Settings
from skills.prometheus.tools import AlertInput, connect

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
ONSET = NOW - timedelta(minutes=30)
WINDOW = Window(ONSET, NOW)
CART = {"namespace": "shop", "pod": "cart-7d9f8c6b5-x2x4q", "container": "cart"}
MAIL = {"namespace": "shop", "pod": "mail-5c77b9d6f-9kq2z", "container": "mail"}


def step(before: float, after: float, **labels: str) -> Series:
    moments = (ONSET + timedelta(minutes=m) for m in range(-30, 31))
    return Series(labels, tuple((at, before if at < ONSET else after) for at in moments))


def test_a_full_container_is_drawn_against_its_own_limit_from_the_moment_it_filled() -> None:
    sent = {q.name: q.expression for q in analyzers.questions()}
    answers = {
        "working_set": (step(6e7, 6e7, **MAIL), step(1e8, 1.33e8, **CART)),
        "memory_limit": (step(5e8, 5e8, **MAIL), step(1.34e8, 1.34e8, **CART)),
        "restarts": (step(0, 2, **CART),),
    }
    look = Look(Focus(namespace="shop"), NOW, WINDOW, WINDOW.before(), answers, sent, "https://grafana.example.com")
    (drawn,) = of_symptoms(analyzers.analyze(look), look, analyzers.by_name())
    assert (drawn.title, drawn.unit) == (f"memory working set of shop/{CART['pod']}", "bytes")
    assert (drawn.threshold, drawn.onset) == (1.34e8, ONSET)
    assert drawn.points[0][1] == 1e8
    assert drawn.link


@pytest.fixture
def without_rules() -> Iterator[str]:
    """A query front that lists no rules, as Thanos Query without a ruler answers."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            start = (ONSET - timedelta(minutes=30)).timestamp()
            rising = [[start + 60 * m, str(0.01 if m < 30 else 0.2)] for m in range(61)]
            row = {"metric": {"service": "cart"}, "values": rising}
            found = {"groups": []} if "/rules" in self.path else {"resultType": "matrix", "result": [row]}
            body = json.dumps({"status": "success", "data": found}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_an_alert_whose_rule_is_not_listed_is_read_from_its_own_link(without_rules: str) -> None:
    focus = Focus(alert_type="CartErrors", labels={"service": "cart"}, expressions=("errors / requests > 0.05",))
    skill = connect(Access(Settings(url=without_rules), lambda _name: None, QueryMeter("prometheus")))
    (tool,) = (t for t in skill.tools if t.name == "prometheus_alert")
    told = tool.run(AlertInput(), SkillContext(focus, NOW, WINDOW, WINDOW.before()))
    (drawn,) = told.charts
    assert "errors / requests > 0.05" in told.text
    assert (drawn.query, drawn.threshold, drawn.unit, drawn.onset) == ("errors / requests", 0.05, "ratio", ONSET)
    assert len(drawn.points) == 61
