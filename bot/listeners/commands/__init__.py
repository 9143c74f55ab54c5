"""Slash commands. Nonsense gets the usage, privately; without the role, a private refusal."""

from __future__ import annotations

from slack_bolt import App

from bot.desk import Desk
from bot.listeners.commands import guidance, gumshoe, skills


def register(app: App, desk: Desk) -> None:
    for command in (gumshoe, guidance, skills):
        command.register(app, desk)
