from __future__ import annotations

from tests.evaluation.results_of import HIGH_WRONG, RIGHT, WRONG, result
from workers.evaluation.effect import of
from workers.evaluation.pairs import compare


def test_an_effect_is_better_only_when_something_is_fixed_and_nothing_broken() -> None:
    assert of(compare([result("a", WRONG)], [result("a", RIGHT)])).said == "better"
    assert of(compare([result("a")], [result("a")])).said == "no change"
    both = compare([result("a", WRONG), result("b")], [result("a"), result("b", WRONG)])
    assert (of(both).said, of(both).why) == ("worse", "1 fixed, 1 broken, 0 unknown of 2")


def test_an_effect_off_the_tape_is_unknown() -> None:
    assert of(compare([result("a", WRONG)], [result("a", RIGHT, off_tape=0.5)])).said == "unknown"


def test_a_new_high_and_wrong_is_worse_whatever_was_fixed() -> None:
    found = of(compare([result("a", WRONG), result("b", WRONG)], [result("a"), result("b", HIGH_WRONG)]))
    assert found.said == "worse"
