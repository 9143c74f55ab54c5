"""reactions.*"""

from __future__ import annotations

import re

from bot.local_slack import posting, shapes
from bot.local_slack.records import Json, Message
from bot.local_slack.web_api.call import ApiError, Call, Method

_NAME = re.compile(r"[a-z0-9_+'-]+(?:::skin-tone-[2-6])?")
MOST_OF_ALL = 23
"""Different emoji on one message."""


def is_emoji(name: str) -> bool:
    return bool(_NAME.fullmatch(name))


def add(call: Call) -> Json:
    message = _item(call)
    name = call.text("name")
    if not is_emoji(name):
        raise ApiError("invalid_name")
    if len(message.reactions) >= MOST_OF_ALL and name not in {reaction.name for reaction in message.reactions}:
        raise ApiError("too_many_emoji")
    if not posting.react(call.slack, call.slack.bot_user, message, name):
        raise ApiError("already_reacted")
    return {}


def remove(call: Call) -> Json:
    message = _item(call)
    if not is_emoji(call.text("name")):
        raise ApiError("invalid_name")
    if not posting.unreact(call.slack, call.slack.bot_user, message, call.text("name")):
        raise ApiError("no_reaction")
    return {}


def get(call: Call) -> Json:
    message = _item(call)
    shape = {**shapes.message(call.workspace, message), "permalink": shapes.permalink(call.workspace, message)}
    return {"type": "message", "channel": message.channel, "message": shape}


def _item(call: Call) -> Message:
    if not (call.text("channel") and call.text("timestamp")):
        raise ApiError("no_item_specified")
    room = call.channel(member=True)
    if room.archived:
        raise ApiError("is_archived")
    return call.message(room, "timestamp")


METHODS = {
    "reactions.add": Method(add, ("reactions:write",), ("name",)),
    "reactions.remove": Method(remove, ("reactions:write",), ("name",)),
    "reactions.get": Method(get, ("reactions:read",)),
}
