"""Flag events by webhook: kept once, for the investigations to come; they open nothing."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.web import build_web
from config.customers import Customer
from config.settings import Settings
from tests.bot.web.conftest import Ask, asking
from workers.queue import Queue
from workers.store import Store

AT = datetime(2026, 11, 25, 14, 3, tzinfo=UTC)
EVENT = {"flag": "bundle-pricing", "at": "2026-11-25T14:03:00Z", "from": False, "to": True, "services": ["pricing"]}
SECRET = {"X-Gumshoe-Secret": "not-a-real-secret"}


@pytest.fixture
def ask(settings: Settings, store: Store, queue: Queue) -> Iterator[Ask]:
    acme = Customer.model_validate({"name": "acme", "webhooks": {"flags_secret_env": "ACME_HOOK"}})
    with asking(build_web(settings, store, queue, {"acme": acme})) as request:
        yield request


def kept(store: Store, customer: str = "acme") -> list[str]:
    return [e.flag for e in store.flags.between(customer, AT - timedelta(hours=1), AT + timedelta(hours=1))]


def test_event_is_kept_once_and_opens_no_incident(ask: Ask, store: Store) -> None:
    body = json.dumps(EVENT).encode()
    answers = [ask("/webhooks/flags/acme", body, SECRET) for _ in range(2)]
    assert [a[0] for a in answers] == [202, 202]
    assert [json.loads(a[1])["kept"] for a in answers] == [True, False]
    assert kept(store) == ["bundle-pricing"]
    assert kept(store, "other") == []
    assert store.incidents.recent("acme") == ()


def test_launchdarkly_is_let_in_by_its_signature_and_nobody_without_one(ask: Ask, store: Store) -> None:
    body = json.dumps({"_id": "e1", "date": AT.timestamp() * 1000, "kind": "flag", "titleVerb": "turned on the flag",
                       "accesses": [{"action": "updateOn", "resource": "proj/p:env/production:flag/fast-path"}]}).encode()  # fmt: skip # noqa: E501
    right = hmac.new(b"not-a-real-secret", body, hashlib.sha256).hexdigest()
    assert ask("/webhooks/flags/acme", body, {"X-LD-Signature": "0" * 64})[0] == 401
    assert ask("/webhooks/flags/acme", body, {})[0] == 401
    assert ask("/webhooks/flags/acme", body, {"X-LD-Signature": right})[0] == 202
    assert kept(store) == ["fast-path"]


def test_what_is_no_flag_event_is_accepted_and_left_alone_with_the_reason(ask: Ask, store: Store) -> None:
    status, text, _ = ask("/webhooks/flags/acme", json.dumps({"alerts": []}).encode(), SECRET)
    assert (status, json.loads(text)["kept"]) == (202, False)
    assert "neither" in json.loads(text)["reason"]
    assert ask("/webhooks/flags/acme", b"[1]", SECRET)[0] == 400
    assert kept(store) == []
