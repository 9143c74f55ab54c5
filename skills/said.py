"""What a server says for itself when it fails, found in whatever it wraps it in."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from typing import Any

WORDS = 200
"""Of what a server said, in characters."""


def words_of(body: bytes) -> str:
    """What a server says for itself: the message of a JSON error in any of the usual shapes, the title of a page, the
    first words of a text; "" when it says nothing."""
    text = body[:20_000].decode("utf-8", "replace").strip()
    if is_page(body):
        title = re.search(r"<(title|h1)[^>]*>(.*?)</\1>", text, re.IGNORECASE | re.DOTALL)
        return one_line(html.unescape(re.sub(r"<[^>]+>", " ", title.group(2) if title else text)), 120)
    try:
        return said_by(json.loads(body)) or one_line(text)
    except (ValueError, RecursionError):
        return one_line(text)


def said_by(data: Any) -> str:
    """The message of an error: Kubernetes' and GitHub's `message`, Argo CD's and Prometheus' `error`, PagerDuty's
    `error.message` and `errors`, Elasticsearch's `error.root_cause`."""
    if not isinstance(data, Mapping):
        return data if isinstance(data, str) else ""
    error = data.get("error")
    if isinstance(error, Mapping):
        causes = error.get("root_cause")
        cause = causes[0] if isinstance(causes, list) and causes and isinstance(causes[0], Mapping) else error
        if "reason" in cause or "type" in cause:
            return one_line(": ".join(str(p) for p in (cause.get("type"), cause.get("reason")) if p))
        listed = error.get("errors")
        more = "; ".join(str(e) for e in listed) if isinstance(listed, list) else ""
        return one_line(": ".join(p for p in (str(error.get("message") or ""), more) if p))
    words = data.get("message") or error or data.get("msg") or data.get("detail") or ""
    kind = data.get("errorType")
    return one_line(f"{kind}: {words}" if kind else str(words))


def one_line(text: str, limit: int = WORDS) -> str:
    """Without what a terminal or a thread would stumble over."""
    line = " ".join("".join(c if c.isprintable() or c.isspace() else "·" for c in text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def is_page(body: bytes) -> bool:
    return re.match(rb"\s*(?:<!doctype html|<html|<head|<body)", body[:400], re.IGNORECASE) is not None
