"""The whole workspace as JSON, and each change of it: what the page draws and what tests look at."""

from __future__ import annotations

from bot.local_slack import shapes
from bot.local_slack.inputs import values_of
from bot.local_slack.records import App, Channel, Json, Message, Person, Session, View
from bot.local_slack.slack import Slack
from bot.local_slack.workspace import Change


def snapshot(slack: Slack) -> Json:
    workspace = slack.workspace
    with workspace.lock:
        return {
            "version": workspace.version,
            "team": {"id": workspace.team.id, "name": workspace.team.name},
            "bot": _app(workspace.installed),
            "people": [_person(who) for who in workspace.people.values()],
            "apps": [_app(app) for app in workspace.apps.values()],
            "channels": [_channel(room) for room in workspace.channels.values()],
            "messages": {
                channel: [message(slack, said) for said in said_there.values()]
                for channel, said_there in workspace.messages.items()
            },
            "ephemeral": [message(slack, said) for said in workspace.ephemeral.values()],
            "modals": {
                user: [_view(slack, view) for view in stack] for user, stack in workspace.modals.items() if stack
            },
            "homes": {user: _view(slack, view) for user, view in workspace.homes.items()},
            "sessions": [_session(session) for session in workspace.sessions.values()],
            "connected": slack.socket_mode.connected,
            "commands": [
                {"name": c.name, "description": c.description, "usage": c.usage} for c in slack.grant.commands
            ],
            "shortcuts": [
                {"callback_id": s.callback_id, "name": s.name, "type": s.type} for s in slack.grant.shortcuts
            ],
            "can_stop": slack.grant.hears("agent_session_stopped"),
        }


def told(slack: Slack, change: Change) -> tuple[str, Json]:
    """(kind, data) of one change, as of now."""
    subject = change.subject
    if isinstance(subject, Message):
        root = subject.is_reply and slack.workspace.message(subject.channel, str(subject.thread_ts))
        data: Json = {"message": message(slack, subject)}
        return change.kind, {**data, "root": message(slack, root)} if root else data
    if isinstance(subject, Channel):
        return change.kind, _channel(subject)
    if isinstance(subject, Session):
        return change.kind, _session(subject)
    if change.kind == "view":
        stack = slack.workspace.modals.get(str(subject), [])
        return "view", {"user": subject, "stack": [_view(slack, view) for view in stack]}
    if change.kind == "home":
        return "home", {"user": subject, "view": _view(slack, slack.workspace.homes[str(subject)])}
    return change.kind, {"connected": slack.socket_mode.connected}


def message(slack: Slack, said: Message) -> Json:
    """Slack's own shape, with what only the page needs: where it is, and whose eyes it is for."""
    extra: Json = {"channel": said.channel, "broadcast": said.broadcast}
    if said.ephemeral_for:
        extra["ephemeral_for"] = said.ephemeral_for
    return shapes.message(slack.workspace, said) | extra


def _person(who: Person) -> Json:
    return {"id": who.id, "name": who.name, "real_name": who.real_name, "title": who.title, "color": who.color}


def _app(app: App) -> Json:
    return {
        "id": app.id,
        "name": app.name,
        "bot_id": app.bot_id,
        "user_id": app.bot_user_id,
        "color": app.color,
    }


def _channel(room: Channel) -> Json:
    return {
        "id": room.id,
        "name": room.name,
        "kind": room.kind,
        "members": sorted(room.members),
        "topic": room.topic,
        "archived": room.archived,
    }


def _session(session: Session) -> Json:
    return {
        "channel": session.channel,
        "thread_ts": session.thread_ts,
        "status": session.status,
        "title": session.title,
        "hint": session.hint,
        "loading": list(session.loading),
        "prompts": list(session.prompts),
    }


def _view(slack: Slack, view: View) -> Json:
    return shapes.view(slack.workspace, view, values_of(slack.workspace, view.user, view))
