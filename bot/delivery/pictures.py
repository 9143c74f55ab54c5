"""The picture of an investigation, from its trace: what a `picture` post uploads."""

from __future__ import annotations

import base64
import binascii
import re

from bot.delivery.uploads import Upload
from workers.domain import Post
from workers.store import Store
from workers.trace import PICTURE


def load(store: Store, post: Post) -> Upload | None:
    """None when the trace has none, or none that can be read."""
    span = store.traces.last(post.investigation_id, PICTURE) if post.investigation_id else None
    kept = span.output if span and isinstance(span.output, dict) else {}
    try:
        content = base64.b64decode(str(kept.get("png") or ""), validate=True)
    except binascii.Error:
        return None
    if not content:
        return None
    title = str(kept.get("title") or "chart")
    name = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60] or "chart"
    return Upload(f"{name}-{post.investigation_id}.png", content, title, str(kept.get("alt") or title))
