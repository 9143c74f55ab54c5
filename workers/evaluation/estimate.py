"""What a run will cost, said before the first paid call: a typical investigation, priced, times their number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workers.evaluation.staging import Job
from workers.llm.prices import price_of

TURNS = 8
PREFIX_TOKENS = 3_200
FIRST_PAGE_TOKENS = 7_000
TURN_TOKENS = 1_800
ANSWER_TOKENS = 450
"""A typical investigation: the static prefix is cached, the conversation grows by one result and one answer a turn."""


@dataclass(frozen=True)
class Estimate:
    investigations: int
    """Paid ones."""
    dollars: float
    most: float
    """When each investigation uses up its own budget."""


def typical(model: str) -> float:
    """Dollars of one investigation."""
    price = price_of(model)
    read = sum(PREFIX_TOKENS + FIRST_PAGE_TOKENS + turn * (TURN_TOKENS + ANSWER_TOKENS) for turn in range(1, TURNS))
    written = PREFIX_TOKENS + FIRST_PAGE_TOKENS + TURNS * TURN_TOKENS
    return price.dollars(fresh=0, output=TURNS * ANSWER_TOKENS, read=read, written_5m=written)


def estimate(jobs: Sequence[Job], free: str, budget_dollars: float) -> Estimate:
    paid = [job for job in jobs if job.variant.model != free]
    return Estimate(len(paid), sum(typical(job.variant.model) for job in paid), budget_dollars * len(paid))
