"""What a runtime's skill and a log skill read of the same lines is one source, asked once."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from bot.cli.investigate import MemoryJournal
from bot.intake import read
from config.customers import Customer
from skills import registry
from skills.contract import Entity, Excerpt, FirstLook
from workers import agent, simulation
from workers.agent.evidence import Ledger
from workers.domain import Finding
from workers.llm.offline import Offline


def test_the_same_line_in_answer_to_the_same_question_has_one_number() -> None:
    ledger = Ledger()
    said = Excerpt(
        "KeyError: 'eur'", "the logs of shop", entity=Entity(kind="Deployment", namespace="shop", name="cart")
    )
    ledger.take("loki", "first_look", FirstLook("", evidence=(said,)))
    ledger.take("python", "first_look", FirstLook("", evidence=(said,)))
    assert ledger.numbers == ("E1",)
    assert ledger.record("E1").skill == "loki"


def investigated(scenario: str, *skills: str) -> tuple[Finding, dict[str, int]]:
    world = simulation.start(scenario, skills=("kubernetes", "elasticsearch", "prometheus", *skills))
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
        return found, {s.name: s.meter.requests for s in connected}
    finally:
        world.close()


@pytest.mark.parametrize("scenario", ["exception-in-release", "panic-in-geo"])
def test_runtimes_cost_no_request_and_make_no_finding_surer_by_repeating_it(scenario: str) -> None:
    without, requests = investigated(scenario)
    found, more = investigated(scenario, "python", "golang")
    assert more["elasticsearch"] == requests["elasticsearch"]
    assert (more["python"], more["golang"]) == (0, 0)
    (before, *_), (after, *_) = without.causes, found.causes
    assert (after.entity, after.fault) == (before.entity, before.fault)
    assert after.confidence.value <= before.confidence.value + 0.001
