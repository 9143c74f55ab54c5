"""Any other webhook: our documented JSON (see README.md), and what monitoring systems send that say alike things.

Field names are compared in lower case without punctuation, first at the top and then inside the objects in which such
systems keep the alert (`incident`, `event`, `data.essentials` ...). Placeholders that a template left unfilled
(`$SERVICE`, `{{host}}`) count as absent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.intake import build, words
from bot.intake.alert_type import masked_title, status_prefix, status_suffix
from bot.intake.judgement import ENOUGH, judge
from bot.intake.moments import moment
from bot.intake.shapes import Body, Read, rows, table, tables, text
from workers.domain import AlertStatus

RANK = 910
SOURCE = "generic"
# Names in the order in which they are believed.
_INSIDE = words.listed(
    "alert alerts incident event data essentials monitor problem item check issue inputs heartbeat"
    " notification checkrules"
)
_TITLE = words.in_order(
    "title alerttitle alertname rulename checkname monitorname monitorfriendlyname eventdefinitiontitle alertrule"
    " conditionname policyname messagetitle problemtitle name subject summary headline message"
    " messagebody msg event text"
)
_STATUS = words.in_order(
    "status state statusextended alertstatus alertstate alertaction action eventaction alerttype alerttypefriendlyname"
    " eventtype transition alerttransition currentstate newstate monitorcondition notificationtype notificationstatus"
    " problemstate type"
)
_SEVERITY = words.in_order(
    "severity severitylevel alertseverity level priority alertpriority urgency criticality problemseverity"
    " importancelevel"
)
_SERVICE = words.in_order("service servicename app application applicationname component workload deployment")
_ENVIRONMENT = words.in_order("environment env deploymentenvironment stage")
_SUMMARY = words.in_order(
    "summary description details body text message messagebody msg longdescription output"
    " checkerrormessage alertdetails"
)
_STARTED = words.in_order(
    "startedat startsat starttime start triggeredat firedat fireddatetime createdat openedat datestartzoned datestart"
    " statechangedtimestamp timestampiso timestamp eventtime shortdatetime date time"
)
_URLS = words.in_order(
    "url link alerturl detectorurl incidenturl problemurl monitorurl permalink htmlurl logurl dashboardurl panelurl"
    " runbook runbookurl silenceurl"
)
_IDENTITY = words.in_order(
    "host hostname instance region cluster namespace pod node container checkid monitorid incidentid alertid"
)
_NOT_MONITORING = (
    ("repository", "sender"),
    ("object_kind", "project"),
    ("webhookEvent", "issue"),
    ("webhookEvent", "user"),
    ("challenge", "token"),
)
_DOCUMENTED = words.listed("title summary service environment links alert_type started_at group_key")
_UNFILLED = re.compile(r"^(?:\$[A-Z_0-9]+|\{\{.*\}\}|\{\$?[A-Z_.0-9]+\}|\*insert .*\*|null|none|n/a)?$", re.I)


def of_body(body: Body) -> Read:
    data = body.data
    if any(all(name in data for name in names) for names in _NOT_MONITORING):
        return Read(reason="it is a webhook of a code host or tracker, not of a monitoring system")
    spots = [_Spot(spot) for spot in _spots(data)]
    title = _first(spots, _TITLE, _title_like)
    if not title:
        return Read(reason="no alert source recognises it, and it has no title of its own")
    labels = _labels(data)
    stated = _state(spots, title)
    severity = words.severity(_first(spots, _SEVERITY), *(labels.get(n) for n in ("severity", "priority", "level")))
    if stated is None and _first(spots, _SEVERITY, str.strip).lower() in ("ok", "clear", "cleared", "normal"):
        stated = "resolved"
    summary = next((s for name in _SUMMARY if (s := _first(spots, [name])) and s != title), "")
    if stated is None and severity == "unknown" and (why_not := _why_not(data, title, summary)):
        return Read(reason=why_not)
    name = _first(spots, ["alerttype"]) if _is_documented(data) else ""
    alert_type = name or masked_title(title)
    labels |= {
        spot.raw(n): spot[n] for spot in spots for n in _IDENTITY if _filled(spot[n]) and spot.raw(n) not in labels
    }
    return build.read(
        [
            build.alert(
                source=SOURCE,
                status=stated or "firing",
                alert_type=alert_type,
                title=title,
                summary=summary,
                severity=severity,
                service=_first(spots, _SERVICE) or words.service(labels),
                environment=(_first(spots, _ENVIRONMENT) or words.environment(labels)).lower(),
                labels=labels,
                fingerprint=_first(spots[:1], ["fingerprint"]) or build.key(SOURCE, alert_type, body.origin.channel),
                group_key=_first(spots[:1], ["groupkey"]),
                started_at=next(
                    (at for s in (*spots, _Spot(labels)) for n in _STARTED if (at := moment(s.any(n)))), None
                ),
                links=[*_named_links(data), *((_kind(n), s[n]) for s in spots for n in _URLS if s[n])],
            )
        ]
    )


@dataclass(frozen=True)
class _Spot:
    """A JSON object whose names are compared without case and punctuation."""

    data: Mapping[str, Any]

    def any(self, name: str) -> object:
        return next((v for k, v in self.data.items() if isinstance(k, str) and _folded(k) == name), None)

    def raw(self, name: str) -> str:
        return next((k for k in self.data if isinstance(k, str) and _folded(k) == name), name)

    def __getitem__(self, name: str) -> str:
        return text(self.any(name)).strip()


def _spots(data: Mapping[str, Any], depth: int = 0) -> Iterator[Mapping[str, Any]]:
    yield data
    for name, value in list(data.items())[:200]:
        if depth < 3 and isinstance(name, str) and _folded(name) in _INSIDE:
            inside = next(tables(value), value) if isinstance(value, list) else value
            if isinstance(inside, Mapping):
                yield from _spots(inside, depth + 1)


def _first(spots: list[_Spot], names: Sequence[str], accept: Callable[[str], object] | None = None) -> str:
    for name in names:
        for spot in spots:
            found = spot[name]
            if _filled(found) and (accept is None or accept(found)):
                return found
    return ""


def _filled(value: str) -> bool:
    return not _UNFILLED.match(value)


def _title_like(value: str) -> bool:
    return bool(re.search(r"[^\W\d_]", value)) and not value.startswith(
        ("http://", "https://", "projects/", "/subscriptions/")
    )


def _state(spots: list[_Spot], title: str) -> AlertStatus | None:
    """Fields before prose, but a title that begins or ends with a recovery is one: it is written anew each time."""
    told = words.status(status_prefix(title)) or words.status(status_suffix(title))
    if told == "resolved":
        return told
    for name in _STATUS:
        for spot in spots:
            if _filled(spot[name]) and (found := words.status(spot[name])):
                return found
    if any(spot.any("resolved") is True for spot in spots):
        return "resolved"
    if told is None and re.search(r"\b(?:recovered|resolved|back to normal|has recovered)\b", title, re.I):
        return "resolved"
    return told or ("firing" if any(spot.any("alert") is True for spot in spots) else None)


def _is_documented(data: Mapping[str, Any]) -> bool:
    """Our own JSON has snake-case names only; `alert_type` of others (Checkly) is a status word."""
    return "title" in data and not words.status(text(data.get("alert_type")))


def _why_not(data: Mapping[str, Any], title: str, summary: str) -> str:
    judged = judge(title, [summary])
    if text(data.get("title")) and ("labels" in data or "fingerprint" in data):
        return ""
    if text(data.get("title")) and judged.points < ENOUGH:
        # The documented format needs no more than a title.
        return "" if set(data) <= _DOCUMENTED else judged.why_not
    return judged.why_not


def _labels(data: Mapping[str, Any], depth: int = 0) -> dict[str, str]:
    """Every object called `...labels` or `...tags`, tags as "a:b" texts, and lists of {key, value}."""
    found: dict[str, str] = {}
    for name, value in list(data.items())[:200]:
        folded = _folded(name) if isinstance(name, str) else ""
        if folded.endswith(("labels", "tags", "fields", "attributes")):
            found |= {k: v for k, v in _pairs(value) if _filled(v) and k not in found}
        if isinstance(value, Mapping) and depth < 4:
            found |= {k: v for k, v in _labels(value, depth + 1).items() if k not in found}
    return found


def _pairs(value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        yield from ((k, text(v)) for k, v in value.items() if isinstance(k, str) and text(v))
    for row in tables(value):
        name = text(row.get("key")) or text(row.get("name")) or text(row.get("tag"))
        item = row.get("value")
        # OpenTelemetry wraps a value in its type: {"stringValue": "checkout"}.
        yield name, text(item) or next((text(v) for v in table(item).values() if text(v)), "")
    for word in [*rows(value), *re.split(r",\s*", text(value))]:
        name, colon, item = text(word).partition(":")
        if colon and name.strip() and item.strip():
            yield name.strip(), item.strip()


def _named_links(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """`links` of the documented format: [{"kind": "runbook", "url": "https://..."}]."""
    for row in tables(data.get("links")):
        yield text(row.get("kind")) or "alert", text(row.get("url")) or text(row.get("href"))


def _kind(name: str) -> str:
    for kind in ("runbook", "dashboard", "panel", "silence"):
        if kind in name:
            return kind
    return "logs" if name == "logurl" else "alert"


def _folded(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
