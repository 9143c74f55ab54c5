"""`/skills`: what Gumshoe may look at; editors switch it."""

from __future__ import annotations

from slack_bolt import Ack, App
from slack_sdk import WebClient

from bot.blocks import skills_modal
from bot.desk import Desk
from bot.listeners.commands.gumshoe import NO_CUSTOMER
from config.customers import Customer
from skills import registry


def register(app: App, desk: Desk) -> None:
    @app.command("/skills")
    def on_skills(ack: Ack, command: dict[str, str], client: WebClient) -> None:
        customer = desk.customer_at(command["team_id"], command["channel_id"])
        if customer is None:
            ack(text=NO_CUSTOMER, response_type="ephemeral")
            return
        ack()
        view = view_of(desk, customer, command["channel_id"], command["user_id"])
        client.views_open(trigger_id=command["trigger_id"], view=view)


def view_of(desk: Desk, customer: Customer, channel: str, person: str) -> dict[str, object]:
    toggles = registry.toggles(customer, desk.store.toggles.current(customer.name))
    return skills_modal.render(
        customer.name,
        channel,
        toggles,
        {skill: registry.manifest(skill) for skill in (*toggles.on, *toggles.off)},
        {toggle.skill: toggle for toggle in desk.store.toggles.history(customer.name)},
        may_edit=desk.may_edit(customer, person),
    )
