"""Prometheus Alertmanager: its webhook (version 4), its API's alerts, and its Slack messages.

In Slack a template may list the labels of every alert: then there is one Alert for each, with the fingerprint that
Alertmanager itself would give. The default template only packs label values into the title: then a group of any size
is one Alert, its values in the label `gumshoe_values`, their number of alerts in `gumshoe_alerts`.
"""

from __future__ import annotations

from bot.intake import build, words
from bot.intake.label_text import Listed, label_sets
from bot.intake.labelled import from_labels, from_listed, strings, urls
from bot.intake.message import Message
from bot.intake.moments import moment
from bot.intake.mrkdwn import without_emoji
from bot.intake.shapes import Body, Read, rows, table, tables, text
from bot.intake.subject import Subject, subject
from workers.domain import Alert, AlertStatus

RANK = 30
SOURCE = "alertmanager"


def of_body(body: Body) -> Read | None:
    data = body.data
    group = [alert for alert in tables(data.get("alerts")) if isinstance(alert.get("labels"), dict)]
    if group and any(name in data for name in ("groupKey", "groupLabels", "commonLabels", "receiver")):
        return build.read(
            [_of_webhook(alert, body) for alert in group[: build.MOST_ALERTS]],
            left_out=len(group[build.MOST_ALERTS :]) + _truncated(data.get("truncatedAlerts")),
        )
    if isinstance(data.get("alerts"), list) and "groupKey" in data:
        return Read(reason="the Alertmanager group has no alerts")
    if "alertname" in table(data.get("labels")) and ("startsAt" in data or "generatorURL" in data):
        return build.read([_of_webhook(data, body)])
    return None


def of_message(message: Message) -> Read | None:
    titled = _subject_of(message)
    sets = label_sets(message.lines)
    if titled is None or not (titled.has_count or _by_alertmanager(message)):
        return None
    group_key = f"{SOURCE}:{titled.group or titled.others}"
    if sets:
        alerts = [_of_listed(listed, message, titled, group_key) for listed in sets]
        return build.read(alerts)
    return build.read([_of_subject(message, titled, group_key)])


def _of_webhook(alert: object, body: Body) -> Alert:
    data, group = table(alert), body.data
    labels = strings(data.get("labels"))
    annotations = {**strings(group.get("commonAnnotations")), **strings(data.get("annotations"))}
    return from_labels(
        SOURCE,
        labels,
        annotations,
        alert_type=labels.get("alertname") or annotations.get("summary") or "alert without a name",
        status=_status(data.get("status"), group.get("status")),
        fingerprint=text(data.get("fingerprint")),
        group_key=text(group.get("groupKey")),
        started_at=moment(data.get("startsAt")),
        urls=urls(data, group),
    )


def _of_listed(listed: Listed, message: Message, titled: Subject, group_key: str) -> Alert:
    name = listed.labels.get("alertname") or titled.alertname
    if "alertname" not in listed.labels:
        listed.labels["alertname"] = name
    return from_listed(SOURCE, listed, message, alert_type=name, status=titled.status, group_key=group_key)


def _of_subject(message: Message, titled: Subject, group_key: str) -> Alert:
    name = message.fields.get("alertname") or titled.alertname or message.fields.get("alert", "")
    told = message.told("status", "severity", "environment", "alertname").splitlines()
    said = [line for line in told if subject(line) is None and line not in message.footers]
    named = {
        n: message.fields[n]
        for n in ("severity", "environment", "service", "namespace", "cluster")
        if n in message.fields
    }
    labels = {"alertname": name, **named}
    if titled.values:
        labels["gumshoe_values"] = " ".join(titled.values)
    if titled.count is not None:
        labels["gumshoe_alerts"] = str(titled.count)
    return build.alert(
        source=SOURCE,
        status=titled.status,
        alert_type=name,
        title=without_emoji(message.title),
        summary="\n".join(said),
        severity=words.severity(named.get("severity"), words.severity_among(titled.values)),
        service=words.service(labels),
        environment=words.environment(named) or words.environment_among(titled.values),
        labels=labels,
        fingerprint=build.key(SOURCE, name, *titled.values),
        group_key=group_key,
        links=message.typed_links,
    )


def _subject_of(message: Message) -> Subject | None:
    """The subject with the most in it: a custom title often says less than the fallback, which keeps the default."""
    lines = [title for title, _ in message.titles] + [*message.fallbacks, *message.lines[:3]]
    found = [s for s in (subject(line) for line in lines) if s]
    counted = [s for s in found if s.has_count and s.values]
    best = max(counted, key=lambda s: len(s.values), default=None)
    if best is None:
        return found[0] if found else None
    return best


def _by_alertmanager(message: Message) -> bool:
    told = " ".join((message.sender, *message.footers)).lower()
    return "alertmanager" in told or "prometheus" in told or any("/#/alerts" in url for url, _ in message.links)


def _status(own: object, group: object) -> AlertStatus:
    # The API writes {"state": "active"}, the webhook "firing".
    state = text(table(own).get("state")) or text(own) or text(group)
    return "resolved" if words.status(state) == "resolved" else "firing"


def _truncated(value: object) -> int:
    return value if isinstance(value, int) and 0 < value < 1_000_000 else len(rows(value))
