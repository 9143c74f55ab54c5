"""Words that only one person sees. They go direct, not by the outbox: a late acknowledgement is worth nothing."""

from __future__ import annotations

import logging

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.blocks.message import Message

log = logging.getLogger(__name__)


def whisper(client: WebClient, channel: str, person: str, said: str | Message, *, thread_ts: str | None = None) -> None:
    """Best effort: a person who cannot be told (left the channel) is no reason to fail what was done."""
    text, blocks = (said, None) if isinstance(said, str) else (said.text, list(said.blocks))
    try:
        client.chat_postEphemeral(channel=channel, user=person, text=text, blocks=blocks, thread_ts=thread_ts)
    except (SlackApiError, SlackClientError, OSError) as trouble:
        log.info("could not tell %s privately in %s: %s", person, channel, trouble)
