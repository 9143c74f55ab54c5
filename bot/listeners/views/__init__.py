"""Submitted modals. State travels in private_metadata as ids; the records are in the store."""

from __future__ import annotations

from slack_bolt import App

from bot.desk import Desk
from bot.listeners.views import feedback, guidance, skills


def register(app: App, desk: Desk) -> None:
    for view in (feedback, guidance, skills):
        view.register(app, desk)
