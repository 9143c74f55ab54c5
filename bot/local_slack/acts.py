"""What people and alerting apps do among themselves: say, edit, react, invite. The control API acts through here."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace

from bot.local_slack import events, normalise, posting, text
from bot.local_slack.records import App, Channel, Json, Message, Person
from bot.local_slack.slack import Slack
from bot.local_slack.validate.blocks import message_blocks
from bot.local_slack.web_api.reactions import is_emoji


class ActError(Exception):
    """A person cannot do this, because …"""


def who_is(slack: Slack, reference: str) -> Person:
    person = slack.workspace.person(reference)
    if person is None:
        raise ActError(f"there is nobody called {reference!r} here")
    return person


def room_called(slack: Slack, reference: str, visitor: Person | None = None) -> Channel:
    """A channel by id or name; a bot's or person's name opens direct messages with them."""
    room = slack.workspace.channel(reference)
    if room is None and visitor:
        app = slack.workspace.app(reference.removeprefix("@"))
        if app and app.bot_user_id:
            return slack.workspace.direct(app.bot_user_id, visitor.id)
    if room is None:
        raise ActError(f"there is no channel {reference!r} here")
    return room


def message_at(slack: Slack, room: Channel, ts: str, viewer: str = "") -> Message:
    hidden = slack.workspace.ephemeral.get((room.id, ts))
    if hidden and hidden.ephemeral_for == viewer:
        return hidden
    message = slack.workspace.message(room.id, ts)
    if message is None:
        raise ActError(f"there is no message {ts} in {room.name}")
    return message


def say(slack: Slack, user: str, channel: str, said: str, *, thread_ts: str = "", broadcast: bool = False) -> Message:
    """A person's message, with the rich text block that a client sends along."""
    who = who_is(slack, user)
    room = room_called(slack, channel, who)
    if who.id not in room.members:
        raise ActError(f"{who.real_name} is not in #{room.name}")
    root = message_at(slack, room, thread_ts) if thread_ts else None
    stored = text.from_person(said, mentions(slack), rooms_by_name(slack))
    if not stored.strip():
        raise ActError("an empty message")
    message = Message(
        room.id,
        slack.workspace.new_ts(),
        stored,
        user=who.id,
        client_msg_id=str(uuid.uuid4()),
        blocks=(text.rich_text(stored, slack.workspace.new_id("", 5)),),
        thread_ts=(root.thread_ts or root.ts) if root else None,
        broadcast=broadcast,
        subtype="thread_broadcast" if broadcast and root else None,
    )
    return posting.post(slack, message)


def mentions(slack: Slack) -> Mapping[str, str]:
    people = {person.name.lower(): person.id for person in slack.workspace.people.values()}
    bots = {app.name.lower(): app.bot_user_id for app in slack.workspace.apps.values() if app.bot_user_id}
    return {**people, **bots}


def rooms_by_name(slack: Slack) -> Mapping[str, str]:
    return {room.name.lower(): room.id for room in slack.workspace.channels.values()}


def post_as_app(slack: Slack, app_name: str, channel: str, payload: Json) -> Message:
    """What an alerting app posts: text, attachments, blocks, username … as in chat.postMessage or a webhook."""
    app = slack.workspace.app(app_name)
    room = room_called(slack, channel)
    problems = message_blocks(payload.get("blocks") or [])
    if problems:
        raise ActError("; ".join(problems))
    new_id = slack.workspace.new_id
    blocks = normalise.blocks(payload.get("blocks") or [], new_id)
    message = _unsigned(slack, app, app_name, room, payload)
    message = replace(
        message,
        text=text.as_stored(str(payload.get("text") or "")),
        blocks=blocks,
        attachments=normalise.attachments(payload.get("attachments") or [], new_id),
        thread_ts=payload.get("thread_ts"),
    )
    if not (message.text or message.blocks or message.attachments):
        raise ActError("no_text")
    return posting.post(slack, message)


def _unsigned(slack: Slack, app: App | None, name: str, room: Channel, payload: Json) -> Message:
    ts = slack.workspace.new_ts()
    if app and app.bot_user_id and not payload.get("username"):
        return Message(room.id, ts, user=app.bot_user_id, bot_id=app.bot_id, app_id=app.id)
    icons = {key: str(payload[f"icon_{key}"]) for key in ("emoji", "url") if payload.get(f"icon_{key}")}
    return Message(
        room.id,
        ts,
        subtype="bot_message",
        bot_id=app.bot_id if app else "B0" + "".join(c for c in name.upper() if c.isalnum()),
        app_id=app.id if app and app.bot_user_id else None,
        username=str(payload.get("username") or (app.name if app else name)),
        icons=icons or None,
    )


def edit(slack: Slack, user: str, channel: str, ts: str, said: str) -> Message:
    who, room = who_is(slack, user), room_called(slack, channel)
    before = message_at(slack, room, ts)
    if before.user != who.id:
        raise ActError("people edit only what they wrote themselves")
    stored = text.from_person(said, mentions(slack), rooms_by_name(slack))
    after = replace(
        before,
        text=stored,
        blocks=(text.rich_text(stored, slack.workspace.new_id("", 5)),),
        edited=(who.id, slack.workspace.new_ts()),
    )
    return posting.edit(slack, before, after)


def delete(slack: Slack, user: str, channel: str, ts: str) -> None:
    who, room = who_is(slack, user), room_called(slack, channel)
    message = message_at(slack, room, ts, who.id)
    if message.ephemeral_for == who.id:
        slack.workspace.remove_message(message)
        return
    if message.user != who.id:
        raise ActError("people delete only what they wrote themselves")
    posting.delete(slack, message)


def react(slack: Slack, user: str, channel: str, ts: str, name: str, *, add: bool = True) -> bool:
    who, room = who_is(slack, user), room_called(slack, channel)
    name = name.strip(":")
    if not is_emoji(name):
        raise ActError(f"{name!r} is no emoji")
    message = message_at(slack, room, ts)
    change = posting.react if add else posting.unreact
    return change(slack, who.id, message, name)


def invite(slack: Slack, user: str, channel: str, guest: str) -> None:
    """Brings a person or an app into a channel."""
    who, room = who_is(slack, user), room_called(slack, channel)
    person, app = slack.workspace.person(guest), slack.workspace.app(guest.removeprefix("@"))
    member = person.id if person else app.bot_user_id if app else None
    if member is None:
        raise ActError(f"there is nobody called {guest!r} here")
    posting.join(slack, member, room, inviter=who.id)


def remove(slack: Slack, user: str, channel: str, guest: str) -> None:
    who_is(slack, user)
    person, app = slack.workspace.person(guest), slack.workspace.app(guest.removeprefix("@"))
    posting.leave(slack, str(person.id if person else app and app.bot_user_id), room_called(slack, channel))


def create_channel(slack: Slack, user: str, name: str, *, private: bool = False) -> Channel:
    who = who_is(slack, user)
    if slack.workspace.channel(name):
        raise ActError(f"#{name} exists")
    prefix, kind = ("G", "group") if private else ("C", "channel")
    room = Channel(slack.workspace.new_id(f"{prefix}0"), name, kind, frozenset({who.id}))
    return slack.workspace.put_channel(room)


def rename(slack: Slack, channel: str, name: str) -> Channel:
    room = slack.workspace.put_channel(replace(room_called(slack, channel), name=name))
    slack.announce(events.renamed(slack.workspace, room), None)
    return room


def archive(slack: Slack, channel: str) -> Channel:
    return slack.workspace.put_channel(replace(room_called(slack, channel), archived=True))
