"""users.* and bots.info."""

from __future__ import annotations

from bot.local_slack import shapes
from bot.local_slack.records import Json
from bot.local_slack.web_api.call import ApiError, Call, Method


def info(call: Call) -> Json:
    workspace, wanted = call.workspace, call.text("user")
    if wanted in workspace.people:
        return {"user": shapes.person(workspace, workspace.people[wanted])}
    for app in workspace.apps.values():
        if app.bot_user_id == wanted:
            return {"user": shapes.bot_user(workspace, app)}
    raise ApiError("user_not_found")


def list_all(call: Call) -> Json:
    workspace = call.workspace
    people = [shapes.person(workspace, person) for person in workspace.people.values()]
    bots = [shapes.bot_user(workspace, app) for app in workspace.apps.values() if app.bot_user_id]
    page, after = call.page([*people, *bots], 1000)
    return {"members": page, "cache_ts": int(workspace.clock()), "response_metadata": after}


def conversations(call: Call) -> Json:
    user = call.text("user") or call.slack.bot_user
    kinds = {"public_channel": "channel", "private_channel": "group", "im": "im", "mpim": "mpim"}
    wanted = {kinds.get(name.strip(), "") for name in call.text("types", "public_channel").split(",")}
    bot = call.slack.bot_user
    rooms = [
        room
        for room in call.workspace.channels.values()
        if room.kind in wanted and user in room.members and (room.kind == "channel" or bot in room.members)
        if not (call.flag("exclude_archived") and room.archived)
    ]
    page, after = call.page(rooms, 100)
    return {"channels": [shapes.channel(call.workspace, room, bot) for room in page], "response_metadata": after}


def bot_info(call: Call) -> Json:
    for app in call.workspace.apps.values():
        if app.bot_id == call.text("bot"):
            return {"bot": shapes.bot(call.workspace, app)}
    raise ApiError("bot_not_found")


METHODS = {
    "users.info": Method(info, ("users:read",), ("user",)),
    "users.list": Method(list_all, ("users:read",)),
    "users.conversations": Method(conversations, ("channels:read", "groups:read", "im:read", "mpim:read")),
    "bots.info": Method(bot_info, ("users:read",), ("bot",)),
}
