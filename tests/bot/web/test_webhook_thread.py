"""An alert that came by webhook gets a message of its own in the customer's channel, and its thread there."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from bot.local_slack.control import text_of
from bot.web import build_web
from config.customers import Customer
from config.settings import Settings
from tests.bot import records
from tests.bot.web.conftest import asking
from tests.bot.web.test_webhooks import EVENT, signed
from tests.bot.workspace import workspace
from workers.queue import Queue
from workers.store import Store


def test_a_pagerduty_alert_is_announced_investigated_and_resolved_in_one_thread(
    settings: Settings, store: Store, queue: Queue, customer: Customer
) -> None:
    customers = {"acme": customer}
    with workspace(settings, store, queue, customers) as room:
        known = replace(settings, slack_bot_token=room.client.token, slack_api_url=room.client.base_url)
        with asking(build_web(known, store, queue, customers)) as ask:
            body = json.dumps(EVENT).encode()
            assert ask("/webhooks/pagerduty/acme", body, signed(body))[0] == 202

            def announced(state: Any) -> Any:
                return next((m for m in state.messages("alerts") if "checkout is failing" in text_of(m)), None)

            head = room.until(announced, "the alert's own message")
            living = room.says(head["ts"], "Looking into")
            records.answered(store, room.investigation())
            assert room.says(head["ts"], "its memory limit went")["ts"] == living["ts"]
            place = room.incident().place
            assert place
            assert (place.channel, place.thread_ts) == ("C0ALERTS", head["ts"])

            event: dict[str, Any] = EVENT["event"]
            over = {
                "id": "EV-MADE-UP-2",
                "event_type": "incident.resolved",
                "data": event["data"] | {"status": "resolved"},
            }
            body = json.dumps({"event": event | over}).encode()
            assert ask("/webhooks/pagerduty/acme", body, signed(body))[0] == 202
            room.says(head["ts"], "alert resolved")

            room.slack.say("amira", "alerts", "<@U0GUMSHOE> why did it happen?", thread_ts=head["ts"])
            room.says(head["ts"], "why did it happen?")
    assert len(store.incidents.recent("acme")) == 1
