"""What people ask in words: start an investigation, ask on, steer or stop. Slash commands do not work in threads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.desk import Desk
from bot.intake.mrkdwn import plain
from bot.opening import open_incident
from config.customers import Customer
from workers.domain import Alert, Incident, Investigation, Place

_MENTION = re.compile(r"<@[A-Z0-9]+(\|[^>]*)?>")
_STOP = re.compile(r"^(please\s+)?(stop|cancel|abort|halt)(\s+(it|that|please|now))*[.!]*$", re.IGNORECASE)
_AGAIN = re.compile(r"^(please\s+)?(look|try|investigate|check)\s+again[.!]*$", re.IGNORECASE)
_HELP = re.compile(r"^(help|hi|hello|hey|\?)?[.!?]*$", re.IGNORECASE)
_SUBJECT = re.compile(
    r"\b(?:look(?:ing)?\s+(?:at|into)|investigate|check(?:\s+on)?|wrong\s+with|up\s+with|happening\s+(?:to|with|in))\s+"
    r"(?:the\s+|our\s+)?(?:service\s+)?`?([A-Za-z0-9][\w.-]*[A-Za-z0-9])`?",
    re.IGNORECASE,
)
_LONGEST = 1000
USAGE = (
    "Mention me with a question, e.g. `@gumshoe look at checkout`. In an incident's thread: a question asks on, "
    "`also check redis` steers a running investigation, `stop` ends it, `look again` starts anew. "
    "`/gumshoe help` has the rest."
)


def words(text: str) -> str:
    """What a person said, without the mention and Slack's mark-up."""
    return plain(_MENTION.sub(" ", text)).strip()[:_LONGEST]


def mentioned(desk: Desk, body: Mapping[str, Any], event: Mapping[str, Any], team_id: str) -> str:
    """Acts on a mention; returns what to tell the person privately, empty for nothing."""
    customer = desk.customer_at(team_id, event["channel"])
    said = desk.redactor.text(words(str(event.get("text") or "")))
    if customer is None:
        return "I watch no channel of yours here. Ask an operator to add this channel to config/customers."
    thread = event.get("thread_ts") or ""
    incident = desk.store.incidents.by_thread(team_id, event["channel"], thread) if thread else None
    if _HELP.match(said):
        return USAGE
    if incident is not None and incident.customer == customer.name:
        return _in_thread(desk, incident, said, event, team_id)
    if _STOP.match(said):
        return "There is no investigation in this thread to stop."
    ask(desk, customer, said, event, team_id)
    return ""


def in_direct_message(desk: Desk, body: Mapping[str, Any], event: Mapping[str, Any], team_id: str) -> None:
    """A direct message needs no mention; what would be private elsewhere is said as a reply here."""
    if event.get("subtype") or not desk.first_time(body):
        return
    told = mentioned(desk, body, event, team_id)
    customer = desk.customer_at(team_id, event["channel"])
    if told:
        place = Place(team_id=team_id, channel=event["channel"], thread_ts=event.get("thread_ts") or event["ts"])
        name = customer.name if customer else ""
        desk.store.outbox.add(
            name, "reply", place, f"reply:{event['channel']}:{event['ts']}", desk.clock(), body={"text": told}
        )


def ask(desk: Desk, customer: Customer, question: str, event: Mapping[str, Any], team_id: str) -> None:
    """An investigation on demand, in the thread of the question."""
    channel, ts = event["channel"], event["ts"]
    place = Place(team_id=team_id, channel=channel, thread_ts=event.get("thread_ts"))
    alert = Alert(
        source="person",
        alert_type="question",
        title=question[:200],
        summary=question,
        service=subject(question),
        fingerprint=f"person:{channel}:{ts}",
        asked=question,
    )
    key = f"slack:{team_id}:{channel}:{ts}"
    open_incident(desk, customer, [alert], place=place, message_ts=ts, event_key=key, asked=True)


def subject(question: str) -> str:
    found = _SUBJECT.search(question)
    return found[1] if found else ""


def _in_thread(desk: Desk, incident: Incident, said: str, event: Mapping[str, Any], team_id: str) -> str:
    store, at, person = desk.store, desk.clock(), str(event.get("user") or "")
    key = f"ask:{event['channel']}:{event['ts']}"
    investigations = store.investigations.of_incident(incident.id)
    running = [i for i in investigations if i.state in ("queued", "running")]
    if _STOP.match(said):
        stopped = [store.investigations.request_stop(i.id, person, at) for i in running]
        return "Stopping; what was seen so far will be the answer." if any(stopped) else "Nothing is running here."
    if _AGAIN.match(said):
        desk.investigate(store.investigations.again(incident.id, person, at, key=key))
        desk.say_soon()
        return ""
    if running and store.investigations.steer(running[-1].id, said, person, at):
        return "Passed on to the running investigation."
    last = _last_answer(investigations)
    desk.investigate(store.investigations.start_follow_up(incident.id, said, person, at, follows=last, key=key))
    desk.say_soon()
    return ""


def _last_answer(investigations: tuple[Investigation, ...]) -> str | None:
    return next((i.id for i in reversed(investigations) if i.state == "done"), None)
