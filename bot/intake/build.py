"""The last step of every source: a bounded, printable Alert, and keys that are equal for the same firing thing.

Whatever is cut says so: "... (1,234 more characters)", `gumshoe_labels_left_out`, `gumshoe_alerts_left_out`.
Labels that begin with `gumshoe_` are ours, never the monitoring system's.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from bot.intake.shapes import Read
from workers.domain import Alert, AlertStatus, Link, Severity

MOST_ALERTS = 500
MOST_LABELS = 64
MOST_LINKS = 12
_LENGTHS = {"title": 300, "summary": 2000, "label": 500, "label name": 120, "key": 400, "url": 2000}
# What PostgreSQL, JSON readers and terminals refuse: control characters and halves of surrogate pairs.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


def alert(
    *,
    source: str,
    alert_type: str,
    fingerprint: str,
    title: str,
    status: AlertStatus = "firing",
    summary: str = "",
    severity: Severity = "unknown",
    service: str = "",
    environment: str = "",
    labels: Mapping[str, str] | None = None,
    group_key: str = "",
    started_at: datetime | None = None,
    links: Iterable[tuple[str, str]] = (),
) -> Alert:
    """An Alert from what a source found; `links` are (kind, url)."""
    return Alert(
        source=source,
        status=status,
        alert_type=_line(alert_type, "key") or "unnamed alert",
        title=_line(title, "title") or _line(alert_type, "title") or "unnamed alert",
        summary=_cut(_clean(summary).strip(), _LENGTHS["summary"]),
        severity=severity,
        service=_line(service, "label"),
        environment=_line(environment, "label"),
        labels=_bounded_labels(labels or {}),
        fingerprint=_short_key(fingerprint) or key(source, alert_type),
        group_key=_short_key(group_key) if group_key else "",
        started_at=started_at,
        links=_bounded_links(links),
    )


def read(alerts: Sequence[Alert], reason: str = "it holds no alert", left_out: int = 0) -> Read:
    """A Read of these alerts, at most MOST_ALERTS of them; the first one says how many were left out."""
    if not alerts:
        return Read(reason=reason)
    kept = tuple(alerts[:MOST_ALERTS])
    missing = left_out + len(alerts) - len(kept)
    if missing > 0:
        labels = {**kept[0].labels, "gumshoe_alerts_left_out": str(missing)}
        kept = (kept[0].model_copy(update={"labels": labels}), *kept[1:])
    return Read(alerts=kept)


def key(*parts: str) -> str:
    """A fingerprint from what identifies an alert where its source gives none."""
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "replace")).hexdigest()[:24]


def _short_key(value: str) -> str:
    clean = _clean(value).strip()
    return clean if len(clean) <= _LENGTHS["key"] else key(clean)


def _bounded_labels(labels: Mapping[str, str]) -> dict[str, str]:
    kept: dict[str, str] = {}
    for name, value in labels.items():
        if len(kept) == MOST_LABELS:
            break
        kept[_line(name, "label name")] = _line(value, "label")
    if len(labels) > MOST_LABELS:
        kept["gumshoe_labels_left_out"] = str(len(labels) - MOST_LABELS)
    return kept


def _bounded_links(links: Iterable[tuple[str, str]]) -> tuple[Link, ...]:
    kept: dict[str, Link] = {}
    for kind, url in links:
        clean = _clean(url).strip()
        # A cut address is a wrong address: a longer one is left out.
        if re.match(r"https?://\S+$", clean) and len(clean) <= _LENGTHS["url"] and len(kept) < MOST_LINKS:
            kept.setdefault(clean, Link(kind=kind, url=clean))
    return tuple(kept.values())


def _line(value: str, kind: str) -> str:
    return _cut(re.sub(r"\s+", " ", _clean(value)).strip(), _LENGTHS[kind])


def _clean(value: str) -> str:
    return _UNPRINTABLE.sub("�", value)


def _cut(value: str, longest: int) -> str:
    if len(value) <= longest:
        return value
    return f"{value[:longest].rstrip()} ... ({len(value) - longest:,} more characters)"
