"""`gumshoe run PROCESS`: one process of the Procfile, or all of them."""

from __future__ import annotations

import logging
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from bot.cli import _processes
from config import logs
from config.settings import ConfigError, Settings, load

if TYPE_CHECKING:
    from slack_bolt import App

log = logging.getLogger(__name__)

SWEEP_SECONDS = 2.0
SILENT_SECONDS = 12.0
"""A queued or running investigation without a heartbeat for this long is enqueued again."""


@click.command()
@click.argument("process", type=click.Choice(["all", "bot", "worker", "study", "poster", "clock"]))
def command(process: str) -> None:
    """Run one process of the Procfile, or all.

    \b
    bot      Slack, webhooks and web pages
    worker   investigations (GUMSHOE_WORKERS of them, forked from one parent)
    study    learning and guidance readings
    poster   says in Slack what the outbox holds
    clock    sweeps: what a crash left behind, what is to be closed
    all      all of these, until Ctrl-C
    """
    settings = load()
    logs.set_up(process, settings.log_level, settings.log_format)
    {"all": _all, "bot": _bot, "worker": _worker, "study": _study, "poster": _poster, "clock": _clock}[process](
        settings
    )


def _all(settings: Settings) -> None:
    from workers.runtime import customers, redis_url  # noqa: PLC0415 - only the process that runs needs its weight

    customers(settings)
    environment = {**settings.environment, "REDIS_URL": redis_url(settings)}
    with _processes.Family(environment) as family:
        for name in _processes.procfile():
            family.start(name)
        family.wait()


def _bot(settings: Settings) -> None:
    import uvicorn  # noqa: PLC0415 - only this process serves

    from bot.app import build_app, http_routes, slack_client  # noqa: PLC0415 - imports Bolt
    from bot.web import build_web  # noqa: PLC0415 - imports the pages
    from workers.runtime import runtime  # noqa: PLC0415 - imports the store

    if not settings.slack_bot_token:
        raise ConfigError("SLACK_BOT_TOKEN is not set: see README.md, Connect a workspace")
    if not settings.slack_app_token and not settings.slack_signing_secret:
        raise ConfigError(
            "set SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (Slack by HTTP): see README.md, "
            "Connect a workspace"
        )
    listener = _listener(settings)
    rt = runtime()
    app = build_app(settings, rt.store, rt.queue, rt.customers, slack_client(settings))
    by_http = () if settings.slack_app_token else http_routes(app)
    web = build_web(settings, rt.store, rt.queue, rt.customers, more=by_http)
    server = uvicorn.Server(uvicorn.Config(web, log_level="warning", lifespan="off"))
    with _socket_mode(app, settings):
        way = "by Socket Mode" if settings.slack_app_token else "by HTTP at /slack/events"
        log.info("listening to Slack %s; pages on %s port %s", way, *listener.getsockname()[:2])
        server.run(sockets=[listener])


def _listener(settings: Settings) -> socket.socket:
    """Taken before Slack is told that we listen: a bot without its pages should not start at all."""
    try:
        listener = socket.create_server((settings.web_host, settings.web_port), backlog=128)
    except OSError as error:
        raise ConfigError(
            f"GUMSHOE_WEB_HOST, GUMSHOE_WEB_PORT: cannot listen on {settings.web_host}:{settings.web_port}: "
            f"{error.strerror}; choose another port"
        ) from None
    # Inherited by its connections: else the body of each page waits 40 ms for the client's late acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


@contextmanager
def _socket_mode(app: App, settings: Settings) -> Iterator[None]:
    """Connected while it is open; nothing without an app-level token."""
    if not settings.slack_app_token:
        yield
        return
    from slack_bolt.adapter.socket_mode import SocketModeHandler  # noqa: PLC0415 - only this process needs Bolt

    from bot.app import slack_client  # noqa: PLC0415 - imports Bolt

    handler = SocketModeHandler(app, settings.slack_app_token, web_client=slack_client(settings))
    handler.connect()  # type: ignore[no-untyped-call]  # Bolt's handler has no types
    try:
        yield
    finally:
        handler.close()  # type: ignore[no-untyped-call]  # Bolt's handler has no types


def _worker(settings: Settings) -> None:
    from workers.runtime import redis_url, runtime  # noqa: PLC0415 - imports the store
    from workers.worker import serve  # noqa: PLC0415 - imports rq

    rt = runtime()
    skills = {name for customer in rt.customers.values() for name in customer.skills if customer.enabled_by_file(name)}
    preload = ["workers.jobs", *(f"skills.{name}.tools" for name in sorted(skills))]
    if settings.anthropic_api_key:
        preload.append("workers.llm.claude")
    serve("investigate", redis_url(settings), settings.workers, tuple(preload))


def _study(settings: Settings) -> None:
    from workers.runtime import redis_url, runtime  # noqa: PLC0415 - imports the store
    from workers.worker import serve  # noqa: PLC0415 - imports rq

    runtime()
    serve("study", redis_url(settings), 1, ("workers.jobs",))


def _poster(settings: Settings) -> None:
    from bot.app import slack_client  # noqa: PLC0415 - imports slack_sdk
    from bot.delivery import Poster  # noqa: PLC0415 - imports slack_sdk
    from workers.runtime import runtime  # noqa: PLC0415 - imports the store

    rt = runtime()
    Poster(rt.store, slack_client(settings), settings=settings, queue=rt.queue).run(_until_stopped())


def _clock(settings: Settings) -> None:
    from workers.runtime import runtime  # noqa: PLC0415 - imports the store

    rt = runtime()
    stop = _until_stopped()
    while not stop.wait(SWEEP_SECONDS):
        now = datetime.now(UTC)
        for investigation in rt.store.investigations.unfinished(now, SILENT_SECONDS):
            log.info("investigation %s is without a sign of life: enqueued again", investigation.id)
            rt.queue.investigate(investigation.id, investigation.attempt)
        closed = rt.store.incidents.close_due(now)
        if closed:
            log.info("%d incidents closed", closed)


def _until_stopped() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
