"""What Slack sends when a person presses, submits, closes, takes a shortcut or a slash command. Exact shapes only."""

from __future__ import annotations

from typing import Any

from bot.local_slack import shapes
from bot.local_slack.inputs import options_of, value_object, values_of
from bot.local_slack.records import Channel, Json, Message, Person, View
from bot.local_slack.slack import Slack
from bot.local_slack.triggers import new_response_url, new_trigger

TOKEN = "verification-token"


def _envelope(slack: Slack, kind: str, who: Person) -> Json:
    team = slack.workspace.team
    return {
        "type": kind,
        "user": {"id": who.id, "username": who.name, "name": who.name, "team_id": team.id},
        "api_app_id": slack.workspace.installed.id,
        "token": TOKEN,
        "team": {"id": team.id, "domain": team.domain},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def action(slack: Slack, block: Json, element: Json, given: Any) -> Json:
    """One entry of `actions`: which element, and what was pressed or chosen."""
    kind = element["type"]
    shape: Json = {"type": kind, "action_id": element["action_id"], "block_id": block["block_id"]}
    if kind in {"button", "icon_button", "workflow_button"}:
        shape |= {key: element[key] for key in ("text", "value", "style", "url") if element.get(key)}
    elif kind == "feedback_buttons":
        side = "negative_button" if given in {"negative", element["negative_button"]["value"]} else "positive_button"
        shape |= {"value": element[side]["value"], "text": element[side]["text"]}
    elif kind == "overflow":
        shape["selected_option"] = next(option for option in options_of(element) if option["value"] == given)
    else:
        shape |= value_object(element, given)
        if element.get("placeholder"):
            shape["placeholder"] = element["placeholder"]
    return {**shape, "action_ts": slack.workspace.new_ts()}


def on_message(slack: Slack, who: Person, message: Message, acted: Json) -> Json:
    """`block_actions` from a message. An ephemeral message is not repeated in the payload."""
    room = slack.workspace.channels[message.channel]
    hidden = message.ephemeral_for is not None
    container: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": room.id,
        "is_ephemeral": hidden,
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    payload = _envelope(slack, "block_actions", who) | {
        "container": container,
        "trigger_id": new_trigger(slack, who.id),
        "channel": {"id": room.id, "name": _name(room)},
        "state": {"values": values_of(slack.workspace, who.id, message)},
        "response_url": new_response_url(
            slack,
            "actions",
            who.id,
            room.id,
            message_ts=message.ts,
            thread_ts=message.thread_ts,
            replaces=True,
        ),
        "actions": [acted],
    }
    return payload if hidden else payload | {"message": shapes.message(slack.workspace, message)}


def on_view(slack: Slack, who: Person, view: View, acted: Json) -> Json:
    """`block_actions` from a modal or a Home tab."""
    return _envelope(slack, "block_actions", who) | {
        "container": {"type": "view", "view_id": view.id},
        "trigger_id": new_trigger(slack, who.id, view.id),
        "view": shapes.view(slack.workspace, view, values_of(slack.workspace, who.id, view)),
        "actions": [acted],
    }


def submission(slack: Slack, who: Person, view: View) -> Json:
    return _envelope(slack, "view_submission", who) | {
        "trigger_id": new_trigger(slack, who.id, view.id),
        "view": shapes.view(slack.workspace, view, values_of(slack.workspace, who.id, view)),
        "response_urls": [],
    }


def closing(slack: Slack, who: Person, view: View, *, cleared: bool) -> Json:
    return _envelope(slack, "view_closed", who) | {
        "view": shapes.view(slack.workspace, view),
        "is_cleared": cleared,
    }


def shortcut_on_message(slack: Slack, who: Person, message: Message, callback_id: str) -> Json:
    room = slack.workspace.channels[message.channel]
    return _envelope(slack, "message_action", who) | {
        "action_ts": slack.workspace.new_ts(),
        "channel": {"id": room.id, "name": _name(room)},
        "callback_id": callback_id,
        "trigger_id": new_trigger(slack, who.id),
        "response_url": new_response_url(slack, "app", who.id, room.id, thread_ts=message.thread_ts),
        "message_ts": message.ts,
        "message": shapes.message(slack.workspace, message),
    }


def global_shortcut(slack: Slack, who: Person, callback_id: str) -> Json:
    return _envelope(slack, "shortcut", who) | {
        "action_ts": slack.workspace.new_ts(),
        "callback_id": callback_id,
        "trigger_id": new_trigger(slack, who.id),
    }


def slash_command(slack: Slack, who: Person, room: Channel, command: str, text: str) -> Json:
    team = slack.workspace.team
    return {
        "token": TOKEN,
        "team_id": team.id,
        "team_domain": team.domain,
        "channel_id": room.id,
        "channel_name": _name(room),
        "user_id": who.id,
        "user_name": who.name,
        "command": command,
        "text": text,
        "api_app_id": slack.workspace.installed.id,
        "is_enterprise_install": "false",
        "response_url": new_response_url(slack, "commands", who.id, room.id),
        "trigger_id": new_trigger(slack, who.id),
    }


def _name(room: Channel) -> str:
    return {"im": "directmessage", "group": "privategroup"}.get(room.kind, room.name)
