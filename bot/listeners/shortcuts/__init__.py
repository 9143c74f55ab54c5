"""Message shortcuts."""

from __future__ import annotations

from slack_bolt import App

from bot.desk import Desk
from bot.listeners.shortcuts import investigate


def register(app: App, desk: Desk) -> None:
    investigate.register(app, desk)
