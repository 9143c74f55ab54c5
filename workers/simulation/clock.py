"""The world's time as text. Inside, a moment is a float of Unix seconds; every face writes its own form."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache


def moment(text: str) -> float:
    """`2026-11-24T14:20:37Z` as Unix seconds."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


@lru_cache(maxsize=65536)
def _whole(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def seconds(at: float) -> str:
    """metav1.Time."""
    return _whole(int(at)) + "Z"


def micros(at: float) -> str:
    """metav1.MicroTime, as leases have it."""
    return f"{_whole(int(at))}.{int(at % 1 * 1e6):06d}Z"


def millis(at: float) -> str:
    """Elasticsearch's strict_date_optional_time, and Alertmanager's."""
    return f"{_whole(int(at))}.{int(at % 1 * 1e3):03d}Z"


def of_millis(whole: int) -> str:
    """Milliseconds since the epoch as Elasticsearch writes a date."""
    return f"{_whole(whole // 1000)}.{whole % 1000:03d}Z"


def nanos(at: float) -> str:
    """The time that the kubelet puts before a log line."""
    return micros(at)[:-1] + f"{int(at * 1e7) * 7919 % 1000:03d}Z"


def spaced(at: float, mark: str = ",") -> str:
    """`2026-11-24 14:20:37,412`: the default of Python's logging; with a dot, PostgreSQL's."""
    return f"{_whole(int(at)).replace('T', ' ')}{mark}{int(at % 1 * 1e3):03d}"


def nginx(at: float) -> str:
    """`24/Nov/2026:14:20:37 +0000`: nginx' $time_local."""
    return datetime.fromtimestamp(at, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")


def utc(naive: datetime) -> datetime:
    """A moment that was typed without a zone is meant in UTC."""
    return naive.replace(tzinfo=UTC)
