"""App Home: what happened lately, what Gumshoe may look at, what it was told."""

from __future__ import annotations

from typing import Any

from slack_bolt import App, BoltContext
from slack_sdk import WebClient

from bot.blocks import home
from bot.desk import Desk
from bot.listeners.events.messages import team_of
from config.customers import Customer
from skills import registry


def register(app: App, desk: Desk) -> None:
    @app.event("app_home_opened")
    def on_home(body: dict[str, Any], event: dict[str, Any], context: BoltContext, client: WebClient) -> None:
        if event.get("tab") != "home":
            return
        team_id = team_of(body, context)
        here = [c for c in desk.customers.values() if c.slack.team_id in ("", team_id)]
        client.views_publish(user_id=event["user"], view=home.render([_summary(desk, c) for c in here]))


def _summary(desk: Desk, customer: Customer) -> home.Summary:
    recent = desk.store.incidents.recent(customer.name, 5)
    return home.Summary(
        customer=customer.name,
        incidents=tuple((i, desk.store.findings.latest_of_incident(i.id)) for i in recent),
        skills=registry.toggles(customer, desk.store.toggles.current(customer.name)),
        guidance=desk.store.guidance.list(customer.name),
    )
