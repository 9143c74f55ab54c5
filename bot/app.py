"""The Bolt app: settings, store, queue and customers in, listeners registered. Its error handler is the last line."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from slack_bolt import App
from slack_bolt.adapter.starlette.handler import SlackRequestHandler
from slack_sdk import WebClient
from slack_sdk.http_retry.builtin_handlers import ConnectionErrorRetryHandler, RateLimitErrorRetryHandler
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot import links
from bot.delivery.channels import Channels
from bot.desk import Desk
from bot.listeners import register
from config.customers import Customer
from config.settings import ConfigError, Settings
from skills.redact import Redactor
from workers.queue import Queue
from workers.store import Store

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 5


def utc_now() -> datetime:
    return datetime.now(UTC)


def slack_client(settings: Settings) -> WebClient:
    """For reading and for private words; what is posted in channels goes by the poster, which retries by itself.

    Raises ConfigError without a bot token.
    """
    if not settings.slack_bot_token:
        raise ConfigError("SLACK_BOT_TOKEN is not set: see README.md, Connect a workspace")
    handlers = [RateLimitErrorRetryHandler(max_retry_count=1), ConnectionErrorRetryHandler(max_retry_count=1)]
    return WebClient(
        settings.slack_bot_token,
        base_url=settings.slack_api_url,
        timeout=TIMEOUT_SECONDS,
        retry_handlers=handlers,
    )


def build_app(
    settings: Settings,
    store: Store,
    queue: Queue,
    customers: Mapping[str, Customer],
    client: WebClient,
    *,
    clock: Callable[[], datetime] = utc_now,
) -> App:
    """Asks Slack who it is (auth.test), and listens to nothing yet."""
    app = App(client=client, signing_secret=settings.slack_signing_secret or "socket-mode-needs-none")
    key = links.key(settings.link_key_file)
    desk = Desk(
        settings=settings,
        store=store,
        queue=queue,
        customers=customers,
        channels=Channels(client),
        clock=clock,
        page=links.pages(key, links.base_url(settings)),
        redactor=Redactor(key),
    )
    register(app, desk)

    @app.error
    def on_error(error: Exception, body: dict[str, Any]) -> None:
        event = body.get("event") or {}
        what = event.get("type") or body.get("type") or body.get("command")
        log.error("a listener failed on %s (%s): %s", what, body.get("event_id", "-"), error, exc_info=error)

    return app


def http_routes(app: App) -> list[Route]:
    """Slack by HTTP instead of Socket Mode: events, commands and interactivity at one address, signatures checked."""
    handler = SlackRequestHandler(app)

    async def slack(request: Request) -> Response:
        return await handler.handle(request)

    return [Route("/slack/events", slack, methods=["POST"])]
