"""Inbound events exactly as Slack sends them: the inner event of each type, and the envelope around it."""

from __future__ import annotations

import base64
import json

from bot.local_slack import shapes
from bot.local_slack.records import Channel, Json, Message, View
from bot.local_slack.workspace import Workspace


def callback(workspace: Workspace, event: Json, at: float) -> Json:
    """The `event_callback` around an inner event."""
    app, team = workspace.installed, workspace.team.id
    context = {"et": event["type"], "tid": team, "aid": app.id, "cid": _channel_of(event)}
    return {
        "token": "verification-token",
        "team_id": team,
        "context_team_id": team,
        "context_enterprise_id": None,
        "api_app_id": app.id,
        "event": event,
        "type": "event_callback",
        "event_id": workspace.new_id("Ev0"),
        "event_time": int(at),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": team,
                "user_id": app.bot_user_id,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": "4-" + base64.urlsafe_b64encode(json.dumps(context, separators=(",", ":")).encode()).decode(),
    }


def _channel_of(event: Json) -> str | None:
    channel = event.get("channel") or (event.get("item") or {}).get("channel")
    return channel.get("id") if isinstance(channel, dict) else channel


def posted(workspace: Workspace, said: Message, room: Channel) -> Json:
    return {
        **shapes.message(workspace, said, standing=False),
        "channel": room.id,
        "event_ts": said.ts,
        "channel_type": room.kind,
    }


def mentioned(workspace: Workspace, said: Message, room: Channel) -> Json:
    """The `app_mention` that comes besides the message."""
    event = posted(workspace, said, room)
    del event["channel_type"]
    return {**event, "type": "app_mention"}


def changed(workspace: Workspace, before: Message, after: Message, room: Channel) -> Json:
    ts = workspace.new_ts()
    return {
        "type": "message",
        "subtype": "message_changed",
        "message": {**shapes.message(workspace, after), "source_team": workspace.team.id},
        "previous_message": shapes.message(workspace, before),
        "channel": room.id,
        "hidden": True,
        "ts": ts,
        "event_ts": ts,
        "channel_type": room.kind,
    }


def deleted(workspace: Workspace, before: Message, room: Channel) -> Json:
    ts = workspace.new_ts()
    return {
        "type": "message",
        "subtype": "message_deleted",
        "previous_message": shapes.message(workspace, before),
        "channel": room.id,
        "hidden": True,
        "deleted_ts": before.ts,
        "event_ts": ts,
        "ts": ts,
        "channel_type": room.kind,
    }


def reacted(workspace: Workspace, kind: str, user: str, name: str, on: Message) -> Json:
    """`reaction_added` or `reaction_removed`. A webhook's message has no user, and then no `item_user`."""
    event: Json = {
        "type": kind,
        "user": user,
        "reaction": name,
        "item": {"type": "message", "channel": on.channel, "ts": on.ts},
        "event_ts": workspace.new_ts(),
    }
    return {**event, "item_user": on.user} if on.user else event


def joined(workspace: Workspace, user: str, room: Channel, inviter: str | None) -> Json:
    event: Json = {
        "type": "member_joined_channel",
        "user": user,
        "channel": room.id,
        "channel_type": "C" if room.kind == "channel" else "G",
        "team": workspace.team.id,
        "event_ts": workspace.new_ts(),
    }
    return {**event, "inviter": inviter} if inviter else event


def renamed(workspace: Workspace, room: Channel) -> Json:
    channel = {
        "id": room.id,
        "is_channel": True,
        "name": room.name,
        "name_normalized": room.name,
        "created": room.created,
    }
    return {"type": "channel_rename", "channel": channel, "event_ts": workspace.new_ts()}


def home_opened(workspace: Workspace, user: str, direct: Channel, tab: str, home: View | None) -> Json:
    event: Json = {
        "type": "app_home_opened",
        "user": user,
        "channel": direct.id,
        "tab": tab,
        "event_ts": workspace.new_ts(),
    }
    return {**event, "view": shapes.view(workspace, home)} if home and tab == "home" else event


def session_stopped(workspace: Workspace, channel: str, thread_ts: str, user: str, streams: list[str]) -> Json:
    return {
        "type": "agent_session_stopped",
        "channel": channel,
        "thread_ts": thread_ts,
        "user": user,
        "streaming_message_ts": streams,
        "event_ts": workspace.new_ts(),
    }
