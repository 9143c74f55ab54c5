"""A local Slack with short waits, and the real slack-bolt connected to it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from bot.local_slack import Control, Running, Timings, start

QUICK = Timings(ack_seconds=0.4, retry_after_seconds=(0.1, 0.1, 0.1), trigger_seconds=0.5)


@pytest.fixture
def running() -> Iterator[Running]:
    slack = start(timings=QUICK)
    yield slack
    slack.close()


@pytest.fixture
def slack(running: Running) -> Control:
    return Control(running.control_url)


@pytest.fixture
def client(running: Running) -> WebClient:
    return WebClient(running.bot_token, base_url=running.api_url)


@dataclass
class Bolt:
    """A Bolt app on Socket Mode that writes down the events it gets."""

    app: App
    running: Running
    events: list[dict[str, Any]] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)

    def heard(self, kind: str, subtype: str | None = None) -> list[dict[str, Any]]:
        return [e for e in self.events if e["type"] == kind and (subtype is None or e.get("subtype") == subtype)]


@pytest.fixture
def bolt(running: Running, slack: Control, client: WebClient) -> Iterator[Callable[..., Bolt]]:
    """Call it with a function that adds listeners; it connects and hears everything."""
    handlers: list[SocketModeHandler] = []

    def connect(add_listeners: Callable[[App], None] | None = None, *, hear: bool = True) -> Bolt:
        app = App(client=client, signing_secret=running.signing_secret, ignoring_self_events_enabled=False)
        made = Bolt(app, running)
        if add_listeners:
            add_listeners(app)
        if hear:

            def write_down(event: dict[str, Any], body: dict[str, Any]) -> None:
                made.events.append(event)
                made.bodies.append(body)

            for kind in ("message", "app_mention", "reaction_added", "reaction_removed", "member_joined_channel",
                         "app_home_opened", "agent_session_stopped", "channel_rename"):  # fmt: skip
                app.event(kind)(write_down)
        logging.getLogger("slack_bolt").setLevel(logging.ERROR)
        handler = SocketModeHandler(
            app, running.app_token, ping_interval=1, web_client=WebClient(base_url=running.api_url)
        )
        handler.connect()
        handlers.append(handler)
        slack.wait_connected(len(handlers))
        return made

    yield connect
    for handler in handlers:
        # Closing waits seconds for idle threads of the client; nobody needs to see them off.
        threading.Thread(target=handler.close, daemon=True).start()


def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    """Waits for something outside the workspace; fails when it does not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
