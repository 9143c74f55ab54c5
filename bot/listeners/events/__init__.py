"""What Slack's Events API tells. One module for each kind of event."""

from __future__ import annotations

from slack_bolt import App

from bot.desk import Desk
from bot.listeners.events import arrivals, home, mentions, messages, reactions, sessions


def register(app: App, desk: Desk) -> None:
    for event in (messages, mentions, reactions, arrivals, home, sessions):
        event.register(app, desk)
