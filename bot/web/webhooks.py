"""Signed webhooks. Checked over the raw body before anything is parsed; on any error nothing is stored or enqueued.

Signature first, then size, shape and novelty. The answer is 202 with the incidents, whatever the investigation does.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Awaitable, Callable, Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from bot.desk import Desk
from bot.intake import flags, read, signatures
from bot.intake.read import decode, event_key
from bot.opening import open_incident
from bot.web.health import Meters
from config.customers import Customer
from workers.domain import Place
from workers.store import StoreError

log = logging.getLogger(__name__)

LARGEST_BYTES = 2 * 1024 * 1024
SOURCES = ("pagerduty", "alertmanager", "generic", "flags")


def receiver(desk: Desk, meters: Meters) -> Callable[[Request], Awaitable[Response]]:
    async def receive(request: Request) -> Response:
        source = request.path_params["source"]
        customer = desk.customers.get(request.path_params["customer"])
        if source not in SOURCES or customer is None:
            return _refused(404, "no such webhook: use /webhooks/{pagerduty|alertmanager|generic|flags}/CUSTOMER")
        body = await _body(request)
        if body is None:
            answer = _refused(413, f"the body is larger than {LARGEST_BYTES:,} bytes")
        else:
            answer = await run_in_threadpool(_take, desk, customer, source, request.headers, body)
        meters.webhooks.labels(source, str(answer.status_code)).inc()
        return answer

    return receive


async def _body(request: Request) -> bytes | None:
    """The raw bytes; None when there are too many of them. No more than the limit is held in memory."""
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > LARGEST_BYTES:
        return None
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_BYTES:
                return None
    except ClientDisconnect:
        return b""
    return bytes(body)


def _take(desk: Desk, customer: Customer, source: str, headers: Mapping[str, str], body: bytes) -> Response:
    if not _signed(desk, customer, source, headers, body):
        return _refused(401, f"the signature or secret is wrong, or webhooks.{source}_secret_env is not set")
    decoded = decode(body)
    if decoded.problem or not isinstance(decoded.payload, dict) or not _has_shape(source, decoded.payload):
        return _refused(400, decoded.problem or f"this is no {source} webhook body")
    try:
        if source == "flags":
            return _keep(desk, customer, decoded.payload)
        return _open(desk, customer, source, body, decoded.payload)
    except StoreError as trouble:
        log.error("a webhook of %s could not be stored: %s", customer.name, trouble)
        return _refused(503, "the records are not available; send it again")


def _signed(desk: Desk, customer: Customer, source: str, headers: Mapping[str, str], body: bytes) -> bool:
    name = getattr(customer.webhooks, f"{source}_secret_env")
    secret = desk.settings.secret(name) if name else None
    if source == "pagerduty":
        return signatures.pagerduty(headers, body, secret)
    if source == "flags" and signatures.launchdarkly(headers, body, secret):
        return True
    return signatures.shared_secret(headers, secret)


def _has_shape(source: str, payload: dict[str, object]) -> bool:
    """Another sender's body at this address is a mistake of configuration, and is told so."""
    if source == "pagerduty":
        return isinstance(payload.get("event"), dict)
    if source == "alertmanager":
        return isinstance(payload.get("alerts"), list)
    return bool(payload)


def _keep(desk: Desk, customer: Customer, payload: dict[str, object]) -> Response:
    """A flag event opens nothing: it is what an investigation will want to know."""
    event, reason = flags.read(payload, customer.name, desk.clock())
    if event is None:
        return JSONResponse({"kept": False, "reason": reason}, status_code=202)
    return JSONResponse({"kept": desk.store.flags.record(event), "id": event.id}, status_code=202)


def _open(desk: Desk, customer: Customer, source: str, body: bytes, payload: dict[str, object]) -> Response:
    found = read(payload, received_at=desk.clock())
    if not found.alerts:
        # A PagerDuty event of a kind that is no news of an incident, for example: accepted and left alone.
        return JSONResponse({"incidents": [], "reason": found.reason}, status_code=202)
    # Senders without ids of their own repeat the same bytes; alerts of one firing join by fingerprint anyway.
    key = f"webhook:{source}:{event_key(payload) or hashlib.sha256(body).hexdigest()}"
    opened = open_incident(
        desk, customer, found.alerts, place=None, message_ts=None, event_key=key, webhook_place=_place(desk, customer)
    )
    incidents = [opened.incident.id] if opened.incident else []
    reason = {"reason": opened.ignored.reason} if opened.ignored else {}
    return JSONResponse({"incidents": incidents, **reason}, status_code=202)


def _place(desk: Desk, customer: Customer) -> Place | None:
    """Where the alert gets a message of its own."""
    named = customer.slack.webhook_channel or next(iter(customer.slack.channels), "")
    if not named:
        return None
    return Place(team_id=customer.slack.team_id, channel=desk.channels.id_of(named))


def _refused(status: int, reason: str) -> Response:
    return JSONResponse({"error": reason}, status_code=status)
