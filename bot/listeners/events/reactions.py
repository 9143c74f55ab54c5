"""👍 👎 🤔 on a finding, given and taken back. Per person the last one counts."""

from __future__ import annotations

from typing import Any

from slack_bolt import App, BoltContext
from slack_sdk import WebClient

from bot.blocks import feedback_modal
from bot.desk import Desk
from bot.listeners import voting
from bot.listeners.private import whisper
from workers.domain import Vote

VOTES: dict[str, Vote] = {
    "+1": "right",
    "thumbsup": "right",
    "-1": "wrong",
    "thumbsdown": "wrong",
    "thinking": "unsure",
    "thinking_face": "unsure",
}


def register(app: App, desk: Desk) -> None:
    @app.event("reaction_added")
    def on_added(body: dict[str, Any], event: dict[str, Any], context: BoltContext, client: WebClient) -> None:
        about = _react(desk, body, event, context, withdrawn=False)
        if about and vote_of(str(event.get("reaction"))) == "wrong":
            post = voting.living(desk, about)
            whisper(
                client,
                event["item"]["channel"],
                event["user"],
                feedback_modal.offer(about),
                thread_ts=post.place.thread_ts if post else None,
            )

    @app.event("reaction_removed")
    def on_removed(body: dict[str, Any], event: dict[str, Any], context: BoltContext) -> None:
        _react(desk, body, event, context, withdrawn=True)


def vote_of(reaction: str) -> Vote | None:
    """`+1::skin-tone-3` is a +1."""
    return VOTES.get(reaction.split("::")[0])


def _react(
    desk: Desk, body: dict[str, Any], event: dict[str, Any], context: BoltContext, *, withdrawn: bool
) -> str | None:
    """The investigation that was judged, if one was."""
    item, person, vote = event.get("item") or {}, event.get("user"), vote_of(str(event.get("reaction")))
    if not vote or not person or item.get("type") != "message" or person == context.bot_user_id:
        return None
    about = voting.judged(desk, item["channel"], item["ts"])
    if about is None or not desk.first_time(body):
        return None
    if withdrawn:
        voting.withdraw(desk, about, person, vote, "reaction")
    else:
        voting.vote(desk, about, person, vote, "reaction")
    return about
