"""The whole way with Claude as the model: its real client in a worker, its API played by a server on loopback.

The played model answers from what it reads in the request, as Claude would; it knows nothing of the scenario.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from bot.cli._house import House
from bot.local_slack.control import text_of
from tests.e2e.conftest import environ
from tests.llm.messages_api import Api, Told, call, serve
from workers.trace import Span

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

LIMIT = re.compile(r"limits\.memory (\S+) -> (\S+?)(?:;|$)", re.MULTILINE)
MODEL = "claude-sonnet-5-5"


def first_page(request: dict[str, Any]) -> str:
    return str(request["messages"][0]["content"][0]["text"])


def cited(page: str, *words: str) -> list[str]:
    """The numbers of the evidence lines that hold all of the words."""
    lines = re.findall(r"^\[(E\d+)\] (.*(?:\n    \| .*)*)", page, re.MULTILINE)
    return [number for number, line in lines if all(word in line for word in words)]


def plays_the_model(request: dict[str, Any]) -> Told:
    """Reads the first page, weighs the limit against a leak, and concludes on what the evidence says."""
    page = first_page(request)
    (killed, *_), (changed, *_) = cited(page, "OOMKilled"), cited(page, "limits.memory", "->")
    limit = LIMIT.search(page[page.index(f"[{changed}]") :])
    assert limit is not None
    change = re.search(r'\{"id": "(rollout/shop/cart/\d+)"', page)
    assert change is not None
    both, cart = f"{killed}, {changed}", "Deployment shop/cart"
    answers = {
        "victim": f"No: the kernel kills cart itself [{killed}].",
        "rival": f"A leak would not begin with a rollout that lowers the limit [{changed}].",
        "timing": f"The limit changed before the alert [{changed}].",
        "peer": "No peer runs with such a limit; not compared.",
    }
    finding = {
        "verdict": "incident",
        "headline": {"text": f"`cart` is OOMKilled: its memory limit went from {limit[1]} to {limit[2]}.",
                     "evidence": both},
        "causes": [{"entity": cart, "fault": "memory_limit_too_low", "confidence": "high", "change": change[1],
                    "summary": f"The memory limit of cart went from {limit[1]} to {limit[2]}.", "evidence": both}],
        "ruled_out": [{"fault": "memory_leak", "why": "It began with the rollout that lowered the limit.",
                       "evidence": changed}],
        "next": ["kubectl -n shop rollout undo deployment/cart"],
    }  # fmt: skip
    lead, rival = (
        {"action": "open", "entity": cart, "fault": name} for name in ("memory_limit_too_low", "memory_leak")
    )
    turns = [
        [
            {"type": "text", "text": "cart is killed for its memory since its limit was lowered."},
            call("hypothesis", {**lead, "predicts": ["the first kill follows the rollout"], "evidence": both}, 1),
            call("hypothesis", {**rival, "predicts": ["memory grew before the rollout"], "evidence": killed}, 2),
            call("kubernetes_describe", {"kind": "Deployment", "namespace": "shop", "name": "cart"}),
        ],
        [call("challenge", {"hypothesis": "H1", **answers, "holds": True}), call("conclude", finding)],
    ]
    turn = sum(message["role"] == "assistant" for message in request["messages"])
    return Told(turns[min(turn, 1)])


def spans_of(house: House) -> tuple[Span, ...]:
    incident = house.incident(house.teams[0])
    assert incident is not None
    trace = house.store.traces.of_investigation(house.store.investigations.of_incident(incident.id)[0].id)
    assert trace is not None
    return house.store.traces.spans(trace.id)


def test_claude_finds_the_cause_and_the_thread_says_who_found_it_and_for_how_much(tmp_path: Path) -> None:
    with serve(plays_the_model) as api:
        keys = {"ANTHROPIC_API_KEY": "made-up", "ANTHROPIC_BASE_URL": api.url, "GUMSHOE_MODEL": MODEL}
        with House(tmp_path / "house", ("oom-after-deploy",), {**environ(), **keys}) as house:
            (team,) = house.teams
            ts = house.post_alert(team)
            house.wait(lambda: house.finding(team), 30, "no finding")
            house.wait(house.quiet, 15, "the outbox is not empty")
            finding = house.finding(team)
            assert finding is not None
            assert finding.verdict == "incident"
            assert team.is_named_by(finding), finding.headline.text
            assert (str(finding.causes[0].entity), finding.causes[0].fault) == (
                "Deployment shop/cart",
                "memory_limit_too_low",
            )
            assert "is OOMKilled: its memory limit went from" in finding.headline.text, "the model's own words are kept"
            assert not finding.used.tokens_estimated

            living = text_of(house.control.state().replies(team.channel, ts)[0])
            assert finding.headline.text.replace("`", "") in living.replace("`", "")
            assert MODEL in living
            assert "$0.0068" in living, "twice 1000 tokens read, 100 written and 2000 from the cache, at the list price"

            told = [span for span in spans_of(house) if span.op == "chat"]
            assert len(told) == len(api.requests) == 2
            assert all((s.tokens_in, s.tokens_out, s.tokens_cached) == (1000, 100, 2000) for s in told)
            assert sum(s.dollars for s in told) == pytest.approx(finding.used.dollars) == pytest.approx(0.0068)
        asked_well(api)


def asked_well(api: Api) -> None:
    """What went over the wire: the alert as data, and before it a prefix that is equal from turn to turn."""
    first, second = api.requests
    page = first_page(first)
    (alerts,) = re.findall(r"<alerts>\n(.*?)\n</alerts>", page, re.DOTALL)
    assert "KubePodCrashLooping" in alerts
    assert "KubePodCrashLooping" not in str(first["system"]) + str(first["tools"])
    for part in ("model", "system", "tools"):
        assert first[part] == second[part], part
    assert [m["role"] for m in second["messages"]] == ["user", "assistant", "user"]
    assert first_page(second) == page
    assert api.headers[0]["authorization"] == "Bearer made-up"
