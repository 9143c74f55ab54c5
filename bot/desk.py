"""What a listener may use, and the questions that all of them ask: whose channel is this, may this person do that."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.delivery.channels import Channels
from config.customers import Customer
from config.settings import Settings
from skills.redact import Redactor
from workers.domain import Investigation, Place
from workers.queue import Queue, QueueError
from workers.store import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Desk:
    settings: Settings
    store: Store
    queue: Queue
    customers: Mapping[str, Customer]
    channels: Channels
    clock: Callable[[], datetime]
    page: Callable[[str, str | None], str | None]
    """(investigation, evidence or None) -> signed address of Gumshoe's own page."""
    redactor: Redactor

    def first_time(self, body: Mapping[str, Any]) -> bool:
        """Slack delivers an event again when its acknowledgement is lost; Bolt does not remember."""
        event_id = body.get("event_id")
        return not event_id or self.store.seen.first_time(f"slack:{event_id}", self.clock())

    def customer_watching(self, team_id: str, channel: str) -> Customer | None:
        """Whose alerts arrive in this channel."""
        return self._by_channel(team_id, channel, lambda c: c.slack.channels)

    def customer_at(self, team_id: str, channel: str) -> Customer | None:
        """Whom a person means who speaks here: the channel's customer, else the only one of the workspace."""
        own = self._by_channel(
            team_id, channel, lambda c: (*c.slack.channels, c.slack.shadow_channel, c.slack.webhook_channel)
        )
        here = [c for c in self.customers.values() if c.slack.team_id in ("", team_id)]
        return own or (here[0] if len(here) == 1 else None)

    def _by_channel(self, team_id: str, channel: str, of: Callable[[Customer], tuple[str, ...]]) -> Customer | None:
        here = [c for c in self.customers.values() if c.slack.team_id in ("", team_id)]
        found = next((c for c in here if channel in of(c)), None)
        if found or not channel:
            return found
        name = self.channels.name_of(channel)
        return next((c for c in here if name and name in of(c)), None)

    def may_edit(self, customer: Customer, person: str) -> bool:
        return not customer.roles.editors or person in customer.roles.editors

    def say_soon(self) -> None:
        """Wakes the poster; call it after something was put into the outbox."""
        self.queue.nudge("outbox")

    def investigate(self, investigation: Investigation | None) -> None:
        """Stored already: when the queue is away, the sweep enqueues it later."""
        if investigation is None:
            return
        try:
            self.queue.investigate(investigation.id)
        except QueueError as trouble:
            log.error("investigation %s is stored but not enqueued yet: %s", investigation.id, trouble)

    def study(self, function: str, record_id: str) -> None:
        try:
            self.queue.study(function, record_id)
        except QueueError as trouble:
            log.error("%s of %s is not enqueued: %s", function, record_id, trouble)

    def shadow(self, customer: Customer) -> Place | None:
        """Where a customer in dry run gets its answers."""
        if not customer.slack.shadow_channel:
            return None
        channel = self.channels.id_of(customer.slack.shadow_channel)
        return Place(team_id=customer.slack.team_id, channel=channel)

    def uses_claude(self, customer: Customer) -> bool:
        model = customer.model or self.settings.model
        return bool(self.settings.anthropic_api_key) and model != "offline"
