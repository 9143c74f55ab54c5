"""Saying, editing, deleting and reacting: the changes that both the Web API and people make, with their events."""

from __future__ import annotations

from dataclasses import replace

from bot.local_slack import events
from bot.local_slack.records import Channel, Message, Reaction
from bot.local_slack.slack import Slack


def post(slack: Slack, message: Message) -> Message:
    workspace = slack.workspace
    with workspace.lock:
        workspace.put_message(message)
        room = workspace.channels[message.channel]
        if message.ephemeral_for is None:
            slack.announce(events.posted(workspace, message, room), room)
            if f"<@{slack.bot_user}" in message.text and message.user != slack.bot_user and room.kind != "im":
                slack.announce(events.mentioned(workspace, message, room), room)
        return message


def edit(slack: Slack, before: Message, after: Message) -> Message:
    workspace = slack.workspace
    with workspace.lock:
        workspace.put_message(after)
        room = workspace.channels[after.channel]
        if after.ephemeral_for is None:
            slack.announce(events.changed(workspace, before, after, room), room)
        return after


def delete(slack: Slack, message: Message) -> None:
    """Gone; a root that has replies leaves a tombstone behind, so that the thread keeps its head."""
    workspace = slack.workspace
    with workspace.lock:
        room = workspace.channels[message.channel]
        if len(workspace.thread(message.channel, message.ts)) > 1:
            stone = Message(
                message.channel,
                message.ts,
                "This message was deleted.",
                user="USLACKBOT",
                subtype="tombstone",
                thread_ts=message.thread_ts,
            )
            edit(slack, message, stone)
            return
        workspace.remove_message(message)
        if message.ephemeral_for is None:
            slack.announce(events.deleted(workspace, message, room), room)


def react(slack: Slack, user: str, message: Message, name: str) -> bool:
    """False when this user has reacted so already."""
    with slack.workspace.lock:
        given = {reaction.name: reaction.users for reaction in message.reactions}
        if user in given.get(name, ()):
            return False
        given[name] = (*given.get(name, ()), user)
        _store(slack, message, given)
        _announce_reaction(slack, "reaction_added", user, message, name)
        return True


def unreact(slack: Slack, user: str, message: Message, name: str) -> bool:
    """False when there was no such reaction of this user."""
    with slack.workspace.lock:
        given = {reaction.name: reaction.users for reaction in message.reactions}
        if user not in given.get(name, ()):
            return False
        given[name] = tuple(other for other in given[name] if other != user)
        _store(slack, message, given)
        _announce_reaction(slack, "reaction_removed", user, message, name)
        return True


def _store(slack: Slack, message: Message, given: dict[str, tuple[str, ...]]) -> None:
    reactions = tuple(Reaction(name, users) for name, users in given.items() if users)
    slack.workspace.put_message(replace(message, reactions=reactions))


def _announce_reaction(slack: Slack, kind: str, user: str, message: Message, name: str) -> None:
    room = slack.workspace.channels[message.channel]
    slack.announce(events.reacted(slack.workspace, kind, user, name, message), room)


def join(slack: Slack, user: str, room: Channel, inviter: str | None = None) -> Channel:
    """A person or the bot becomes a member: a line in the channel, and `member_joined_channel`."""
    workspace = slack.workspace
    with workspace.lock:
        if user in room.members:
            return room
        room = workspace.put_channel(replace(room, members=room.members | {user}))
        subtype = "channel_join" if room.kind == "channel" else "group_join"
        line = f"<@{user}> has joined the {'channel' if room.kind == 'channel' else 'group'}"
        post(slack, Message(room.id, workspace.new_ts(), line, user=user, subtype=subtype, inviter=inviter))
        slack.announce(events.joined(workspace, user, room, inviter), room)
        return room


def leave(slack: Slack, user: str, room: Channel) -> Channel:
    with slack.workspace.lock:
        return slack.workspace.put_channel(replace(room, members=room.members - {user}))
