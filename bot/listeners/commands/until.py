"""Until when a mute holds: `2h`, `18:00`, `2026-12-24`, `2026-12-24 18:00`, `tomorrow`; in the customer's time zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_SPAN = re.compile(r"^(?:for\s+)?(\d{1,4})\s*(m|min|minutes?|h|hours?|d|days?|w|weeks?)$", re.IGNORECASE)
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


class NotATime(ValueError):
    """That is no time I can read, or it is over."""


def parse_until(text: str, now: datetime, timezone: str) -> datetime | None:
    """An aware UTC time after `now`; None for no words at all. Raises NotATime."""
    words = re.sub(r"^until\s+", "", text.strip(), flags=re.IGNORECASE).strip()
    if not words:
        return None
    span = _SPAN.match(words)
    end = now + int(span[1]) * _UNITS[span[2][0].lower()] if span else _moment(words, now, timezone)
    if end <= now:
        raise NotATime(f"{words!r} is over.")
    return end


def _moment(words: str, now: datetime, timezone: str) -> datetime:
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    local = now.astimezone(zone)
    if words.lower() == "tomorrow":
        return (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
    if re.match(r"^\d{1,2}:\d{2}$", words):
        hour, minute = map(int, words.split(":"))
        if hour > 23 or minute > 59:
            raise NotATime(f"{words!r} is no time of day.")
        today = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
        return (today if today > local else today + timedelta(days=1)).astimezone(UTC)
    try:
        named = datetime.fromisoformat(words)
    except ValueError:
        raise NotATime(f"I cannot read {words[:40]!r} as a time.") from None
    return (named if named.tzinfo else named.replace(tzinfo=zone)).astimezone(UTC)
