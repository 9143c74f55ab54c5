"""Datadog: monitor and on-call messages in Slack, and the bodies of its webhook integration.

A webhook's body is written by the customer from variables ($EVENT_TITLE, $ALERT_ID, $ALERT_TRANSITION, $ALERT_SCOPE,
$TAGS ...), so it is known by the usual names for them. Rotas, handovers and digests are no alerts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bot.intake import build, words
from bot.intake.alert_type import bare_title, status_prefix
from bot.intake.message import Message
from bot.intake.moments import moment
from bot.intake.mrkdwn import without_emoji
from bot.intake.shapes import Body, Read, first_text, rows, text
from workers.domain import AlertStatus, Severity

SOURCE = "datadog"
_TAG = r"[A-Za-z_][\w./-]*:[^\s,{}]+"
_GROUP_AT_END = re.compile(rf"\s+on\s+\(?\{{?\s*({_TAG}(?:\s*,\s*{_TAG})*)\s*\}}?\)?$")
_GROUP_IN_STATUS = re.compile(r"^\[[\w -]+ on \{([^{}]*)\}\]\s*")
_PAGE = re.compile(r"^page\s+#?(\d+)\s*:\s*(.+)$", re.I)
_HANDLE = re.compile(r"(?<!\S)@(?:slack|pagerduty|webhook|opsgenie|oncall|teams|hangouts|jira|sns|all|here)[\w.-]*")
_EVENT_TYPES = (
    "metric alert", "query alert", "service check", "event alert", "log alert", "composite", "slo alert",
    "process alert", "trace-analytics alert", "synthetics alert", "rum alert", "event-v2 alert",
)  # fmt: skip


@dataclass(frozen=True)
class _Titled:
    name: str
    group: str
    status: AlertStatus
    severity: Severity


def of_message(message: Message) -> Read | None:
    if not _by_datadog(message):
        return None
    page = _PAGE.match(without_emoji(message.title))
    monitor, group = _monitor(message)
    titled = _titled(page[2] if page else message.title)
    stated = words.status(message.fields.get("status", "")) if page else None
    if not page and (
        message.says(r"\bhandover\b|/on-call/schedules/") or not (monitor or status_prefix(message.title))
    ):
        return Read(reason="it is a Datadog message about no monitor: a rota, handover, report or digest")
    group = ",".join(sorted((group or titled.group).split(",")))
    labels = {**_tags(message.fields.get("tags", "")), **_tags(group)}
    named = ("team", "urgency", "host", "responder")
    labels.update((name, message.fields[name]) for name in named if name in message.fields and name not in labels)
    if monitor:
        identity = f"{monitor}:{group}" if group else monitor
    else:
        identity = f"page:{page[1]}" if page else build.key(SOURCE, titled.name, group)
    return build.read(
        [
            build.alert(
                source=SOURCE,
                status=stated or titled.status,
                alert_type=titled.name,
                title=page[2] if page else message.title,
                summary=_HANDLE.sub("", message.told("status", "urgency", "team", "responder", "description", "tags")),
                severity=titled.severity if titled.severity != "unknown" else _urgent(message),
                service=labels.get("service", ""),
                environment=words.environment(labels),
                labels=labels,
                fingerprint=identity,
                started_at=None,
                links=message.typed_links,
            )
        ]
    )


def of_body(body: Body) -> Read | None:
    data = body.data
    if not _is_webhook(data):
        return None
    titled = _titled(first_text(data, "title", "event_title", "alert_title", "name"))
    monitor = first_text(data, "monitor_id", "alert_id", "monitorId", "alertId", "id")
    tags = _tags(data.get("tags"))
    scope = data.get("alert_scope", data.get("scopes", data.get("scope")))
    group = titled.group or ",".join(sorted(f"{k}:{v}" for k, v in _tags(scope).items())) or _joined(scope)
    labels = {**tags, **_tags(group)}
    transition = first_text(data, "alert_transition", "transition", "alert_status", "status", "alert_type")
    return build.read(
        [
            build.alert(
                source=SOURCE,
                status=words.status(transition) or titled.status,
                alert_type=titled.name,
                title=first_text(data, "title", "event_title", "alert_title", "name"),
                summary=_HANDLE.sub(
                    "", first_text(data, "body", "message", "event_msg", "text_only_msg", "description")
                ),
                severity=words.severity(
                    _priority(data), titled.severity, transition if "warn" in transition.lower() else ""
                ),
                service=labels.get("service", ""),
                environment=words.environment(labels),
                labels=labels,
                fingerprint=":".join(filter(None, (monitor, group))) or build.key(SOURCE, titled.name),
                started_at=moment(data.get("date")) or moment(data.get("last_updated")),
                links=[
                    ("alert", first_text(data, "url", "link", "event_url", "alert_url")),
                    ("panel", text(data.get("snapshot"))),
                ],
            )
        ]
    )


def _is_webhook(data: Mapping[str, Any]) -> bool:
    named = first_text(data, "title", "event_title", "alert_title", "name")
    kind = f"{text(data.get('type'))} {text(data.get('event_type'))}".lower()
    if not named:
        return False
    if any("datadoghq." in text(data.get(name)) for name in ("url", "link", "event_url", "alert_url", "snapshot")):
        return True
    if "monitor_id" in data and ("query" in data or "alert_query" in data or any(t in kind for t in _EVENT_TYPES)):
        return True
    return "alert_transition" in data or ("org" in data and "event_type" in data and isinstance(data["org"], dict))


def _titled(title: str) -> _Titled:
    """Name, group and status of "[Triggered on {host:a}] CPU", "Warn: CPU on host:a" or "[P2] Recovered: CPU"."""
    left, group = without_emoji(title), ""
    prefix = status_prefix(left)
    if inside := _GROUP_IN_STATUS.match(re.sub(r"^\[P[1-5]\]\s*", "", left)):
        group = inside[1]
    if at_end := _GROUP_AT_END.search(left):
        group, left = group or at_end[1], left[: at_end.start()]
    priority = re.search(r"\[(P[1-5])\]", title)
    severity = words.severity(
        priority[1] if priority else "", "warning" if re.search(r"(?i)\bwarn", prefix.replace("Re-", "")) else ""
    )
    return _Titled(
        name=bare_title(left) or left,
        group=",".join(part.strip() for part in group.split(",") if part.strip()),
        status=words.status(re.split(r"\s+on\s+", prefix)[0]) or "firing",
        severity=severity,
    )


def _by_datadog(message: Message) -> bool:
    if re.match(r"datadog\b", message.sender, re.I):
        return True
    return any(
        re.match(r"(?:[\w-]+\.)?datadoghq\.(?:com|eu)$|ddog-gov\.com$", urlsplit_host(url)) for _, url in message.titles
    )


def _monitor(message: Message) -> tuple[str, str]:
    """Id and group of the monitor that the message links to; empty where it links to none."""
    for url, _ in message.links:
        if "datadoghq." in urlsplit_host(url) or "ddog-gov." in urlsplit_host(url):
            found = re.search(r"/monitors/(\d+)|monitors#(?:status/)?(\d+)", url)
            if found:
                group = parse_qs(urlsplit(url).query).get("group", [""])[0]
                return found[1] or found[2], group if group != "total" else ""
    return "", ""


def urlsplit_host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def _tags(value: object) -> dict[str, str]:
    """Tags as text ("a:b, c:d"), list or object."""
    if isinstance(value, dict):
        return {name: text(item) for name, item in value.items() if text(item)}
    parts: Iterable[object] = rows(value) or re.split(r"[,\n]\s*|\s+(?=[\w./-]+:)", text(value))
    pairs = (text(part).strip().partition(":") for part in parts)
    return {name: item for name, colon, item in pairs if colon and name and item}


def _joined(scope: object) -> str:
    return ",".join(sorted(filter(None, map(text, rows(scope))))) or text(scope)


def _priority(data: Mapping[str, Any]) -> str:
    value = first_text(data, "priority", "alert_priority", "severity")
    return f"P{value}" if value in ("1", "2", "3", "4", "5") else value


def _urgent(message: Message) -> Severity:
    return words.severity(message.fields.get("priority"), message.fields.get("urgency"))
