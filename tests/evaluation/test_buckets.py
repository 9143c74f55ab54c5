from __future__ import annotations

import pytest

from tests.evaluation.results_of import RIGHT, WRONG, result
from workers.evaluation.buckets import Bucket, Judged, bucket, of_alert_types, of_groups, rule


def judged(right: int, wrong: int, blind: int = 0) -> list[Judged]:
    return [Judged(True)] * right + [Judged(False)] * (wrong - blind) + [Judged(False, blind=True)] * blind


@pytest.mark.parametrize(
    ("given", "promised"),
    [
        (judged(20, 0), "can solve"),
        (judged(9, 0), "learning"),  # right every time, but too seldom seen
        (judged(14, 6), "learning"),  # often right, not surely
        (judged(1, 5, blind=4), "out of reach"),
        (judged(0, 2, blind=2), "learning"),  # two cases say nothing yet
    ],
)
def test_the_three_buckets(given: list[Judged], promised: Bucket) -> None:
    promise = bucket("KubePodCrashLooping", given, rule())
    assert promise is not None
    assert promise.bucket == promised
    assert promise.reason


def test_of_what_nobody_has_seen_nothing_is_promised() -> None:
    assert bucket("x", [], rule()) is None


def test_absent_data_does_not_excuse_what_was_right_all_the_same() -> None:
    promise = bucket("x", [Judged(True, blind=True)] * 20, rule())
    assert promise is not None
    assert promise.bucket == "can solve"


def test_buckets_are_made_for_alert_types_and_for_groups() -> None:
    results = [result(f"c{i}", RIGHT, alert_type="A") for i in range(20)]
    results += [result(f"d{i}", WRONG, alert_type="B") for i in range(3)]
    assert [(p.name, p.bucket) for p in of_alert_types(results, rule())] == [("A", "can solve"), ("B", "learning")]
    assert [p.name for p in of_groups(results, rule())] == ["E"]


def test_the_rule_is_said_in_words() -> None:
    assert "at least 10 judged and right in 70%" in rule().words()
