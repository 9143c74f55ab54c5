"""The limit of dollars is hard: what the next call could cost is reserved before it is made."""

from __future__ import annotations

import json
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from workers.evaluation.purse import EMPTY, Metered, Purse, dearest
from workers.llm.base import ModelError, Reply, Usage
from workers.llm.prices import price_of


class Paid:
    """Costs what it is told to cost."""

    name = "claude-sonnet-5-5"

    def __init__(self, dollars: float, error: str | None = None) -> None:
        self.dollars, self.error, self.calls = dollars, error, 0

    def reply(self, system: str, tools: Any, messages: Any, **_: Any) -> Reply:
        self.calls += 1
        if self.error:
            raise ModelError(self.error, "")
        return Reply(content=[], stop_reason="end_turn", usage=Usage(dollars=self.dollars))


def purse(limit: float | None, ledger: Path) -> Purse:
    return Purse(get_context("fork").Value("d", 0.0), limit, ledger)


def test_a_call_that_could_break_the_limit_is_not_made(tmp_path: Path) -> None:
    most = dearest(price_of(Paid.name), ["", [], []], 4000)
    model, told = Paid(most), list[bool]()
    metered = Metered(model, purse(2.5 * most, tmp_path / "l"), lambda: told.append(True))
    metered.reply("", [], [])
    metered.reply("", [], [])
    with pytest.raises(ModelError) as refused:
        metered.reply("", [], [])
    assert (model.calls, refused.value.kind, told) == (2, EMPTY, [True])


def test_what_was_spent_is_written_down_at_once(tmp_path: Path) -> None:
    metered = Metered(Paid(0.01), purse(None, tmp_path / "l"), lambda: None)
    metered.reply("", [], [])
    assert json.loads((tmp_path / "l").read_text()) == {"kind": "spent", "dollars": pytest.approx(0.01)}


def test_a_call_that_failed_gives_its_reservation_back(tmp_path: Path) -> None:
    held = purse(1.0, tmp_path / "l")
    with pytest.raises(ModelError):
        Metered(Paid(0, error="overloaded"), held, lambda: None).reply("", [], [])
    assert held.held == pytest.approx(0)


def test_the_dearest_price_is_above_any_that_the_vendor_asks() -> None:
    price = price_of("claude-opus-5-5")
    text = "an ordinary sentence of a conversation " * 100
    # Four bytes a token in English; never fewer than two and a half.
    usual = price.dollars(fresh=len(text) // 4, output=500)
    assert dearest(price, text, 4000) > usual
