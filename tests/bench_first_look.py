"""`make bench`, part first-look: the first look at the simulated companies with the default skills, one scenario after
another, from the first request to the page that the model reads.

The world's answers are made in the same process, so that seconds of processor time hold both sides.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil

from bot.intake import read
from config.customers import Customer
from skills import registry
from workers import agent, simulation
from workers.domain import Instructions, Progress
from workers.evaluation.pool import Broken, spread
from workers.llm.offline import Offline
from workers.trace import Span

DEFAULT = ("kubernetes", "elasticsearch", "prometheus")
EVERY = 7
"""Of the library by name: both companies, all groups of faults."""


@dataclass(frozen=True)
class Figures:
    seconds: float
    busy: float
    """Seconds of processor time, of Gumshoe and of the world: about the same on a busy machine."""


@dataclass
class Stopwatch:
    """A journal that notes when the first look begins and ends, and then stops the investigation."""

    at: dict[str, tuple[float, float]] = field(default_factory=dict)

    def recorded(self) -> Sequence[Span]:
        return ()

    def record(self, span: Span) -> None: ...

    def progress(self, progress: Progress) -> None:
        self.at.setdefault(progress.phase, (time.monotonic(), time.process_time()))

    def instructions(self) -> Instructions:
        return Instructions(stop_by="bench" if "investigating" in self.at else "")

    def figures(self) -> Figures:
        (began, busy), (ended, busy_at_end) = self.at["first_look"], self.at["investigating"]
        return Figures(ended - began, busy_at_end - busy)


def bench(say: Callable[[str, str], None]) -> None:
    found = [figures for _, figures in spread(simulation.names()[::EVERY], first_look, 1)]
    done = [figures for figures in found if not isinstance(figures, Broken)]
    if len(done) < len(found):
        say("first look: scenarios that broke", str(len(found) - len(done)))
    for what, values in (
        ("processor time of it and of the world", [f.busy for f in done]),
        ("from the first request to the page", [f.seconds for f in done]),
    ):
        p50, p95 = quantile(values, 0.5), quantile(values, 0.95)
        say(f"first look, {len(done)} scenarios, default skills: {what}", f"p50 {p50:.2f} s, p95 {p95:.2f} s")


def first_look(name: str) -> Figures:
    """One scenario, served by this process."""
    world = simulation.start(name, skills=DEFAULT)
    try:
        customer = Customer(name="bench", skills=world.skills)
        skills = agent.connect_all(customer, registry.toggles(customer), lambda _name: None)
        request = agent.Request(
            customer=customer,
            incident_id="bench",
            investigation_id="bench",
            trace_id="0" * 32,
            alerts=read(world.alert).alerts,
            now=world.now,
        )
        watch = Stopwatch()
        agent.investigate(request, Offline(), skills, watch, clock=lambda: datetime.now(UTC), monotonic=time.monotonic)
        return watch.figures()
    finally:
        world.close()


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that so many are no larger than."""
    return sorted(values)[max(0, ceil(share * len(values)) - 1)] if values else float("nan")


if __name__ == "__main__":
    bench(lambda what, value: print(f"  {what:<90}{value}"))
