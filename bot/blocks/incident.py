"""Messages around an incident: the alert that came by webhook, the pointer to a thread, notices, replies."""

from __future__ import annotations

from bot.blocks import limits
from bot.blocks.case import Case
from bot.blocks.message import Message, context, message, section
from workers.domain import Alert

STATUS = {"firing": "FIRING", "acknowledged": "ACKNOWLEDGED", "resolved": "RESOLVED"}


def alert(case: Case) -> Message:
    """An alert that came by webhook has no message in Slack; this is it, and its thread is the incident's."""
    alerts = case.alerts
    first = alerts[0] if alerts else None
    status = "RESOLVED" if case.incident.resolved_at else STATUS[first.status] if first else "FIRING"
    count = f":{len(alerts)}" if len(alerts) > 1 else ""
    title = limits.quoted((first.title if first else "") or case.incident.title or case.incident.alert_type, 300)
    body = [f"*[{status}{count}] {title.replace('*', '∗')}*"]
    if first and first.summary and limits.one_line(first.summary) != limits.one_line(first.title):
        body.append(limits.quoted(first.summary, 600))
    body += [f"•  {limits.quoted(a.title, 200)}" for a in alerts[1:4]]
    if len(alerts) > 4:
        body.append(f"… ({len(alerts) - 4} more alerts)")
    facts = _facts(case, first)
    return message([*body, facts], [section(body), context([facts])])


def _facts(case: Case, first: Alert | None) -> str:
    incident = case.incident
    parts = [incident.severity if incident.severity != "unknown" else "", incident.service, incident.environment]
    shown = [limits.quoted(p, 80) for p in parts if p]
    if first:
        shown.append(f"by {limits.quoted(first.source, 40)} webhook")
        shown += [limits.link(entry.url, entry.kind) for entry in first.links[:5]]
    return " · ".join(shown) or "by webhook"


def pointer(case: Case, permalink: str | None) -> Message:
    """A further alert of an incident: one line that leads to its thread."""
    title = limits.plain(case.incident.title or case.incident.alert_type, 80)
    where = limits.link(permalink, title) if permalink else limits.quoted(title, 80)
    line = f"Belongs to an open incident: {where}. The answer is in that thread."
    return message([line], [context([line])])


def notice(text: str) -> Message:
    """Plain words of Gumshoe's own, already safe."""
    return message([text], [section([text])])
