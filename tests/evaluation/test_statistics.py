from __future__ import annotations

import pytest

from workers.evaluation import statistics as st


def test_wilson_agrees_with_the_published_example() -> None:
    # Newcombe 1998, table I: 81 of 263.
    interval = st.wilson(81, 263)
    assert interval is not None
    assert (round(interval.low, 4), round(interval.high, 4)) == (0.2553, 0.3662)


def test_wilson_of_nothing_is_absent_and_not_zero() -> None:
    assert st.wilson(0, 0) is None
    none, all_of_them = st.wilson(0, 5), st.wilson(5, 5)
    assert none is not None
    assert all_of_them is not None
    assert none.low == 0 < none.high < 1
    assert 0 < all_of_them.low < all_of_them.high == 1


def test_a_bootstrap_is_the_same_for_the_same_seed_and_holds_its_estimate() -> None:
    values = [0.0, 1.0, 1.0, 0.5, 1.0, 0.0, 1.0]
    first, again = st.bootstrap_mean(values, seed="a"), st.bootstrap_mean(values, seed="a")
    assert first == again
    assert first is not None
    assert first.low < first.value < first.high


def test_a_bootstrap_covers_the_truth_about_as_often_as_it_says() -> None:
    import random

    dice, held = random.Random(7), 0
    for i in range(200):
        sample = [float(dice.random() < 0.6) for _ in range(60)]
        interval = st.bootstrap_mean(sample, seed=str(i), samples=300)
        assert interval is not None
        held += interval.low <= 0.6 <= interval.high
    assert 0.88 <= held / 200 <= 0.99


def test_a_macro_average_weighs_labels_and_not_items() -> None:
    assert st.macro([("a", 1.0), ("a", 1.0), ("a", 1.0), ("b", 0.0)]) == 0.5


def test_mcnemar_is_exact() -> None:
    assert st.mcnemar(0, 0) == 1
    assert st.mcnemar(0, 5) == pytest.approx(2 / 32)
    assert st.mcnemar(5, 5) == 1
    assert st.worse_by_chance(0, 5) == pytest.approx(1 / 32)


def test_brier_is_the_mean_squared_distance() -> None:
    assert st.brier([(1.0, True), (0.5, False)]) == pytest.approx(0.125)
    assert st.brier([]) is None


def test_reliability_sets_what_was_stated_against_what_was_right() -> None:
    (high, low) = st.reliability([("high", 0.9, True), ("high", 0.8, False), ("low", 0.2, False)])
    assert (high.label, high.right.value, high.right.n) == ("high", 0.5, 2)
    assert high.stated == pytest.approx(0.85)
    assert low.right.value == 0


def test_kendalls_tau_knows_the_same_order_and_the_opposite() -> None:
    ranks = {"a": 1.0, "b": 2.0, "c": 3.0}
    assert st.kendall_tau(ranks, ranks) == 1
    assert st.kendall_tau(ranks, {k: -v for k, v in ranks.items()}) == -1
    assert st.kendall_tau(ranks, dict.fromkeys(ranks, 1.0)) is None
