"""Typed readings of guidance in plain words: what its author is understood to have said."""

from __future__ import annotations

from bot.blocks import limits
from workers.domain import EntityPattern, Reading


def in_words(reading: Reading) -> str:
    """One line of mrkdwn."""
    who = _entity(reading.entity) or "whatever alerts"
    target = _entity(reading.target)
    fault = limits.quoted((reading.fault or "").replace("_", " "), 80)
    window = f", {limits.quoted(reading.window, 80)}" if reading.window else ""
    said = limits.quoted(reading.text, 200)
    match reading.kind:
        case "expected":
            return f"*Expected:* {fault or 'this alert'} on {who}{window or ', at any time'} is normal"
        case "look_first":
            return f"*Look first:* {' '.join(part for part in (target, said) if part) or who}"
        case "ignore":
            return f"*Ignore:* {' '.join(part for part in (fault, said) if part) or 'it'} on {who}{window}"
        case "depends_on":
            return f"*Depends on:* {who} depends on {target or said}"
        case "owner":
            return f"*Owner:* {said}"
        case "runbook":
            return f"*Runbook:* {limits.link(reading.text, reading.text) if '://' in reading.text else said}"


def lines(readings: tuple[Reading, ...]) -> list[str]:
    if not readings:
        return ["No rule in it that I can act on by itself: it will be given to the investigator as words."]
    return [f"•  {in_words(reading)}" for reading in readings]


def _entity(pattern: EntityPattern | None) -> str:
    if pattern is None:
        return ""
    place = f"{pattern.namespace}/" if pattern.namespace else ""
    return limits.code(f"{pattern.kind or ''} {place}{pattern.name}".strip(), 120)
