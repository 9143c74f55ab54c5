"""Slack's own sign that an agent works in a thread, with its Stop button. Where a workspace has it not, silence."""

from __future__ import annotations

import logging

from slack_sdk import WebClient

from bot.blocks.case import Case
from bot.delivery.slack import NeverSaid, PerhapsSaid, SayLater, call

log = logging.getLogger(__name__)


class Sessions:
    def __init__(self, client: WebClient) -> None:
        self._client = client
        self._told: dict[tuple[str, str], str] = {}
        self._absent = False

    def show(self, case: Case, channel: str, thread_ts: str | None) -> None:
        """Tells Slack once for each change. Never raises: this is decoration."""
        status = _status(case)
        if self._absent or not thread_ts or self._told.get((channel, thread_ts)) == status:
            return
        try:
            call(self._client, "agents.sessions.setStatus", channel_id=channel, thread_ts=thread_ts, status=status)
        except NeverSaid as refused:
            self._absent = True
            log.info("agents.sessions.setStatus is not available here: %s", refused)
        except (SayLater, PerhapsSaid) as trouble:
            log.debug("session status of %s not set: %s", thread_ts, trouble)
        else:
            self._told[(channel, thread_ts)] = status


def _status(case: Case) -> str:
    if case.investigation and case.investigation.state in ("queued", "running"):
        return "processing"
    return "closed" if case.incident.state == "closed" else "active"
