"""Which PagerDuty incident and service an alert is about. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from skills.contract import Focus
from skills.pagerduty.client import Incident
from skills.rest import text

_LINK = re.compile(r"^https?://[\w.-]*pagerduty\.com/incidents/(\w+)")
_NOISE = re.compile(r"[^a-z0-9]+|\b(?:service|svc|prod|production|team|the)\b")
_NEAR = timedelta(minutes=15)
"""An alert reaches PagerDuty within minutes of its start."""


def incident_id(focus: Focus) -> str:
    """By the alert's own link to it."""
    return next((m[1] for link in focus.links if (m := _LINK.match(link))), "")


def likeliest(found: Sequence[Incident], focus: Focus) -> Incident | None:
    """By number, else by the alert's words in its title or key; at a tie the one that began nearest to the alert."""
    number = focus.labels.get("incident_number", "")
    if number and (same := [i for i in found if i.number == number]):
        return same[0]
    scored = [(_likeness(i, focus), i) for i in found]
    best = max((s for s, _ in scored), default=0)
    if best < 2:
        return None
    return min((i for s, i in scored if s == best), key=lambda i: (_away(i, focus), i.id))


def _likeness(incident: Incident, focus: Focus) -> int:
    words = f"{incident.title} {incident.key}".casefold()
    told = [focus.alert_type, focus.labels.get("alertname", "")]
    points = 2 if any(t and t.casefold() in words for t in told) else 0
    points += 2 if focus.title and focus.title.casefold() == incident.title.casefold() else 0
    points += (
        1 if focus.service and (alike(incident.service, focus.service) or focus.service.casefold() in words) else 0
    )
    near = _away(incident, focus) <= _NEAR.total_seconds()
    points += 1 if near and points else 0
    return points


def _away(incident: Incident, focus: Focus) -> float:
    if incident.created_at is None or focus.started_at is None:
        return float("inf")
    return abs((incident.created_at - focus.started_at).total_seconds())


def service_of(found: Iterable[Mapping[str, Any]], name: str) -> Mapping[str, Any] | None:
    """The one of that name; the only one that has it in its name."""
    named = list(found)
    exact = [s for s in named if alike(text(s, "name") or text(s, "summary"), name)]
    within = [s for s in named if _bare(name) in _bare(text(s, "name") or text(s, "summary"))]
    return exact[0] if exact else within[0] if len(within) == 1 else None


def alike(a: str, b: str) -> bool:
    """Cart Service, cart and cart-prod are one."""
    return bool(_bare(a)) and _bare(a) == _bare(b)


def _bare(name: str) -> str:
    return _NOISE.sub("", name.casefold().replace("-", " ").replace("_", " "))
