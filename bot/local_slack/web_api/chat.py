"""chat.*: posting, editing and deleting messages."""

from __future__ import annotations

from dataclasses import replace

from bot.local_slack import posting, shapes
from bot.local_slack.records import Channel, Json, Message
from bot.local_slack.web_api import agents
from bot.local_slack.web_api.call import ApiError, Call, Method, RateLimited
from bot.local_slack.web_api.content import content_of

LONGEST_EDIT = 4_000


def post_message(call: Call) -> Json:
    content = content_of(call)
    room = destination(call)
    said = replace(
        authored(call, room, thread_of(call, room)),
        text=content.text,
        blocks=content.blocks,
        attachments=content.attachments,
        metadata=content.metadata,
        broadcast=call.flag("reply_broadcast"),
    )
    if said.broadcast and said.is_reply:
        said = replace(said, subtype="thread_broadcast")
    posting.post(call.slack, said)
    agents.clear_hint(call.workspace, room.id, said.thread_ts or said.ts)
    return {"channel": room.id, "ts": said.ts, "message": shapes.message(call.workspace, said, standing=False)}


def destination(call: Call) -> Channel:
    """Where a post goes: a channel by id or name, or a person, whose direct messages are opened."""
    wanted, workspace = call.text("channel"), call.workspace
    if wanted in workspace.people:
        room: Channel | None = workspace.direct(call.slack.bot_user, wanted)
    else:
        room = workspace.channel(wanted)
    member = room is not None and call.slack.bot_user in room.members
    if room is None or (room.kind != "channel" and not member):
        raise ApiError("channel_not_found")
    if room.archived:
        raise ApiError("is_archived")
    if not member and "chat:write.public" not in call.slack.grant.scopes:
        raise ApiError("not_in_channel")
    wait = call.slack.misbehaviour.seconds_until_allowed(room.id, workspace.clock())
    if wait > 0:
        raise RateLimited(wait)
    return room


def thread_of(call: Call, room: Channel) -> str | None:
    """The root of the thread that a post answers to; a reply's own ts leads to its root, as in Slack."""
    if not call.text("thread_ts"):
        return None
    root = call.message(room, "thread_ts", error="thread_not_found")
    return root.thread_ts or root.ts


def authored(call: Call, room: Channel, thread_ts: str | None) -> Message:
    """An empty message of the calling app, with the name and icon that it asked for if it may choose them."""
    app = call.workspace.installed
    said = Message(
        room.id, call.workspace.new_ts(), user=app.bot_user_id, bot_id=app.bot_id, app_id=app.id, thread_ts=thread_ts
    )
    if call.text("username") or call.text("icon_emoji") or call.text("icon_url"):
        call.need("chat:write.customize")
        icons = {key: call.text(f"icon_{key}") for key in ("emoji", "url") if call.text(f"icon_{key}")}
        username = call.text("username") or app.name
        said = replace(said, user=None, subtype="bot_message", username=username, icons=icons or None)
    return said


def update(call: Call) -> Json:
    room = call.channel(member=True)
    before = own(call, call.message(room), "cant_update_message")
    keeps = {"blocks": before.blocks, "attachments": before.attachments, "text": before.text}
    given = {name: call.args[name] for name in keeps if call.args.get(name) is not None}
    if not given and not call.text("markdown_text"):
        raise ApiError("no_text")
    content = content_of(call, longest=LONGEST_EDIT) if _says_something(call) else None
    markdown = bool(call.text("markdown_text"))
    after = replace(
        before,
        text=content.text if content and ("text" in given or "blocks" in given or markdown) else before.text,
        blocks=(content.blocks if content else ()) if "blocks" in given or markdown else before.blocks,
        attachments=(content.attachments if content else ()) if "attachments" in given else before.attachments,
        metadata=content.metadata if content and call.args.get("metadata") is not None else before.metadata,
        edited=(call.slack.bot_user, call.workspace.new_ts()),
    )
    if not (after.text or after.blocks or after.attachments):
        raise ApiError("no_text")
    posting.edit(call.slack, before, after)
    shape = shapes.message(call.workspace, after, standing=False)
    return {"channel": room.id, "ts": after.ts, "text": after.text, "message": shape}


def _says_something(call: Call) -> bool:
    """Empty lists remove what was there; with nothing beside them there is no content to check."""
    return any(call.args.get(name) for name in ("text", "blocks", "attachments", "markdown_text"))


def delete(call: Call) -> Json:
    room = call.channel()
    posting.delete(call.slack, own(call, call.message(room), "cant_delete_message"))
    return {"channel": room.id, "ts": call.text("ts")}


def own(call: Call, message: Message, error: str) -> Message:
    if message.app_id != call.workspace.installed.id:
        raise ApiError(error)
    return message


def post_ephemeral(call: Call) -> Json:
    content = content_of(call)
    room = destination(call)
    user = call.text("user")
    if user not in room.members:
        raise ApiError("user_not_in_channel")
    said = replace(
        authored(call, room, thread_of(call, room)),
        text=content.text,
        blocks=content.blocks,
        attachments=content.attachments,
        ephemeral_for=user,
    )
    posting.post(call.slack, said)
    return {"message_ts": said.ts}


def get_permalink(call: Call) -> Json:
    room = call.channel()
    message = call.message(room, "message_ts")
    return {"channel": room.id, "permalink": shapes.permalink(call.workspace, message)}


METHODS = {
    "chat.postMessage": Method(post_message, ("chat:write",), ("channel",)),
    "chat.update": Method(update, ("chat:write",), ("channel", "ts")),
    "chat.delete": Method(delete, ("chat:write",), ("channel", "ts")),
    "chat.postEphemeral": Method(post_ephemeral, ("chat:write",), ("channel", "user")),
    "chat.getPermalink": Method(get_permalink, (), ("channel", "message_ts")),
}
