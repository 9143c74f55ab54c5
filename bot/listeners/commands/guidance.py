"""`/guidance add | list | edit | remove`: what people tell Gumshoe about an alert type."""

from __future__ import annotations

import re
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.blocks import guidance as shown
from bot.blocks.help import GUIDANCE_USAGE
from bot.blocks.message import Message
from bot.desk import Desk
from bot.listeners import teaching
from bot.listeners.commands.gumshoe import NO_CUSTOMER, REFUSED
from config.customers import Customer
from workers.domain import Guidance

_ADD = re.compile(r"^(?P<type>\S+)(?:\s+\{(?P<labels>[^}]*)\})?\s+(?P<text>.+)$", re.DOTALL)


def register(app: App, desk: Desk) -> None:
    @app.command("/guidance")
    def on_guidance(ack: Ack, command: dict[str, str], client: WebClient) -> None:
        answer = _answer(desk, command, client)
        if answer is None:
            ack()
        elif isinstance(answer, str):
            ack(text=answer, response_type="ephemeral")
        else:
            ack(text=answer.text, blocks=list(answer.blocks), response_type="ephemeral")


def _answer(desk: Desk, command: dict[str, str], client: WebClient) -> str | Message | None:
    verb, _, rest = (command.get("text") or "").strip().partition(" ")
    verb, rest = verb.lower(), rest.strip()
    customer = desk.customer_at(command["team_id"], command["channel_id"])
    if verb not in ("add", "list", "edit", "remove") or (verb == "remove" and not rest):
        return GUIDANCE_USAGE
    if customer is None:
        return NO_CUSTOMER
    if verb == "list":
        return shown.listed(desk.store.guidance.list(customer.name, rest or None))
    if not desk.may_edit(customer, command["user_id"]):
        return REFUSED
    return {"add": _add, "edit": _edit, "remove": _remove}[verb](desk, customer, command, rest, client)


def _add(desk: Desk, customer: Customer, command: dict[str, str], rest: str, client: WebClient) -> str | None:
    if not rest:
        return _open(client, command, shown.form(command["channel_id"]))
    said = _ADD.match(rest)
    if not said:
        return _open(client, command, shown.form(command["channel_id"], alert_type=rest[:200]))
    if len(said["text"]) > 1000:
        return f"Guidance has at most 1,000 characters; this has {len(said['text']):,}."
    labels = teaching.labels_of(said["labels"] or "")
    if labels is None:
        return f"I cannot read these labels; write `{{team=cart, env=prod}}`. {GUIDANCE_USAGE}"
    proposal = teaching.propose(desk, customer, said["type"], labels, said["text"], command["user_id"])
    view = shown.confirm(proposal, command["channel_id"], still_reading=desk.uses_claude(customer))
    return _open(client, command, view)


def _edit(desk: Desk, customer: Customer, command: dict[str, str], rest: str, client: WebClient) -> str | None:
    found = _find(desk, customer, rest)
    if found is None:
        return f"No single guidance of that id or type; `/guidance list` shows them. {GUIDANCE_USAGE}"
    labels = ", ".join(f"{key}={value}" for key, value in found.labels.items())
    channel = command["channel_id"]
    return _open(
        client,
        command,
        shown.form(channel, alert_type=found.alert_type, labels=labels, text=found.text, guidance_id=found.id),
    )


def _remove(desk: Desk, customer: Customer, command: dict[str, str], rest: str, client: WebClient) -> str | None:
    found = _find(desk, customer, rest)
    if found is None:
        return f"No single guidance of that id or type; `/guidance list` shows them. {GUIDANCE_USAGE}"
    gone = desk.store.guidance.remove(found.id, command["user_id"], desk.clock())
    return f"Removed guidance `{gone.id}` for `{gone.alert_type}`; its versions are kept."


def _find(desk: Desk, customer: Customer, named: str) -> Guidance | None:
    """By id, or by alert type when that names exactly one."""
    every = desk.store.guidance.list(customer.name)
    matches = [g for g in every if g.id == named] or [g for g in every if g.alert_type == named]
    return matches[0] if len(matches) == 1 else None


def _open(client: WebClient, command: dict[str, str], view: dict[str, Any]) -> str | None:
    try:
        client.views_open(trigger_id=command["trigger_id"], view=view)
    except SlackApiError as late:
        return f"Slack did not open the form ({late.response.get('error')}). Please try again."
    return None
