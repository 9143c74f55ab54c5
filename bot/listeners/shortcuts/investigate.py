"""“Investigate this” on any message: an alert is read as one, anything else is a person's question."""

from __future__ import annotations

from typing import Any

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient

from bot.desk import Desk
from bot.intake import read
from bot.listeners import asking
from bot.listeners.commands.gumshoe import NO_CUSTOMER
from bot.listeners.events.messages import own_ids, team_of
from bot.listeners.private import whisper
from bot.opening import open_incident
from config.customers import Customer
from workers.domain import Place


def register(app: App, desk: Desk) -> None:
    @app.shortcut("investigate_message")
    def on_shortcut(ack: Ack, body: dict[str, Any], context: BoltContext, client: WebClient) -> None:
        ack()
        channel, person = body["channel"]["id"], body["user"]["id"]
        customer = desk.customer_at(team_of(body, context), channel)
        told = _investigate(desk, customer, body, context) if customer else NO_CUSTOMER
        if told:
            whisper(client, channel, person, told)


def _investigate(desk: Desk, customer: Customer, body: dict[str, Any], context: BoltContext) -> str:
    """What to tell the person; empty when the thread will."""
    message, channel, team_id = body["message"], body["channel"]["id"], team_of(body, context)
    known = desk.store.incidents.by_message(channel, message["ts"])
    found = read(message, channel=channel, own_bot_ids=own_ids(context))
    if known is not None and desk.store.investigations.of_incident(known.id):
        return "There is an investigation of this already; mention me in its thread to ask on."
    if found.alerts:
        place = Place(team_id=team_id, channel=channel)
        key = f"shortcut:{team_id}:{channel}:{message['ts']}"
        open_incident(desk, customer, found.alerts, place=place, message_ts=message["ts"], event_key=key, asked=True)
        return ""
    question = desk.redactor.text(asking.words(str(message.get("text") or "")))
    if not question:
        return "There is no text in this message that I could investigate."
    asking.ask(desk, customer, question, {**message, "channel": channel}, team_id)
    return ""
