"""Skills switched: only what changed is written down, with who and when."""

from __future__ import annotations

from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient

from bot.blocks import limits, skills_modal
from bot.desk import Desk
from bot.listeners.commands.gumshoe import REFUSED
from bot.listeners.private import whisper
from bot.listeners.views import state
from config.customers import Customer
from skills import registry


def register(app: App, desk: Desk) -> None:
    @app.view(skills_modal.CALLBACK)
    def on_skills(ack: Ack, body: dict[str, Any], view: dict[str, Any], client: WebClient) -> None:
        ack()
        carried, person = state.metadata(view), body["user"]["id"]
        customer = desk.customers.get(carried["customer"])
        if customer is None or not desk.may_edit(customer, person):
            whisper(client, carried["channel"], person, REFUSED)
            return
        changed = _switch(desk, customer, view, person)
        said = f"Switched: {limits.quoted(', '.join(changed), 500)}. It holds from the next investigation on."
        whisper(client, carried["channel"], person, said if changed else "Nothing changed.")


def _switch(desk: Desk, customer: Customer, view: dict[str, Any], person: str) -> list[str]:
    toggles = registry.toggles(customer, desk.store.toggles.current(customer.name))
    shown = [b.removeprefix("skill-") for b in state.block_ids(view) if b.startswith("skill-")]
    wanted = {skill: "on" in state.chosen(view, f"skill-{skill}") for skill in shown}
    changed = []
    for skill in (*toggles.on, *toggles.off):
        if skill in wanted and wanted[skill] != (skill in toggles.on):
            desk.store.toggles.set(customer.name, skill, wanted[skill], person, desk.clock())
            changed.append(f"{skill} {'on' if wanted[skill] else 'off'}")
    return changed
