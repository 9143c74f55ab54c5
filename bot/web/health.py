"""For operators and their load balancers: is it alive, can it work, how much does it do."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from bot.desk import Desk
from workers.queue import QueueError
from workers.store import StoreError

Handler = Callable[[Request], Response]


class Meters:
    """In a registry of its own, so that two apps in one process do not share counts."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.webhooks = Counter(
            "gumshoe_webhooks_total",
            "Webhook requests by source and answer",
            ["source", "status"],
            registry=self.registry,
        )
        self.waiting_posts = Gauge("gumshoe_outbox_waiting", "Posts not said in Slack yet", registry=self.registry)
        self.waiting_jobs = Gauge("gumshoe_queue_waiting", "Jobs that wait", ["queue"], registry=self.registry)
        self.up = Gauge("gumshoe_part_up", "1 when the part answers", ["part"], registry=self.registry)


def alive(request: Request) -> Response:
    return PlainTextResponse("ok\n")


def ready(desk: Desk) -> Handler:
    """Ready when records and queue answer; says which one does not."""

    def answer(request: Request) -> Response:
        parts = {name: problem or "ok" for name, problem in _problems(desk).items()}
        healthy = all(state == "ok" for state in parts.values())
        return JSONResponse(parts, status_code=200 if healthy else 503)

    return answer


def metrics(desk: Desk, meters: Meters) -> Handler:
    def answer(request: Request) -> Response:
        problems = _problems(desk)
        for part, problem in problems.items():
            meters.up.labels(part).set(0 if problem else 1)
        if not problems["database"]:
            meters.waiting_posts.set(desk.store.outbox.waiting_count())
        if not problems["queue"]:
            for name, count in desk.queue.waiting().items():
                meters.waiting_jobs.labels(name).set(count)
        return Response(generate_latest(meters.registry), media_type=CONTENT_TYPE_LATEST)

    return answer


def _problems(desk: Desk) -> dict[str, str]:
    """Part -> why it does not answer, empty when it does."""
    problems = {"database": "", "queue": ""}
    try:
        desk.store.outbox.waiting_count()
    except StoreError as trouble:
        problems["database"] = str(trouble)
    try:
        desk.queue.ping()
    except QueueError as trouble:
        problems["queue"] = str(trouble)
    return problems
