"""Sentry: issue and metric alerts in Slack, the webhooks of an integration, and the older webhook plug-in.

An issue's alert type is its exception type, so that every TypeError of a project shares guidance; what is no
exception has its masked title.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.intake import build, words
from bot.intake.alert_type import bare_title, masked_title, status_prefix
from bot.intake.labelled import strings
from bot.intake.message import Message
from bot.intake.moments import moment
from bot.intake.mrkdwn import without_emoji
from bot.intake.shapes import Body, Read, first_text, rows, table, tables, text
from workers.domain import Alert, AlertStatus

SOURCE = "sentry"
_ISSUE_LINK = re.compile(r"https?://[^\s/]+/(?:[^\s?#]*/)?issues/(\d+)")
_METRIC_LINK = re.compile(
    r"https?://[^\s/]+/(?:[^\s?#]*/)?(?:alerts/rules/details|issues/alerts/rules/details|monitors)/(\d+)"
)
_EXCEPTION = re.compile(
    r"^((?:[A-Za-z_$][\w$]*\.)*[A-Za-z_$][\w$]*(?:Error|Exception|Warning|Fault|Interrupt|Timeout|Failure|Panic|Exit)"
    r"|Error|SIG[A-Z]{3,5}|[A-Z]\w+(?:\.[A-Z]\w+)+)\d*(?:\s*[:(]|$)"
)
_TALK = (
    r"^\W*(?:the )?(?:issue )?(?:was |is )?"
    r"(?:assigned|unassigned|commented|new comment|deployed|weekly report|marked as ongoing)\b"
)
_ISSUE_ACTIONS: dict[str, AlertStatus] = {
    "created": "firing",
    "unresolved": "firing",
    "triggered": "firing",
    "resolved": "resolved",
}


def of_message(message: Message) -> Read | None:
    found = [(url, label) for url, label in (*((u, t) for t, u in message.titles), *message.links)]
    issue = next(((m, label) for url, label in found if (m := _ISSUE_LINK.match(url))), None)
    metric = next(((m, label) for url, label in found if (m := _METRIC_LINK.match(url))), None)
    by_sentry = (
        message.sender.lower().startswith("sentry") or "sentry" in " ".join(u for _, u in message.titles).lower()
    )
    if not by_sentry or not (issue or metric or message.sender):
        return None
    if not (issue or metric) or message.says(_TALK):
        return Read(reason="it is a Sentry message about no issue or monitor that changed its state")
    match, label = issue or metric or ("", "")
    title = without_emoji(label or message.title)
    project = _project(message)
    labels = {
        n: v
        for n, v in message.fields.items()
        if n in ("environment", "level", "release", "url", "short id", "project")
    }
    resolved = words.status(status_prefix(message.title)) == "resolved" or message.says(
        r"\b(?:marked as|was|issue) resolved\b"
    )
    return build.read(
        [
            build.alert(
                source=SOURCE,
                status="resolved" if resolved else "firing",
                alert_type=_type_of(title),
                title=bare_title(title) or title,
                summary=message.body,
                severity=words.severity(message.fields.get("level"), status_prefix(message.title)),
                service=project,
                environment=message.fields.get("environment", "").lower(),
                labels=labels,
                fingerprint=match[1] if issue else f"metric:{match[1]}",
                links=message.typed_links,
            )
        ]
    )


def of_body(body: Body) -> Read | None:
    data, inner = body.data, table(body.data.get("data"))
    action = text(data.get("action"))
    if metric := table(inner.get("metric_alert")):
        return build.read([_of_metric(metric, inner, action)])
    event = table(inner.get("event")) or table(inner.get("error"))
    if event and ("issue_url" in event or "issue_id" in event or "event_id" in event):
        return build.read([_of_event(event, text(inner.get("triggered_rule")), {})])
    if (issue := table(inner.get("issue"))) and isinstance(issue.get("project"), Mapping):
        status = _ISSUE_ACTIONS.get(action)
        if status is None or "comment" in inner:
            return Read(reason=f"Sentry's {action[:60] or 'unknown'!r} of an issue is no alert")
        return build.read([_of_issue(issue, status)])
    if "project" in data and isinstance(data.get("event"), Mapping) and ("culprit" in data or "level" in data):
        return build.read([_of_event(table(data["event"]), first_text(data, "triggering_rule"), data)])
    if "installation" in data and "actor" in data:
        return Read(reason="it is a Sentry webhook about no issue or monitor")
    return None


def _of_event(event: Mapping[str, Any], rule: str, plugin: Mapping[str, Any]) -> Alert:
    """An error event; `plugin` is the outer object of the older plug-in, which says the same in other places."""
    title = first_text(event, "title") or first_text(plugin, "message") or first_text(event, "message", "culprit")
    tags = _tags(event.get("tags"))
    issue = text(event.get("issue_id")) or text(plugin.get("id"))
    url = first_text(event, "web_url") or first_text(plugin, "url")
    for address in (text(event.get("issue_url")), url):
        issue = issue or next(iter(re.findall(r"/issues/(\d+)", address)), "")
    level = first_text(event, "level") or text(plugin.get("level")) or tags.get("level", "")
    environment = first_text(event, "environment") or tags.get("environment", "")
    project = first_text(plugin, "project_slug", "project", "project_name") or _slug(event)
    named = {"level": level, "rule": rule, "culprit": first_text(event, "culprit") or text(plugin.get("culprit"))}
    return build.alert(
        source=SOURCE,
        alert_type=_exception_of(event) or _type_of(title),
        title=title,
        summary=first_text(plugin, "message") or first_text(event, "message") or named["culprit"],
        severity=words.severity(level),
        service=project,
        environment=environment.lower(),
        labels={**tags, **{n: v for n, v in named.items() if v}},
        fingerprint=issue or build.key(SOURCE, project, title),
        started_at=moment(event.get("datetime")) or moment(event.get("timestamp")),
        links=[("alert", url)],
    )


def _of_issue(issue: Mapping[str, Any], status: AlertStatus) -> Alert:
    title, metadata = text(issue.get("title")), table(issue.get("metadata"))
    project = table(issue.get("project"))
    return build.alert(
        source=SOURCE,
        status=status,
        alert_type=text(metadata.get("type")) or _type_of(title),
        title=title,
        summary=first_text(metadata, "value") or text(issue.get("culprit")),
        severity=words.severity(text(issue.get("level"))),
        service=first_text(project, "slug", "name"),
        labels=strings({n: issue.get(n) for n in ("shortId", "level", "culprit", "platform", "count", "userCount")}),
        fingerprint=text(issue.get("id")),
        started_at=moment(issue.get("firstSeen")),
        links=[("alert", first_text(issue, "permalink", "web_url"))],
    )


def _of_metric(metric: Mapping[str, Any], inner: Mapping[str, Any], action: str) -> Alert:
    """A metric alert: `action` is critical, warning or resolved; the title is "Critical: name of the rule"."""
    rule = table(metric.get("alert_rule"))
    name = first_text(rule, "name") or bare_title(first_text(inner, "description_title") or text(metric.get("title")))
    projects = [text(p) for p in rows(metric.get("projects"))] + [text(p) for p in rows(rule.get("projects"))]
    return build.alert(
        source=SOURCE,
        status="resolved" if action == "resolved" else "firing",
        alert_type=masked_title(name),
        title=first_text(inner, "description_title") or name,
        summary=text(inner.get("description_text")),
        severity=words.severity(action),
        service=next(filter(None, projects), ""),
        environment=text(rule.get("environment")).lower(),
        labels=strings(
            {"aggregate": rule.get("aggregate"), "query": rule.get("query"), "dataset": rule.get("dataset")}
        ),
        fingerprint=f"metric:{text(rule.get('id')) or text(metric.get('id'))}",
        started_at=moment(metric.get("date_started")),
        links=[("alert", text(inner.get("web_url")))],
    )


def _exception_of(event: Mapping[str, Any]) -> str:
    """The last of a chain of exceptions is the one that was raised to the top: Sentry names the issue after it."""
    values = list(tables(table(event.get("exception")).get("values")))
    return text(table(event.get("metadata")).get("type")) or (text(values[-1].get("type")) if values else "")


def _type_of(title: str) -> str:
    found = _EXCEPTION.match(bare_title(title)) or _EXCEPTION.match(title)
    return found[1] if found else masked_title(title, keeps_title=True)


def _tags(value: object) -> dict[str, str]:
    pairs = (tuple(row) for row in rows(value) if isinstance(row, list) and len(row) == 2)
    named = {text(name): text(item) for name, item in pairs if text(name) and text(item)}
    return (
        named | {text(t.get("key")): text(t.get("value")) for t in tables(value) if text(t.get("key"))} | strings(value)
    )


def _slug(event: Mapping[str, Any]) -> str:
    """The project from the API's address of the event, .../api/0/projects/ORG/PROJECT/events/..."""
    addresses = f"{text(event.get('url'))} {text(event.get('issue_url'))}"
    found = re.search(r"/projects/[^/\s]+/([^/\s]+)/", addresses)
    project = event.get("project")
    return found[1] if found else first_text(table(project), "slug", "name") or text(project)


def _project(message: Message) -> str:
    if named := message.fields.get("project"):
        return re.split(r"\s{2,}", named)[0]
    for line in (*message.fallbacks, *message.lines):
        if found := re.match(r"^\[([\w.-]+)\]\s", line) or re.search(
            r"\b(?:issue|error|alert) in ([\w.-]+)", line, re.I
        ):
            return found[1]
    # The footer holds the short id: PROJECT-1F, after the project's slug in upper case.
    short = next((m for f in message.footers if (m := re.match(r"^([A-Z][A-Z0-9_-]*)-[0-9A-Z]{1,6}\b", f))), None)
    return short[1].lower() if short else ""
