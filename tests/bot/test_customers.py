"""Whose channel is it, and where does the answer go: several customers, dry run, limits."""

from __future__ import annotations

from bot.local_slack import Company
from bot.local_slack.control import text_of
from config.customers import Customer
from config.settings import Settings
from tests.bot import records
from tests.bot.workspace import OOM, workspace
from workers.queue import Queue
from workers.store import Store


def test_each_channel_has_its_customer_by_name_or_id(settings: Settings, store: Store, queue: Queue) -> None:
    shop = Customer.model_validate({"name": "shop", "slack": {"team_id": "T0ACME", "channels": ["alerts"]}})
    bank = Customer.model_validate({"name": "bank", "slack": {"team_id": "T0ACME", "channels": ["C0BANKALERTS"]}})
    other = Customer.model_validate({"name": "far", "slack": {"team_id": "T0OTHER", "channels": ["general"]}})
    company = Company(channels=("alerts", "bank-alerts", "general"), ids={"bank-alerts": "C0BANKALERTS"})
    customers = {c.name: c for c in (shop, bank, other)}
    with workspace(settings, store, queue, customers, company=company) as room:
        room.says(room.alert()["ts"], "Looking into")
        room.says(room.alert(channel="bank-alerts")["ts"], "Looking into", channel="bank-alerts")
        room.alert(channel="general")
        room.slack.slash("amira", "general", "/gumshoe status")
        room.whispers("amira", "No customer's file names this channel")
        assert [len(store.incidents.recent(name)) for name in ("shop", "bank", "far")] == [1, 1, 0]


def test_in_dry_run_the_answer_goes_to_the_shadow_channel_alone(
    settings: Settings, store: Store, queue: Queue, customer: Customer
) -> None:
    quiet = customer.slack.model_copy(update={"shadow_channel": "alerts-shadow"})
    dry = customer.model_copy(update={"dry_run": True, "slack": quiet})
    with workspace(settings, store, queue, {"acme": dry}) as room:
        alert = room.alert()
        records.answered(store, room.investigation())
        room.until(
            lambda s: any("its memory limit went" in text_of(m) for m in s.messages("alerts-shadow")), "the answer"
        )
        room.until(lambda _: store.outbox.waiting_count() == 0, "all said")
        assert room.replies(alert["ts"]) == []
        assert room.slack.state().reactions("alerts", alert["ts"]) == {}
        room.slack.slash("amira", "alerts", "/gumshoe why")
        room.whispers("amira", "dry run")


def test_above_the_hourly_limit_nothing_is_said_and_why_explains(
    settings: Settings, store: Store, queue: Queue, customer: Customer
) -> None:
    limited = customer.model_copy(update={"limits": customer.limits.model_copy(update={"investigations_per_hour": 1})})
    with workspace(settings, store, queue, {"acme": limited}) as room:
        room.says(room.alert()["ts"], "Looking into")
        second = room.alert(OOM.replace("KubePodCrashLooping", "DiskFull").replace("cart", "db"))
        room.until(lambda _: store.ignored.recent("acme"), "the reason")
        assert room.replies(second["ts"]) == []
        room.slack.slash("amira", "alerts", "/gumshoe why")
        room.whispers("amira", "the hourly limit was reached")
