"""Right, Wrong, Can't tell. The vote is stored before any modal: a trigger lives three seconds, modals are optional."""

from __future__ import annotations

import logging
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.blocks import feedback_modal
from bot.desk import Desk
from bot.listeners import voting
from workers.domain import Finding, Vote

log = logging.getLogger(__name__)

ACTIONS: dict[str, Vote] = {"vote_right": "right", "vote_wrong": "wrong", "vote_unsure": "unsure"}


def register(app: App, desk: Desk) -> None:
    for action_id in ACTIONS:
        app.action(action_id)(_handler(desk, ACTIONS[action_id]))

    @app.action(feedback_modal.OPEN)
    def on_explain(ack: Ack, body: dict[str, Any], action: dict[str, Any], client: WebClient) -> None:
        ack()
        about = str(action.get("value"))
        _open(client, body, about, desk.store.findings.get(about))

    @app.action("open_evidence")
    def on_evidence(ack: Ack) -> None:
        ack()  # the button is a link; Slack tells of the click all the same


def _handler(desk: Desk, said: Vote) -> Any:
    def on_vote(ack: Ack, body: dict[str, Any], action: dict[str, Any], client: WebClient) -> None:
        ack()
        about, person = str(action.get("value")), body["user"]["id"]
        finding = desk.store.findings.get(about)
        if finding is None:
            return
        voting.vote(desk, about, person, said, "button")
        if said == "wrong":
            _open(client, body, about, finding)

    return on_vote


def _open(client: WebClient, body: dict[str, Any], about: str, finding: Finding | None) -> None:
    try:
        client.views_open(trigger_id=body["trigger_id"], view=feedback_modal.render(about, finding))
    except SlackApiError as late:
        log.info("the vote on %s is stored, its modal did not open: %s", about, late.response.get("error"))
