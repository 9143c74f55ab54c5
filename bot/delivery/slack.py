"""Calls to Slack that say something, and what their errors mean: said, say later, never, or perhaps said already."""

from __future__ import annotations

import http.client
import logging
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.blocks.limits import cut
from bot.blocks.message import Message

log = logging.getLogger(__name__)

METADATA_TYPE = "gumshoe_post"
TIMEOUT_SECONDS = 10
_LATER = {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"}
_OPERATOR = {"invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"}
_BLOCKS = {"invalid_blocks", "invalid_blocks_format", "msg_too_long", "msg_blocks_too_long"}


class SayLater(Exception):
    """Slack did not take it now; nothing was said. Try again after `seconds`."""

    def __init__(self, reason: str, seconds: float | None = None) -> None:
        super().__init__(reason)
        self.seconds = seconds


class PerhapsSaid(Exception):
    """No answer came: it may have been said. Look for the message before saying it again."""


class NeverSaid(Exception):
    """Slack refuses it for good, and says why."""


def speaking_client(client: WebClient) -> WebClient:
    """The same workspace without automatic retries: a second attempt after a lost answer would say it twice."""
    return WebClient(token=client.token, base_url=client.base_url, timeout=TIMEOUT_SECONDS, retry_handlers=[])


def call(client: WebClient, method: str, **arguments: Any) -> dict[str, Any]:
    """One Web API call. Raises SayLater, PerhapsSaid or NeverSaid."""
    try:
        response = client.api_call(method, json={k: v for k, v in arguments.items() if v is not None})
    except SlackApiError as error:
        raise _meaning(error) from error
    except (SlackClientError, OSError, http.client.HTTPException, ValueError) as error:
        raise PerhapsSaid(f"{method}: {type(error).__name__}: {error}"[:300]) from error
    data = response.data
    return data if isinstance(data, dict) else {}


def _meaning(error: SlackApiError) -> Exception:
    response = error.response
    status = getattr(response, "status_code", 200)
    data = response.data if hasattr(response, "data") else response
    reason = str(data.get("error") or "") if isinstance(data, dict) else ""
    if status == 429 or reason in ("ratelimited", "rate_limited"):
        headers = {str(k).lower(): v for k, v in (getattr(response, "headers", None) or {}).items()}
        return SayLater("ratelimited", _seconds(headers.get("retry-after")))
    if status >= 500 or not reason:
        return PerhapsSaid(f"HTTP {status} {reason}".strip())
    if reason in _LATER:
        return PerhapsSaid(reason)
    if reason in _OPERATOR:
        return SayLater(f"{reason}: check SLACK_BOT_TOKEN", 30)
    detail = ", ".join(map(str, (data.get("response_metadata") or {}).get("messages") or ()))
    needed = f" (needs {data['needed']})" if data.get("needed") else ""
    return NeverSaid(f"{reason}{needed}{f': {detail}' if detail else ''}"[:500])


def _seconds(value: Any) -> float:
    text = str(value[0] if isinstance(value, list) and value else value)
    return float(text) if text.replace(".", "", 1).isdigit() else 1.0


def say(client: WebClient, message: Message, *, key: str, channel: str, thread_ts: str | None, ts: str | None) -> str:
    """Posts, or edits the message `ts`; falls back to plain text when Slack refuses the blocks. Gives the ts."""
    arguments: dict[str, Any] = {
        "channel": channel,
        "text": message.text,
        "blocks": list(message.blocks),
        "metadata": {"event_type": METADATA_TYPE, "event_payload": {"key": key}},
    }
    if ts:
        method, arguments = "chat.update", arguments | {"ts": ts}
    else:
        # Slack would otherwise read mentions and links out of an alert's words.
        quiet = {"unfurl_links": False, "unfurl_media": False, "link_names": False}
        method, arguments = "chat.postMessage", arguments | quiet | {"thread_ts": thread_ts}
    try:
        return str(call(client, method, **arguments).get("ts") or ts or "")
    except NeverSaid as refused:
        if str(refused).split(":")[0].split(" ")[0] not in _BLOCKS:
            raise
        log.error("Slack refused the blocks of %s, saying it as plain text: %s", key, refused)
    plain = arguments | {"text": cut(message.text, 3000), "blocks": [] if ts else None}
    return str(call(client, method, **plain).get("ts") or ts or "")


def find(client: WebClient, *, key: str, channel: str, thread_ts: str | None, since: float) -> str | None:
    """The ts of the message that carries this key in its metadata, if it was said. Raises like `call`."""
    cursor: str | None = None
    for _ in range(5):
        where: dict[str, Any] = {"channel": channel, "limit": 100, "include_all_metadata": "true", "cursor": cursor}
        method = "conversations.replies" if thread_ts else "conversations.history"
        where |= {"ts": thread_ts} if thread_ts else {"oldest": f"{since - 60:.6f}"}
        page = ask(client, method, **where)
        for message in page.get("messages") or ():
            metadata = message.get("metadata") or {}
            payload = metadata.get("event_payload") or {}
            if metadata.get("event_type") == METADATA_TYPE and payload.get("key") == key:
                return str(message["ts"])
        cursor = (page.get("response_metadata") or {}).get("next_cursor")
        if not cursor:
            return None
    return None


def ask(client: WebClient, method: str, **arguments: Any) -> dict[str, Any]:
    """One call of a method that takes a form and no JSON. Raises SayLater, PerhapsSaid or NeverSaid."""
    try:
        data = client.api_call(method, params={k: v for k, v in arguments.items() if v is not None}).data
    except SlackApiError as error:
        raise _meaning(error) from error
    except (SlackClientError, OSError, http.client.HTTPException, ValueError) as error:
        raise PerhapsSaid(f"{method}: {type(error).__name__}") from error
    return data if isinstance(data, dict) else {}
