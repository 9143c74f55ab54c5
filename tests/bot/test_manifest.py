"""The manifest asks for what the code uses, and for nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from tests.bot.workspace import MANIFEST, Room

BOT = Path(__file__).parents[2] / "bot"
CODE = "\n".join(
    p.read_text() for p in sorted(BOT.rglob("*.py")) if not {"local_slack", "cli"} & set(p.relative_to(BOT).parts)
)
APP = yaml.safe_load(MANIFEST.read_text())

# Web API method or event -> the scope that Slack wants for it (docs.slack.dev/reference).
NEEDS = {
    "chat.postMessage": "chat:write",
    "chat.update": "chat:write",
    "chat_postEphemeral": "chat:write",
    "agents.sessions.setStatus": "chat:write",
    "reactions.add": "reactions:write",
    "files.completeUploadExternal": "files:write",
    "conversations.history": "channels:history",
    "conversations.replies": "groups:history",
    "conversations_list": "channels:read",
    "conversations_info": "groups:read",
    '"app_mention"': "app_mentions:read",
    '"reaction_added"': "reactions:read",
    '"im"': "im:history",
    '"agent_session_stopped"': "assistant:write",
    "app.command": "commands",
}


def test_every_scope_is_used_and_every_use_has_its_scope() -> None:
    used = {scope for call, scope in NEEDS.items() if call in CODE}
    assert used == set(APP["oauth_config"]["scopes"]["bot"])


def test_every_event_that_is_subscribed_to_is_listened_to() -> None:
    heard = set(re.findall(r'@app\.event\("(\w+)"\)', CODE))
    assert {event.split(".")[0] for event in APP["settings"]["event_subscriptions"]["bot_events"]} == heard


def test_commands_and_shortcuts_are_those_of_the_code() -> None:
    assert {c["command"] for c in APP["features"]["slash_commands"]} == set(re.findall(r'app\.command\("(/\w+)"', CODE))
    assert {s["callback_id"] for s in APP["features"]["shortcuts"]} == set(re.findall(r'app\.shortcut\("(\w+)"', CODE))


def test_descriptions_are_within_slacks_limits() -> None:
    assert len(APP["display_information"]["description"]) <= 140
    assert all(
        len(c["description"]) <= 2000 and len(c["usage_hint"]) <= 1000
        for c in APP["features"]["slash_commands"]
        if "usage_hint" in c
    )
    assert all(len(s["name"]) <= 24 for s in APP["features"]["shortcuts"])


def test_no_call_is_refused_for_a_missing_scope(room: Room) -> None:
    alert = room.alert()
    room.says(alert["ts"], "Looking into")
    refused = [c for c in room.slack.calls() if c["answer"].get("error") in ("missing_scope", "invalid_arguments")]
    assert refused == []
