"""Connecting a customer's systems, and keeping a long conversation short."""

import time
from datetime import UTC, datetime

from config.customers import Customer
from skills import registry
from tests.agent.company import NOW, alert, request
from workers.agent import connect_all, window
from workers.agent.folding import FOLD_AT, folded
from workers.agent.parallel import in_order
from workers.domain import Link
from workers.llm.base import estimate_tokens


def customer(**skills):
    return Customer(name="acme", skills=skills)


def test_a_system_that_does_not_answer_is_connected_as_unreachable():
    acme = customer(kubernetes={"url": "http://127.0.0.1:9"})
    (connected,) = connect_all(acme, registry.toggles(acme), lambda name: None)
    assert connected.name == "kubernetes"
    assert connected.unreachable
    assert not connected.usable


def test_a_skill_that_is_off_is_not_connected():
    acme = customer(prometheus={"enabled": False, "url": "http://127.0.0.1:9"})
    assert connect_all(acme, registry.toggles(acme), lambda name: None) == ()


def test_answers_come_in_order_and_the_late_one_is_not_waited_for():
    def slow():
        time.sleep(0.05)
        return "slow"

    def never():
        time.sleep(2)
        return "never"

    began = time.monotonic()
    assert list(in_order([slow, lambda: "quick", never], 0.3, "late", time.monotonic)) == ["slow", "quick", "late"]
    assert time.monotonic() - began < 1


def test_the_window_begins_before_the_onset_and_ends_now():
    read = window.window(request())
    assert read.end == NOW
    assert read.start < alert().started_at
    assert window.baseline(read).end == read.start


def test_an_alert_that_fires_for_weeks_is_read_over_its_last_day():
    old = request(alert(started_at=datetime(2026, 1, 1, tzinfo=UTC)))
    assert window.window(old).seconds == 24 * 3600


def test_the_focus_takes_expressions_from_the_links_of_all_alerts():
    link = Link(kind="source", url="http://prometheus.example.com/graph?g0.expr=up+%3D%3D+0&g0.tab=1")
    seen = window.focus(request(alert(status="resolved"), alert("web", links=(link,), fingerprint="f2")))
    assert (seen.service, seen.expressions) == ("web", ("up == 0",))


def conversation(turns):
    page = {"role": "user", "content": [{"type": "text", "text": "page " * 2000}]}
    messages = [page]
    for turn in range(turns):
        lines = "\n".join(f"[E{turn}{i}] {'line of a log ' * 60}" for i in range(9))
        block = '<symptoms>\n{"entity": "Deployment shop/cart"}\n</symptoms>'
        text = f"ok: 9 lines\n{lines}\n{block}\n" + "filler " * 2000
        messages.append(
            {"role": "assistant", "content": [{"type": "tool_use", "id": f"t{turn}", "name": "x", "input": {}}]}
        )
        result = {"type": "tool_result", "tool_use_id": f"t{turn}", "content": [{"type": "text", "text": text}]}
        messages.append({"role": "user", "content": [result]})
    return messages


def test_old_results_fold_into_their_evidence_lines_and_the_last_stay_whole():
    long = conversation(12)
    assert estimate_tokens(long) > FOLD_AT
    short = folded(long)
    assert estimate_tokens(short) < estimate_tokens(long) / 2
    oldest = short[2]["content"][0]["content"][0]["text"]
    assert "[E00] line of a log" in oldest
    assert "<symptoms>" in oldest
    assert "filler" not in oldest
    assert (short[0], short[-1]) == (long[0], long[-1])
    assert folded(short) == short


def test_a_short_conversation_is_left_alone():
    assert folded(conversation(2)) == conversation(2)
