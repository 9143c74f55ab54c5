"""Ten investigations as a person played them, replayed over the served simulation on the path that production takes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.cli.investigate import MemoryJournal
from bot.intake import read
from config.customers import Budget, Customer
from skills import registry
from tests.skills.mcp.servers import served
from tests.transcripts.flags import server
from tests.transcripts.recited import Recited, Transcript, all_of_them
from workers import agent, simulation
from workers.domain import Finding
from workers.llm.base import Model
from workers.trace import Span

TRANSCRIPTS = {t.scenario: t for t in all_of_them()}
HERRINGS = {"orders-volume-full", "cart-throttled", "policy-drops", "password-rotated"}


@contextmanager
def investigated(transcript: Transcript, model: Model) -> Iterator[tuple[Finding, list[Span]]]:
    """The finding and the trace of one replay."""
    with ExitStack() as stack:
        world = simulation.start(transcript.scenario)
        stack.callback(world.close)
        skills: dict[str, Any] = dict(world.skills)
        if transcript.flags:
            switched_at = datetime.fromisoformat(str(world.truth.causes[0].onset)) - timedelta(seconds=30)
            skills["mcp"] = {
                "servers": {"flags": {"url": stack.enter_context(served(server(transcript.flags, switched_at)))}}
            }
        acme = Customer(name="acme", skills=skills, budget=Budget(seconds=600, tokens=2_000_000))
        journal = MemoryJournal(True)
        request = agent.Request(
            customer=acme,
            incident_id="inc1",
            investigation_id="inv1",
            trace_id="0" * 32,
            alerts=read(world.alert).alerts,
            now=world.now,
        )
        connected = agent.connect_all(acme, registry.toggles(acme), lambda name: None)
        finding = agent.investigate(
            request, model, connected, journal, clock=lambda: datetime.now(UTC), monotonic=time.monotonic
        )
        yield finding, journal.spans


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_what_a_person_found_is_found_again(name: str) -> None:
    transcript = TRANSCRIPTS[name]
    model = Recited(transcript)
    with investigated(transcript, model) as (finding, spans):
        told = [(str(c.entity), c.fault) for c in finding.causes]
        why = (model.missed, [s.output for s in spans if s.name == "conclude"], finding.gaps)
        assert finding.verdict == transcript.verdict, why
        assert told == list(transcript.causes), why
        assert not [g for g in finding.gaps if "the model" in g.what], why


def test_the_transcripts_are_of_ten_scenarios_of_different_kinds() -> None:
    assert len(TRANSCRIPTS) >= 10
    assert len(HERRINGS & set(TRANSCRIPTS)) >= 3
    healthy = [t for t in TRANSCRIPTS.values() if t.verdict in ("false_alarm", "recovered")]
    assert len(healthy) >= 2
    assert any(t.flags for t in TRANSCRIPTS.values())
    groups = {fault for t in TRANSCRIPTS.values() for _, fault in t.causes}
    assert len(groups) >= 8
