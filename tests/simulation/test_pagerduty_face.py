"""The PagerDuty face, and the skill that reads it: an owner in the finding, words of people, never the truth."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.simulation.test_changes import investigated
from workers.simulation import start
from workers.simulation.clock import moment
from workers.simulation.faces.exchange import Ask
from workers.simulation.faces.pagerduty import PagerDuty
from workers.simulation.running import Staged, stage


@pytest.fixture(scope="module")
def staged() -> Staged:
    return stage("oom-after-deploy")


@pytest.fixture(scope="module")
def face(staged: Staged) -> PagerDuty:
    return PagerDuty(staged.scene, staged.rules)


def asked(face: PagerDuty, path: str, *query: tuple[str, str]) -> Any:
    reply = face.answer(Ask("GET", path, query))
    assert reply.status == 200, reply.body
    return json.loads(reply.body)


def test_finding_names_who_is_on_call_and_the_first_look_what_was_paged() -> None:
    running = start("oom-after-deploy", skills=("kubernetes", "elasticsearch", "prometheus", "pagerduty"))
    try:
        finding, spans = investigated(running)
    finally:
        running.close()
    look = next(s.output for s in spans if s.name == "first_look pagerduty")
    assert "KubePodCrashLooping shop" in look["text"]
    assert "earlier incidents of this service in 30 days" in look["text"]
    owner = next(line for line in finding.next if line.startswith("owner: "))
    assert owner == f"owner: {look['owner']}"
    assert owner.startswith("owner: on call: ")
    assert finding.causes[0].fault == "memory_limit_too_low"
    assert running.refused["pagerduty"] == {}


def test_open_incidents_are_the_groups_that_fire(staged: Staged, face: PagerDuty) -> None:
    found = asked(face, "/incidents", ("statuses[]", "triggered"), ("statuses[]", "acknowledged"))["incidents"]
    firing = {
        (dict(a.labels)["alertname"], dict(a.labels).get("namespace", ""))
        for a in staged.rules.all_alerts()
        if a.firing
    }
    assert len(found) == len(firing)
    one = next(i for i in found if "KubePodCrashLooping shop" in i["title"])
    assert one["service"]["summary"] == "cart"
    sent = min(moment(a["startsAt"]) for a in staged.alert["alerts"])
    assert 0 < moment(one["created_at"]) - sent < 120


def test_history_of_a_service_is_within_the_dates_and_resolved(staged: Staged, face: PagerDuty) -> None:
    services = asked(face, "/services", ("limit", "100"))["services"]
    counts = []
    for service in services:
        rows = asked(face, "/incidents", ("service_ids[]", service["id"]), ("statuses[]", "resolved"), ("limit", "100"))
        counts.append(len(rows["incidents"]))
        for row in rows["incidents"]:
            assert moment(row["created_at"]) < moment(row["resolved_at"]) < staged.scene.world.now
    assert len(set(counts)) > 2  # services differ in how often they page


def test_people_on_call_are_of_the_policy_that_was_asked_for(face: PagerDuty) -> None:
    policy = asked(face, "/services", ("query", "cart"))["services"][0]["escalation_policy"]
    calls = asked(face, "/oncalls", ("escalation_policy_ids[]", policy["id"]))["oncalls"]
    assert [c["escalation_level"] for c in calls] == [1, 2]
    assert calls[0]["user"]["summary"] != calls[1]["user"]["summary"]


def test_pages_add_up(face: PagerDuty) -> None:
    whole = asked(face, "/incidents", ("limit", "100"))
    first = asked(face, "/incidents", ("limit", "3"), ("total", "true"))
    assert (first["more"], first["total"], whole["more"]) == (True, len(whole["incidents"]), False)
    second = asked(face, "/incidents", ("limit", "3"), ("offset", "3"))
    assert [*first["incidents"], *second["incidents"]] == whole["incidents"][:6]


def test_notes_say_nothing_of_the_truth(staged: Staged, face: PagerDuty) -> None:
    words = " ".join(
        n["content"]
        for i in asked(face, "/incidents", ("statuses[]", "triggered"), ("statuses[]", "acknowledged"))["incidents"]
        for n in asked(face, f"/incidents/{i['id']}/notes")["notes"]
    )
    for told in ("memory", "limit", "OOM", "cart"):
        assert told not in words


def test_what_it_does_not_do_is_answered_as_the_real_one_does(face: PagerDuty) -> None:
    lost = face.answer(Ask("GET", "/incidents/QNOTTHERE00000"))
    assert (lost.status, json.loads(lost.body)) == (404, {"error": {"message": "Not Found", "code": 2100}})
    assert not face.refused
    far = face.answer(Ask("GET", "/incidents", (("since", "2020-01-01T00:00:00Z"),)))
    assert far.status == 400
    assert face.answer(Ask("PUT", "/incidents/QNOTTHERE00000")).status == 403
    assert face.answer(Ask("GET", "/priorities")).status == 404
    assert face.refused == {"PUT /incidents/…": 1, "GET /priorities": 1}
