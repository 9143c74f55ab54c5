"""The Alertmanager face: what the world's rules fire, filtered as the real one does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from workers.simulation.clock import moment
from workers.simulation.faces.alertmanager import Alertmanager
from workers.simulation.faces.exchange import Ask
from workers.simulation.running import Staged, stage


@pytest.fixture(scope="module")
def staged() -> Staged:
    return stage("oom-after-deploy")


@pytest.fixture(scope="module")
def face(staged: Staged) -> Alertmanager:
    return Alertmanager(staged.scene, staged.rules)


def asked(face: Alertmanager, path: str, *query: tuple[str, str]) -> Any:
    reply = face.answer(Ask("GET", path, query))
    assert reply.status == 200, reply.body
    return json.loads(reply.body)


def test_the_alert_that_was_sent_fires_here_with_the_same_fingerprint_and_others_beside_it(
    staged: Staged, face: Alertmanager
) -> None:
    alerts = asked(face, "/api/v2/alerts")
    sent = {a["fingerprint"]: a["startsAt"] for a in staged.alert["alerts"]}
    assert sent.items() <= {a["fingerprint"]: a["startsAt"] for a in alerts}.items()
    assert len({a["labels"]["alertname"] for a in alerts}) > 1
    assert [a["fingerprint"] for a in alerts] == sorted(a["fingerprint"] for a in alerts)
    for alert in alerts:
        assert alert["status"] == {"inhibitedBy": [], "silencedBy": [], "state": "active"}
        assert moment(alert["startsAt"]) <= moment(alert["updatedAt"]) < moment(alert["endsAt"])


@pytest.mark.parametrize(
    "text",
    [
        'alertname="KubePodCrashLooping"',
        "alertname=KubePodCrashLooping",
        'alertname=~"KubePod.*Looping"',
        "pod=~cart.+",
    ],
)
def test_filters_keep_what_every_matcher_matches(face: Alertmanager, text: str) -> None:
    found = asked(face, "/api/v2/alerts", ("filter", text), ("filter", 'namespace!="monitoring"'))
    assert {a["labels"]["alertname"] for a in found} >= {"KubePodCrashLooping"}
    every = asked(face, "/api/v2/alerts")
    assert len(found) < len(every)
    opposite = text.replace("=~", "!~") if "=~" in text else text.replace("=", "!=", 1)
    rest = asked(face, "/api/v2/alerts", ("filter", opposite))
    assert len(found) + len(rest) == len(every)


def test_regular_expressions_are_anchored(face: Alertmanager) -> None:
    assert asked(face, "/api/v2/alerts", ("filter", 'alertname=~"CrashLooping"')) == []


def test_groups_hold_each_alert_once(face: Alertmanager) -> None:
    groups = asked(face, "/api/v2/alerts/groups")
    inside = [a["fingerprint"] for g in groups for a in g["alerts"]]
    assert sorted(inside) == [a["fingerprint"] for a in asked(face, "/api/v2/alerts")]
    for group in groups:
        assert all(group["labels"].items() <= a["labels"].items() for a in group["alerts"])


def test_silences_tell_who_why_and_until_when(face: Alertmanager) -> None:
    silences = asked(face, "/api/v2/silences")
    assert [s["status"]["state"] for s in silences] == ["active", "expired"]
    one = asked(face, f"/api/v2/silence/{silences[0]['id']}")
    assert one["comment"] == "known, capacity is ordered"
    assert asked(face, "/api/v2/silences", ("filter", 'alertname="KubePodNotReady"')) == silences[1:]


def test_what_it_does_not_do_is_answered_as_the_real_one_does(face: Alertmanager) -> None:
    bad = face.answer(Ask("GET", "/api/v2/alerts", (("filter", "no matcher"),)))
    assert (bad.status, json.loads(bad.body)) == (400, "bad matcher format: no matcher")
    assert face.answer(Ask("GET", "/api/v1/alerts")).status == 410
    lost = face.answer(Ask("GET", "/api/v2/nothing"))
    assert (lost.status, json.loads(lost.body)["code"]) == (404, 404)
    assert face.answer(Ask("POST", "/api/v2/silences")).status == 404
    assert face.refused["POST /api/v2/silences"] == 1
