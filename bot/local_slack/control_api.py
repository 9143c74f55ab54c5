"""/control/*: the workspace seen and moved from outside, by the page and by tests. No part of Slack's own API."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bot.local_slack import acts, interacting, state
from bot.local_slack.acts import ActError
from bot.local_slack.misbehave import KINDS, ApiFault, DeliveryFault
from bot.local_slack.records import Json
from bot.local_slack.slack import Slack
from bot.local_slack.views import ViewError

KEEP_ALIVE_SECONDS = 10.0
LONGEST_WAIT_SECONDS = 30.0

Act = Callable[[Slack, Json], Json]


def perform(slack: Slack, name: str, body: Json) -> Json:
    """One act by name. Raises ActError for what a person could not do."""
    act = ACTS.get(name)
    if act is None:
        raise ActError(f"there is no act {name!r}; there are {', '.join(sorted(ACTS))}")
    try:
        return {"ok": True, **act(slack, body)}
    except KeyError as missing:
        raise ActError(f"{name} needs {missing.args[0]!r}") from None
    except (TypeError, ViewError) as problem:
        raise ActError(f"{name}: {problem}") from None


def _say(slack: Slack, b: Json) -> Json:
    said = acts.say(
        slack,
        b["user"],
        b["channel"],
        b["text"],
        thread_ts=b.get("thread_ts") or "",
        broadcast=bool(b.get("broadcast")),
    )
    return {"message": state.message(slack, said)}


def _post(slack: Slack, b: Json) -> Json:
    payload = {key: value for key, value in b.items() if key not in {"app", "channel"}}
    return {"message": state.message(slack, acts.post_as_app(slack, b["app"], b["channel"], payload))}


def _edit(slack: Slack, b: Json) -> Json:
    return {"message": state.message(slack, acts.edit(slack, b["user"], b["channel"], b["ts"], b["text"]))}


def _delete(slack: Slack, b: Json) -> Json:
    acts.delete(slack, b["user"], b["channel"], b["ts"])
    return {}


def _react(slack: Slack, b: Json) -> Json:
    return {"changed": acts.react(slack, b["user"], b["channel"], b["ts"], b["name"])}


def _unreact(slack: Slack, b: Json) -> Json:
    return {"changed": acts.react(slack, b["user"], b["channel"], b["ts"], b["name"], add=False)}


def _invite(slack: Slack, b: Json) -> Json:
    acts.invite(slack, b["user"], b["channel"], b["guest"])
    return {}


def _remove(slack: Slack, b: Json) -> Json:
    acts.remove(slack, b["user"], b["channel"], b["guest"])
    return {}


def _create_channel(slack: Slack, b: Json) -> Json:
    return {"channel": acts.create_channel(slack, b["user"], b["name"], private=bool(b.get("private"))).id}


def _rename_channel(slack: Slack, b: Json) -> Json:
    return {"channel": acts.rename(slack, b["channel"], b["name"]).id}


def _archive_channel(slack: Slack, b: Json) -> Json:
    return {"channel": acts.archive(slack, b["channel"]).id}


def _direct(slack: Slack, b: Json) -> Json:
    return {"channel": acts.room_called(slack, b["with"], acts.who_is(slack, b["user"])).id}


def _press(slack: Slack, b: Json) -> Json:
    return interacting.press(
        slack,
        b["user"],
        b["action_id"],
        channel=b.get("channel") or "",
        ts=b.get("ts") or "",
        view_id=b.get("view_id") or "",
        block_id=b.get("block_id") or "",
        given=b.get("value"),
    )


def _submit(slack: Slack, b: Json) -> Json:
    return interacting.submit(slack, b["user"], b.get("values"))


def _close(slack: Slack, b: Json) -> Json:
    return interacting.close_view(slack, b["user"], everything=bool(b.get("everything")))


def _slash(slack: Slack, b: Json) -> Json:
    return interacting.slash(slack, b["user"], b["channel"], b["command"], b.get("text") or "")


def _shortcut(slack: Slack, b: Json) -> Json:
    return interacting.shortcut(
        slack, b["user"], b["callback_id"], channel=b.get("channel") or "", ts=b.get("ts") or ""
    )


def _home(slack: Slack, b: Json) -> Json:
    return {"channel": interacting.open_home(slack, b["user"], b.get("tab") or "home").id}


def _stop(slack: Slack, b: Json) -> Json:
    interacting.stop_session(slack, b["user"], b["channel"], b["thread_ts"])
    return {}


def _misbehave(slack: Slack, b: Json) -> Json:
    """{"api": [fault], "deliveries": [fault], "posts_per_second": 1, "revoked": true, "forget": true}"""
    wrong = slack.misbehaviour
    if b.get("forget"):
        wrong.forget()
    for fault in b.get("api") or ():
        if fault.get("kind") not in KINDS:
            raise ActError(f"a call can be struck by {', '.join(sorted(KINDS))}")
        wrong.api.append(ApiFault(**fault))
    for fault in b.get("deliveries") or ():
        if fault.get("kind") not in {"duplicate", "delay", "lose"}:
            raise ActError("a delivery can be struck by duplicate, delay, lose")
        wrong.deliveries.append(DeliveryFault(**fault))
    if "posts_per_second" in b:
        wrong.posts_per_second = b["posts_per_second"]
    if "revoked" in b:
        wrong.revoked = bool(b["revoked"])
    return {"misbehaviour": wrong.shown()}


def _sockets(slack: Slack, b: Json) -> Json:
    """{"do": "drop"}: cut. {"do": "refresh"}: ask the clients to reconnect, as Slack does every few hours."""
    if b["do"] == "drop":
        slack.socket_mode.drop()
    elif b["do"] == "refresh":
        slack.socket_mode.refresh()
    else:
        raise ActError("sockets can drop or refresh")
    return {}


ACTS: Mapping[str, Act] = {
    "say": _say,
    "post": _post,
    "edit": _edit,
    "delete": _delete,
    "react": _react,
    "unreact": _unreact,
    "invite": _invite,
    "remove": _remove,
    "create_channel": _create_channel,
    "rename_channel": _rename_channel,
    "archive_channel": _archive_channel,
    "direct": _direct,
    "press": _press,
    "submit": _submit,
    "close": _close,
    "slash": _slash,
    "shortcut": _shortcut,
    "home": _home,
    "stop": _stop,
    "misbehave": _misbehave,
    "sockets": _sockets,
}


def look(slack: Slack, query: Mapping[str, str]) -> Json:
    """The state; with `since`, only once it is newer than that, or after `timeout` seconds as it is."""
    if query.get("since"):
        timeout = min(float(query.get("timeout") or LONGEST_WAIT_SECONDS), LONGEST_WAIT_SECONDS)
        slack.workspace.changes(int(query["since"]), timeout)
    return state.snapshot(slack)


def calls(slack: Slack, query: Mapping[str, str]) -> Json:
    return {"calls": slack.calls.of(query.get("method"), int(query.get("since") or 0))}


def stream(slack: Slack, since: int) -> Iterator[str]:
    """Server-sent events: every change after `since`, as they come."""
    while not slack.workspace.closed:
        changes = slack.workspace.changes(since, KEEP_ALIVE_SECONDS)
        if changes is None:
            yield _event("reload", {}, slack.workspace.version)
            return
        if not changes:
            yield ": still here\n\n"
        for change in changes:
            kind, data = state.told(slack, change)
            yield _event(kind, data, change.version)
            since = change.version


def _event(kind: str, data: Any, number: int) -> str:
    return f"id: {number}\nevent: {kind}\ndata: {json.dumps(data)}\n\n"
