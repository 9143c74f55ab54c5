"""What a call to a model costs, from prices.yaml. A budget that guesses low is no budget: unknown models are dear."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

CACHE_WRITE_5M, CACHE_WRITE_1H, CACHE_READ = 1.25, 2.0, 0.1
"""Times the price of an input token."""


@dataclass(frozen=True)
class Price:
    input: float
    """Dollars for a million tokens."""
    output: float
    cache_minimum: int
    """Tokens below which a prefix is not cached, whatever is marked."""

    def dollars(self, *, fresh: int, output: int, read: int = 0, written_5m: int = 0, written_1h: int = 0) -> float:
        weighted = fresh + read * CACHE_READ + written_5m * CACHE_WRITE_5M + written_1h * CACHE_WRITE_1H
        return (weighted * self.input + output * self.output) / 1e6


def price_of(model: str) -> Price:
    table = _table()
    best = max((name for name in table if model.startswith(name)), key=len, default="claude")
    return table[best]


@cache
def _table() -> dict[str, Price]:
    rows = yaml.safe_load(files("workers.llm").joinpath("prices.yaml").read_text(encoding="utf-8"))
    return {name: Price(r["input"], r["output"], r["cache_minimum"]) for name, r in rows.items()}
