"""The ordinary Stop button on the living message."""

from __future__ import annotations

from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient

from bot.desk import Desk
from bot.listeners.private import whisper


def register(app: App, desk: Desk) -> None:
    @app.action("stop")
    def on_stop(ack: Ack, body: dict[str, Any], action: dict[str, Any], client: WebClient) -> None:
        ack()
        person = body["user"]["id"]
        stopping = desk.store.investigations.request_stop(str(action.get("value")), person, desk.clock())
        said = "Stopping; what was seen so far will be the answer." if stopping else "It has ended already."
        channel, message = (body.get("channel") or {}).get("id"), body.get("message") or {}
        if channel:
            whisper(client, channel, person, said, thread_ts=message.get("thread_ts"))
