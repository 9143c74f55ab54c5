"""files.*: the three steps of an upload (ask for an address, send the bytes there, say where the file belongs)."""

from __future__ import annotations

import mimetypes
from dataclasses import replace

from bot.local_slack import posting, shapes
from bot.local_slack.records import File, Json
from bot.local_slack.text import as_stored
from bot.local_slack.web_api import chat
from bot.local_slack.web_api.call import ApiError, Call, Method
from bot.local_slack.web_api.content import checked_blocks
from bot.local_slack.workspace import Workspace

LARGEST = 50_000_000


def get_upload_url(call: Call) -> Json:
    name, length = call.text("filename"), call.number("length", 0)
    if length <= 0:
        raise ApiError("invalid_arguments")
    if length > LARGEST:
        raise ApiError("file_upload_size_restricted")
    workspace = call.workspace
    mime = mimetypes.guess_type(name)[0] or "text/plain"
    file = File(
        workspace.new_id("F0"),
        name,
        name,
        mime,
        call.slack.bot_user,
        int(workspace.clock()),
        length,
        call.text("alt_txt"),
    )
    workspace.files[file.id] = (file, None)
    return {"upload_url": f"{workspace.address}upload/v1/{file.id}", "file_id": file.id}


def receive(workspace: Workspace, file_id: str, content: bytes) -> File | None:
    """The bytes of an announced file; None when nobody announced it, or announced another size."""
    with workspace.lock:
        if file_id not in workspace.files or workspace.files[file_id][0].size != len(content):
            return None
        file = workspace.files[file_id][0]
        workspace.files[file_id] = (file, content)
        return file


def complete_upload(call: Call) -> Json:
    workspace, done = call.workspace, []
    for item in call.items("files"):
        file, content = workspace.files.get(str(item.get("id")), (None, None))
        if file is None or content is None:
            raise ApiError("file_not_found")
        file = replace(file, title=item.get("title") or file.name)
        workspace.files[file.id] = (file, content)
        done.append(file)
    if not done:
        raise ApiError("invalid_arguments")
    where = call.text("channel_id") or call.text("channels").split(",")[0]
    if where:
        named = replace(call, args={**call.args, "channel": where})
        room = chat.destination(named)
        said = replace(
            chat.authored(named, room, chat.thread_of(named, room)),
            text=as_stored(call.text("initial_comment")),
            blocks=checked_blocks(workspace, call.args.get("blocks") or []),
            files=tuple(done),
            subtype="file_share",
        )
        posting.post(call.slack, said)
    return {"files": [shapes.file(workspace, file) for file in done]}


METHODS = {
    "files.getUploadURLExternal": Method(get_upload_url, ("files:write",), ("filename", "length")),
    "files.completeUploadExternal": Method(complete_upload, ("files:write",), ("files",)),
}
