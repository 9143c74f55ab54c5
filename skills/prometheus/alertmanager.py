"""What else fires, and what somebody has silenced: Alertmanager's side of an alert.

API: prometheus/alertmanager, api/v2/openapi.yaml (gettableAlert, gettableSilence); Mimir serves the same below
/alertmanager. Asked with the headers and the token of the Prometheus that it belongs to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from skills import rest
from skills.contract import Access, Excerpt, Focus
from skills.prometheus.client import headers, party
from skills.prometheus.settings import Settings

ALERTS, SILENCES = "/api/v2/alerts", "/api/v2/silences"
MOST = 8
_PLACE = ("pod", "service", "deployment", "statefulset", "node", "instance", "job")
_NOT_TOLD = ("alertname", "prometheus", "cluster", "environment", "endpoint", "metrics_path", "uid")


@dataclass(frozen=True)
class Alert:
    name: str
    labels: Mapping[str, str]
    summary: str
    since: datetime | None
    suppressed: bool
    """By a silence or by another alert: nobody is told of it."""


@dataclass(frozen=True)
class Silence:
    matchers: str
    """As people write them: `alertname="TargetDown", namespace=~"shop|pay"`."""
    author: str
    comment: str
    until: datetime | None


class Alertmanager:
    """Raises ToolError from each method."""

    def __init__(self, access: Access) -> None:
        settings: Settings = access.settings
        asked = party(settings, access, "Alertmanager", settings.alertmanager_url or "", "alertmanager_url")
        door = rest.Door(asked, headers(settings, access), settings.verify_tls, settings.ca_file)
        self._rest = rest.Rest(door, access.meter, access.timeout_seconds)

    def alerts(self) -> tuple[Alert, ...]:
        """Everything that fires now, the oldest first."""
        found = [_alert(row) for row in _listed(self._rest.get(ALERTS).data)]
        return tuple(sorted(found, key=lambda a: (a.since.timestamp() if a.since else 0.0, a.name)))

    def silences(self) -> tuple[Silence, ...]:
        """Those in force."""
        rows = _listed(self._rest.get(SILENCES).data)
        return tuple(_silence(row) for row in rows if rest.text(row, "status", "state") == "active")


def _listed(data: Any) -> list[Mapping[str, Any]]:
    return rest.rows({"rows": data}, "rows")


def _alert(row: Mapping[str, Any]) -> Alert:
    given = rest.at(row, "labels")
    labels = {str(k): str(v) for k, v in given.items()} if isinstance(given, Mapping) else {}
    summary = rest.text(row, "annotations", "summary") or rest.text(row, "annotations", "description")
    suppressed = rest.text(row, "status", "state") == "suppressed"
    return Alert(labels.get("alertname", "?"), labels, summary, rest.moment(row, "startsAt"), suppressed)


def _silence(row: Mapping[str, Any]) -> Silence:
    parts = []
    for matcher in rest.rows(row, "matchers"):
        op = ("=" if rest.at(matcher, "isEqual") is not False else "!") + ("~" if rest.at(matcher, "isRegex") else "")
        op = {"!": "!=", "=": "="}.get(op, op)
        parts.append(f'{rest.text(matcher, "name")}{op}"{rest.text(matcher, "value")}"')
    author, comment = rest.text(row, "createdBy"), " ".join(rest.text(row, "comment").split())
    return Silence(", ".join(parts), author, comment[:160], rest.moment(row, "endsAt"))


# What is told of them


def others(alerts: Sequence[Alert], focus: Focus) -> list[Alert]:
    """Without the alert itself; those that share most of its place first, then the oldest."""
    own = {k: v for k, v in focus.labels.items() if k not in ("severity", "prometheus", "cluster", "environment")}
    rest_of_them = [a for a in alerts if not (a.name == focus.alert_type and own.items() <= a.labels.items())]
    return sorted(rest_of_them, key=lambda a: -nearness(a, focus))


def nearness(alert: Alert, focus: Focus) -> int:
    """How much of the place it shares with what the alert is about; 0: nothing."""
    space = focus.namespace or focus.labels.get("namespace", "")
    near = 2 * (bool(space) and alert.labels.get("namespace") == space)
    names = {focus.service, *(focus.labels.get(k, "") for k in _PLACE)} - {""}
    return near + sum(alert.labels.get(k) in names for k in _PLACE)


def told(alerts: Sequence[Alert], silences: Sequence[Silence], focus: Focus) -> str:
    """One line: how many, which, and whether somebody silenced some of it."""
    found = others(alerts, focus)
    if found:
        names = ", ".join(f"{n} {name}" if n > 1 else name for name, n in Counter(a.name for a in found).most_common(6))
        more = f"Alertmanager: {len(found)} other {'alert fires' if len(found) == 1 else 'alerts fire'}: {names}"
    else:
        more = "Alertmanager: no other alert fires"
    hidden = sum(a.suppressed for a in found)
    if hidden:
        more += f"; {hidden} of them suppressed"
    return more + (f"; {len(silences)} silenced: {silences[0].matchers}" if silences else "")


def excerpts(alerts: Sequence[Alert], silences: Sequence[Silence]) -> list[Excerpt]:
    lines = []
    for alert in alerts[:MOST]:
        labels = ", ".join(f"{k}={v}" for k, v in sorted(alert.labels.items()) if k not in _NOT_TOLD)
        since = f" since {alert.since:%Y-%m-%d %H:%M:%S}Z" if alert.since else ""
        text = f"alert {alert.name} {'is suppressed' if alert.suppressed else 'fires'}{since}: {labels}"
        lines.append(Excerpt(f"{text}; {alert.summary}" if alert.summary else text, f"GET {ALERTS}", at=alert.since))
    for silence in silences[:MOST]:
        until = f" until {silence.until:%Y-%m-%d %H:%M}Z" if silence.until else ""
        text = f"silenced {{{silence.matchers}}}{until} by {silence.author or 'unknown'}: {silence.comment}"
        lines.append(Excerpt(text, f"GET {SILENCES}"))
    return lines
