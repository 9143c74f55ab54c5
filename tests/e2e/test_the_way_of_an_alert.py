"""The whole way with every process real: alert in Slack, finding in the thread, votes, webhooks, killed workers."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import pytest

from bot.cli._house import House, Team
from bot.local_slack.control import text_of
from tests.e2e.conftest import environ
from workers.domain import Finding
from workers.trace import Span

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]
SECRET = "made-up-webhook-secret"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    environment = {**environ(), "PAGERDUTY_SECRET": SECRET}
    keys = {"webhooks": {"pagerduty_secret_env": "PAGERDUTY_SECRET"}}
    scenarios = ("oom-after-deploy", "selector-mismatch", "exception-in-release")
    with House(tmp_path_factory.mktemp("house"), scenarios, environment, customer_keys=keys) as started:
        yield started


def answered(house: House, team: Team, ts: str, seconds: float = 60) -> list[dict[str, Any]]:
    """Waits for the final answer and for everything to be said; the thread's replies."""
    house.wait(lambda: house.finding(team), seconds, f"no finding for {team.scenario}")
    house.wait(house.quiet, 30, "the outbox is not empty")
    return house.control.state().replies(team.channel, ts)


def test_an_alert_gets_its_cause_in_its_thread_and_a_vote_is_kept_and_taken_back(house: House) -> None:
    team = house.teams[0]
    ts = house.post_alert(team)
    house.control.wait_for(lambda s: "eyes" in s.reactions(team.channel, ts), 10, "eyes on the alert")
    replies = answered(house, team, ts)
    finding, incident = house.finding(team), house.incident(team)
    assert finding is not None
    assert incident is not None
    assert team.is_named_by(finding)
    living = replies[0]
    assert finding.causes[0].entity.name in text_of(living)

    investigation = house.store.investigations.of_incident(incident.id)[0].id
    amira = house.control.person("amira")
    amira.reacts({**living, "channel": team.channel}, "thumbsdown")
    house.wait(
        lambda: [f.vote for f in house.store.feedback.current(investigation).values()] == ["wrong"], 10, "no vote"
    )
    amira.takes_back({**living, "channel": team.channel}, "thumbsdown")
    house.wait(lambda: not house.store.feedback.current(investigation), 10, "the vote was not taken back")


def test_the_same_alert_delivered_twice_is_answered_once(house: House) -> None:
    team = house.teams[1]
    house.control.disturb_deliveries("duplicate")
    ts = house.post_alert(team)
    replies = answered(house, team, ts)
    incidents = house.store.incidents.recent(team.customer, 5)
    assert len(incidents) == 1
    assert len(house.store.investigations.of_incident(incidents[0].id)) == 1
    finding = house.finding(team)
    assert finding is not None
    assert team.is_named_by(finding)
    assert told_once(finding, replies)


def told_once(finding: Finding, replies: list[dict[str, Any]]) -> bool:
    """One message of the thread begins with the headline, as Slack escapes it."""
    headline = escape(finding.headline.text, quote=False)
    return sum(headline in text_of(reply).partition("\n")[0] for reply in replies) == 1


def pagerduty(house: House, team: Team, event: dict[str, Any], secret: str = SECRET) -> int:
    body = json.dumps({"event": event}).encode()
    signature = "v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    request = urllib.request.Request(
        f"{house.web_url}/webhooks/pagerduty/{team.customer}",
        body,
        {"Content-Type": "application/json", "X-PagerDuty-Signature": f"v1=0000,{signature}"},
        method="POST",
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return int(response.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def triggered(team: Team, number: str) -> dict[str, Any]:
    """Shape: PagerDuty developer documentation, Webhooks V3, incident.triggered."""
    labels = team.world.alert["commonLabels"]
    return {
        "id": f"made-up-{number}",
        "event_type": "incident.triggered",
        "resource_type": "incident",
        "occurred_at": team.world.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "agent": None,
        "client": None,
        "data": {
            "id": f"PMADEUP{number}",
            "type": "incident",
            "self": f"https://api.pagerduty.com/incidents/PMADEUP{number}",
            "html_url": f"https://acme.pagerduty.com/incidents/PMADEUP{number}",
            "number": int(number),
            "status": "triggered",
            "incident_key": f"made-up-key-{number}",
            "created_at": team.world.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "title": f"{labels.get('alertname')} on {labels.get('service', '')}",
            "service": {"id": "PSVC", "summary": labels.get("service", ""), "type": "service_reference"},
            "urgency": "high",
        },
    }


def test_a_signed_webhook_gets_a_message_of_its_own_and_a_wrong_signature_nothing(house: House) -> None:
    team = house.teams[2]
    assert pagerduty(house, team, triggered(team, "1"), secret="another made-up secret") == 401
    assert house.incident(team) is None
    assert pagerduty(house, team, triggered(team, "1")) == 202
    assert pagerduty(house, team, triggered(team, "1")) in (200, 202)
    house.wait(lambda: house.finding(team), 60, "no finding for the webhook")
    house.wait(house.quiet, 30, "the outbox is not empty")
    incidents = house.store.incidents.recent(team.customer, 5)
    assert len(incidents) == 1
    place = incidents[0].place
    assert place is not None
    assert place.thread_ts is not None
    replies = house.control.state().replies(team.channel, place.thread_ts)
    finding = house.finding(team)
    assert finding is not None
    assert team.is_named_by(finding), finding.headline.text
    assert finding.causes[0].entity.name in text_of(replies[0])


def test_a_killed_worker_is_replaced_and_the_investigation_is_answered_once(tmp_path: Path) -> None:
    with House(tmp_path / "house", ("oom-after-deploy",), environ()) as house:
        (team,) = house.teams
        ts = house.post_alert(team)
        house.wait(lambda: len(_spans(house, team)) >= 1, 30, "no step was recorded")
        _kill_workers(house.family.children["worker"].pid)
        before = {(s.sequence, s.name) for s in _spans(house, team)}
        replies = answered(house, team, ts, 90)
        (investigation,) = house.store.investigations.of_incident(_incident(house, team))
        assert investigation.state == "done"
        assert investigation.attempt >= 2
        spans = _spans(house, team)
        assert before <= {(s.sequence, s.name) for s in spans if s.attempt == 1}
        repeated = [s for s in spans if s.attempt > 1 and (s.sequence, s.name) in before]
        assert not repeated, "a step that was recorded is not made again"
        finding = house.finding(team)
        assert finding is not None
        assert team.is_named_by(finding)
        assert told_once(finding, replies)


def _incident(house: House, team: Team) -> str:
    incident = house.incident(team)
    return incident.id if incident else ""


def _spans(house: House, team: Team) -> list[Span]:
    """Steps of the alert's own investigation that went well, from all attempts."""
    for investigation in house.store.investigations.of_incident(_incident(house, team)):
        trace = house.store.traces.of_investigation(investigation.id)
        return [s for s in house.store.traces.spans(trace.id) if s.status == "ok"] if trace else []
    return []


def _kill_workers(parent: int) -> None:
    """SIGKILL for every descendant of the workers' parent process, but not for itself."""
    for pid in _descendants(parent):
        os.kill(pid, signal.SIGKILL)


def _descendants(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += [int(child), *_descendants(int(child))]
    return found
