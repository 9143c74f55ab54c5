"""Patterns of alert types."""

from __future__ import annotations

import time

import pytest

from workers.store.globs import is_glob, matches


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("A", "A", True),
        ("A", "a", False),
        ("A", "AB", False),
        ("", "", True),
        ("*", "", True),
        ("Kube*", "KubePod", True),
        ("*Pod*Loop*", "KubePodCrashLooping", True),
        ("*Pod*Loop", "KubePodCrashLooping", False),
        ("Kube???", "KubePod", True),
        ("Kube?", "KubePod", False),
        ("[K]ube", "Kube", False),
        ("disk [/var]", "disk [/var]", True),
        ("*b", "aab", True),
    ],
)
def test_a_pattern_knows_stars_and_question_marks_only(pattern: str, name: str, fits: bool) -> None:
    assert matches(pattern, name) is fits
    assert is_glob(pattern) is ("*" in pattern or "?" in pattern)


def test_a_pattern_of_many_stars_is_answered_at_once() -> None:
    began = time.monotonic()
    assert not matches("*a" * 100 + "b", "a" * 1000)
    assert time.monotonic() - began < 1
