"""The content of a message (text, blocks, attachments, metadata) as an app sends it: checked, put into stored form."""

from __future__ import annotations

from dataclasses import dataclass

from bot.local_slack import normalise
from bot.local_slack.records import Json
from bot.local_slack.text import as_stored
from bot.local_slack.validate.blocks import message_blocks
from bot.local_slack.web_api.call import ApiError, Call, invalid
from bot.local_slack.workspace import Workspace

LONGEST_TEXT = 40_000
LONGEST_MARKDOWN = 12_000
LONGEST_BLOCKS = 13_200
"""Visible characters of all blocks together; Slack documents no number, this one was measured."""
MOST_ATTACHMENTS = 100


@dataclass(frozen=True)
class Content:
    text: str
    blocks: tuple[Json, ...]
    attachments: tuple[Json, ...]
    metadata: Json | None


def content_of(call: Call, *, longest: int = LONGEST_TEXT) -> Content:
    return checked(call.workspace, call.args, longest=longest)


def checked(workspace: Workspace, args: Json, *, longest: int = LONGEST_TEXT) -> Content:
    """Raises ApiError in Slack's words: no_text, msg_too_long, invalid_blocks …"""
    text, markdown = str(args.get("text") or ""), args.get("markdown_text")
    given, attached = args.get("blocks") or [], args.get("attachments") or []
    if markdown:
        if text or given:
            raise ApiError("markdown_text_conflict")
        if len(markdown) > LONGEST_MARKDOWN:
            raise ApiError("msg_too_long")
        given, text = [{"type": "markdown", "text": markdown}], markdown
    blocks = checked_blocks(workspace, given)
    if not isinstance(attached, list) or not all(isinstance(item, dict) for item in attached):
        raise ApiError("invalid_attachments")
    if len(attached) > MOST_ATTACHMENTS:
        raise ApiError("too_many_attachments")
    for number, item in enumerate(attached):
        problems = message_blocks(item["blocks"], f"/attachments/{number}/blocks") if item.get("blocks") else []
        if problems:
            raise invalid("invalid_attachments", problems)
    if not (text.strip() or blocks or attached):
        raise ApiError("no_text")
    if len(text) > longest:
        raise ApiError("msg_too_long")
    return Content(
        as_stored(text) if text else normalise.fallback_text(blocks),
        blocks,
        normalise.attachments(attached, workspace.new_id),
        _metadata(args.get("metadata")),
    )


def checked_blocks(workspace: Workspace, given: object) -> tuple[Json, ...]:
    if not isinstance(given, list) or not all(isinstance(block, dict) for block in given):
        raise ApiError("invalid_blocks_format")
    problems = message_blocks(given)
    if problems:
        raise invalid("invalid_blocks", problems)
    if normalise.length(given) > LONGEST_BLOCKS:
        raise ApiError("msg_blocks_too_long")
    return normalise.blocks(given, workspace.new_id)


def _metadata(given: object) -> Json | None:
    if not given:
        return None
    if not isinstance(given, dict) or not isinstance(given.get("event_type"), str):
        raise ApiError("invalid_metadata_format")
    payload = given.get("event_payload")
    if not isinstance(payload, dict):
        raise ApiError("invalid_metadata_schema")
    return {"event_type": given["event_type"], "event_payload": payload}
