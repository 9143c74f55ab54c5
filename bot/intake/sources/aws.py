"""Amazon's other notices over SNS and EventBridge: Backup, GuardDuty, Health, job state changes, plain texts.

Decided by what they are: a failed backup, a finding or a failed job is an alert, a report of success is not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from bot.intake import build, words
from bot.intake.alert_type import masked_title
from bot.intake.judgement import judge
from bot.intake.labelled import strings
from bot.intake.message import Message
from bot.intake.moments import moment
from bot.intake.shapes import Body, Read, first_text, table, text
from workers.domain import Severity

RANK = 60
SOURCE = "generic"
_BAD = words.listed(
    "failed error errored timeout timed_out timedout expired aborted unhealthy impaired threats_found access_denied"
)
_GOOD = words.listed(
    "completed succeeded success ok created running pending started stopped resolved no_threats_found healthy active"
)


def of_body(body: Body) -> Read | None:
    data = body.data
    if "detail-type" in data and isinstance(data.get("detail"), Mapping):
        return _of_event(data, table(data["detail"]), body.origin.channel)
    if "Message" in data and ("TopicArn" in data or "Subject" in data):
        return _of_text(data, body.origin.channel)
    return None


def of_message(message: Message) -> Read | None:
    """An EventBridge event whose fields a Lambda posted one by one, `detail` as JSON."""
    if "detail-type" not in message.fields or not message.fields.get("detail", "").startswith("{"):
        return None
    try:
        detail = json.loads(message.fields["detail"])
    except (ValueError, RecursionError):
        return None
    return _of_event(message.fields, table(detail), message.origin.channel)


def _of_event(data: Mapping[str, Any], detail: Mapping[str, Any], channel: str) -> Read:
    kind = text(data["detail-type"])
    scan = first_text(table(detail.get("scanResultDetails")), "scanResultStatus")
    state = scan or first_text(detail, "state", "status", "lastStatus", "eventTypeCategory")
    finding = "finding" in kind.lower()
    if not finding and state.lower() not in _BAD and state.lower() != "issue":
        return Read(reason=f"Amazon's {kind[:80]!r} with state {state[:40] or 'unknown'!r} tells of no failure")
    what = first_text(
        detail, "title", "jobName", "taskDefinitionArn", "pipeline", "project-name", "service", "eventTypeCode"
    )
    title = what if finding and what else ": ".join(filter(None, (kind, f"{what} {state}".strip())))
    described = first_text(detail, "description", "message", "statusMessage", "stoppedReason") or _described(detail)
    alert_type = masked_title(what if finding and what else ": ".join(filter(None, (kind, what))))
    return build.read(
        [
            build.alert(
                source=SOURCE,
                alert_type=alert_type,
                title=title,
                summary=described,
                severity=_severity(detail.get("severity")),
                service=first_text(detail, "jobName", "pipeline", "project-name"),
                labels=strings(
                    {"detail_type": kind, **{n: data.get(n) for n in ("source", "account", "region")}, "state": state}
                ),
                fingerprint=build.key(SOURCE, alert_type, channel),
                started_at=moment(data.get("time")),
            )
        ]
    )


def _of_text(data: Mapping[str, Any], channel: str) -> Read:
    attributes = {n: text(table(v).get("Value")) for n, v in table(data.get("MessageAttributes")).items()}
    message, subject = text(data.get("Message")), text(data.get("Subject"))
    title = re.split(r"(?<=[a-z])\.\s|\n", message, maxsplit=1)[0].strip().rstrip(".")[:200] or subject
    state = attributes.get("State", "").lower()
    if state in _GOOD:
        return Read(reason=f"it reports {title[:100]!r}: no failure")
    judged = judge(subject or title, message.splitlines(), [("status", state)] if state else [])
    if state not in _BAD and judged.why_not:
        return Read(reason=judged.why_not)
    named = title if attributes or not subject else subject
    return build.read(
        [
            build.alert(
                source=SOURCE,
                status="firing" if state in _BAD else judged.status,
                alert_type=masked_title(named),
                title=named,
                summary=message,
                severity=judged.severity,
                labels={**attributes, "topic": text(data.get("TopicArn"))},
                fingerprint=build.key(SOURCE, masked_title(named), channel),
                started_at=moment(attributes.get("StartTime")) or moment(data.get("Timestamp")),
            )
        ]
    )


def _severity(value: object) -> Severity:
    """A word, or GuardDuty's number: from 9 critical, from 7 high, from 4 medium, else low."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        bands: tuple[tuple[float, Severity], ...] = ((9, "critical"), (7, "high"), (4, "warning"))
        return next((band for least, band in bands if value >= least), "low")
    return words.severity(value)


def _described(detail: Mapping[str, Any]) -> str:
    latest = detail.get("eventDescription")
    first = table(latest[0]) if isinstance(latest, list) and latest else {}
    return text(first.get("latestDescription"))
