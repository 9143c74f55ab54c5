"""A picture into a thread, by the three calls that Slack wants for a file. Exactly once: what is not known to have been
shared is looked for by its name before it is shared again; an upload that was never completed is seen by nobody."""

from __future__ import annotations

import http.client
import logging
import urllib.error
import urllib.request
from dataclasses import dataclass

from slack_sdk import WebClient

from bot.delivery.slack import TIMEOUT_SECONDS, PerhapsSaid, SayLater, ask, call

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Upload:
    name: str
    """File name; the key by which it is found again."""
    content: bytes
    title: str
    alt: str
    """What it shows, for those who do not see it."""


def share(client: WebClient, upload: Upload, *, channel: str, thread_ts: str | None) -> None:
    """Uploads and shares it. Raises SayLater, PerhapsSaid (only when it may be seen already) or NeverSaid."""
    try:
        asked = {"filename": upload.name, "length": len(upload.content), "alt_txt": upload.alt[:1000]}
        place = ask(client, "files.getUploadURLExternal", **asked)
        _send(str(place["upload_url"]), upload.content)
    except PerhapsSaid as unknown:
        raise SayLater(str(unknown)) from unknown
    except KeyError as missing:
        raise SayLater(f"files.getUploadURLExternal: no {missing}") from missing
    files = [{"id": str(place.get("file_id")), "title": upload.title[:250]}]
    call(client, "files.completeUploadExternal", files=files, channel_id=channel, thread_ts=thread_ts)


def shared_before(client: WebClient, name: str, *, channel: str, thread_ts: str | None) -> bool:
    """Whether a file of that name stands in the thread. Raises like `call`."""
    cursor: str | None = None
    for _ in range(5):
        where = {"channel": channel, "limit": 100, "cursor": cursor, "ts": thread_ts}
        page = ask(client, "conversations.replies" if thread_ts else "conversations.history", **where)
        messages = page.get("messages") or ()
        if any(file.get("name") == name for message in messages for file in message.get("files") or ()):
            return True
        cursor = (page.get("response_metadata") or {}).get("next_cursor")
        if not cursor:
            return False
    return False


def _send(url: str, content: bytes) -> None:
    """The address is a secret of its own and needs no token."""
    request = urllib.request.Request(
        url, data=content, method="POST", headers={"Content-Type": "application/octet-stream"}
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            answer.read(1000)
    except urllib.error.HTTPError as refused:
        raise SayLater(f"the upload was answered with HTTP {refused.code}") from refused
    except (OSError, http.client.HTTPException) as error:
        raise SayLater(f"the upload failed: {type(error).__name__}: {error}"[:300]) from error
