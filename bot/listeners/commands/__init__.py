"""Slash commands. Nonsense gets the usage, privately; without the role, a private refusal."""

from __future__ import annotations

from slack_bolt import App

from bot.listeners.commands import guidance, gumshoe, skills
from bot.listeners.desk import Desk


def register(app: App, desk: Desk) -> None:
    for command in (gumshoe, guidance, skills):
        command.register(app, desk)
