"""What the installed app may do and hears about, read from an app manifest in Slack's own form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DEFAULT: Mapping[str, Any] = {
    "display_information": {"name": "Gumshoe", "description": "Investigates alerts and reports evidence"},
    "features": {
        "agent_view": {"agent_description": "Investigates alerts and reports evidence"},
        "slash_commands": [
            {"command": "/gumshoe", "description": "Status and settings", "should_escape": False},
            {"command": "/guidance", "description": "What to know about an alert type", "should_escape": False},
            {"command": "/skills", "description": "What the agent may look at", "should_escape": False},
        ],
        "shortcuts": [
            {
                "name": "Investigate this",
                "type": "message",
                "callback_id": "investigate_message",
                "description": "Start an investigation",
            }
        ],
    },
    "oauth_config": {
        "scopes": {
            "bot": [
                "app_mentions:read",
                "assistant:write",
                "channels:history",
                "channels:read",
                "chat:write",
                "commands",
                "files:write",
                "groups:history",
                "groups:read",
                "im:history",
                "im:read",
                "im:write",
                "reactions:read",
                "reactions:write",
                "users:read",
            ]
        }
    },
    "settings": {
        "event_subscriptions": {
            "bot_events": [
                "app_home_opened",
                "app_mention",
                "agent_session_stopped",
                "channel_rename",
                "member_joined_channel",
                "message.channels",
                "message.groups",
                "message.im",
                "reaction_added",
                "reaction_removed",
            ]
        }
    },
}


@dataclass(frozen=True)
class Command:
    name: str
    description: str = ""
    usage: str = ""
    escapes: bool = False
    """Whether names of people and channels in the text arrive as ids."""


@dataclass(frozen=True)
class Shortcut:
    callback_id: str
    name: str
    type: str = "message"


@dataclass(frozen=True)
class Grant:
    """The part of a manifest that Slack enforces."""

    scopes: frozenset[str]
    events: frozenset[str]
    commands: tuple[Command, ...]
    shortcuts: tuple[Shortcut, ...]
    is_agent: bool

    def hears(self, event_type: str, channel_kind: str = "") -> bool:
        """Whether the app subscribed to this type of event."""
        if event_type != "message":
            return event_type in self.events
        plural = {"channel": "channels", "group": "groups", "im": "im", "mpim": "mpim"}[channel_kind]
        return f"message.{plural}" in self.events


def grant_of(manifest: Mapping[str, Any]) -> Grant:
    features = manifest.get("features") or {}
    scopes = ((manifest.get("oauth_config") or {}).get("scopes") or {}).get("bot") or ()
    events = ((manifest.get("settings") or {}).get("event_subscriptions") or {}).get("bot_events") or ()
    return Grant(
        scopes=frozenset(scopes),
        events=frozenset(events),
        commands=tuple(
            Command(c["command"], c.get("description", ""), c.get("usage_hint", ""), bool(c.get("should_escape")))
            for c in features.get("slash_commands") or ()
        ),
        shortcuts=tuple(
            Shortcut(s["callback_id"], s["name"], s.get("type", "message")) for s in features.get("shortcuts") or ()
        ),
        is_agent="agent_view" in features or "assistant_view" in features,
    )
