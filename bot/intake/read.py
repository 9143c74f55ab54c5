"""The door of intake: from whatever came in to alerts, or the reason why there is none. Pure.

Sources are the modules of `bot.intake.sources`, found by themselves.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.intake import build
from bot.intake.envelope import SlackPost, opened
from bot.intake.message import Message, flatten
from bot.intake.shapes import Body, Origin, Read, rows, table, text
from bot.intake.sources import sources
from workers.domain import Alert

LARGEST_BYTES = 8 * 1024 * 1024
_MOST_ITEMS = 1000


def read(
    payload: object,
    *,
    channel: str = "",
    received_at: datetime | None = None,
    own_bot_ids: frozenset[str] = frozenset(),
) -> Read:
    """The alerts in a Slack event, a Slack message or a webhook body; also in a list of such.

    `channel` is where it was posted, if the payload does not say it; `own_bot_ids` are bot, user or app ids whose
    posts are Gumshoe's own. Never raises for what a payload holds.
    """
    alerts: list[Alert] = []
    reasons: list[str] = []
    for number, item in enumerate(opened(payload, Origin(channel, received_at), own_bot_ids)):
        if number == _MOST_ITEMS:
            break
        one = _read_one(item)
        alerts += one.alerts
        if one.reason and one.reason not in reasons:
            reasons.append(one.reason)
    return build.read(alerts, "; ".join(reasons[:3]) or "it is an empty list")


def read_bytes(
    data: bytes, *, channel: str = "", received_at: datetime | None = None, own_bot_ids: frozenset[str] = frozenset()
) -> Read:
    """The alerts in a file or a request body. What is no readable JSON is refused with the reason."""
    decoded = decode(data)
    if decoded.problem:
        return Read(reason=decoded.problem)
    return read(decoded.payload, channel=channel, received_at=received_at, own_bot_ids=own_bot_ids)


@dataclass(frozen=True)
class Decoded:
    payload: object = None
    problem: str = ""
    """Why it is no JSON: a webhook answers 400."""


def decode(data: bytes) -> Decoded:
    """JSON from bytes; invalid UTF-8 is read with replacement characters, because the rest still tells the alert."""
    if len(data) > LARGEST_BYTES:
        return Decoded(problem=f"it has {len(data):,} bytes; at most {LARGEST_BYTES:,} are read")
    if not data.strip():
        return Decoded(problem="it is empty")
    try:
        return Decoded(json.loads(data.decode("utf-8-sig", "replace")))
    except RecursionError:
        return Decoded(problem="it is nested too deeply to be read")
    except ValueError as error:
        # Also a whole number of more than 4,300 digits, which Python refuses to convert.
        return Decoded(problem=f"it is not JSON: {str(error)[:200]}")


def event_key(payload: object) -> str:
    """What the sender calls this delivery, for deduplication; empty where it has no name for it.

    Slack's event_id, PagerDuty's event.id, the MessageId of Amazon SNS.
    """
    data = table(payload)
    named = text(data.get("event_id")) or text(table(data.get("event")).get("id")) or text(data.get("MessageId"))
    records = [text(table(table(r).get("Sns")).get("MessageId")) for r in rows(data.get("Records"))]
    return (named or "+".join(filter(None, records)))[:400]


def _read_one(item: SlackPost | Body | Read) -> Read:
    if isinstance(item, Read):
        return item
    if isinstance(item, Body):
        return _first(item, "of_body")
    message = flatten(item.post, item.origin)
    if message is None:
        return Read(reason="there is no text in it")
    if item.before is not None and message == flatten(item.before, item.origin):
        return Read(reason="an edit changed nothing but a link preview")
    return _cards(item) or _first(message, "of_message")


def _cards(item: SlackPost) -> Read | None:
    """One alert for each attachment, if the message is made of attachments that are alerts each."""
    parts = [p for p in rows(item.post.get("attachments")) if isinstance(p, dict) and p.get("title")]
    if len(parts) < 2:
        return None
    alerts: dict[str, Alert] = {}
    for part in parts[:100]:
        message = flatten({**item.post, "attachments": [part]}, item.origin)
        one = _first(message, "of_message") if message else None
        if one is None or not one.alerts:
            return None
        alerts.update((alert.fingerprint, alert) for alert in one.alerts)
    return build.read([*alerts.values()])


def _first(item: Message | Body, ask: str) -> Read:
    for source in sources():
        reader: Callable[[Message | Body], Read | None] | None = getattr(source, ask, None)
        answer = reader(item) if reader else None
        if answer is not None:
            return answer
    return Read(reason="no alert source recognises it")
