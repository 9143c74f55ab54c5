"""Is it new? Errors that were there at the same rate in a healthy window are no evidence."""

from __future__ import annotations

from datetime import datetime, timedelta

from skills.contract import Entity
from skills.logfaults.sightings import Seen

WITHOUT_BASELINE = 0.9
"""Factor on specificity when there is nothing to compare with."""

_GROWN = 3.0
"""How many times the baseline's rate a known error must reach to count as new."""
_OVER_AFTER = timedelta(minutes=5)


def novelty(count: int, seen: Seen, known: int, before: Seen) -> float | None:
    """A factor on specificity: 1 when the baseline lacks it; None when the baseline had it at a like rate."""
    if not before.count:
        return WITHOUT_BASELINE
    if not known:
        return 1.0
    grown = (count / seen.seconds) / (known / before.seconds)
    return 0.8 if grown >= _GROWN else None


def is_over(writer: Entity, last_at: datetime, seen: Seen) -> bool:
    """The writer has gone on for a while without saying it again."""
    return seen.last[writer] - last_at > _OVER_AFTER


def times(count: int, first_at: datetime, last_at: datetime, known: int, factor: float, *, over: bool) -> str:
    """`12 lines since 14:02:07, 0 in the baseline`."""
    text = f"{count} {'line' if count == 1 else 'lines'} since {first_at:%H:%M:%S}"
    if over:
        text += f", none after {last_at:%H:%M:%S}"
    return text if factor == WITHOUT_BASELINE else f"{text}, {known} in the baseline"
