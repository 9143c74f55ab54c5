"""A client of the control API, so that tests (and the demo) read like sentences:

slack = Control(running.control_url)
alert = slack.post("Alertmanager", "alerts", attachments=[…])
slack.react("amira", "alerts", alert["ts"], "thumbsdown")
slack.wait_for(lambda state: len(state.thread("alerts", alert["ts"])) > 1)
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

Json = dict[str, Any]
_Result = TypeVar("_Result")


class ControlError(Exception):
    """The workspace refused: a person could not do this."""


class NeverHappened(AssertionError):
    """What was waited for did not come in time."""


class State(dict[str, Any]):
    """The workspace at one moment, with the questions that tests ask of it."""

    def channel(self, name: str) -> Json:
        for room in self["channels"]:
            if room["id"] == name or room["name"] == name.removeprefix("#"):
                return dict(room)
        raise KeyError(name)

    def messages(self, channel: str) -> list[Json]:
        """Everything said there, replies included, oldest first."""
        return list(self["messages"].get(self.channel(channel)["id"], []))

    def message(self, channel: str, ts: str) -> Json | None:
        return next((message for message in self.messages(channel) if message["ts"] == ts), None)

    def thread(self, channel: str, ts: str) -> list[Json]:
        return [m for m in self.messages(channel) if m["ts"] == ts or m.get("thread_ts") == ts]

    def replies(self, channel: str, ts: str) -> list[Json]:
        return [m for m in self.thread(channel, ts) if m["ts"] != ts]

    def reactions(self, channel: str, ts: str) -> dict[str, list[str]]:
        message = self.message(channel, ts) or {}
        return {reaction["name"]: reaction["users"] for reaction in message.get("reactions", [])}

    def ephemeral(self, person: str) -> list[Json]:
        """What only this person sees."""
        return [m for m in self["ephemeral"] if m["ephemeral_for"] == self.person_id(person)]

    def modal(self, person: str) -> Json | None:
        """The modal in front of this person."""
        stack = self["modals"].get(self.person_id(person))
        return stack[-1] if stack else None

    def home(self, person: str) -> Json | None:
        home: Json | None = self["homes"].get(self.person_id(person))
        return home

    def session(self, channel: str, thread_ts: str) -> Json | None:
        room = self.channel(channel)["id"]
        found = (s for s in self["sessions"] if (s["channel"], s["thread_ts"]) == (room, thread_ts))
        return next(found, None)

    def person_id(self, person: str) -> str:
        for who in self["people"]:
            if person.removeprefix("@") in {who["id"], who["name"]}:
                return str(who["id"])
        raise KeyError(person)


class Control:
    def __init__(self, control_url: str) -> None:
        self.url = control_url

    def person(self, name: str) -> Person:
        return Person(self, name)

    # -- seeing ------------------------------------------------------------------------------------------------------

    def state(self) -> State:
        return State(self._get("state"))

    def thread(self, channel: str, ts: str) -> list[Json]:
        return self.state().thread(channel, ts)

    def calls(self, method: str = "", since: int = 0) -> list[Json]:
        """Web API calls in order: number, at, method, args, status, answer, fault."""
        query = {"since": str(since), **({"method": method} if method else {})}
        return list(self._get("calls", query)["calls"])

    def wait_for(self, happened: Callable[[State], _Result], timeout: float = 10.0, what: str = "") -> _Result:
        """The first truthy answer of `happened`, asked again after every change. NeverHappened after `timeout`."""
        deadline = time.monotonic() + timeout
        state = self.state()
        while not (result := happened(state)):
            left = deadline - time.monotonic()
            if left <= 0:
                raise NeverHappened(f"waited {timeout:g} s for {what or 'a change'}; last said: {_last_said(state)}")
            state = State(self._get("state", {"since": str(state["version"]), "timeout": f"{min(left, 20):.3f}"}))
        return result

    def connected(self) -> int:
        """How many sockets the app has open."""
        return int(self.state()["connected"])

    def wait_connected(self, connections: int = 1, timeout: float = 10.0) -> None:
        """Until the app has opened its sockets."""
        self.wait_for(lambda state: state["connected"] >= connections, timeout, "the app to connect")

    # -- people and alerting apps ------------------------------------------------------------------------------------

    def say(self, user: str, channel: str, text: str, *, thread_ts: str = "", broadcast: bool = False) -> Json:
        message = {"user": user, "channel": channel, "text": text, "thread_ts": thread_ts, "broadcast": broadcast}
        return dict(self.act("say", **message)["message"])

    def post(self, app: str, channel: str, **payload: Any) -> Json:
        """As an alerting app: text, attachments, blocks, username, icon_emoji …"""
        return dict(self.act("post", app=app, channel=channel, **payload)["message"])

    def post_as_app(self, app: str, channel: str, **payload: Any) -> str:
        """The same; only the message's ts."""
        return str(self.post(app, channel, **payload)["ts"])

    def edit(self, user: str, channel: str, ts: str, text: str) -> Json:
        return dict(self.act("edit", user=user, channel=channel, ts=ts, text=text)["message"])

    def delete(self, user: str, channel: str, ts: str) -> None:
        self.act("delete", user=user, channel=channel, ts=ts)

    def react(self, user: str, channel: str, ts: str, name: str) -> bool:
        return bool(self.act("react", user=user, channel=channel, ts=ts, name=name)["changed"])

    def unreact(self, user: str, channel: str, ts: str, name: str) -> bool:
        return bool(self.act("unreact", user=user, channel=channel, ts=ts, name=name)["changed"])

    def invite(self, user: str, channel: str, guest: str) -> None:
        self.act("invite", user=user, channel=channel, guest=guest)

    # -- acting on the app -------------------------------------------------------------------------------------------

    def press(self, user: str, channel: str, ts: str, action_id: str, value: Any = None, *, block_id: str = "") -> Json:
        """Presses a button of a message, or chooses `value` in a menu."""
        where = {"channel": channel, "ts": ts, "block_id": block_id}
        return self.act("press", user=user, action_id=action_id, value=value, **where)

    def press_in_view(self, user: str, action_id: str, value: Any = None, *, view_id: str = "") -> Json:
        """The same in the open modal, or in a view by its id (the App Home)."""
        return self.act("press", user=user, action_id=action_id, value=value, view_id=view_id)

    def submit(self, user: str, values: Mapping[str, Any] | None = None) -> Json:
        """Fills in and submits the open modal: {"ok": True} or {"ok": False, "errors": {block_id: …}}."""
        return self.act("submit", user=user, values=dict(values or {}))

    def close(self, user: str, *, everything: bool = False) -> None:
        self.act("close", user=user, everything=everything)

    def slash(self, user: str, channel: str, command: str) -> Json:
        """`command` as typed: "/guidance add …"."""
        name, _, text = command.partition(" ")
        return self.act("slash", user=user, channel=channel, command=name, text=text)

    def shortcut(self, user: str, callback_id: str, channel: str = "", ts: str = "") -> Json:
        return self.act("shortcut", user=user, callback_id=callback_id, channel=channel, ts=ts)

    def open_home(self, user: str, tab: str = "home") -> str:
        """Opens the app's page; the answer is the id of the direct messages with it."""
        return str(self.act("home", user=user, tab=tab)["channel"])

    def stop(self, user: str, channel: str, thread_ts: str) -> None:
        """Presses the native stop button of an agent at work."""
        self.act("stop", user=user, channel=channel, thread_ts=thread_ts)

    # -- misbehaving -------------------------------------------------------------------------------------------------

    def fail_calls(self, method: str, kind: str, times: int = 1, **more: Any) -> None:
        """`kind`: ratelimited, error, drop, slack_error, slow, error_after, drop_after (see misbehave.py)."""
        self.act("misbehave", api=[{"method": method, "kind": kind, "times": times, **more}])

    def disturb_deliveries(self, kind: str, times: int = 1, **more: Any) -> None:
        """`kind`: duplicate, delay, lose."""
        self.act("misbehave", deliveries=[{"kind": kind, "times": times, **more}])

    def limit_posts(self, per_second: float | None) -> None:
        self.act("misbehave", posts_per_second=per_second)

    def behave(self) -> None:
        self.act("misbehave", forget=True)

    def drop_sockets(self) -> None:
        self.act("sockets", do="drop")

    def refresh_sockets(self) -> None:
        self.act("sockets", do="refresh")

    # -- HTTP --------------------------------------------------------------------------------------------------------

    def act(self, name: str, /, **body: Any) -> Json:
        """Any act of the control API by its name."""
        data = json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        return self._open(urllib.request.Request(self.url + name, data, headers, method="POST"))

    def _get(self, path: str, query: Mapping[str, str] | None = None) -> Json:
        return self._open(urllib.request.Request(f"{self.url}{path}?{urllib.parse.urlencode(query or {})}"))

    def _open(self, request: urllib.request.Request) -> Json:
        try:
            with urllib.request.urlopen(request, timeout=40) as response:
                answer: Json = json.load(response)
        except urllib.error.HTTPError as refused:
            answer = json.load(refused)
            raise ControlError(answer.get("error")) from None
        return answer


