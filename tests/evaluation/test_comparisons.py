"""Compare, gate, toggles, saturate: on hand-made results."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evaluation.made import HEALTHY, finding
from tests.evaluation.results_of import HIGH_WRONG, RIGHT, WRONG, result, run_of
from workers.evaluation import gate
from workers.evaluation.pairs import compare
from workers.evaluation.results import ResultsError
from workers.evaluation.saturation import saturation, table
from workers.evaluation.toggles import worths

TWENTY = [f"case{i:02}" for i in range(20)]


def twenty(*wrong: int, said: object = WRONG, **more: object) -> list[object]:
    return [result(name, said if i in wrong else RIGHT, **more) for i, name in enumerate(TWENTY)]  # type: ignore[arg-type]


def judged(before: list[object], after: list[object], strict: bool = False) -> gate.Verdict:
    return gate.judge(run_of(*after), gate.baseline(run_of(*before)), strict=strict)  # type: ignore[arg-type]


def test_the_same_run_passes_its_own_gate() -> None:
    assert judged(twenty(3), twenty(3)).passes


def test_one_case_worse_is_noise_and_strict_says_it_all_the_same() -> None:
    verdict = judged(twenty(), twenty(4))
    assert (verdict.passes, verdict.cases) == (True, ("case04|offline|0",))
    assert judged(twenty(), twenty(4), strict=True).reasons == ("1 cases no longer pass",)


def test_six_cases_worse_are_beyond_noise_and_are_named() -> None:
    verdict = judged(twenty(), twenty(0, 1, 2, 3, 4, 5))
    assert not verdict.passes
    assert "McNemar" in verdict.reasons[0]
    assert len(verdict.cases) == 6


def test_as_many_better_as_worse_is_no_regression() -> None:
    assert judged(twenty(0, 1, 2, 3, 4, 5), twenty(10, 11, 12, 13, 14, 15)).passes


def test_a_new_high_and_wrong_fails_whatever_else_is_better() -> None:
    verdict = judged(twenty(0, 1, 2, 3), twenty(7, said=HIGH_WRONG))
    assert "new High and wrong: case07|offline|0" in verdict.reasons


def test_an_old_high_and_wrong_is_known() -> None:
    assert judged(twenty(7, said=HIGH_WRONG), twenty(7, said=HIGH_WRONG)).passes


def test_a_broken_case_fails_and_is_named() -> None:
    assert any(r.startswith("broken: case03") for r in judged(twenty(), twenty(3, said=None)).reasons)


def test_runs_without_a_common_case_do_not_pass_as_equal() -> None:
    assert judged([result("x")], [result("y")]).reasons == ("no case is both in the run and in the baseline",)


def test_a_baseline_is_read_as_it_was_written_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    run = run_of(*twenty(2, said=HIGH_WRONG))  # type: ignore[arg-type]
    path = tmp_path / "baseline.json"
    gate.write_baseline(run, path)
    assert gate.read_baseline(path) == gate.baseline(run)
    path.write_text("{")
    with pytest.raises(ResultsError, match=r"baseline\.json: not JSON"):
        gate.read_baseline(path)


def test_a_comparison_says_what_changed_case_by_case() -> None:
    found = compare([result("a"), result("b", WRONG), result("c")], [result("a", WRONG), result("b"), result("d")])
    assert (found.fixed, found.broken, found.only_before, found.only_after) == (1, 1, ("c|0",), ("d|0",))
    assert [(e.key.split("|")[0], e.kind) for e in found.effects] == [("a", "broken"), ("b", "fixed")]
    assert "pricing" in found.effects[0].after


def test_an_effect_too_far_off_the_tape_is_unknown_and_never_better() -> None:
    found = compare([result("a", WRONG, off_tape=0.0)], [result("a", RIGHT, off_tape=0.21)])
    assert (found.fixed, found.unknown, found.effects[0].kind) == (0, 1, "unknown")
    near = compare([result("a", WRONG, off_tape=0.0)], [result("a", RIGHT, off_tape=0.2)])
    assert near.fixed == 1


def test_a_skill_is_worth_the_cases_that_are_lost_without_it() -> None:
    on = twenty()
    off = twenty(0, 1, 2, 3, 4, variant="offline, without prometheus")
    (worth,) = worths([*on, *off])  # type: ignore[list-item]
    assert (worth.toggle, worth.pairs, worth.lost) == ("without prometheus", 20, tuple(TWENTY[:5]))
    assert worth.scores["passed"].value == pytest.approx(-0.25)
    assert worth.scores["passed"].high < 0


def test_the_smallest_set_ranks_as_the_whole_does() -> None:
    good, bad = twenty(0, variant="a"), twenty(*range(8), variant="b")
    worst = twenty(*range(14), variant="c")
    found = saturation(table([*good, *bad, *worst]))  # type: ignore[list-item]
    assert list(found.variants) == ["a", "b", "c"]
    assert 3 <= len(found.smallest) < 20
    rows = table([*good, *bad, *worst])  # type: ignore[list-item]
    means = {v: sum(rows[c][v] for c in found.smallest) / len(found.smallest) for v in "abc"}
    assert means["a"] > means["b"] > means["c"]
    assert all(abs(means[v] - found.variants[v]) <= 0.05 for v in "abc")
    spreads = [step.spread for step in found.curve]
    assert spreads[-1] < spreads[0]


def test_a_toggle_that_does_not_touch_a_case_scores_as_everything_on() -> None:
    rows = table([result("a"), result("b"), result("a", WRONG, variant="offline, without loki")])
    assert rows["b"] == {"offline": 1.0, "offline, without loki": 1.0}


def test_a_false_alarm_that_was_left_alone_is_right() -> None:
    assert result("quiet", finding(verdict="false_alarm"), true=HEALTHY).passed == 1
