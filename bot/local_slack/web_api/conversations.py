"""conversations.*: which rooms there are, who is in them, and what was said."""

from __future__ import annotations

from collections.abc import Iterable

from bot.local_slack import posting, shapes
from bot.local_slack.records import Channel, Json, Message
from bot.local_slack.web_api.call import PLURAL, ApiError, Call, Method, invalid_arguments

_TYPES = {"public_channel": "channel", "private_channel": "group", "im": "im", "mpim": "mpim"}
_ANY_READ = tuple(f"{plural}:read" for plural in PLURAL.values())
_ANY_HISTORY = tuple(f"{plural}:history" for plural in PLURAL.values())


def list_all(call: Call) -> Json:
    wanted = [name.strip() for name in call.text("types", "public_channel").split(",")]
    if unknown := [name for name in wanted if name not in _TYPES]:
        raise ApiError("invalid_types", response_metadata={"messages": [f"[ERROR] unknown type: {unknown[0]}"]})
    for name in wanted:
        call.need(f"{PLURAL[_TYPES[name]]}:read")
    rooms = [room for room in visible(call, {_TYPES[name] for name in wanted}) if not _left_out(call, room)]
    page, after = call.page(rooms, 100)
    bot = call.slack.bot_user
    channels = [
        {**shapes.channel(call.workspace, room, bot), "num_members": len(room.members)}
        if room.kind != "im"
        else shapes.channel(call.workspace, room, bot)
        for room in page
    ]
    return {"channels": channels, "response_metadata": after}


def visible(call: Call, kinds: Iterable[str]) -> list[Channel]:
    """Public rooms, and those others in which the app is a member."""
    return [
        room
        for room in call.workspace.channels.values()
        if room.kind in kinds and (room.kind == "channel" or call.slack.bot_user in room.members)
    ]


def _left_out(call: Call, room: Channel) -> bool:
    return call.flag("exclude_archived") and room.archived


def info(call: Call) -> Json:
    room = call.channel()
    call.need(f"{PLURAL[room.kind]}:read")
    shape = shapes.channel(call.workspace, room, call.slack.bot_user)
    if call.flag("include_num_members"):
        shape["num_members"] = len(room.members)
    return {"channel": shape}


def members(call: Call) -> Json:
    room = call.channel()
    call.need(f"{PLURAL[room.kind]}:read")
    page, after = call.page(sorted(room.members), 100)
    return {"members": page, "response_metadata": after}


def join(call: Call) -> Json:
    room = call.channel()
    if room.kind != "channel":
        raise ApiError("method_not_supported_for_channel_type")
    if room.archived:
        raise ApiError("is_archived")
    already = call.slack.bot_user in room.members
    room = posting.join(call.slack, call.slack.bot_user, room)
    answer: Json = {"channel": shapes.channel(call.workspace, room, call.slack.bot_user)}
    if already:
        answer |= {"warning": "already_in_channel", "response_metadata": {"warnings": ["already_in_channel"]}}
    return answer


def open_direct(call: Call) -> Json:
    if call.text("channel"):
        return {"channel": {"id": call.channel().id}, "no_op": True, "already_open": True}
    users = [user.strip() for user in call.text("users").split(",") if user.strip()]
    if not users:
        raise ApiError("users_list_not_supplied")
    if any(user not in call.workspace.people for user in users):
        raise ApiError("user_not_found")
    if len(users) > 1:
        raise ApiError("method_not_supported_for_channel_type")
    room = call.workspace.direct(call.slack.bot_user, users[0])
    if call.flag("return_im"):
        return {"channel": shapes.channel(call.workspace, room, call.slack.bot_user)}
    return {"channel": {"id": room.id}}


def history(call: Call) -> Json:
    room = _readable(call)
    newest_first = list(reversed(_within(call, call.workspace.timeline(room.id))))
    page, after = call.page(newest_first, 100, 999)
    answer: Json = {
        "messages": [_shown(call, message) for message in page],
        "has_more": bool(after["next_cursor"]),
        "pin_count": 0,
        "channel_actions_ts": None,
        "channel_actions_count": 0,
    }
    return {**answer, "response_metadata": after} if after["next_cursor"] else answer


def replies(call: Call) -> Json:
    room = _readable(call)
    start = call.message(room, error="thread_not_found")
    whole = call.workspace.thread(room.id, start.ts) if not start.is_reply else [start]
    root, rest = whole[:1], _within(call, whole[1:])
    page, after = call.page(rest, 1000)
    answer: Json = {
        "messages": [_shown(call, message) for message in [*root, *page]],
        "has_more": bool(after["next_cursor"]),
    }
    return {**answer, "response_metadata": after} if after["next_cursor"] else answer


def _readable(call: Call) -> Channel:
    room = call.channel(member=True)
    call.need(f"{PLURAL[room.kind]}:history")
    return room


def _within(call: Call, messages: Iterable[Message]) -> list[Message]:
    try:
        oldest, latest = float(call.text("oldest") or 0), float(call.text("latest") or "inf")
    except ValueError:
        raise invalid_arguments("must be a timestamp: oldest, latest") from None
    closed = call.flag("inclusive")
    return [m for m in messages if oldest < float(m.ts) < latest or (closed and float(m.ts) in {oldest, latest})]


def _shown(call: Call, message: Message) -> Json:
    return shapes.message(call.workspace, message, metadata=call.flag("include_all_metadata"))


METHODS = {
    "conversations.list": Method(list_all, _ANY_READ),
    "conversations.info": Method(info, _ANY_READ, ("channel",)),
    "conversations.members": Method(members, _ANY_READ, ("channel",)),
    "conversations.join": Method(join, ("channels:join",), ("channel",)),
    "conversations.open": Method(open_direct, ("im:write", "mpim:write", "channels:manage", "groups:write")),
    "conversations.history": Method(history, _ANY_HISTORY, ("channel",)),
    "conversations.replies": Method(replies, _ANY_HISTORY, ("channel", "ts")),
}
