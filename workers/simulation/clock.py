"""The world's time as text. Inside, a moment is a float of Unix seconds; every face writes its own form."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(text: str) -> float:
    """`2026-11-24T14:20:37Z` as Unix seconds."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def seconds(at: float) -> str:
    """metav1.Time."""
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micros(at: float) -> str:
    """metav1.MicroTime, as leases have it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def millis(at: float) -> str:
    """Elasticsearch's strict_date_optional_time, and Alertmanager's."""
    return micros(at)[:-4] + "Z"


def nanos(at: float) -> str:
    """The time that the kubelet puts before a log line."""
    return micros(at)[:-1] + f"{int(at * 1e7) * 7919 % 1000:03d}Z"


def utc(naive: datetime) -> datetime:
    """A moment that was typed without a zone is meant in UTC."""
    return naive.replace(tzinfo=UTC)
