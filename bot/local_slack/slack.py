"""Slack as a whole: the workspace, what the app may do, and the ways in which things reach it.

Every part that changes something takes a `Slack`; it is built once, in server.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.local_slack import events
from bot.local_slack.calls import CallLog
from bot.local_slack.manifest import Grant
from bot.local_slack.misbehave import Misbehaviour
from bot.local_slack.records import Channel, Json
from bot.local_slack.socket_mode import SocketMode
from bot.local_slack.timings import Timings
from bot.local_slack.workspace import Workspace


@dataclass(frozen=True)
class Tokens:
    bot: str = "xoxb-local-bot"
    app: str = "xapp-local-app"
    signing_secret: str = "local-signing-secret"


@dataclass(frozen=True)
class Slack:
    workspace: Workspace
    grant: Grant
    socket_mode: SocketMode
    misbehaviour: Misbehaviour
    timings: Timings
    tokens: Tokens
    calls: CallLog = field(default_factory=CallLog)

    @property
    def bot_user(self) -> str:
        return str(self.workspace.installed.bot_user_id)

    def announce(self, event: Json, room: Channel | None = None) -> None:
        """Tells the app, if it subscribed to this and is in the room where it happened."""
        kind = room.kind if room else ""
        if room is not None and self.bot_user not in room.members:
            return
        if self.grant.hears(event["type"], kind):
            body = events.callback(self.workspace, event, self.workspace.clock())
            self.socket_mode.deliver("events_api", body)
