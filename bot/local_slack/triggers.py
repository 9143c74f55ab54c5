"""Trigger ids and response addresses: what an interaction hands to the app, and for how long it is good."""

from __future__ import annotations

import secrets
from dataclasses import replace

from bot.local_slack.records import ResponseUrl, Trigger
from bot.local_slack.slack import Slack


class TriggerError(Exception):
    """In Slack's word: invalid_trigger_id, expired_trigger_id, exchanged_trigger_id."""


def new_trigger(slack: Slack, user: str, view_id: str | None = None) -> str:
    workspace = slack.workspace
    number = workspace.new_ts().replace(".", "")
    trigger_id = f"{number[:10]}.{number[10:]}.{secrets.token_hex(16)}"
    expires = workspace.clock() + slack.timings.trigger_seconds
    workspace.triggers[trigger_id] = Trigger(trigger_id, user, view_id, expires)
    return trigger_id


def exchange(slack: Slack, trigger_id: str) -> Trigger:
    """Uses a trigger up."""
    workspace = slack.workspace
    with workspace.lock:
        trigger = workspace.triggers.get(trigger_id)
        if trigger is None:
            raise TriggerError("invalid_trigger_id")
        if trigger.used:
            raise TriggerError("exchanged_trigger_id")
        if workspace.clock() > trigger.expires:
            raise TriggerError("expired_trigger_id")
        workspace.triggers[trigger_id] = replace(trigger, used=True)
        return trigger


def new_response_url(
    slack: Slack,
    kind: str,
    user: str,
    channel: str,
    *,
    message_ts: str | None = None,
    thread_ts: str | None = None,
    replaces: bool = False,
) -> str:
    """`kind` is Slack's word in the address: commands, actions, app."""
    workspace, timings = slack.workspace, slack.timings
    token = secrets.token_hex(12)
    workspace.response_urls[token] = ResponseUrl(
        token,
        user,
        channel,
        message_ts,
        thread_ts,
        replaces,
        workspace.clock() + timings.response_url_seconds,
        timings.response_url_uses,
    )
    return f"{workspace.address}{kind}/{workspace.team.id}/{workspace.new_id('', 12)}/{token}"
