"""How things stand: what runs, what is muted, and what was not investigated and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.blocks import limits
from bot.blocks.message import Message, message, sections
from workers.domain import Ignored, Incident, Investigation, Mute

REASONS = {
    "limit": "the hourly limit was reached",
    "muted": "muted",
    "dry_run": "dry run: investigated, answered in the shadow channel only",
    "unknown_channel": "its channel is not watched",
    "budget": "the monthly budget is used up",
    "not_an_alert": "it does not read as an alert",
    "off": "switched off",
}


def status(
    customer: str,
    incidents: Sequence[tuple[Incident, Sequence[Investigation]]],
    mutes: Sequence[Mute],
    file_mutes: Sequence[str],
) -> Message:
    lines = [f"*{limits.quoted(customer, 64)}*: {len(incidents)} open incidents"]
    lines += [_incident(incident, investigations) for incident, investigations in incidents]
    lines += [
        f"Muted: {limits.quoted(m.alert_type, 80)}{_until(m.until)}, by <@{limits.escape(m.author)}>" for m in mutes
    ]
    lines += [f"Muted in the customer's file: {limits.quoted(pattern, 80)}" for pattern in file_mutes]
    return _said(lines)


def _incident(incident: Incident, investigations: Sequence[Investigation]) -> str:
    runs = ", ".join(i.state for i in investigations) or "not investigated"
    title = limits.quoted(incident.title or incident.alert_type, 120)
    return f"•  {limits.code(incident.id)} {title}, since {incident.opened_at:%m-%d %H:%M} UTC: {runs}"


def why(ignored: Sequence[Ignored]) -> Message:
    if not ignored:
        return _said(["Nothing was left alone lately: every alert was investigated."])
    return _said(["*Not investigated, the newest first*", *(_left(entry) for entry in ignored)])


def _left(entry: Ignored) -> str:
    detail = f" ({limits.quoted(entry.detail, 120)})" if entry.detail else ""
    channel = f" in <#{limits.escape(entry.channel)}>" if entry.channel.isalnum() and entry.channel.isupper() else ""
    return f"•  {entry.at:%m-%d %H:%M} UTC  {limits.quoted(entry.what, 120)}{channel}: {REASONS[entry.reason]}{detail}"


def muted(alert_type: str, until: datetime | None) -> Message:
    return _said([f"Muted {limits.code(alert_type)}{_until(until)}. `/gumshoe why` shows what it keeps quiet."])


def unmuted(alert_type: str, found: bool) -> Message:
    return _said([f"{limits.code(alert_type)} is {'investigated again' if found else 'not muted'}."])


def _until(until: datetime | None) -> str:
    return f" until {until:%Y-%m-%d %H:%M} UTC" if until else " until further notice"


def _said(lines: list[str]) -> Message:
    return message(lines, sections(limits.lines_within(lines, limits.MESSAGE_SUM - 500)))