@dataclass(frozen=True)
class Person:
    """Somebody in the workspace: `amira.says("#alerts", "what is this?")`."""

    slack: Control
    name: str

    def says(self, channel: str, text: str, *, in_thread: str = "") -> Json:
        return self.slack.say(self.name, channel, text, thread_ts=in_thread)

    def reacts(self, message: Json, emoji: str) -> bool:
        return self.slack.react(self.name, message["channel"], message["ts"], emoji)

    def takes_back(self, message: Json, emoji: str) -> bool:
        return self.slack.unreact(self.name, message["channel"], message["ts"], emoji)

    def presses(self, message: Json, action_id: str, value: Any = None) -> Json:
        return self.slack.press(self.name, message["channel"], message["ts"], action_id, value)

    def submits(self, values: Mapping[str, Any]) -> Json:
        return self.slack.submit(self.name, values)

    def runs(self, command: str, channel: str) -> Json:
        return self.slack.slash(self.name, channel, command)

    def sees_modal(self) -> Json | None:
        return self.slack.state().modal(self.name)


def text_of(message: Json) -> str:
    """Everything readable in a message: its text, blocks and attachments, a line each."""
    pieces: list[str] = [message.get("text") or ""]
    for part in (*message.get("blocks", []), *message.get("attachments", [])):
        pieces.extend(_texts(part))
    pieces += [f"[picture] {file.get('title') or file.get('name')}" for file in message.get("files", [])]
    return "\n".join(piece for piece in pieces if piece)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key in {"text", "title", "value", "pretext", "fallback"} and isinstance(item, str):
                yield item
            else:
                yield from _texts(item)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            yield from _texts(item)


def _last_said(state: State) -> list[str]:
    said = [message for messages in state["messages"].values() for message in messages]
    return [text_of(message)[:120] for message in sorted(said, key=lambda message: str(message["ts"]))[-5:]]
