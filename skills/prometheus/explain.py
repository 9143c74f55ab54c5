"""The alert's own rule: its expression, its threshold, what it gives now. From /api/v1/rules, never from ALERTS.

`ALERTS` reads 1 over the whole window and gives no onset; the expression's change point does.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from skills.contract import Chart, Excerpt, Series, SkillContext, ToolError, Window
from skills.prometheus.charts import chart
from skills.prometheus.client import Client
from skills.prometheus.endings import QUIET
from skills.prometheus.look import link
from skills.prometheus.thresholds import measured
from skills.rest import rows, text
from skills.series import change_point, last, shown


@dataclass(frozen=True)
class Rule:
    name: str
    expression: str
    for_seconds: float
    active: int
    """How many alerts of it fire or are pending."""
    health: str


@dataclass(frozen=True)
class Explained:
    rule: Rule
    text: str
    evidence: tuple[Excerpt, ...]
    charts: tuple[Chart, ...] = ()


def rules(client: Client, name: str) -> tuple[Rule, ...]:
    """Alerting rules of this name, in all groups. Raises ToolError."""
    # A server from before rule_name[] (Prometheus 2.44) lists all its rules, which come to the same.
    asked = {"type": "alert", "rule_name[]": name}
    data = client.get("/api/v1/rules", asked, f"GET /api/v1/rules?type=alert&rule_name[]={name}")
    listed = (row for group in rows(data, "groups") for row in rows(group, "rules"))
    return tuple(_rule(row) for row in listed if text(row, "query") and text(row, "name") == name)


def _rule(row: Mapping[str, Any]) -> Rule:
    duration = row.get("duration")
    return Rule(
        name=text(row, "name"),
        expression=text(row, "query"),
        for_seconds=float(duration) if isinstance(duration, int | float) and math.isfinite(duration) else 0.0,
        active=len(rows(row, "alerts")),
        health=text(row, "health") or "unknown",
    )


def explain(client: Client, alert_type: str, context: SkillContext, link_base: str | None) -> Explained | None:
    """The rule of this name and the series that it sees now; None when there is no such rule and the alert carried no
    expression. Raises ToolError."""
    rule = _rule_of(client, alert_type, context)
    if rule is None:
        return None
    span = Window(context.baseline.start, context.now)
    watched = measured(rule.expression)
    series = client.range(watched.expression, span, max(15.0, span.seconds / 60))
    matching = [s for s in series if _about(s, context)] or list(series)
    query_link = link(link_base, watched.expression, span)
    lines, charts = [], []
    for one in sorted(matching, key=lambda s: -(last(s) or 0))[:3]:
        moment = change_point(one.points)
        labels = ", ".join(f"{k}={v}" for k, v in sorted(one.labels.items()) if k != "__name__")
        text = f"{alert_type}: {{{labels}}} is {shown(last(one))}"
        if gone := _gone(client, one, context):
            text = f"{alert_type}: {{{labels}}} was {shown(last(one))} until {gone:%H:%M:%S}Z and is no more"
        elif moment:
            text += f", {shown(moment.before)} before {moment.at:%H:%M:%S}Z"
        onset = moment.at if moment else None
        lines.append(Excerpt(text, watched.expression, span, query_link, at=onset))
        title = f"{alert_type} {{{labels}}}" if labels else alert_type
        drawn = chart(one, title, watched.unit, watched.expression, query_link, watched.threshold, onset)
        charts += [drawn] if drawn else []
    if rule.health == "not listed":
        head = f"{alert_type} fires on `{rule.expression}`, as its link says; this server lists no such rule"
    else:
        head = f"{alert_type} fires on `{rule.expression}` for {shown(rule.for_seconds)} s; health {rule.health}"
    if not series:
        head += "; the expression gives no series now"
    return Explained(rule, head, tuple(lines), tuple(charts[:1]))


def _rule_of(client: Client, alert_type: str, context: SkillContext) -> Rule | None:
    """As the server lists it, else as the alert's own link tells: many query fronts list no rules."""
    told = context.focus.expressions[:1] if alert_type == context.focus.alert_type else ()
    try:
        found = rules(client, alert_type)
    except ToolError:
        if not told:
            raise
        found = ()
    if found:
        return max(found, key=lambda r: r.active)
    return Rule(alert_type, told[0], 0.0, 1, "not listed") if told else None


def _about(series: Series, context: SkillContext) -> bool:
    focus = context.focus
    wanted = {k: v for k, v in focus.labels.items() if k in series.labels}
    return bool(wanted) and all(series.labels[k] == v for k, v in wanted.items())


def _gone(client: Client, series: Series, context: SkillContext) -> datetime | None:
    """When a series ended whose target is still scraped: what it was about is gone. None where it goes on, or where
    nobody can tell whether it was only not measured. Raises ToolError."""
    labels = {k: series.labels[k] for k in ("job", "instance") if series.labels.get(k)}
    if len(labels) < 2 or not series.points or context.now - series.points[-1][0] < QUIET:
        return None
    matchers = ",".join(f"{k}={json.dumps(v)}" for k, v in labels.items())
    up = client.instant(f"up{{{matchers}}} == 1", context.now)
    return series.points[-1][0] if up else None


def silent(client: Client, context: SkillContext) -> str | None:
    """Why metrics may be missing: targets that are down. None when all answer. Raises ToolError."""
    down = client.instant("up == 0", context.now)
    if not down:
        return None
    names = sorted({s.labels.get("job") or s.labels.get("instance", "?") for s in down})
    return f"{len(down)} scrape targets are down: {', '.join(names[:8])}"
