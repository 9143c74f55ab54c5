"""Slack's own Stop button on a thread."""

from __future__ import annotations

from typing import Any

from slack_bolt import App, BoltContext

from bot.desk import Desk
from bot.listeners.events.messages import team_of


def register(app: App, desk: Desk) -> None:
    @app.event("agent_session_stopped")
    def on_stopped(body: dict[str, Any], event: dict[str, Any], context: BoltContext) -> None:
        incident = desk.store.incidents.by_thread(team_of(body, context), event["channel"], event["thread_ts"])
        for investigation in desk.store.investigations.of_incident(incident.id) if incident else ():
            desk.store.investigations.request_stop(investigation.id, event["user"], desk.clock())
