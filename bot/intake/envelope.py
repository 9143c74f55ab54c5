"""What kind of thing a payload is: a Slack message to read, a webhook body to read, or nothing to read and why.

Takes off every wrapping: Slack's event and Socket Mode envelopes, the message of a shortcut or an edit, Amazon SNS,
and {"source", "kind", "payload"} as sample files have it (`kind` is never relied on).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.intake.shapes import Body, Origin, Read, first_text, table, tables, text

_DEEPEST = 6
_POSTED = ("channel", "username", "bot_id", "user", "ts", "icon_emoji", "icon_url", "mrkdwn", "app_id", "client_msg_id")
_INTERACTIVE = (
    "block_actions",
    "view_submission",
    "view_closed",
    "shortcut",
    "block_suggestion",
    "interactive_message",
)
_READABLE_SUBTYPES = (None, "", "bot_message", "file_share", "thread_broadcast", "me_message")


@dataclass(frozen=True)
class SlackPost:
    """A message that an app or an incoming webhook posted, as Slack sends it or as it was posted."""

    post: Mapping[str, Any]
    origin: Origin
    before: Mapping[str, Any] | None = None
    """The message before it was edited."""


def opened(payload: object, origin: Origin, own: frozenset[str], depth: int = 0) -> Iterator[SlackPost | Body | Read]:
    """What is inside, one item for each message or body; a Read carries the reason why something is not read."""
    if isinstance(payload, list):
        for item in payload:
            yield from opened(item, origin, own, depth + 1) if depth < _DEEPEST else ()
        return
    if not isinstance(payload, Mapping):
        yield Read(reason=f"it is not a JSON object but {_kind(payload)}")
        return
    inner = _wrapped(payload)
    if inner is not None and depth < _DEEPEST:
        yield from opened(inner, origin, own, depth + 1)
        return
    yield from _slack(payload, origin, own) or _sns(payload, origin, own, depth) or [Body(payload, origin)]


def _wrapped(data: Mapping[str, Any]) -> object:
    if "payload" not in data or "event_action" in data or "routing_key" in data:
        return None
    if "envelope_id" in data or ("source" in data and "kind" in data):
        return data["payload"]
    return None


def _slack(data: Mapping[str, Any], origin: Origin, own: frozenset[str]) -> list[SlackPost | Body | Read]:
    """Slack's own shapes; nothing when this is not Slack's."""
    kind = data.get("type")
    if kind == "event_callback":
        return [_message_event(table(data.get("event")), origin, own)]
    if kind == "message_action":
        return [
            _message_event(
                {"type": "message", "channel": data.get("channel"), **table(data.get("message"))}, origin, own
            )
        ]
    if kind in _INTERACTIVE or kind in ("url_verification", "app_rate_limited"):
        return [Read(reason=f"it is Slack's {kind}, not a message")]
    if "command" in data and "trigger_id" in data:
        return [Read(reason="it is a slash command")]
    if isinstance(kind, str) and "event_ts" in data:
        return [_message_event(data, origin, own)]
    if kind == "message" or _looks_posted(data):
        return [_message_event({"type": "message", **data}, origin, own)]
    return []


def _looks_posted(data: Mapping[str, Any]) -> bool:
    if any(isinstance(data.get(name), list) and data[name] for name in ("attachments", "blocks")):
        return True
    return isinstance(data.get("text"), str) and any(name in data for name in _POSTED)


def _message_event(event: Mapping[str, Any], origin: Origin, own: frozenset[str]) -> SlackPost | Read:
    kind = event.get("type")
    if kind == "app_mention":
        return Read(reason="a person addressed the bot")
    if kind != "message":
        return Read(reason=f"it is a Slack event of type {text(kind) or 'unknown'}, not a message")
    place = event.get("channel")
    channel = origin.channel or text(place) or first_text(table(place), "id", "name")
    origin = Origin(channel.removeprefix("#"), origin.received_at)
    if event.get("subtype") == "message_changed":
        message, before = table(event.get("message")), table(event.get("previous_message"))
        refused = _refused(message, own)
        return Read(reason=refused) if refused else SlackPost(message, origin, before or None)
    refused = _refused(event, own)
    return Read(reason=refused) if refused else SlackPost(event, origin)


def _refused(message: Mapping[str, Any], own: frozenset[str]) -> str:
    subtype = message.get("subtype")
    profile = table(message.get("bot_profile"))
    ids = {text(message.get(k)) for k in ("bot_id", "user", "app_id")} | {
        text(profile.get(k)) for k in ("id", "app_id")
    }
    if not own.isdisjoint(ids - {""}):
        return "it is the bot's own post"
    if subtype not in _READABLE_SUBTYPES:
        return f"it is Slack's {text(subtype) or 'unknown'} message"
    if text(message.get("user")) == "USLACKBOT":
        return "it is a message by Slackbot"
    by_app = bool(message.get("bot_id") or profile or subtype == "bot_message")
    if not by_app and (message.get("user") or message.get("client_msg_id")):
        return "a person wrote it"
    thread = message.get("thread_ts")
    if thread and thread != message.get("ts"):
        return "it is a reply in a thread"
    return ""


def _sns(data: Mapping[str, Any], origin: Origin, own: frozenset[str], depth: int) -> list[SlackPost | Body | Read]:
    """Amazon SNS, as Lambda gets it (Records[].Sns) or as HTTP delivers it (Type, Message)."""
    records = [table(r.get("Sns")) for r in tables(data.get("Records")) if isinstance(r.get("Sns"), Mapping)]
    if not records and "Message" in data and ("TopicArn" in data or isinstance(data["Message"], Mapping)):
        records = [data]
    found: list[SlackPost | Body | Read] = []
    for record in records:
        if text(record.get("Type")) in ("SubscriptionConfirmation", "UnsubscribeConfirmation"):
            found.append(Read(reason=f"it is Amazon SNS's {record['Type']}"))
            continue
        message = _decoded(record.get("Message"))
        if isinstance(message, Mapping) and depth < _DEEPEST:
            found += opened(message, origin, own, depth + 1)
        else:
            found.append(Body({**record, "Message": text(record.get("Message"))}, origin))
    return found


def _decoded(message: object) -> object:
    if not isinstance(message, str) or not message.lstrip().startswith("{"):
        return message
    try:
        return json.loads(message)
    except (ValueError, RecursionError):
        return message


def _kind(value: object) -> str:
    if value is None:
        return "null"
    names = {str: "a text", bool: "true or false", int: "a number", float: "a number"}
    return names.get(type(value), type(value).__name__)
