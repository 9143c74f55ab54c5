"""From alerts to an incident: shared by messages, shortcuts, mentions and webhooks."""

from __future__ import annotations

from collections.abc import Sequence

from bot.desk import Desk
from bot.intake import masked
from config.customers import Customer
from workers.domain import Alert, Opened, Place


def open_incident(
    desk: Desk,
    customer: Customer,
    alerts: Sequence[Alert],
    *,
    place: Place | None,
    message_ts: str | None,
    event_key: str | None,
    webhook_place: Place | None = None,
    asked: bool = False,
) -> Opened:
    """Stores them, then enqueues. A person who asks is never answered with silence: mutes do not hold for them."""
    at = desk.clock()
    known = [_known(desk, customer, alert) for alert in alerts]
    muted = not asked and all(desk.store.mutes.is_muted(customer.name, a.alert_type, at, customer.mutes) for a in known)
    opened = desk.store.incidents.open(
        customer.name,
        known,
        at,
        place=place,
        message_ts=message_ts,
        event_key=event_key,
        muted=muted,
        per_hour=customer.limits.investigations_per_hour,
        dry_run=customer.dry_run,
        shadow=desk.shadow(customer) if customer.dry_run else None,
        webhook_place=webhook_place,
        source_channel=place.channel if place else "",
        alerts_per_incident=customer.limits.alerts_per_incident,
    )
    desk.say_soon()
    desk.investigate(opened.investigation)
    return opened


def _known(desk: Desk, customer: Customer, alert: Alert) -> Alert:
    """Masked before it is stored, and with the customer's environment where the alert names none."""
    safe = masked(alert, desk.redactor.text)
    return safe if safe.environment else safe.model_copy(update={"environment": customer.environment})
