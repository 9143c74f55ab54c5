"""How records look in Slack's JSON, for API answers and events alike."""

from __future__ import annotations

from bot.local_slack.records import App, Channel, File, Json, Message, Person, Reaction, View
from bot.local_slack.workspace import Workspace


def message(workspace: Workspace, said: Message, *, standing: bool = True, metadata: bool = True) -> Json:
    """A message. `standing` adds what history shows and a new message's event does not: replies and reactions."""
    shape: Json = {"type": "message", "ts": said.ts, "text": said.text}
    app = workspace.apps.get(said.app_id or "")
    if said.subtype:
        shape["subtype"] = said.subtype
    if said.user:
        shape |= {"user": said.user, "team": workspace.team.id}
    if said.bot_id:
        shape["bot_id"] = said.bot_id
    if app:
        shape["app_id"] = app.id
    if app and said.user:
        shape["bot_profile"] = bot_profile(workspace, app)
    optional: Json = {
        "username": said.username,
        "icons": said.icons,
        "client_msg_id": said.client_msg_id,
        "inviter": said.inviter,
        "blocks": list(said.blocks),
        "attachments": list(said.attachments),
        "edited": {"user": said.edited[0], "ts": said.edited[1]} if said.edited else None,
        "files": [file(workspace, item) for item in said.files],
        "metadata": said.metadata if metadata else None,
        "streaming_state": said.streaming,
        "is_ephemeral": True if said.ephemeral_for else None,
    }
    shape |= {key: value for key, value in optional.items() if value}
    if said.thread_ts:
        shape["thread_ts"] = said.thread_ts
        root = workspace.message(said.channel, said.thread_ts)
        if said.is_reply and root and root.user:
            shape["parent_user_id"] = root.user
    if standing:
        shape |= _replies(workspace, said)
        if said.reactions:
            shape["reactions"] = [reaction(item) for item in said.reactions]
    return shape


def _replies(workspace: Workspace, root: Message) -> Json:
    if root.thread_ts != root.ts:
        return {}
    replies = [reply for reply in workspace.thread(root.channel, root.ts) if reply.is_reply]
    if not replies:
        return {}
    users = list(dict.fromkeys(str(reply.user or reply.bot_id) for reply in replies))
    return {
        "reply_count": len(replies),
        "reply_users_count": len(users),
        "latest_reply": replies[-1].ts,
        "reply_users": users[:5],
        "is_locked": False,
        "subscribed": False,
    }


def reaction(given: Reaction) -> Json:
    return {"name": given.name, "users": list(given.users), "count": len(given.users)}


def bot_profile(workspace: Workspace, app: App) -> Json:
    return {
        "id": app.bot_id,
        "app_id": app.id,
        "name": app.name,
        "deleted": False,
        "updated": 1_700_000_000,
        "icons": _icons(workspace, app.id),
        "team_id": workspace.team.id,
    }


def bot(workspace: Workspace, app: App) -> Json:
    shape: Json = {
        "id": app.bot_id,
        "app_id": app.id,
        "name": app.name,
        "deleted": False,
        "updated": 1_700_000_000,
        "icons": _icons(workspace, app.id),
    }
    return {**shape, "user_id": app.bot_user_id} if app.bot_user_id else shape


def _icons(workspace: Workspace, owner: str) -> Json:
    return {f"image_{size}": f"{workspace.address}avatars/{owner}.svg?s={size}" for size in (36, 48, 72)}


def person(workspace: Workspace, who: Person) -> Json:
    first, _, last = who.real_name.partition(" ")
    return {
        "id": who.id,
        "team_id": workspace.team.id,
        "name": who.name,
        "deleted": False,
        "color": who.color,
        "real_name": who.real_name,
        "tz": who.timezone,
        "tz_label": "Central European Time",
        "tz_offset": 3600,
        "profile": {
            "title": who.title,
            "real_name": who.real_name,
            "real_name_normalized": who.real_name,
            "display_name": who.name,
            "display_name_normalized": who.name,
            "first_name": first,
            "last_name": last,
            "status_text": "",
            "status_emoji": "",
            "team": workspace.team.id,
            **_icons(workspace, who.id),
        },
        "is_admin": False,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": False,
        "is_ultra_restricted": False,
        "is_bot": False,
        "is_app_user": False,
        "updated": 1_700_000_000,
    }


