"""The counts of the first question by ES|QL: lines and errors of both windows, errors minute by minute and by writer.

Places and words stand in the query DSL filter that the API takes beside the query, so that both ways count the same
lines; values are bound, names quoted. What the cluster refuses (no ES|QL before 8.11, OpenSearch, a field of two types)
is asked no second time: the aggregation answers then. API: Elasticsearch reference, "ES|QL REST API".
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from skills.contract import Window
from skills.elasticsearch import queries
from skills.elasticsearch.client import Client, Table
from skills.elasticsearch.fields import Layout
from skills.elasticsearch.lines import time_of
from skills.logview.reading import Counted, Counts, risen
from skills.trouble import Refused

MOST_ROWS = 10_000
"""The most that ES|QL gives."""
_PLAIN_INDEX = re.compile(r"[\w.*,:@+-]+")


def count(client: Client, layout: Layout, now: Window, before: Window, namespace: str) -> Counted | None:
    """None where ES|QL cannot be asked. Raises ToolError for credentials and for load."""
    timestamp, who = layout.one("timestamp"), queries.writer_field(layout)
    index = client.settings.index
    if client.plain or client.without_esql or not _PLAIN_INDEX.fullmatch(index):
        return None
    if timestamp is None or not timestamp.type.startswith("date"):
        return None
    by_writer = f", who = {_name(who)}" if who else ""
    head = f"FROM {index} | EVAL late = {_name(timestamp.name)} >= TO_DATETIME(?start)"
    lines = f"{head} | STATS n = COUNT(*) BY late | LIMIT 10"
    errors = f"{head}, minute = DATE_TRUNC(1 minute, {_name(timestamp.name)})"
    errors += f" | STATS n = COUNT(*) BY late, minute{by_writer} | SORT n DESC | LIMIT {MOST_ROWS}"
    params = [{"start": queries.iso(now.start)}]
    whole = Window(min(before.start, now.start), now.end)  # lets shards that hold neither be passed over
    windows = queries.any_of([queries.within(layout, now), queries.within(layout, before)])
    place = [queries.within(layout, whole), windows, *queries.of_namespace(layout, namespace)]
    try:
        all_lines = client.esql(lines, params, queries.query(*place))
        bad = client.esql(errors, params, queries.query(*place, queries.errors(layout)))
    except Refused as error:
        if error.status in (401, 429):
            raise
        client.without_esql = True
        return None
    return _counted(all_lines, bad, now, before)


def _name(field: str) -> str:
    return "`" + field.replace("`", "``") + "`"


def _counted(lines: Table, bad: Table, now: Window, before: Window) -> Counted:
    totals: dict[bool, int] = defaultdict(int)
    for row in lines.rows:
        totals[bool(row.get("late"))] += _number(row)
    errors: dict[bool, dict[str, int]] = {True: defaultdict(int), False: defaultdict(int)}
    minutes: dict[str, dict[datetime, int]] = defaultdict(lambda: defaultdict(int))
    for row in bad.rows:
        who, is_now, minute = _one(row.get("who")), bool(row.get("late")), time_of(row.get("minute"))
        errors[is_now][who] += _number(row)
        if is_now and who and minute is not None:
            minutes[who][minute] += _number(row)
    since = {
        who: rise for who, counts in minutes.items() if (rise := risen(counts, errors[False].get(who, 0), before, now))
    }
    problems = tuple(dict.fromkeys((*lines.problems, *bad.problems)))
    return Counted(_counts(totals[True], errors[True]), _counts(totals[False], errors[False]), problems, since)


def _counts(lines: int, errors: Mapping[str, int]) -> Counts:
    return Counts(lines, sum(errors.values()), {who: count for who, count in errors.items() if who})


def _number(row: Mapping[str, Any]) -> int:
    value = row.get("n")
    return int(value) if isinstance(value, (int, float)) and math.isfinite(value) else 0


def _one(value: Any) -> str:
    """A field of many values groups by each of them; a list comes of older versions."""
    if isinstance(value, list):
        value = value[0] if value else None
    return "" if value is None else str(value)
