"""How many lines and errors there are, now and before, and in which minute errors rose: metric queries alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from skills.contract import Window
from skills.logview.reading import Counted, Counts, risen
from skills.loki import logql
from skills.loki.client import Client, nanoseconds
from skills.loki.sidebyside import side_by_side

ByWriter = dict[str, dict[datetime, int]]
"""Counts by writer and moment; the writer is empty where no label tells writers apart."""


def count(
    client: Client, lines: Sequence[str], errors: Sequence[str], label: str, now: Window, before: Window
) -> Counted:
    """Of log queries that share no line. Raises ToolError."""
    lines_now, lines_before, errors_now, errors_before = side_by_side(
        [
            lambda: _whole(client, lines, now, ""),
            lambda: _whole(client, lines, before, ""),
            lambda: _by_minute(client, errors, now, label),
            lambda: _whole(client, errors, before, label),
        ]
    )
    since = {
        who: rise
        for who, minutes in errors_now.items()
        if who and (rise := risen(minutes, sum(errors_before.get(who, {}).values()), before, now))
    }
    return Counted(_counts(lines_now, errors_now), _counts(lines_before, errors_before), since=since)


def total(client: Client, expression: str, window: Window) -> int:
    """Raises ToolError."""
    return sum(sum(minutes.values()) for minutes in _whole(client, [expression], window, "").values())


def _whole(client: Client, expressions: Sequence[str], window: Window, label: str) -> ByWriter:
    found: ByWriter = {}
    for each in expressions:
        for labels, value in client.counts(logql.count(each, window, [label] if label else []), window.end):
            _add(found, labels, label, window.end, value)
    return found


def _by_minute(client: Client, expressions: Sequence[str], window: Window, label: str) -> ByWriter:
    """The window in equal parts of about a minute, with both of its ends, none of them counted twice."""
    start = nanoseconds(window.start) // 1_000_000 - 1
    parts = max(1, round(window.seconds / 60))
    step = -(-(nanoseconds(window.end) // 1_000_000 - start) // parts)
    first, last = (start + step) * 1_000_000, (start + step * parts) * 1_000_000
    found: ByWriter = {}
    for each in expressions:
        asked = logql.counted(each, step, [label] if label else [])
        for labels, points in client.series(asked, first, last, step):
            for seconds, value in points:
                _add(found, labels, label, datetime.fromtimestamp(seconds - step / 1000, UTC), value)
    return found


def _add(found: ByWriter, labels: Mapping[str, str], label: str, at: datetime, value: float) -> None:
    minutes = found.setdefault(labels.get(label, "").rpartition("/")[2], {})  # job: namespace/app
    minutes[at] = minutes.get(at, 0) + int(value)


def _counts(lines: ByWriter, errors: ByWriter) -> Counts:
    by_writer = {who: sum(minutes.values()) for who, minutes in errors.items()}
    named = {who: number for who, number in by_writer.items() if who}
    return Counts(sum(sum(minutes.values()) for minutes in lines.values()), sum(by_writer.values()), named)
