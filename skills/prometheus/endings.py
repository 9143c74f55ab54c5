"""When a deviation was over, where it is: a mean over a window of which the trouble is past still looks like trouble.

A rate over five minutes forgets slowly and a program may fail in bursts, so that one quiet point ends nothing.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from skills.contract import Series
from skills.prometheus.look import Look

QUIET = timedelta(minutes=3)


def quiet_level(before: float | None, peak: float) -> float:
    """What counts as back: near the baseline, or a trace of the worst."""
    return max(1.5 * (before or 0.0), 0.05 * peak)


def back_since(series: Series, level: float) -> datetime | None:
    """Since when the series is at or below the level, after it was above; None where it is above, was never, or has
    been back for too short a while to tell."""
    points = [(at, v) for at, v in series.points if math.isfinite(v)]
    above = [i for i, (_, value) in enumerate(points) if value > level]
    if not above or above[-1] + 3 >= len(points):
        return None
    since = points[above[-1] + 1][0]
    return since if points[-1][0] - since >= QUIET else None


def gone_since(series: Series, look: Look) -> datetime | None:
    """When a series that exists only while something holds was seen for the last time; None where it holds still, or
    where nothing newer was scraped of anything."""
    newest = max((s.points[-1][0] for answer in look.answers.values() for s in answer if s.points), default=None)
    if newest is None or not series.points or newest - series.points[-1][0] < QUIET:
        return None
    return series.points[-1][0]


def told(end: datetime | None) -> str:
    return f", no more since {end:%H:%M:%S}Z" if end else ""
