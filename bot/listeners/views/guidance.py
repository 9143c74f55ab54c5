"""Guidance: the form leads to the readings, the readings to what is saved."""

from __future__ import annotations

from typing import Any

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient

from bot.blocks import guidance as shown
from bot.desk import Desk
from bot.listeners import teaching
from bot.listeners.events.messages import team_of
from bot.listeners.private import whisper
from bot.listeners.views import state
from config.customers import Customer


def register(app: App, desk: Desk) -> None:
    @app.view(shown.FORM)
    def on_form(ack: Ack, body: dict[str, Any], view: dict[str, Any], context: BoltContext) -> None:
        channel = state.metadata(view)["channel"]
        customer = desk.customer_at(team_of(body, context), channel)
        labels = teaching.labels_of(state.words(view, "labels"))
        problems = _problems(desk, customer, body["user"]["id"], state.words(view, "alert_type"), labels)
        if problems or customer is None:
            ack(response_action="errors", errors=problems)
            return
        ack(response_action="update", view=_read(desk, customer, body["user"]["id"], view, labels or {}))

    @app.view(shown.CONFIRM)
    def on_confirm(ack: Ack, body: dict[str, Any], view: dict[str, Any], client: WebClient) -> None:
        again = _confirm(desk, body["user"]["id"], view, client)
        if again is None:
            ack()
        else:
            ack(response_action="update", view=again)


def _problems(
    desk: Desk, customer: Customer | None, person: str, alert_type: str, labels: dict[str, str] | None
) -> dict[str, str]:
    if customer is None or not desk.may_edit(customer, person):
        return {"alert_type": "Only editors of this channel's customer may do that."}
    if not alert_type or len(alert_type.split()) > 1:
        return {"alert_type": "One word: an alert type, * and ? allowed."}
    return {} if labels is not None else {"labels": "Write them as team=cart, env=prod."}


def _read(desk: Desk, customer: Customer, person: str, view: dict[str, Any], labels: dict[str, str]) -> dict[str, Any]:
    carried = state.metadata(view)
    proposal = teaching.propose(
        desk,
        customer,
        state.words(view, "alert_type"),
        labels,
        state.words(view, "text"),
        person,
        carried.get("guidance_id") or None,
    )
    return shown.confirm(proposal, carried["channel"], still_reading=desk.uses_claude(customer))


def _confirm(desk: Desk, person: str, view: dict[str, Any], client: WebClient) -> dict[str, Any] | None:
    """Saves what was shown. Other words, or readings that changed meanwhile, are shown anew: the next view."""
    carried = state.metadata(view)
    proposal = desk.store.guidance.proposal(carried["proposal"])
    if proposal is None or proposal.author != person:
        return None
    customer = desk.customers[proposal.customer]
    text = desk.redactor.text(state.words(view, "text"))
    if text.strip() != proposal.text.strip():
        proposal = teaching.propose(
            desk, customer, proposal.alert_type, proposal.labels, text, person, proposal.guidance_id
        )
        return shown.confirm(proposal, carried["channel"], still_reading=desk.uses_claude(customer))
    if shown.digest(proposal) != carried["shown"]:
        return shown.confirm(proposal, carried["channel"], still_reading=False)
    saved = desk.store.guidance.confirm(proposal.id, desk.clock(), proposal.readings)
    whisper(client, carried["channel"], person, shown.saved(saved))
    return None
