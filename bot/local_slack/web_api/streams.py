"""chat.startStream, appendStream, stopStream: an answer that grows while its reader watches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bot.local_slack import posting, shapes
from bot.local_slack.records import Json, Message
from bot.local_slack.web_api import agents, chat
from bot.local_slack.web_api.call import ApiError, Call, Method, invalid_arguments
from bot.local_slack.web_api.content import LONGEST_MARKDOWN, checked_blocks

IN_PROGRESS, COMPLETED = "in_progress", "completed"
_STATUSES = ("pending", "in_progress", "complete", "error")


def start(call: Call) -> Json:
    room = chat.destination(call)
    thread = chat.thread_of(call, room)
    if thread is None:
        raise ApiError("invalid_thread_ts")
    if room.kind != "im":
        for name in ("recipient_user_id", "recipient_team_id"):
            if not call.text(name):
                raise ApiError(f"missing_{name}")
        if call.text("recipient_user_id") not in room.members:
            raise ApiError("user_not_in_channel")
    mode = call.text("task_display_mode", "timeline")
    if mode not in {"timeline", "plan"}:
        raise invalid_arguments("must be a valid enum value: timeline, plan [json-pointer:/task_display_mode]")
    empty = replace(chat.authored(call, room, thread), streaming=IN_PROGRESS, stream_mode=mode)
    posting.post(call.slack, _grown(empty, _chunks(call), call))
    agents.clear_hint(call.workspace, room.id, thread)
    return {"channel": room.id, "ts": empty.ts}


def append(call: Call) -> Json:
    message = _open_stream(call)
    chunks = _chunks(call)
    if not chunks:
        raise ApiError("no_text")
    call.workspace.put_message(_grown(message, chunks, call))
    return {"channel": message.channel, "ts": message.ts}


def stop(call: Call) -> Json:
    before = _open_stream(call)
    grown = _grown(before, _chunks(call), call)
    closing = checked_blocks(call.workspace, call.args.get("blocks") or [])
    metadata = call.args.get("metadata")
    after = replace(grown, blocks=(*grown.blocks, *closing), streaming=COMPLETED, metadata=metadata or grown.metadata)
    posting.edit(call.slack, before, after)
    if call.text("session_status"):
        thread = {"channel_id": after.channel, "thread_ts": after.thread_ts, "status": call.text("session_status")}
        agents.set_session_status(replace(call, args=thread))
    shape = shapes.message(call.workspace, after, standing=False)
    return {"channel": after.channel, "ts": after.ts, "message": shape}


def _open_stream(call: Call) -> Message:
    message = call.message(call.channel(member=True))
    if message.app_id != call.workspace.installed.id:
        raise ApiError("message_not_owned_by_app")
    if message.streaming != IN_PROGRESS:
        raise ApiError("message_not_in_streaming_state")
    return message


def _chunks(call: Call) -> list[Json]:
    markdown = call.text("markdown_text")
    if len(markdown) > LONGEST_MARKDOWN:
        raise ApiError("msg_too_long")
    given = call.items("chunks")
    return [*([{"type": "markdown_text", "text": markdown}] if markdown else []), *given]


def _grown(message: Message, chunks: Sequence[Any], call: Call) -> Message:
    for number, chunk in enumerate(chunks):
        kind = chunk.get("type") if isinstance(chunk, dict) else None
        if kind == "markdown_text" and isinstance(chunk.get("text"), str):
            message = _with_markdown(message, chunk["text"], call)
        elif kind == "task_update" and chunk.get("id") and chunk.get("status") in _STATUSES:
            message = _with_task(message, _task(chunk), call)
        elif kind == "plan_update" and chunk.get("title"):
            message = _with_plan_title(message, chunk["title"], call)
        elif kind == "blocks":
            added = checked_blocks(call.workspace, chunk.get("blocks") or [])
            message = replace(message, blocks=(*message.blocks, *added))
        else:
            raise invalid_arguments(f"invalid chunk [json-pointer:/chunks/{number}]")
    return message


def _with_markdown(message: Message, text: str, call: Call) -> Message:
    blocks, last = message.blocks, message.blocks[-1] if message.blocks else {}
    if last.get("type") == "markdown":
        blocks = (*blocks[:-1], {**last, "text": last["text"] + text})
    else:
        blocks = (*blocks, {"type": "markdown", "block_id": call.workspace.new_id("", 5), "text": text})
    return replace(message, blocks=blocks, text=message.text + text)


def _task(chunk: Json) -> Json:
    task: Json = {"type": "task_card", "task_id": chunk["id"], "title": chunk["title"], "status": chunk["status"]}
    for name in ("details", "output"):
        if chunk.get(name):
            section = {"type": "rich_text_section", "elements": [{"type": "text", "text": str(chunk[name])}]}
            task[name] = {"type": "rich_text", "elements": [section]}
    return {**task, "sources": chunk["sources"]} if chunk.get("sources") else task


def _with_task(message: Message, task: Json, call: Call) -> Message:
    """A task by its id: new ones are added, known ones keep their place (and what the update does not mention)."""
    if message.stream_mode == "plan":
        plan = _plan(message, call)
        tasks = _placed(plan["tasks"], task)
        return _with_plan(message, {**plan, "tasks": tasks})
    known = [b for b in message.blocks if b.get("type") == "task_card"]
    if any(card["task_id"] == task["task_id"] for card in known):
        return replace(message, blocks=tuple(_placed(list(message.blocks), task)))
    return replace(message, blocks=(*message.blocks, {**task, "block_id": call.workspace.new_id("", 5)}))


def _placed(tasks: list[Json], task: Json) -> list[Json]:
    if any(known.get("task_id") == task["task_id"] for known in tasks):
        return [{**known, **task} if known.get("task_id") == task["task_id"] else known for known in tasks]
    return [*tasks, task]


def _plan(message: Message, call: Call) -> Json:
    found = next((block for block in message.blocks if block.get("type") == "plan"), None)
    return found or {"type": "plan", "block_id": call.workspace.new_id("", 5), "title": "Working on it", "tasks": []}


def _with_plan_title(message: Message, title: str, call: Call) -> Message:
    return _with_plan(message, {**_plan(message, call), "title": title})


def _with_plan(message: Message, plan: Json) -> Message:
    others = [block for block in message.blocks if block.get("type") != "plan"]
    return replace(message, blocks=(plan, *others))


METHODS = {
    "chat.startStream": Method(start, ("chat:write",), ("channel",)),
    "chat.appendStream": Method(append, ("chat:write",), ("channel", "ts")),
    "chat.stopStream": Method(stop, ("chat:write",), ("channel", "ts")),
}