def bot_user(workspace: Workspace, app: App) -> Json:
    shape = person(workspace, Person(str(app.bot_user_id), app.name.lower(), app.name, color=app.color))
    shape["profile"] |= {"api_app_id": app.id, "bot_id": app.bot_id, "always_active": True}
    return {**shape, "is_bot": True}


def channel(workspace: Workspace, room: Channel, viewer: str) -> Json:
    """A conversation as `viewer` (a user id) sees it."""
    if room.kind == "im":
        other = next((member for member in room.members if member != viewer), viewer)
        return {
            "id": room.id,
            "created": room.created,
            "is_archived": False,
            "is_im": True,
            "is_org_shared": False,
            "context_team_id": workspace.team.id,
            "user": other,
            "is_user_deleted": False,
            "priority": 0,
        }
    private = room.kind != "channel"
    creator = next(iter(workspace.people), "")
    return {
        "id": room.id,
        "name": room.name,
        "name_normalized": room.name,
        "is_channel": room.kind == "channel",
        "is_group": room.kind == "group",
        "is_im": False,
        "is_mpim": room.kind == "mpim",
        "is_private": private,
        "created": room.created,
        "is_archived": room.archived,
        "is_general": room.name == "general",
        "unlinked": 0,
        "is_shared": False,
        "is_org_shared": False,
        "is_ext_shared": False,
        "is_pending_ext_shared": False,
        "pending_shared": [],
        "context_team_id": workspace.team.id,
        "updated": room.created * 1000,
        "creator": creator,
        "shared_team_ids": [workspace.team.id],
        "is_member": viewer in room.members,
        "topic": {"value": room.topic, "creator": "", "last_set": 0},
        "purpose": {"value": room.purpose, "creator": "", "last_set": 0},
        "previous_names": [],
    }


def file(workspace: Workspace, item: File) -> Json:
    kind = item.name.rpartition(".")[2].lower() if "." in item.name else "text"
    return {
        "id": item.id,
        "created": item.created,
        "timestamp": item.created,
        "name": item.name,
        "title": item.title,
        "mimetype": item.mimetype,
        "filetype": kind,
        "pretty_type": kind.upper(),
        "user": item.user,
        "user_team": workspace.team.id,
        "editable": False,
        "size": item.size,
        "mode": "hosted",
        "is_external": False,
        "external_type": "",
        "is_public": True,
        "public_url_shared": False,
        "display_as_bot": False,
        "username": "",
        "url_private": f"{workspace.address}files/{item.id}/{item.name}",
        "url_private_download": f"{workspace.address}files/{item.id}/download/{item.name}",
        "permalink": f"{workspace.address}files/{item.id}/{item.name}",
        "has_rich_preview": False,
        "file_access": "visible",
        **({"alt_txt": item.alt} if item.alt else {}),
    }


def view(workspace: Workspace, shown: View, values: Json | None = None) -> Json:
    """A view with what Slack adds to its definition, and what the person has put in so far."""
    app = workspace.installed
    return {
        "id": shown.id,
        "team_id": workspace.team.id,
        **shown.definition,
        "state": {"values": values or {}},
        "hash": shown.hash,
        "previous_view_id": shown.previous_id,
        "root_view_id": shown.root_id,
        "app_id": app.id,
        "external_id": shown.external_id,
        "app_installed_team_id": workspace.team.id,
        "bot_id": app.bot_id,
    }


def permalink(workspace: Workspace, said: Message) -> str:
    link = f"{workspace.address}archives/{said.channel}/p{said.ts.replace('.', '')}"
    return f"{link}?thread_ts={said.thread_ts}&cid={said.channel}" if said.is_reply else link
