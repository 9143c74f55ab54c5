"""Puts the parts together and serves them on one port (Socket Mode has its own). `start()` is the door."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import uvicorn

from bot.local_slack import manifest as manifests
from bot.local_slack.company import Company
from bot.local_slack.misbehave import Misbehaviour
from bot.local_slack.routes import application
from bot.local_slack.slack import Slack, Tokens
from bot.local_slack.socket_mode import SocketMode
from bot.local_slack.timings import Timings
from bot.local_slack.transport import OpenConnections
from bot.local_slack.workspace import Workspace

START_SECONDS = 10.0


class LocalSlackError(Exception):
    """The local Slack could not be started."""


@dataclass(frozen=True)
class Running:
    """A local Slack, up and serving."""

    api_url: str
    """For WebClient(base_url=…); ends with /api/."""
    page_url: str
    control_url: str
    bot_token: str
    app_token: str
    signing_secret: str
    team_id: str
    bot_user_id: str
    slack: Slack
    close: Callable[[], None]

    def addresses(self) -> dict[str, str]:
        return {
            "api_url": self.api_url,
            "page_url": self.page_url,
            "control_url": self.control_url,
            "bot_token": self.bot_token,
            "app_token": self.app_token,
            "signing_secret": self.signing_secret,
            "team_id": self.team_id,
            "bot_user_id": self.bot_user_id,
        }


def start(
    port: int = 0,
    host: str = "127.0.0.1",
    *,
    company: Company | None = None,
    channels: Sequence[str] | None = None,
    manifest: Mapping[str, Any] | None = None,
    timings: Timings | None = None,
    tokens: Tokens | None = None,
    clock: Callable[[], float] = time.time,
    seed: int | None = None,
) -> Running:
    """Starts a workspace in threads of this process. `port` 0 takes a free one; `manifest` is in Slack's own form.

    `channels` are names, in place of the company's. Ids are random (an app may remember them over restarts) unless
    there is a `seed`.
    """
    timings, tokens, misbehaviour = timings or Timings(), tokens or Tokens(), Misbehaviour()
    company = company or Company()
    if channels is not None:
        company = replace(company, channels=channels)
    workspace = Workspace(company, clock, seed)
    socket_mode = SocketMode(
        workspace.installed.id, timings, misbehaviour, lambda number: workspace.note("hello", number)
    )
    grant = manifests.grant_of(manifests.DEFAULT if manifest is None else manifest)
    slack = Slack(workspace, grant, socket_mode, misbehaviour, timings, tokens)
    listener = _bound(host, port)
    workspace.address = f"http://{host}:{listener.getsockname()[1]}/"
    socket_mode.start(host)
    stop = _serve(slack, listener)

    def close() -> None:
        workspace.close()
        socket_mode.close()
        stop()

    return Running(
        api_url=f"{workspace.address}api/",
        page_url=workspace.address,
        control_url=f"{workspace.address}control/",
        bot_token=tokens.bot,
        app_token=tokens.app,
        signing_secret=tokens.signing_secret,
        team_id=workspace.team.id,
        bot_user_id=slack.bot_user,
        slack=slack,
        close=close,
    )


def _bound(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Inherited by its connections: else the body of each answer waits 40 ms for the client's late acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind((host, port))
    except OSError as problem:
        listener.close()
        raise LocalSlackError(f"cannot listen on {host}:{port}: {problem.strerror}") from None
    return listener


def _serve(slack: Slack, listener: socket.socket) -> Callable[[], None]:
    """Runs uvicorn in a thread; the answer stops it."""
    connections = OpenConnections()
    config = uvicorn.Config(
        application(slack, connections),
        http=connections.protocol(),
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), name="local-slack", daemon=True)
    thread.start()
    deadline = time.monotonic() + START_SECONDS
    while not server.started and thread.is_alive() and time.monotonic() < deadline:
        time.sleep(0.005)
    if not server.started:
        raise LocalSlackError("the web server did not start")

    def stop() -> None:
        server.should_exit = True
        thread.join(timeout=5)
        listener.close()

    return stop
