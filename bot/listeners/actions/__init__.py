"""Buttons."""

from __future__ import annotations

from slack_bolt import App

from bot.desk import Desk
from bot.listeners.actions import stop, votes


def register(app: App, desk: Desk) -> None:
    for action in (votes, stop):
        action.register(app, desk)
