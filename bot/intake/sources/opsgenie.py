"""Opsgenie: its outgoing webhook, the body that creates an alert, and its messages in Slack.

The body that closes an alert has the alias in the URL alone, so it names no alert. A create body by Alertmanager lists
the group's alerts in its description; Opsgenie makes one alert of them, and so do we.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.intake import build, words
from bot.intake.alert_type import masked_title, status_prefix
from bot.intake.label_text import label_sets
from bot.intake.labelled import strings
from bot.intake.message import Message
from bot.intake.moments import moment
from bot.intake.mrkdwn import without_emoji
from bot.intake.shapes import Body, Read, rows, table, text
from workers.domain import Alert, AlertStatus, Severity

SOURCE = "opsgenie"
_ACTIONS: dict[str, AlertStatus] = {
    "create": "firing",
    "unacknowledge": "firing",
    "escalate": "firing",
    "acknowledge": "acknowledged",
    "close": "resolved",
}
_PRIORITIES: dict[str, Severity] = {"1": "critical", "2": "high", "3": "warning", "4": "low", "5": "info"}
_ALERT_LINK = re.compile(
    r"https?://(?:[\w-]+\.)*"
    r"(?:opsgenie\.com/(?:alert/(?:detail|V2/show|show)/)?|opsg\.in/a/i/(?:[\w-]+/)?|atlassian\.net/jira/ops/alerts/)"
    r"([\w-]{6,})"
)
_CREATE_KEYS = ("alias", "responders", "visibleTo", "entity", "priority", "details", "tags", "teams")


def of_body(body: Body) -> Read | None:
    data, inner = body.data, table(body.data.get("alert"))
    action = text(data.get("action"))
    if action and ("alertId" in inner or "tinyId" in inner):
        status = _ACTIONS.get(action.lower())
        if status is None:
            return Read(reason=f"Opsgenie's {action[:60]!r} changes no alert's state")
        return build.read([_of_alert(inner, status, text(inner.get("alertId")))])
    if text(data.get("message")) and "status" not in data and "title" not in data and _is_create(data):
        return build.read([_of_alert(data, "firing", "")])
    if data and set(data) <= {"source", "user", "note"} and isinstance(data.get("source"), str):
        return Read(reason="it closes an Opsgenie alert, whose alias is in the request's URL and not in its body")
    return None


def of_message(message: Message) -> Read | None:
    by_opsgenie = bool(re.match(r"opsgenie|jira service management", message.sender, re.I))
    # Other apps' messages may link to Opsgenie somewhere; only its own have the alert under the title.
    urls = [url for url, _ in message.links] if by_opsgenie else [url for _, url in message.titles]
    found = next((m for url in urls if (m := _ALERT_LINK.match(url))), None)
    if found is None and not by_opsgenie:
        return None
    numbered = next(
        (
            m
            for line in (*(t for t, _ in message.titles), *message.lines)
            if (m := re.search(r"#(\d+)\s*:\s*(.+)$", line))
        ),
        None,
    )
    if found is None and numbered is None:
        return Read(reason="it is an Opsgenie message about no alert")
    title = without_emoji(numbered[2] if numbered else message.title)
    status = words.status(message.fields.get("status", "")) or _status_in(message)
    tags = _tags(re.split(r"[,\s]+", message.fields.get("tags", "")))
    return build.read(
        [
            build.alert(
                source=SOURCE,
                status=status,
                alert_type=masked_title(title, keeps_title=True),
                title=title,
                summary=message.body,
                severity=words.severity(message.fields.get("priority"), message.title),
                service=message.fields.get("entity") or tags.get("service", ""),
                environment=words.environment(tags),
                labels={**tags, **{n: v for n, v in message.fields.items() if n in ("priority", "source", "entity")}},
                fingerprint=message.fields.get("alias")
                or (found[1] if found else f"#{numbered[1]}" if numbered else ""),
                links=message.typed_links,
            )
        ]
    )


def _is_create(data: Mapping[str, Any]) -> bool:
    if "alias" in data and "priority" not in data and "description" not in data and "details" not in data:
        return len(data) <= 4
    return "alias" in data or ("responders" in data or sum(name in data for name in _CREATE_KEYS) >= 3)


def _of_alert(data: Mapping[str, Any], status: AlertStatus, alert_id: str) -> Alert:
    message = text(data.get("message"))
    tags = _tags(rows(data.get("tags")) or re.split(r",\s*", text(data.get("tags"))))
    labels = {**strings(data.get("details")), **tags}
    told = words.status(status_prefix(message))
    sets = label_sets(text(data.get("description")).splitlines())
    if sets:
        labels["gumshoe_alerts"] = str(len(sets))
    notes = sets[0].annotations if sets else {}
    priority = text(data.get("priority")).upper().removeprefix("P")
    return build.alert(
        source=SOURCE,
        status="resolved" if told == "resolved" else status,
        alert_type=masked_title(message, keeps_title=True),
        title=message,
        summary=notes.get("description") or notes.get("summary") or ("" if sets else text(data.get("description"))),
        severity=words.severity(labels.get("severity"))
        if "severity" in labels
        else _PRIORITIES.get(priority, "unknown"),
        service=text(data.get("entity")) or tags.get("service") or words.service(labels),
        environment=words.environment(labels),
        labels=labels,
        fingerprint=text(data.get("alias")) or alert_id or build.key(SOURCE, masked_title(message, keeps_title=True)),
        started_at=moment(data.get("createdAt")),
        links=[
            *(("runbook", url) for name, url in notes.items() if "runbook" in name),
            *(("source", url) for listed in sets[:1] for url in listed.links.values()),
            ("alert", text(data.get("source"))),
        ],
    )


def _tags(tags: list[Any]) -> dict[str, str]:
    """`service:checkout` is a label; a tag without a value is one whose value is "true"."""
    pairs = (text(tag).strip().partition(":") for tag in tags)
    return {name: value or "true" for name, _, value in pairs if name}


def _status_in(message: Message) -> AlertStatus:
    told = " ".join(message.lines[:2])
    if re.search(r"\b(?:closed|resolved)\b", told, re.I):
        return "resolved"
    return "acknowledged" if re.search(r"\backnowledged\b", told, re.I) else "firing"
