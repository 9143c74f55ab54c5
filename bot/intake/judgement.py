"""Does this read as an alert? The rule for everything whose sender we do not know.

Structure and words each give points; three make an alert. Deploy notices, reports and the like are let go unless the
title itself says an alert's state, because "Deployment finished" and "3 errors last week" are news, not alarms.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bot.intake import words
from bot.intake.alert_type import status_prefix, status_suffix
from bot.intake.mrkdwn import emoji
from workers.domain import AlertStatus, Severity

ENOUGH = 3
_MOST_READ = 20_000
_ALARM_EMOJI = words.listed(
    "rotating_light fire red_circle warning exclamation bangbang x alert skull large_red_circle boom no_entry"
) | frozenset("🚨🔥🔴⚠❌❗‼💥🛑⛔")
_CALM_EMOJI = words.listed("white_check_mark heavy_check_mark large_green_circle green_heart tada") | frozenset(
    "✅✔🟢💚"
)


def _any_of(*phrases: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(phrases)})\b", re.I)


_TROUBLE = _any_of(
    "outage", "unreachable", "unavailable", "not responding", "timed? ?out", "oom ?killed", "panic", "evicted",
    "crash ?loop(?:ing|backoff)?", "image ?pull ?backoff", "failed", "failing", "failure", "error rate", "errors?",
    "exceed(?:s|ed|ing)", "breach(?:ed)?", "threshold", "unhealthy", "degraded", "exception", "not ?ready",
    "high (?:latency|cpu|memory|load|error)", "is down", "went down", "down for", "no data", "anomaly", "incident",
    "alarm", "alerts?", "critical", "packet loss", "disk (?:space|full)", "expired", "expires in", "has stopped",
    "threats found", "malicious", "guardduty finding", "security finding", "vulnerabilit(?:y|ies)",
)  # fmt: skip
_CALM = _any_of(
    "recovered", "is (?:now )?(?:back )?up", "back (?:up|online|to normal)", "returned to normal", "healthy again",
    "no longer (?:firing|failing|down)",
    "(?:alert|alarm|incident|problem|issue) (?:has been |was |is )?(?:resolved|closed|cleared|recovered)",
)  # fmt: skip
_DEPLOY = _any_of(
    "deploy(?:ed|ing|s|ment)?", "released?", "rollout", "rolled (?:out|back)", "shipped", r"build(?: ?#\d+)?",
    "pipeline", "workflow run", "ci", "merged", "pull request", r"pr ?#\d+", "commit(?:s|ted)?", "pushed",
    "branch", "argo ?cd", "terraform (?:plan|apply)", "migration finished",
)  # fmt: skip
_NEWS = _any_of(
    "reports?", "digest", "summary", "weekly", "daily", "monthly", "hand-?over", "rota", "on-?call schedule",
    "stand-?up", "now on[- ]call", "retro(?:spective)?", "post-?mortem", "reminder", "newsletter", "survey", "poll",
    "changelog", "statistics", "stats", "all systems operational", "scheduled maintenance", "maintenance window",
    "welcome", r"congrat\w*", "birthday", "thanks", "thank you", "ticket (?:created|updated)", "assigned to you",
    "commented", "successfully", r"backup\b.*\b(?:completed|successful|succeeded)",
)  # fmt: skip
_DEPLOYED_THING = re.compile(r"\b(?:replicas?|available|crash|oom|evict|unhealthy|not ready)", re.I)
_STATE_FIELDS = (
    "status", "state", "current state", "alert status", "alert state", "new state", "monitor status", "condition",
)  # fmt: skip
# "FAILED:" and "ERROR:" are what build and deploy tools write as well; they do not speak for an alert alone.
_SURE = (words.FIRING | words.RESOLVED) - words.listed("failed failure error ok closed open opened")
_SEVERITY_FIELDS = ("severity", "level", "alert severity", "criticality")
_PRIORITY_FIELDS = ("priority", "urgency", "impact")


@dataclass(frozen=True)
class Judgement:
    points: int
    status: AlertStatus
    severity: Severity
    why_not: str = ""
    """Empty when it reads as an alert."""


def judge(
    title: str, lines: Iterable[str], fields: Iterable[tuple[str, str]] = (), colours: Iterable[str] = ()
) -> Judgement:
    named = dict(fields)
    body = "\n".join(lines)[:_MOST_READ]
    title = title[:500]
    prose, heading = body.replace("_", " "), title.replace("_", " ")
    prefix, suffix = status_prefix(title), status_suffix(title)
    stated = next((s for n in _STATE_FIELDS if (s := words.status(named.get(n, "")))), None)
    titled = words.status(prefix) or words.status(suffix)
    told = words.severity(*(named.get(n) for n in (*_SEVERITY_FIELDS, *_PRIORITY_FIELDS)), prefix)
    calm = _CALM.search(title) or (_CALM.search(body) if not (stated or titled) else None)
    points = 3 * bool(titled or words.severity(prefix) != "unknown") + 2 * (stated is not None) + 2 * bool(calm)
    points += _weight(words.severity(*(named.get(n) for n in _SEVERITY_FIELDS)))
    points += words.severity(*(named.get(n) for n in _PRIORITY_FIELDS)) != "unknown"
    points += 2 * bool(_TROUBLE.search(heading))
    points += min(2, len({found.lower() for found in _TROUBLE.findall(prose.replace(heading, "", 1))}))
    points += max((_alarming(colour) for colour in colours), default=0)
    points += not (_CALM_EMOJI if calm else _ALARM_EMOJI).isdisjoint(emoji(title) | emoji(body[:400]))
    status: AlertStatus = stated or titled or ("resolved" if calm else "firing")
    return Judgement(points, status, told, _why_not(points, title, body, prefix, suffix))


def _why_not(points: int, title: str, body: str, prefix: str, suffix: str) -> str:
    sure = not _SURE.isdisjoint(re.split(r"[^a-z]+", f"{prefix} {suffix}".lower()))
    if not sure:
        if _DEPLOY.search(title) and not _DEPLOYED_THING.search(title + body):
            return "it reads as a deploy or build notice"
        if _NEWS.search(title):
            return "it reads as a report or a notice"
    if points < ENOUGH:
        return "it does not read as an alert"
    if not sure and _NEWS.search(body) and points < ENOUGH + 2:
        return "it reads as a report or a notice"
    return ""


def _weight(severity: Severity) -> int:
    return {"unknown": 0, "info": 1, "low": 2}.get(severity, 3)


def _alarming(colour: str) -> int:
    if colour == "danger":
        return 2
    if colour == "warning":
        return 1
    found = re.fullmatch(r"#?([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})", colour)
    if not found:
        return 0
    red, green, blue = (int(part, 16) for part in found.groups())
    if red >= 140 and green < 90 and blue < 100:
        return 2
    return int(red >= 180 and green >= 100 and blue < 90)
