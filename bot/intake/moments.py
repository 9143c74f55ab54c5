"""Points in time as monitoring systems write them: ISO 8601, `+0000`, epoch in seconds to nanoseconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_FORMATS = ("%Y-%m-%d %H:%M:%S %z %Z", "%Y/%m/%d %H:%M:%S %Z", "%Y-%m-%d %H:%M:%S %Z", "%Y.%m.%d %H:%M:%S")
_FRACTION = re.compile(r"(\.\d{6})\d+")
_EARLIEST = datetime(2001, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)


def moment(value: object) -> datetime | None:
    """Aware UTC, or None for what is no time: zero, Go's year 1 for "not yet", an unknown format."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return _epoch(float(value))
    if not isinstance(value, str) or len(value) > 64:
        return None
    words = value.strip()
    if re.fullmatch(r"\d{9,19}(\.\d+)?", words):
        return _epoch(float(words))
    return _sensible(_written(words))


def _epoch(number: float) -> datetime | None:
    for unit in (1, 1e3, 1e6, 1e9):
        if 978_307_200 <= number / unit < 7_258_118_400:
            return datetime.fromtimestamp(number / unit, UTC)
    return None


def _written(words: str) -> datetime | None:
    try:
        return datetime.fromisoformat(_FRACTION.sub(r"\1", words))
    except ValueError:
        pass
    for pattern in _FORMATS:
        try:
            return datetime.strptime(words, pattern)
        except ValueError:
            continue
    return None


def _sensible(found: datetime | None) -> datetime | None:
    if found is None:
        return None
    # A time without a zone: every system that writes one here writes UTC.
    try:
        at = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError:
        return None
    return at if _EARLIEST <= at < _LATEST else None
