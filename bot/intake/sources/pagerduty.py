"""PagerDuty: V3 webhooks, Events API v2 bodies, and the messages of its Slack app.

V3 tells every change of an incident; only those whose data is the incident itself are alerts. Notes, responders,
status updates, services and types that PagerDuty may add are accepted and left alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.intake import build, words
from bot.intake.alert_type import masked_title
from bot.intake.label_text import Listed, common, label_sets
from bot.intake.labelled import strings
from bot.intake.message import Message
from bot.intake.moments import moment
from bot.intake.shapes import Body, Read, first_text, table, tables, text
from workers.domain import Alert, AlertStatus, Severity

SOURCE = "pagerduty"
_INCIDENT_EVENTS = words.listed(
    "incident.triggered incident.acknowledged incident.unacknowledged incident.reopened incident.resolved"
    " incident.escalated incident.delegated incident.reassigned incident.priority_updated"
)
_STATUS: dict[str, AlertStatus] = {"triggered": "firing", "acknowledged": "acknowledged", "resolved": "resolved"}
_ACTIONS: dict[str, AlertStatus] = {"trigger": "firing", "acknowledge": "acknowledged", "resolve": "resolved"}
_PRIORITIES: dict[str, Severity] = {"P1": "critical", "P2": "high", "P3": "warning", "P4": "low", "P5": "info"}
_INCIDENT_LINK = re.compile(r"https?://[\w.-]*pagerduty\.com/incidents/(\w+)")
_DATA_TYPES = ("incident_note", "incident_responder", "incident_status_update", "incident_conference_bridge")


def of_body(body: Body) -> Read | None:
    data = body.data
    event = table(data.get("event"))
    if "event_type" in event and "resource_type" in event:
        return _of_event(event)
    if text(data.get("event_action")) in _ACTIONS and (
        "routing_key" in data or "payload" in data or "dedup_key" in data
    ):
        return build.read([_of_events_v2(data)])
    if data.get("event_action") and "routing_key" in data:
        return Read(reason=f"it is a PagerDuty event of action {text(data['event_action'])[:60]!r}")
    kind = text(data.get("type"))
    if kind == "incident" and ("title" in data or "summary" in data) and "service" in data:
        return build.read([_of_incident(data)])
    if kind in _DATA_TYPES and "incident" in data:
        return Read(reason=f"it is a PagerDuty {kind}, not an incident")
    if kind == "service" and "pagerduty.com" in text(data.get("self")):
        return Read(reason="it is a PagerDuty service, not an incident")
    return None


def of_message(message: Message) -> Read | None:
    found = next((m for url in _own_links(message) if (m := _INCIDENT_LINK.match(url))), None)
    if found is None:
        return None
    titles = [label for url, label in message.links if url.startswith(found[0]) and label] + [message.title]
    title = re.sub(r"^(?:\[?#\d+\]?:?\s*|incident #\d+:?\s*)", "", titles[0])
    told = " ".join(message.lines[:2])
    status = words.status(message.fields.get("status", "")) or _status_in(told)
    if re.search(r"\b(?:added a note|requested a responder|postmortem|status update)\b", told, re.I) or status is None:
        return Read(reason="it is a PagerDuty message that changes no incident's state")
    service = message.fields.get("service") or message.fields.get("impacted service", "")
    return build.read(
        [
            build.alert(
                source=SOURCE,
                status=status,
                alert_type=masked_title(title, keeps_title=True),
                title=title,
                summary=message.body,
                severity=words.severity(message.fields.get("priority"), message.fields.get("urgency")),
                service=service,
                labels={n: v for n, v in message.fields.items() if n in ("urgency", "priority", "service")},
                fingerprint=found[1],
                links=[("alert", found[0])],
            )
        ]
    )


def _of_event(event: Mapping[str, Any]) -> Read:
    kind, data = text(event.get("event_type")), table(event.get("data"))
    if kind not in _INCIDENT_EVENTS or data.get("type", "incident") != "incident" or not text(data.get("id")):
        return Read(reason=f"PagerDuty's event {kind[:80]!r} tells of no incident's state")
    # An event says what happened, its data how the incident stands; the event is the later word.
    named = kind.removeprefix("incident.")
    status = _STATUS.get(named) or ("firing" if named in ("unacknowledged", "reopened") else None)
    return build.read([_of_incident(data, status)])


def _of_incident(data: Mapping[str, Any], status: AlertStatus | None = None) -> Alert:
    title = first_text(data, "title", "summary", "description")
    priority = first_text(table(data.get("priority")), "summary", "name")
    urgency = text(data.get("urgency"))
    labels = {
        "urgency": urgency,
        "priority": priority,
        "incident_number": first_text(data, "number", "incident_number"),
        "team": ", ".join(t for team in tables(data.get("teams")) if (t := text(team.get("summary")))),
        "escalation_policy": first_text(table(data.get("escalation_policy")), "summary"),
    }
    return build.alert(
        source=SOURCE,
        status=status or _STATUS.get(text(data.get("status")), "firing"),
        alert_type=masked_title(title, keeps_title=True),
        title=title,
        summary=first_text(table(data.get("body")), "details"),
        severity=_PRIORITIES.get(priority.upper()) or words.severity(priority, urgency),
        service=first_text(table(data.get("service")), "summary", "name"),
        labels={name: value for name, value in labels.items() if value},
        fingerprint=first_text(data, "alert_key", "id"),
        started_at=moment(data.get("created_at")),
        links=[("alert", text(data.get("html_url")))],
    )


def _of_events_v2(data: Mapping[str, Any]) -> Alert:
    inner = table(data.get("payload"))
    title = first_text(inner, "summary") or first_text(data, "description")
    details = table(inner.get("custom_details"))
    sets = tuple(_listed(details))
    labels = common(sets) if sets else strings(details)
    for name in ("component", "group", "class"):
        if value := text(inner.get(name)):
            labels.setdefault(name, value)
    notes = sets[0].annotations if sets else {}
    return build.alert(
        source=SOURCE,
        status=_ACTIONS[text(data["event_action"])],
        alert_type=masked_title(title, keeps_title=True),
        title=title,
        summary=notes.get("description") or notes.get("summary", ""),
        severity=words.severity(labels.get("severity"), text(inner.get("severity"))),
        service=words.service(labels) or labels.get("component", ""),
        environment=words.environment(labels),
        labels={**labels, "gumshoe_alerts": str(len(sets))} if sets else labels,
        fingerprint=text(data.get("dedup_key"))
        or build.key(SOURCE, masked_title(title, keeps_title=True), text(inner.get("source"))),
        started_at=moment(inner.get("timestamp")),
        links=[
            *(("runbook", url) for name, url in notes.items() if "runbook" in name),
            *(("source", url) for listed in sets[:1] for url in listed.links.values()),
            ("alert", text(data.get("client_url"))),
            *(("alert", text(link.get("href"))) for link in tables(data.get("links"))),
        ],
    )


def _listed(details: Mapping[str, Any]) -> Iterator[Listed]:
    """The alerts that Alertmanager puts into custom_details: as text, in newer versions as JSON."""
    for name in ("firing", "resolved"):
        value = details.get(name)
        if isinstance(value, str) and value.lstrip().startswith("["):
            try:
                value = json.loads(value)
            except (ValueError, RecursionError):
                continue
        if isinstance(value, str):
            yield from label_sets(value.splitlines())
        for row in tables(value):
            if labels := strings(row.get("labels")):
                yield Listed(labels, strings(row.get("annotations")), {"source": text(row.get("generatorURL"))})


def _own_links(message: Message) -> list[str]:
    """Links that make a message PagerDuty's: all of its app's, else only the title's."""
    if re.match(r"pager ?duty", message.sender, re.I):
        return [url for url, _ in message.links]
    return [url for _, url in message.titles]


_SAID: tuple[tuple[str, AlertStatus], ...] = (
    ("resolved", "resolved"),
    ("acknowledged", "acknowledged"),
    ("triggered|reopened|escalated|assigned", "firing"),
)


def _status_in(told: str) -> AlertStatus | None:
    return next((status for pattern, status in _SAID if re.search(rf"\b(?:{pattern})\b", told, re.I)), None)
