"""A Slack workspace on loopback with the app connected to it and the poster running: what people would see."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from bot import local_slack
from bot.app import build_app
from bot.delivery import Poster
from bot.local_slack import Control
from bot.local_slack.control import State, text_of
from config.customers import Customer
from config.settings import Settings
from workers.domain import Incident, Investigation
from workers.queue import Queue
from workers.store import Store

MANIFEST = Path(__file__).parents[2] / "config" / "slack-manifest.yaml"
OOM = "[FIRING:1] KubePodCrashLooping shop (cart critical production)"


@dataclass(frozen=True)
class Room:
    """The workspace, the records behind it, and short ways to say what a test does."""

    slack: Control
    store: Store
    client: WebClient

    def alert(self, title: str = OOM, **more: Any) -> dict[str, Any]:
        """As Alertmanager's default template posts it."""
        color = "good" if title.startswith("[RESOLVED") else "danger"
        attachment = {
            "title": title,
            "title_link": "http://alertmanager.example.com",
            "fallback": title,
            "color": color,
        }
        return self.slack.post("Alertmanager", more.pop("channel", "alerts"), attachments=[attachment], **more)

    def incident(self, customer: str = "acme") -> Incident:
        """The newest one, once it is stored."""
        self.until(lambda _: self.store.incidents.recent(customer, 1), "an incident")
        return self.store.incidents.recent(customer, 1)[0]

    def investigation(self) -> Investigation:
        incident = self.incident()
        self.until(lambda _: self.store.investigations.of_incident(incident.id), "an investigation")
        return self.store.investigations.of_incident(incident.id)[-1]

    def until(self, happened: Callable[[State], Any], what: str = "", timeout: float = 8.0) -> Any:
        # The store changes without the workspace knowing, so it is asked again and again.
        end = threading.Event()
        for _ in range(int(timeout / 0.02)):
            if result := happened(self.slack.state()):
                return result
            end.wait(0.02)
        raise AssertionError(f"never happened: {what}; the thread says {self.everything()}")

    def replies(self, ts: str, channel: str = "alerts") -> list[str]:
        return [text_of(m) for m in self.slack.state().replies(channel, ts)]

    def says(self, ts: str, words: str, channel: str = "alerts") -> dict[str, Any]:
        """The reply in a thread that has these words, once it is there."""
        message: dict[str, Any] = self.until(
            lambda s: next((m for m in s.replies(channel, ts) if words in text_of(m)), None), f"{words!r} in the thread"
        )
        return message

    def whispers(self, person: str, words: str) -> str:
        """What only this person was told, by an ephemeral message or a command's answer."""
        return str(
            self.until(
                lambda s: next((text_of(m) for m in s.ephemeral(person) if words in text_of(m)), None),
                f"{words!r} said to {person}",
            )
        )

    def everything(self) -> list[str]:
        return [text_of(m) for room in self.slack.state()["messages"].values() for m in room]


@contextmanager
def workspace(
    settings: Settings,
    store: Store,
    queue: Queue,
    customers: dict[str, Customer],
    *,
    company: local_slack.Company | None = None,
    posting: bool = True,
) -> Iterator[Room]:
    running = local_slack.start(manifest=yaml.safe_load(MANIFEST.read_text()), company=company)
    client = WebClient(running.bot_token, base_url=running.api_url, retry_handlers=[])
    app = build_app(settings, store, queue, customers, client)
    handler = SocketModeHandler(app, running.app_token, web_client=WebClient(base_url=running.api_url))
    handler.connect()  # type: ignore[no-untyped-call]  # Bolt's own
    slack = Control(running.control_url)
    slack.wait_connected()
    stop = threading.Event()
    poster = Poster(store, client, settings=settings, queue=queue, look_every=0.05, first_pause=0.1)
    thread = threading.Thread(target=poster.run, args=(stop,), daemon=True)
    if posting:
        thread.start()
    try:
        yield Room(slack, store, client)
    finally:
        stop.set()
        if posting:
            thread.join(5)
        # Bolt takes seconds to hang up; nothing that comes next needs to wait for it.
        threading.Thread(target=_hang_up, args=(handler, running), daemon=True).start()


def _hang_up(handler: SocketModeHandler, running: local_slack.Running) -> None:
    handler.close()  # type: ignore[no-untyped-call]  # Bolt's own
    running.close()
