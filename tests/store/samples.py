"""Alerts, places and findings for the tests of the store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from skills.contract import Entity
from workers.domain import Alert, Cause, Claim, Confidence, Evidence, Finding, Opened, Place, Used
from workers.store import Store

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
CHANNEL = Place(team_id="T0ACME", channel="C0ALERTS")


def minutes(number: float) -> datetime:
    """That many minutes after noon."""
    return NOON + timedelta(minutes=number)


def alert(fingerprint: str = "f1", **changes: Any) -> Alert:
    values = {
        "source": "alertmanager",
        "alert_type": "KubePodCrashLooping",
        "title": "cart is crash looping",
        "fingerprint": fingerprint,
        "service": "cart",
        "environment": "production",
        "severity": "warning",
    }
    return Alert.model_validate(values | changes)


def opened(store: Store, *alerts: Alert, at: datetime = NOON, ts: str | None = "100.1", **changes: Any) -> Opened:
    """The alerts of one message in the watched channel."""
    values: dict[str, Any] = {"place": CHANNEL, "message_ts": ts, "event_key": None}
    return store.incidents.open("acme", alerts or (alert(),), at, **(values | changes))


def finding(band: str = "high", dollars: float = 0.04) -> Finding:
    cause = Cause(
        entity=Entity(kind="Deployment", namespace="shop", name="cart"),
        fault="memory_limit_too_low",
        fault_id="E1",
        summary="its memory limit went from 512Mi to 128Mi",
        confidence=Confidence.model_validate({"band": band, "value": 0.9}),
        evidence=("E1",),
    )
    return Finding(
        verdict="incident",
        headline=Claim(text="cart is OOMKilled", evidence=("E1",)),
        causes=(cause,),
        evidence=(Evidence(id="E1", skill="kubernetes", tool="kubernetes_events", query="q", excerpt="OOMKilled"),),
        used=Used(model="offline", dollars=dollars),
    )


def kinds(store: Store, incident_id: str) -> list[str]:
    return [post.kind for post in store.outbox.of_incident(incident_id)]
