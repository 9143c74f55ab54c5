"""Votes on findings: recorded at the click; the thread acknowledges quietly, by the counts in the message's footer."""

from __future__ import annotations

from typing import Literal

from bot.desk import Desk
from workers.domain import Feedback, Post, Vote


def judged(desk: Desk, channel: str, ts: str) -> str | None:
    """The investigation whose answer (or a part of it) this message is; None when there is nothing to judge."""
    post = desk.store.outbox.posted(channel, ts)
    if post is None or post.kind not in ("status", "detail") or not post.investigation_id:
        return None
    return post.investigation_id if desk.store.findings.get(post.investigation_id) else None


def vote(desk: Desk, investigation_id: str, person: str, said: Vote, via: Literal["reaction", "button"]) -> Feedback:
    recorded = desk.store.feedback.record(investigation_id, person, said, via, desk.clock())
    _acknowledge(desk, investigation_id, recorded)
    return recorded


def withdraw(
    desk: Desk, investigation_id: str, person: str, said: Vote, via: Literal["reaction", "button"]
) -> Feedback:
    recorded = desk.store.feedback.withdraw(investigation_id, person, said, via, desk.clock())
    _acknowledge(desk, investigation_id, recorded)
    return recorded


def _acknowledge(desk: Desk, investigation_id: str, recorded: Feedback) -> None:
    status = living(desk, investigation_id)
    if status:
        desk.store.outbox.add(
            status.customer,
            "acknowledge",
            status.place,
            f"vote:{recorded.id}",
            desk.clock(),
            incident_id=status.incident_id,
            investigation_id=investigation_id,
        )
        desk.say_soon()


def living(desk: Desk, investigation_id: str) -> Post | None:
    """The message with its answer."""
    investigation = desk.store.investigations.get(investigation_id)
    posts = desk.store.outbox.of_incident(investigation.incident_id) if investigation else ()
    return next((p for p in posts if p.kind == "status" and p.investigation_id == investigation_id), None)
