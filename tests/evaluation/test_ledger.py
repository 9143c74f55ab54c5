"""The record of a run in progress: killed anywhere, it goes on and counts nothing twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evaluation.results_of import result
from workers.evaluation.ledger import opened
from workers.evaluation.purse import append
from workers.evaluation.results import Result, ResultsError

PLAN = {"cases": ["a", "b"], "repeats": 1}


def test_a_resumed_run_knows_what_was_done_and_spent(tmp_path: Path) -> None:
    path = tmp_path / "run.json.ledger"
    first = opened(path, PLAN, Result)
    first.add(result("a"))
    append(path, {"kind": "spent", "dollars": 0.25})
    again = opened(path, PLAN, Result)
    assert (list(again.results), again.spent, again.resumed) == (["a|offline|0"], 0.25, True)


def test_a_line_that_the_kill_cut_is_dropped_and_the_next_stands_alone(tmp_path: Path) -> None:
    path = tmp_path / "run.json.ledger"
    opened(path, PLAN, Result).add(result("a"))
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"kind": "result", "result": {"case": "b"')
    again = opened(path, PLAN, Result)
    assert list(again.results) == ["a|offline|0"]
    again.add(result("b"))
    assert list(opened(path, PLAN, Result).results) == ["a|offline|0", "b|offline|0"]


def test_a_case_that_was_written_twice_counts_once(tmp_path: Path) -> None:
    path = tmp_path / "run.json.ledger"
    ledger = opened(path, PLAN, Result)
    ledger.add(result("a"))
    ledger.add(result("a"))
    assert len(opened(path, PLAN, Result).results) == 1


def test_another_plan_is_refused_with_what_differs(tmp_path: Path) -> None:
    path = tmp_path / "run.json.ledger"
    opened(path, PLAN, Result)
    with pytest.raises(ResultsError, match=r"run\.json\.ledger: a run with another repeats"):
        opened(path, {**PLAN, "repeats": 2}, Result)


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "run.json.ledger"
    opened(path, PLAN, Result)
    with path.open("ab") as file:
        file.write(b"nonsense\n")
    with pytest.raises(ResultsError, match=r"run\.json\.ledger:2: not a line of a run"):
        opened(path, PLAN, Result)
