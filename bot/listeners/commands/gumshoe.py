"""`/gumshoe help | status | why | stop | mute | unmute`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from slack_bolt import Ack, App

from bot.blocks import help as help_text
from bot.blocks import standing
from bot.blocks.message import Message
from bot.desk import Desk
from bot.listeners.commands.until import NotATime, parse_until
from config.customers import Customer

Answer = str | Message
NO_CUSTOMER = (
    "No customer's file names this channel, and the workspace has several (or none). Try it in a watched channel."
)
REFUSED = "Only editors of this customer may do that; ask one of them, or an operator to add you (roles.editors)."


def register(app: App, desk: Desk) -> None:
    @app.command("/gumshoe")
    def on_gumshoe(ack: Ack, command: dict[str, str]) -> None:
        answer = _answer(desk, command)
        text, blocks = (answer, None) if isinstance(answer, str) else (answer.text, list(answer.blocks))
        ack(text=text, blocks=blocks, response_type="ephemeral")


def _answer(desk: Desk, command: dict[str, str]) -> Answer:
    verb, _, rest = (command.get("text") or "help").strip().partition(" ")
    customer = desk.customer_at(command["team_id"], command["channel_id"])
    verbs: dict[str, Callable[[Desk, Customer, dict[str, str], str], Answer]] = {
        "status": _status, "why": _why, "stop": _stop, "mute": _mute, "unmute": _unmute,
    }  # fmt: skip
    if verb.lower() in ("help", ""):
        return help_text.render()
    if verb.lower() not in verbs:
        return help_text.GUMSHOE_USAGE
    return verbs[verb.lower()](desk, customer, command, rest.strip()) if customer else NO_CUSTOMER


def _status(desk: Desk, customer: Customer, command: dict[str, str], rest: str) -> Answer:
    recent = desk.store.incidents.recent(customer.name, 20)
    shown = [(i, desk.store.investigations.of_incident(i.id)) for i in recent if i.state != "closed"]
    mutes = desk.store.mutes.active(customer.name, desk.clock())
    return standing.status(customer.name, shown, mutes, customer.mutes)


def _why(desk: Desk, customer: Customer, command: dict[str, str], rest: str) -> Answer:
    return standing.why(desk.store.ignored.recent(customer.name, 20))


def _stop(desk: Desk, customer: Customer, command: dict[str, str], rest: str) -> Answer:
    """A named incident, or whatever runs in this channel."""
    recent = [i for i in desk.store.incidents.recent(customer.name, 50) if i.state != "closed"]
    here = [i for i in recent if (i.id == rest if rest else i.place and i.place.channel == command["channel_id"])]
    running = [r for i in here for r in desk.store.investigations.of_incident(i.id) if r.state in ("queued", "running")]
    if len(running) > 1 and not rest:
        return "Several are running: name one, " + ", ".join(f"`/gumshoe stop {r.incident_id}`" for r in running[:10])
    at = desk.clock()
    stopped = [desk.store.investigations.request_stop(r.id, command["user_id"], at) for r in running]
    return "Stopping; what was seen so far will be the answer." if any(stopped) else "Nothing is running here."


def _mute(desk: Desk, customer: Customer, command: dict[str, str], rest: str) -> Answer:
    alert_type, _, until = rest.partition(" ")
    if not alert_type:
        return help_text.GUMSHOE_USAGE
    if not desk.may_edit(customer, command["user_id"]):
        return REFUSED
    at = desk.clock()
    try:
        end: datetime | None = parse_until(until, at, customer.timezone)
    except NotATime as problem:
        return f"{problem} {help_text.GUMSHOE_USAGE}"
    desk.store.mutes.add(customer.name, alert_type, end, command["user_id"], at)
    return standing.muted(alert_type, end)


def _unmute(desk: Desk, customer: Customer, command: dict[str, str], rest: str) -> Answer:
    if not rest:
        return help_text.GUMSHOE_USAGE
    if not desk.may_edit(customer, command["user_id"]):
        return REFUSED
    found = desk.store.mutes.remove(customer.name, rest)
    return standing.unmuted(rest, found)
