"""Grafana: the webhook of a contact point, its Slack message, and both of them from before unified alerting.

Asked before Alertmanager, whose webhook Grafana's repeats with more in it (`orgId`, `values`, `silenceURL`).
"""

from __future__ import annotations

import re

from bot.intake import build, words
from bot.intake.alert_type import bare_title, masked_title, status_prefix
from bot.intake.label_text import Listed, label_sets
from bot.intake.labelled import from_labels, from_listed, strings, urls
from bot.intake.message import Message
from bot.intake.moments import moment
from bot.intake.shapes import Body, Read, first_text, table, tables, text
from bot.intake.subject import subject
from workers.domain import Alert, AlertStatus

RANK = 20
SOURCE = "grafana"


def of_body(body: Body) -> Read | None:
    data = body.data
    group = [alert for alert in tables(data.get("alerts")) if isinstance(alert.get("labels"), dict)]
    if group and ("orgId" in data or any("silenceURL" in alert or "dashboardURL" in alert for alert in group)):
        left_out = data.get("truncatedAlerts")
        return build.read(
            [_of_webhook(alert, body) for alert in group],
            left_out=left_out if isinstance(left_out, int) and left_out > 0 else 0,
        )
    if "ruleName" in data or ("ruleId" in data and "state" in data):
        return build.read([_of_old_webhook(body)])
    return None


def of_message(message: Message) -> Read | None:
    if not _by_grafana(message):
        return None
    titled = subject(message.title) or next((s for s in map(subject, message.fallbacks) if s), None)
    sets = label_sets(message.lines)
    group_key = f"{SOURCE}:{titled.group or titled.others}" if titled else ""
    if sets:
        status = titled.status if titled else "firing"
        return build.read([_of_listed(listed, message, status, group_key) for listed in sets])
    if titled or status_prefix(message.title):
        return build.read([_of_title(message, group_key)])
    return None


def _of_webhook(alert: object, body: Body) -> Alert:
    data, group = table(alert), body.data
    labels, annotations = strings(data.get("labels")), strings(data.get("annotations"))
    if values := text(data.get("valueString")):
        annotations.setdefault("message", values)
    state = text(data.get("status")) or text(group.get("status"))
    return from_labels(
        SOURCE,
        labels,
        annotations,
        alert_type=labels.get("rulename") or labels.get("alertname") or masked_title(text(group.get("title"))),
        status="resolved" if words.status(state) == "resolved" else "firing",
        fingerprint=text(data.get("fingerprint")),
        group_key=text(group.get("groupKey")),
        started_at=moment(data.get("startsAt")),
        urls=urls(data, group),
    )


def _of_old_webhook(body: Body) -> Alert:
    """Before Grafana 9: {"title": "[Alerting] Panel", "ruleId", "ruleName", "state", "evalMatches": [...], "tags"}."""
    data = body.data
    name = first_text(data, "ruleName") or bare_title(text(data.get("title")))
    labels = strings(data.get("tags"))
    matches = [f"{text(m.get('metric'))}: {text(m.get('value'))}" for m in tables(data.get("evalMatches"))]
    return build.alert(
        source=SOURCE,
        status=_old_status(text(data.get("state"))),
        alert_type=name,
        title=first_text(data, "title", "ruleName"),
        summary="\n".join(filter(None, (text(data.get("message")), *matches))),
        severity=words.severity(labels.get("severity"), labels.get("priority")),
        service=words.service(labels),
        environment=words.environment(labels),
        labels=labels,
        fingerprint=f"rule:{text(data.get('ruleId'))}" if text(data.get("ruleId")) else build.key(SOURCE, name),
        links=[("source", text(data.get("ruleUrl"))), ("panel", text(data.get("imageUrl")))],
    )


def _of_listed(listed: Listed, message: Message, status: AlertStatus, group_key: str) -> Alert:
    name = listed.labels.get("rulename") or listed.labels.get("alertname") or masked_title(_named_in(message.title))
    return from_listed(SOURCE, listed, message, alert_type=name, status=status, group_key=group_key)


def _of_title(message: Message, group_key: str) -> Alert:
    """No labels listed: a rule's name may have blanks, so everything before the brackets is taken for it."""
    titled = subject(message.title)
    name = masked_title(_named_in(message.title))
    values = titled.others.split() if titled else []
    return build.alert(
        source=SOURCE,
        status=titled.status if titled else _old_status(status_prefix(message.title)),
        alert_type=name,
        title=message.title,
        summary=message.body,
        severity=words.severity(message.fields.get("severity"), words.severity_among(values)),
        environment=words.environment_among(values),
        labels={"alertname": name, **({"gumshoe_values": " ".join(values)} if values else {})},
        fingerprint=build.key(SOURCE, name, *values),
        group_key=group_key,
        links=message.typed_links,
    )


def _named_in(title: str) -> str:
    titled = subject(title)
    return titled.group or titled.others if titled else title


def _old_status(state: str) -> AlertStatus:
    return "resolved" if words.status(state) == "resolved" else "firing"


def _by_grafana(message: Message) -> bool:
    if any(footer.lower().startswith("grafana") for footer in message.footers):
        return True
    if re.match(r"grafana\b(?! ?oncall)", message.sender, re.I):
        return True
    return any(
        re.search(r"//[^/]*grafana[^/]*/(?:alerting|d)/|/alerting/(?:grafana/|list|silence/)", url)
        for url, _ in message.links
    )
