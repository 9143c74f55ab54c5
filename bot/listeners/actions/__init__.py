"""Buttons."""

from __future__ import annotations

from slack_bolt import App

from bot.listeners.actions import stop, votes
from bot.listeners.desk import Desk


def register(app: App, desk: Desk) -> None:
    for action in (votes, stop):
        action.register(app, desk)
