"""The same incidents with Loki in the place of Elasticsearch: the same findings."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from bot.cli.investigate import MemoryJournal
from bot.intake import read
from config.customers import Customer
from skills import registry
from workers import agent, simulation
from workers.domain import Finding
from workers.llm.offline import Offline


def finding(scenario: str, logs: str) -> tuple[Finding, simulation.Truth, dict[str, dict[str, int]]]:
    world = simulation.start(scenario, skills=("kubernetes", logs, "prometheus"))
    try:
        customer = Customer(name="team", skills=world.skills)
        connected = agent.connect_all(customer, registry.toggles(customer), lambda _: None)
        request = agent.Request(
            customer=customer, incident_id="i", investigation_id="i", trace_id="0" * 32,
            alerts=read(world.alert).alerts, now=world.now,
        )  # fmt: skip
        found = agent.investigate(
            request,
            Offline(),
            connected,
            MemoryJournal(True),
            clock=lambda: datetime.now(UTC),
            monotonic=time.monotonic,
        )
        return found, world.truth, world.refused
    finally:
        world.close()


@pytest.mark.parametrize("scenario", ["privilege-lost", "pool-exhausted", "exception-in-release"])
def test_loki_and_elasticsearch_lead_to_the_same_finding(scenario: str) -> None:
    by_loki, truth, refused = finding(scenario, "loki")
    by_elasticsearch, _, _ = finding(scenario, "elasticsearch")
    causes = [
        (f.verdict, f.causes[0].entity, f.causes[0].fault, f.causes[0].confidence.band)
        for f in (by_loki, by_elasticsearch)
    ]
    assert causes[0] == causes[1]
    assert causes[0][2] == truth.causes[0].fault
    assert refused["loki"] == {}
    assert any(e.skill == "loki" for e in by_loki.evidence)
