"""One investigation of a transcript's scenario: the served company, the customer's own MCP server if there is one, and
the path that production takes."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.cli._house import Team
from bot.cli.investigate import MemoryJournal
from bot.intake import read
from config.customers import Budget, Customer
from skills import registry
from tests.skills.mcp.servers import served
from tests.transcripts.flags import server
from tests.transcripts.recited import Transcript
from workers import agent, simulation
from workers.domain import Finding
from workers.llm.base import Model
from workers.trace import Span


@dataclass(frozen=True)
class Replay:
    finding: Finding
    spans: tuple[Span, ...]
    requests: int
    """Sent to the customer's systems."""
    bytes: int
    """Received from them."""
    right: bool
    """By the truth of the simulated world, which knows what else an object may be called."""

    @property
    def turns(self) -> int:
        """Requests to the model."""
        return sum(span.op == "chat" for span in self.spans)


def investigated(transcript: Transcript, model: Model) -> Replay:
    with ExitStack() as stack:
        world = simulation.start(transcript.scenario)
        stack.callback(world.close)
        skills: dict[str, Any] = dict(world.skills)
        if transcript.flags:
            switched_at = datetime.fromisoformat(str(world.truth.causes[0].onset)) - timedelta(seconds=30)
            flags = stack.enter_context(served(server(transcript.flags, switched_at)))
            skills["mcp"] = {"servers": {"flags": {"url": flags}}}
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
        meters = [c.meter for c in connected]
        named = not world.truth.causes or Team(transcript.scenario, "", world).is_named_by(finding)
        return Replay(
            finding=finding,
            spans=tuple(journal.spans),
            requests=sum(m.requests for m in meters),
            bytes=sum(m.bytes for m in meters),
            right=finding.verdict == world.truth.verdict and named,
        )
