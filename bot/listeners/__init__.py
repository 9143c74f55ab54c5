"""What people and apps do in Slack. A folder a surface, a module an event; a handler reads, stores, enqueues.

Nothing here asks a model or a customer's system: whatever takes longer than a second is a job.
"""

from __future__ import annotations

from slack_bolt import App

from bot.desk import Desk
from bot.listeners import actions, commands, events, shortcuts, views


def register(app: App, desk: Desk) -> None:
    for surface in (events, actions, commands, shortcuts, views):
        surface.register(app, desk)
