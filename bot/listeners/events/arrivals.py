"""Gumshoe is invited to a channel: it says once what it does there. A renamed channel keeps being watched."""

from __future__ import annotations

from typing import Any

from slack_bolt import App, BoltContext

from bot.blocks.help import welcome
from bot.desk import Desk
from bot.listeners.events.messages import team_of
from workers.domain import Place
from workers.evaluation import buckets


def register(app: App, desk: Desk) -> None:
    @app.event("member_joined_channel")
    def on_joined(body: dict[str, Any], event: dict[str, Any], context: BoltContext) -> None:
        if event.get("user") != context.bot_user_id or not desk.first_time(body):
            return
        team_id, channel = team_of(body, context), event["channel"]
        watching = desk.customer_watching(team_id, channel)
        place = Place(team_id=team_id, channel=channel)
        at = desk.clock()
        desk.store.outbox.add(
            watching.name if watching else "",
            "notice",
            place,
            f"welcome:{channel}:{event.get('event_ts')}",
            at,
            body={"text": welcome(watching is not None, *_promised())},
        )

    @app.event("channel_rename")
    def on_renamed(event: dict[str, Any]) -> None:
        desk.channels.renamed(event["channel"]["id"], event["channel"]["name"])


def _promised() -> tuple[list[str], list[str]]:
    """Alert types that this version can solve, and those that it is learning, the most examined first."""
    promises = sorted(buckets.of_alert_types(buckets.shipped(), buckets.rule()), key=lambda p: (-p.right.n, p.name))
    return [p.name for p in promises if p.bucket == "can solve"], [p.name for p in promises if p.bucket == "learning"]
