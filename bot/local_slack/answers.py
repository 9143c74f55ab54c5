"""What an app says back to an interaction without the Web API: in its acknowledgement, or at a response_url."""

from __future__ import annotations

from dataclasses import replace

from bot.local_slack import posting
from bot.local_slack.records import Json, Message, ResponseUrl
from bot.local_slack.slack import Slack
from bot.local_slack.web_api.content import Content, checked


class UrlError(Exception):
    """In Slack's word: expired_url, used_url, invalid_url."""


def take(slack: Slack, token: str) -> ResponseUrl:
    """Uses the address once; UrlError when it is not good (any more)."""
    workspace = slack.workspace
    with workspace.lock:
        door = workspace.response_urls.get(token)
        if door is None:
            raise UrlError("invalid_url")
        if workspace.clock() > door.expires:
            raise UrlError("expired_url")
        if door.uses_left <= 0:
            raise UrlError("used_url")
        workspace.response_urls[token] = replace(door, uses_left=door.uses_left - 1)
        return door


def at_response_url(slack: Slack, door: ResponseUrl, body: Json) -> None:
    """Replaces or deletes the message that was acted on, or says something new. Raises ApiError on bad content."""
    original = _original(slack, door)
    if body.get("delete_original"):
        if original:
            posting.delete(slack, original)
        return
    content = checked(slack.workspace, body)
    replaces = body.get("replace_original")
    if replaces is None:
        replaces = door.replaces and "response_type" not in body
    if replaces and original:
        after = replace(original, text=content.text, blocks=content.blocks, attachments=content.attachments)
        if original.ephemeral_for is None:
            after = replace(after, edited=(slack.bot_user, slack.workspace.new_ts()))
        posting.edit(slack, original, after)
        return
    say(slack, door.user, door.channel, content, body, str(body.get("thread_ts") or door.thread_ts or ""))


def say(slack: Slack, user: str, channel: str, content: Content, body: Json, thread_ts: str = "") -> Message:
    """A new message: for the person alone unless the app asks for `in_channel`. No membership is needed."""
    app, workspace = slack.workspace.installed, slack.workspace
    return posting.post(
        slack,
        Message(
            channel,
            workspace.new_ts(),
            content.text,
            user=app.bot_user_id,
            bot_id=app.bot_id,
            app_id=app.id,
            blocks=content.blocks,
            attachments=content.attachments,
            metadata=content.metadata,
            thread_ts=thread_ts or None,
            ephemeral_for=None if body.get("response_type") == "in_channel" else user,
        ),
    )


def _original(slack: Slack, door: ResponseUrl) -> Message | None:
    if door.message_ts is None:
        return None
    hidden = slack.workspace.ephemeral.get((door.channel, door.message_ts))
    return hidden or slack.workspace.message(door.channel, door.message_ts)
