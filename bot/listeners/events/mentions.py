"""`@gumshoe …`: everything that people can ask in words."""

from __future__ import annotations

from typing import Any

from slack_bolt import App, BoltContext
from slack_sdk import WebClient

from bot.desk import Desk
from bot.listeners import asking
from bot.listeners.events.messages import team_of
from bot.listeners.private import whisper


def register(app: App, desk: Desk) -> None:
    @app.event("app_mention")
    def on_mention(body: dict[str, Any], event: dict[str, Any], context: BoltContext, client: WebClient) -> None:
        if event.get("bot_id") or event.get("edited") or not desk.first_time(body):
            return
        told = asking.mentioned(desk, body, event, team_of(body, context))
        if told:
            whisper(client, event["channel"], event["user"], told, thread_ts=event.get("thread_ts"))
