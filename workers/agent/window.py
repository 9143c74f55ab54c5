"""What an investigation is about and when: focus, window and baseline, from the alerts and the question."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from skills.contract import Focus, Window
from workers.agent.request import Request
from workers.domain import Alert

BEFORE_ONSET = timedelta(minutes=30)
LONGEST = timedelta(hours=24)
BASELINE = timedelta(hours=1)

_NAMESPACE_LABELS = (
    "namespace", "exported_namespace", "kubernetes_namespace", "k8s_namespace", "k8s_namespace_name",
    "kube_namespace", "destination_service_namespace",
)  # fmt: skip


def focus(request: Request) -> Focus:
    """The alert that says most, firing ones first; times and expressions of all of them."""
    alerts = request.alerts
    lead = min(alerts, key=_says_little) if alerts else None
    starts = [a.started_at for a in alerts if a.started_at is not None]
    if lead is None:
        return Focus(asked=request.question, started_at=None)
    return Focus(
        alert_type=lead.alert_type,
        title=lead.title,
        summary=lead.summary,
        service=lead.service,
        namespace=namespace(lead) or next((n for a in alerts if (n := namespace(a))), ""),
        environment=lead.environment or request.customer.environment,
        labels=lead.labels,
        started_at=min(starts) if starts else None,
        asked=request.question or lead.asked,
        expressions=tuple(dict.fromkeys(e for a in alerts for e in _expressions(a))),
        links=tuple(dict.fromkeys(link.url for a in alerts for link in a.links)),
    )


def namespace(alert: Alert) -> str:
    return next((alert.labels[label] for label in _NAMESPACE_LABELS if alert.labels.get(label)), "")


def window(request: Request) -> Window:
    """From half an hour before the onset to now; an alert that fires for days is read over its last day."""
    starts = [a.started_at for a in request.alerts if a.started_at is not None and a.started_at <= request.now]
    onset = min(starts, default=request.now - timedelta(minutes=15))
    return Window(max(onset - BEFORE_ONSET, request.now - LONGEST), request.now)


def baseline(window: Window) -> Window:
    """The healthy past: the hour before the window, or as long as the window where that is longer (at most 6 h)."""
    return window.before(min(max(window.seconds, BASELINE.total_seconds()), 6 * 3600))


def onset(request: Request) -> datetime | None:
    starts = [a.started_at for a in request.alerts if a.started_at is not None]
    return min(starts, default=None)


def _says_little(alert: Alert) -> tuple[bool, bool, bool, str]:
    return (alert.status == "resolved", not alert.service, not namespace(alert), alert.fingerprint)


def _expressions(alert: Alert) -> list[str]:
    """PromQL in links such as http://prometheus/graph?g0.expr=..."""
    found = []
    for link in alert.links:
        for key, values in parse_qs(urlsplit(link.url).query).items():
            if key.endswith("expr"):
                found.extend(values)
    return found
