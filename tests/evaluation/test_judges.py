"""A judge counts only as far as it was measured, on labels that nobody tuned it on."""

from __future__ import annotations

import random

import pytest

from workers.evaluation.judges import Label, alignment, cohens_kappa, corrected, quality, rogan_gladen


def labels(tp: int, fn: int, tn: int, fp: int, split: str = "test", version: int = 1) -> list[Label]:
    kinds = [(True, True)] * tp + [(True, False)] * fn + [(False, False)] * tn + [(False, True)] * fp
    return [Label(f"{split}{i}", truth, judged, split, version) for i, (truth, judged) in enumerate(kinds)]  # type: ignore[arg-type]


def test_the_published_example_is_corrected_as_published() -> None:
    # reference/trace-and-eval.md, section 7: TPR 0.92, TNR 0.88, 0.80 observed.
    assert rogan_gladen(0.80, 0.92, 0.88) == pytest.approx(0.85)


def test_a_judge_that_is_hardly_better_than_a_coin_is_not_usable_and_corrects_nothing() -> None:
    bad = labels(45, 5, 10, 40)
    it = corrected([True] * 80 + [False] * 20, bad, seed="s")
    assert (it.quality.state, it.corrected, it.observed) == ("not usable", None, 0.8)
    assert "below 1.2" in it.quality.why


def test_only_the_held_out_split_and_the_current_criterion_count() -> None:
    perfect_elsewhere = labels(50, 0, 50, 0, split="dev") + labels(50, 0, 50, 0, version=2)
    assert quality(perfect_elsewhere).state == "not usable"
    assert quality(perfect_elsewhere, criterion_version=2).state == "usable"


def test_few_labels_and_low_rates_make_a_weak_judge() -> None:
    assert quality(labels(18, 2, 18, 2)).state == "weak"
    assert quality(labels(37, 13, 48, 2)).state == "weak"
    assert quality(labels(46, 4, 45, 5)).state == "usable"


def test_the_corrected_rate_covers_the_truth_where_the_observed_one_does_not() -> None:
    dice, held = random.Random(3), 0
    for i in range(40):
        truths = [dice.random() < 0.6 for _ in range(300)]
        verdicts = [dice.random() < 0.9 if t else dice.random() < 0.25 for t in truths]
        good = sum(dice.random() < 0.9 for _ in range(60))
        bad = sum(dice.random() < 0.75 for _ in range(60))
        it = corrected(verdicts, labels(good, 60 - good, bad, 60 - bad), seed=str(i))
        assert it.corrected is not None
        held += it.corrected.low <= 0.6 <= it.corrected.high
    assert held >= 35


def test_alignment_is_the_harmonic_mean_of_coverage_and_sparing_the_good() -> None:
    it = alignment(labels(8, 2, 9, 1))
    assert it is not None
    assert (it.coverage, it.false_failures) == (0.9, 0.2)
    assert it.alignment == pytest.approx(2 * 0.9 * 0.8 / 1.7)


def test_kappa_is_agreement_beyond_chance() -> None:
    assert cohens_kappa([True, False, True, False], [True, False, True, False]) == 1
    assert cohens_kappa([True, True, False, False], [True, False, True, False]) == 0
