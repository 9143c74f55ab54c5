"""The alert's own rule: its expression, its threshold, what it gives now. From /api/v1/rules, never from ALERTS.

`ALERTS` reads 1 over the whole window and gives no onset; the expression's change point does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from skills.contract import Excerpt, Series, SkillContext, Window
from skills.prometheus.client import Client
from skills.prometheus.look import link
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


def rules(client: Client) -> tuple[Rule, ...]:
    """Alerting rules of all groups. Raises ToolError."""
    data = client.get("/api/v1/rules", {"type": "alert"}, "GET /api/v1/rules?type=alert")
    groups = data.get("groups", []) if isinstance(data, dict) else []
    return tuple(_rule(row) for group in groups for row in group.get("rules", []) if "query" in row)


def _rule(row: dict[str, Any]) -> Rule:
    return Rule(
        name=str(row.get("name", "")),
        expression=str(row["query"]),
        for_seconds=float(row.get("duration") or 0),
        active=len(row.get("alerts") or ()),
        health=str(row.get("health", "unknown")),
    )


def explain(client: Client, alert_type: str, context: SkillContext, link_base: str | None) -> Explained | None:
    """The rule of this name and the series that it sees now; None when there is no such rule. Raises ToolError."""
    found = [rule for rule in rules(client) if rule.name == alert_type]
    if not found:
        return None
    rule = max(found, key=lambda r: r.active)
    span = Window(context.baseline.start, context.now)
    bare = without_threshold(rule.expression)
    series = client.range(bare, span, max(15.0, span.seconds / 60))
    matching = [s for s in series if _about(s, context)] or list(series)
    lines = []
    for one in sorted(matching, key=lambda s: -(last(s) or 0))[:3]:
        moment = change_point(one.points)
        labels = ", ".join(f"{k}={v}" for k, v in sorted(one.labels.items()) if k != "__name__")
        text = f"{alert_type}: {{{labels}}} is {shown(last(one))}"
        if moment:
            text += f", {shown(moment.before)} before {moment.at:%H:%M:%S}Z"
        query_link = link(link_base, bare, span)
        lines.append(Excerpt(text, bare, span, query_link, at=moment.at if moment else None))
    head = f"{alert_type} fires on `{rule.expression}` for {shown(rule.for_seconds)} s; health {rule.health}"
    if not series:
        head += "; the expression gives no series now"
    return Explained(rule, head, tuple(lines))


def without_threshold(expression: str) -> str:
    """The expression without its outermost comparison with a number, so that healthy values can be seen as well."""
    depth, cut = 0, None
    for i, char in enumerate(expression):
        if char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif depth == 0 and char in "<>" and cut is None:
            cut = i
    if cut is None:
        return expression
    right = expression[cut:].lstrip("<>=").strip()
    try:
        float(right)
    except ValueError:
        return expression
    return expression[:cut].strip()


def _about(series: Series, context: SkillContext) -> bool:
    focus = context.focus
    wanted = {k: v for k, v in focus.labels.items() if k in series.labels}
    return bool(wanted) and all(series.labels[k] == v for k, v in wanted.items())


def silent(client: Client, context: SkillContext) -> str | None:
    """Why metrics may be missing: targets that are down. None when all answer. Raises ToolError."""
    down = client.instant("up == 0", context.now)
    if not down:
        return None
    names = sorted({s.labels.get("job") or s.labels.get("instance", "?") for s in down})
    return f"{len(down)} scrape targets are down: {', '.join(names[:8])}"
