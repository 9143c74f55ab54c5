"""The web of Gumshoe: signed webhooks in, read-only evidence pages out, health and metrics for operators."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from slack_sdk import WebClient
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route

from bot import links
from bot.delivery.channels import Channels
from bot.desk import Desk
from bot.web import health, pages, webhooks
from bot.web.headers import SafeHeaders
from config.customers import Customer
from config.settings import Settings
from skills.redact import Redactor
from workers.queue import Queue
from workers.store import Store

__all__ = ["build_web"]


def build_web(
    settings: Settings,
    store: Store,
    queue: Queue,
    customers: Mapping[str, Customer],
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    more: Sequence[BaseRoute] = (),
) -> Starlette:
    """`more`: Slack's own route where the app runs by HTTP (bot.app.http_routes)."""
    key = links.key(settings.link_key_file)
    client = WebClient(settings.slack_bot_token or "", base_url=settings.slack_api_url, timeout=5)
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
    meters = health.Meters()
    return Starlette(
        routes=[
            Route("/webhooks/{source}/{customer}", webhooks.receiver(desk, meters), methods=["POST"]),
            Route("/i/{investigation_id}", pages.evidence(desk, key)),
            Route("/healthz", health.alive),
            Route("/readyz", health.ready(desk)),
            Route("/metrics", health.metrics(desk, meters)),
            *more,
        ],
        middleware=[Middleware(SafeHeaders)],
        exception_handlers={404: pages.not_found},
    )
