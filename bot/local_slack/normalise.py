"""What Slack does to blocks and attachments before it stores them: ids filled in, text escaped, colours as hex.

A message that is read back differs from the one that was sent, and code that compares the two must know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from bot.local_slack.records import Json
from bot.local_slack.text import as_stored, escaped, unescaped

_COLOURS = {"good": "2eb886", "warning": "daa038", "danger": "a30200"}
_INTERACTIVE = ("select", "button", "buttons", "overflow", "picker", "checkboxes", "input")


def blocks(given: Sequence[Json], new_id: Callable[[str, int], str]) -> tuple[Json, ...]:
    """Checked blocks as they are stored."""
    return tuple({**_stored(block, new_id), "block_id": block.get("block_id") or new_id("", 5)} for block in given)


def _stored(value: Any, new_id: Callable[[str, int], str]) -> Any:
    if isinstance(value, list):
        return [_stored(item, new_id) for item in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("type")
    if kind == "mrkdwn" and isinstance(value.get("text"), str):
        # Verbatim: what is no markup yet does not become any.
        verbatim = bool(value.get("verbatim", False))
        return {**value, "text": as_stored(value["text"], link=not verbatim), "verbatim": verbatim}
    if kind == "plain_text" and isinstance(value.get("text"), str):
        return {**value, "text": escaped(value["text"]), "emoji": value.get("emoji", True)}
    stored = {key: _stored(item, new_id) for key, item in value.items() if item is not None}
    if isinstance(kind, str) and kind.endswith(_INTERACTIVE) and kind != "input":
        stored.setdefault("action_id", new_id("", 5))
    return stored


def attachments(given: Sequence[Json], new_id: Callable[[str, int], str]) -> tuple[Json, ...]:
    """Attachments as they are stored: numbered, with a fallback, escaped and linked."""
    return tuple(_attachment(item, number, new_id) for number, item in enumerate(given, start=1))


def _attachment(given: Json, number: int, new_id: Callable[[str, int], str]) -> Json:
    stored: Json = {"id": number}
    for key, value in given.items():
        if key == "blocks":
            stored[key] = list(blocks(value, new_id))
        elif key == "color":
            stored[key] = _COLOURS.get(value, str(value).lstrip("#").lower())
        elif key == "fields":
            stored[key] = [
                {
                    "title": as_stored(str(field.get("title") or ""), link=False),
                    "value": as_stored(str(field.get("value") or "")),
                    "short": bool(field.get("short")),
                }
                for field in value or ()
            ]
        elif key == "actions":
            stored[key] = [{"id": str(n), **action} for n, action in enumerate(value or (), start=1)]
        elif key in {"text", "pretext", "fallback", "footer"} and isinstance(value, str):
            stored[key] = as_stored(value)
        elif key in {"title", "author_name"} and isinstance(value, str):
            stored[key] = as_stored(value, link=False)
        elif value not in ("", None):
            stored[key] = value
    stored.setdefault("fallback", stored.get("text") or stored.get("title") or "[no preview available]")
    return {key: value for key, value in stored.items() if value not in ("", None)}


def fallback_text(given: Sequence[Json]) -> str:
    """The text that Slack makes of blocks when the caller sent none."""
    return " ".join(part for block in given for part in texts_of(block))


def texts_of(value: Any) -> Iterator[str]:
    """Every piece of visible text inside, in order."""
    if isinstance(value, list):
        for item in value:
            yield from texts_of(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key in {"text", "title"} and isinstance(item, str):
                yield item
            elif key not in {"value", "options", "confirm", "option_groups"}:
                yield from texts_of(item)


def length(given: Sequence[Json]) -> int:
    """Characters of visible text, as a reader counts them."""
    return sum(len(unescaped(text)) for text in texts_of(list(given)))
