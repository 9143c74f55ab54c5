"""Messages of watched channels: an alert opens, joins or updates an incident; everything else is left alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slack_bolt import App, BoltContext

from bot.desk import Desk
from bot.intake import Read, read
from bot.listeners import asking
from bot.opening import open_incident
from workers.domain import Ignored, Place

QUIET = {"message_deleted", "channel_join", "channel_leave", "channel_topic", "channel_purpose", "channel_name"}


def register(app: App, desk: Desk) -> None:
    @app.event("message")
    def on_message(body: dict[str, Any], event: dict[str, Any], context: BoltContext) -> None:
        own = own_ids(context)
        post = posted(event)
        if event.get("subtype") in QUIET or is_own(post, own) or is_in_thread(post):
            return
        if event.get("channel_type") == "im" and not post.get("bot_id"):
            asking.in_direct_message(desk, body, event, team_of(body, context))
            return
        found = read(body, channel=event["channel"], own_bot_ids=own)
        if event.get("subtype") == "message_changed":
            _changed(desk, event, team_of(body, context), found)
        else:
            _arrived(desk, event, team_of(body, context), found)


def own_ids(context: BoltContext) -> frozenset[str]:
    return frozenset(filter(None, (context.bot_id, context.bot_user_id)))


def team_of(body: Mapping[str, Any], context: BoltContext) -> str:
    """Org-wide installs leave team_id out of the authorization."""
    return context.team_id or str(body.get("team_id") or "")


def posted(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """The message itself; an edit carries it nested."""
    inner = event.get("message")
    return inner if isinstance(inner, Mapping) else event


def is_own(post: Mapping[str, Any], own: frozenset[str]) -> bool:
    return post.get("bot_id") in own or post.get("user") in own


def is_in_thread(post: Mapping[str, Any]) -> bool:
    return bool(post.get("thread_ts")) and post.get("thread_ts") != post.get("ts")


def _arrived(desk: Desk, event: Mapping[str, Any], team_id: str, found: Read) -> None:
    channel, ts = event["channel"], event["ts"]
    customer = desk.customer_watching(team_id, channel)
    if customer and found.alerts:
        place = Place(team_id=team_id, channel=channel)
        key = f"slack:{team_id}:{channel}:{ts}"
        open_incident(desk, customer, found.alerts, place=place, message_ts=ts, event_key=key)
    elif event.get("bot_id"):
        _left_alone(desk, event, team_id, found)


def _left_alone(desk: Desk, event: Mapping[str, Any], team_id: str, found: Read) -> None:
    """An app's post that starts nothing is written down, for `/gumshoe why`; what people say is nobody's business."""
    customer = desk.customer_at(team_id, event["channel"])
    if customer is None:
        return
    what = found.alerts[0].title if found.alerts else str(event.get("text") or "a post of an app")
    desk.store.ignored.record(
        Ignored(
            customer=customer.name,
            at=desk.clock(),
            what=desk.redactor.text(what)[:200],
            reason="unknown_channel" if found.alerts else "not_an_alert",
            detail=desk.redactor.text(found.reason)[:200],
            channel=event["channel"],
        )
    )


def _changed(desk: Desk, event: Mapping[str, Any], team_id: str, found: Read) -> None:
    """An edit updates the incident of its message; unfurled links must not open one."""
    channel, post = event["channel"], posted(event)
    customer = desk.customer_watching(team_id, channel)
    if not customer or not found.alerts or desk.store.incidents.by_message(channel, post["ts"]) is None:
        return
    place = Place(team_id=team_id, channel=channel)
    key = f"slack:{team_id}:{channel}:{post['ts']}:{event.get('event_ts') or event.get('ts')}"
    open_incident(desk, customer, found.alerts, place=place, message_ts=post["ts"], event_key=key)
