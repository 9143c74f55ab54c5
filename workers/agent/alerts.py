"""Alerts as they are shown, recorded and believed: bounded, whatever a source puts into them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workers.domain import Alert

MOST = 20
LABELS, FEWER_LABELS = 40, 6
TEXT_CHARACTERS = 1500
TELLING = (
    "namespace", "service", "deployment", "statefulset", "daemonset", "pod", "container", "node", "job_name",
    "instance",
)  # fmt: skip
"""Labels that say what is meant; they stand first, so that no flood of others hides them."""


def shown_alerts(alerts: Sequence[Alert]) -> list[dict[str, Any]]:
    """The first ones with their labels, the rest in short."""
    return [_row(alert, LABELS if i < 3 else FEWER_LABELS) for i, alert in enumerate(alerts[:MOST])]


def _row(alert: Alert, most_labels: int) -> dict[str, Any]:
    names = [n for n in TELLING if n in alert.labels]
    names += sorted(n for n in alert.labels if n not in TELLING)
    return {
        "type": alert.alert_type[:300],
        "status": alert.status,
        "title": alert.title[:TEXT_CHARACTERS],
        "summary": alert.summary[:TEXT_CHARACTERS],
        "severity": alert.severity,
        "service": alert.service[:300],
        "environment": alert.environment[:300],
        "started_at": alert.started_at.isoformat() if alert.started_at else None,
        "labels": {n[:100]: alert.labels[n][:300] for n in names[:most_labels]},
    }
