"""Webhooks: checked before they are parsed, stored once, and on any error nothing is stored or enqueued."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest

from tests.bot.web.conftest import Ask
from workers.queue import Queue
from workers.store import Store

SECRET = {"Authorization": "Bearer not-a-real-secret", "Content-Type": "application/json"}
GROUP = {
    "version": "4",
    "groupKey": '{}:{alertname="KubePodCrashLooping"}',
    "status": "firing",
    "receiver": "gumshoe",
    "groupLabels": {"alertname": "KubePodCrashLooping"},
    "commonLabels": {"alertname": "KubePodCrashLooping", "namespace": "shop", "service": "cart"},
    "commonAnnotations": {},
    "externalURL": "http://alertmanager.example.com",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "KubePodCrashLooping", "namespace": "shop", "service": "cart"},
            "annotations": {"summary": "cart restarts"},
            "startsAt": "2026-11-25T14:03:00Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus.example.com/graph",
            "fingerprint": "c0ffee00c0ffee00",
        }
    ],
}
EVENT = {
    "event": {
        "id": "EV-MADE-UP-1",
        "event_type": "incident.triggered",
        "resource_type": "incident",
        "occurred_at": "2026-11-25T14:03:00Z",
        "agent": None,
        "client": None,
        "data": {
            "id": "Q-MADE-UP",
            "type": "incident",
            "number": 7,
            "status": "triggered",
            "title": "checkout is failing",
            "html_url": "https://acme.pagerduty.example.com/incidents/Q",
            "service": {"id": "P1", "summary": "checkout", "type": "service_reference"},
            "urgency": "high",
            "created_at": "2026-11-25T14:03:00Z",
        },
    }
}


def signed(body: bytes) -> dict[str, str]:
    right = hmac.new(b"made-up-signing-key", body, hashlib.sha256).hexdigest()
    return {"X-PagerDuty-Signature": f"v1={'0' * 64},v1={right}"}


def test_an_alertmanager_group_opens_an_incident_and_gets_a_message_of_its_own(ask: Ask, store: Store) -> None:
    status, text, _ = ask("/webhooks/alertmanager/acme", json.dumps(GROUP).encode(), SECRET)
    assert status == 202
    (incident_id,) = json.loads(text)["incidents"]
    assert [p.kind for p in store.outbox.of_incident(incident_id)] == ["alert", "status"]
    assert store.outbox.of_incident(incident_id)[0].place.channel == "alerts"
    assert len(store.investigations.of_incident(incident_id)) == 1


def test_the_same_delivery_again_is_the_same_incident(ask: Ask, store: Store) -> None:
    body = json.dumps(EVENT).encode()
    answers = [ask("/webhooks/pagerduty/acme", body, signed(body)) for _ in range(2)]
    assert [a[0] for a in answers] == [202, 202]
    assert json.loads(answers[0][1]) == json.loads(answers[1][1])
    assert len(store.incidents.recent("acme")) == 1


@pytest.mark.parametrize("headers", [{}, {"X-PagerDuty-Signature": "v1=" + "0" * 64}, {"X-PagerDuty-Signature": "é"}])
def test_a_bad_signature_is_refused_before_anything_is_read(
    ask: Ask, store: Store, queue: Queue, headers: dict[str, str]
) -> None:
    before = queue.waiting()
    assert ask("/webhooks/pagerduty/acme", b"not even JSON", headers)[0] == 401
    assert store.incidents.recent("acme") == ()
    assert queue.waiting() == before


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"event": 1}', b"\xff\xfe", b"[" * 100_000])
def test_a_malformed_body_with_a_good_signature_is_400_and_stores_nothing(ask: Ask, store: Store, body: bytes) -> None:
    status, text, _ = ask("/webhooks/pagerduty/acme", body, signed(body))
    assert status == 400
    assert json.loads(text)["error"]
    assert store.incidents.recent("acme") == ()
    assert store.outbox.waiting_count() == 0


def test_an_event_that_is_no_news_of_an_alert_is_accepted_and_left_alone(ask: Ask, store: Store) -> None:
    event = {"event": EVENT["event"] | {"event_type": "pagey.ping", "data": {"type": "ping", "message": "hi"}}}
    body = json.dumps(event).encode()
    status, text, _ = ask("/webhooks/pagerduty/acme", body, signed(body))
    assert (status, json.loads(text)["incidents"]) == (202, [])
    assert store.incidents.recent("acme") == ()


def test_an_unknown_customer_or_source_is_404(ask: Ask) -> None:
    assert ask("/webhooks/alertmanager/nobody", b"{}", SECRET)[0] == 404
    assert ask("/webhooks/nagios/acme", b"{}", SECRET)[0] == 404


def test_a_body_above_two_megabytes_is_413(ask: Ask, store: Store) -> None:
    assert ask("/webhooks/generic/acme", b"x" * (2 * 1024 * 1024 + 1), SECRET)[0] == 413
    assert store.incidents.recent("acme") == ()


def test_what_is_refused_is_counted(ask: Ask) -> None:
    ask("/webhooks/alertmanager/acme", b"{}", {})
    text = ask("/metrics")[1]
    assert 'gumshoe_webhooks_total{source="alertmanager",status="401"} 1.0' in text
    assert 'gumshoe_part_up{part="queue"} 1.0' in text


def test_health_is_about_this_process_and_readiness_about_what_it_needs(ask: Ask) -> None:
    assert ask("/healthz")[0] == 200
    status, text, _ = ask("/readyz")
    assert (status, json.loads(text)) == (200, {"database": "ok", "queue": "ok"})
