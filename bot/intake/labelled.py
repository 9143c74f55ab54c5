"""Alerts in Prometheus' model, a label set with annotations, which Alertmanager and Grafana share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from bot.intake import build, words
from bot.intake.label_text import Listed
from bot.intake.message import Message
from bot.intake.shapes import table, text
from workers.domain import Alert, AlertStatus

_KINDS = (
    ("runbook", ("runbook_url", "runbook", "runbookurl")),
    ("dashboard", ("dashboard_url", "dashboard", "dashboardurl", "__dashboardurl__")),
    ("panel", ("panelurl", "panel_url", "panel")),
    ("source", ("generatorurl", "source", "graph")),
    ("silence", ("silenceurl", "silence")),
    ("alert", ("externalurl",)),
)


def from_labels(
    source: str,
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    *,
    alert_type: str,
    status: AlertStatus,
    fingerprint: str = "",
    group_key: str = "",
    started_at: datetime | None = None,
    urls: Mapping[str, str] | None = None,
    more_links: Iterable[tuple[str, str]] = (),
) -> Alert:
    """An Alert of one label set; without a fingerprint it gets the one that Prometheus would give these labels."""
    said = next((annotations[n] for n in ("summary", "title", "message") if annotations.get(n)), "")
    described = next((annotations[n] for n in ("description", "message", "details") if annotations.get(n)), "")
    return build.alert(
        source=source,
        status=status,
        alert_type=alert_type,
        title=said or alert_type,
        summary="" if described == said else described,
        severity=words.severity(
            labels.get("severity"), annotations.get("severity"), labels.get("priority"), labels.get("level")
        ),
        service=words.service(labels),
        environment=words.environment(labels),
        labels=labels,
        fingerprint=fingerprint or fingerprint_of(labels),
        group_key=group_key,
        started_at=started_at,
        links=[*_links(annotations), *_links(urls or {}), *more_links],
    )


def from_listed(
    source: str, listed: Listed, message: Message, *, alert_type: str, status: AlertStatus, group_key: str
) -> Alert:
    """An Alert of a label set that a message listed; the links of the message are links of each."""
    return from_labels(
        source,
        listed.labels,
        listed.annotations,
        alert_type=alert_type,
        status=listed.status or status,
        group_key=group_key,
        urls=listed.links,
        more_links=message.typed_links,
    )


def strings(value: object) -> dict[str, str]:
    """The texts of a JSON object; numbers become texts, everything else is dropped."""
    return {name: text(item) for name, item in table(value).items() if isinstance(name, str) and text(item) != ""}


def fingerprint_of(labels: Mapping[str, str]) -> str:
    """The fingerprint that Prometheus and Alertmanager give a label set: 64-bit FNV-1a over the sorted pairs.

    Source: prometheus/common, model/signature.go. So an alert listed in Slack and the same alert by webhook are one.
    """
    total = 14695981039346656037
    pairs = (part for name in sorted(labels) for part in (name, labels[name]))
    for byte in b"".join(part.encode("utf-8", "replace") + b"\xff" for part in pairs):
        total = ((total ^ byte) * 1099511628211) % 2**64
    return f"{total:016x}"


def urls(alert: Mapping[str, Any], group: Mapping[str, Any] | None = None) -> dict[str, str]:
    """The addresses that a webhook gives an alert, by lower-case name."""
    names = ("generatorURL", "silenceURL", "dashboardURL", "panelURL")
    found = {name.lower(): text(alert.get(name)) for name in names}
    return {**found, "externalurl": text((group or {}).get("externalURL"))}


def _links(named: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    folded = {name.lower(): value for name, value in named.items()}
    for kind, names in _KINDS:
        for name in names:
            if folded.get(name):
                yield kind, folded[name]
