"""Slack by HTTP instead of Socket Mode: the signature is checked over the raw body, and old requests are refused."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator

import pytest
from slack_sdk import WebClient
from slack_sdk.signature import SignatureVerifier

from bot import local_slack
from bot.app import build_app, http_routes
from bot.web import build_web
from config.customers import Customer
from config.settings import Settings
from tests.bot.web.conftest import Ask, asking
from workers.queue import Queue
from workers.store import Store

SECRET = "a-made-up-signing-secret"


@pytest.fixture
def slack_ask(settings: Settings, store: Store, queue: Queue, customer: Customer) -> Iterator[Ask]:
    running = local_slack.start()
    http = Settings(**{**vars(settings), "slack_signing_secret": SECRET})
    client = WebClient(running.bot_token, base_url=running.api_url)
    app = build_app(http, store, queue, {"acme": customer}, client)
    with asking(build_web(http, store, queue, {"acme": customer}, more=http_routes(app))) as ask:
        yield ask
    running.close()


def signed(body: bytes, at: float) -> dict[str, str]:
    signature = SignatureVerifier(SECRET).generate_signature(timestamp=str(int(at)), body=body)
    assert signature
    head = {"Content-Type": "application/json", "X-Slack-Request-Timestamp": str(int(at))}
    return head | {"X-Slack-Signature": signature}


EVENT = {
    "type": "event_callback",
    "team_id": "T0ACME",
    "event_id": "Ev1",
    "authorizations": [{"team_id": "T0ACME", "user_id": "U0GUMSHOE", "is_bot": True}],
    "event": {
        "type": "message",
        "channel": "C0ALERTS",
        "channel_type": "channel",
        "subtype": "bot_message",
        "bot_id": "B0ALERTMAN",
        "ts": "1795600000.000100",
        "text": "",
        "attachments": [{"title": "[FIRING:1] KubePodCrashLooping shop (cart critical)", "color": "a30200"}],
    },
}


def test_a_signed_event_opens_an_incident(slack_ask: Ask, store: Store) -> None:
    body = json.dumps(EVENT).encode()
    assert slack_ask("/slack/events", body, signed(body, time.time()))[0] == 200
    for _ in range(100):
        if store.incidents.recent("acme"):
            break
        threading.Event().wait(0.03)
    assert len(store.incidents.recent("acme")) == 1


@pytest.mark.parametrize("age", [0, 600])
def test_a_wrong_or_old_signature_is_401(slack_ask: Ask, store: Store, age: int) -> None:
    body = json.dumps(EVENT).encode()
    head = signed(body, time.time() - age) if age else signed(b"other", time.time())
    assert slack_ask("/slack/events", body, head)[0] == 401
    assert store.incidents.recent("acme") == ()
