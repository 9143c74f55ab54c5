"""What people write is read as typed readings, or not at all; and each can be said back in a plain line."""

from __future__ import annotations

import pytest

from workers.domain import EntityPattern, Reading
from workers.guidance import parse_model_readings, readings_by_rules, say


def test_an_expected_fault_has_its_thing_and_its_window() -> None:
    (reading,) = readings_by_rules("The nightly batch makes cart OOM between 02:00 and 04:00 UTC, that is expected.")
    assert (reading.kind, reading.fault, reading.window) == ("expected", "memory_limit_too_low", "02:00-04:00 UTC")
    assert reading.entity == EntityPattern(name="cart")
    assert say(reading) == "`memory_limit_too_low` of cart is expected (02:00-04:00 UTC)"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Check the payments redis first", "look first at payments-redis"),
        ("checkout depends on cart", "checkout depends on cart"),
        ("Ignore ImagePullBackOff in namespace dev", "ignore `image_not_found` of dev/*"),
        ('Ignore "connection reset by peer"', 'ignore "connection reset by peer"'),
        ("owner: team-cart", "owner of whatever alerted: team-cart"),
        (
            "Runbook https://runbooks.example.com/cart.",
            "runbook of whatever alerted: https://runbooks.example.com/cart",
        ),
        ("A traffic spike on weekends is normal", "`traffic_surge` of whatever alerted is expected (weekends)"),
    ],
)
def test_common_sentences_are_read(text: str, said: str) -> None:
    assert [say(r) for r in readings_by_rules(text)] == [said]


def test_several_sentences_give_several_readings_each_once() -> None:
    readings = readings_by_rules("checkout depends on cart. Owner: team-a. checkout depends on cart.")
    assert [r.kind for r in readings] == ["depends_on", "owner"]


@pytest.mark.parametrize("text", ["", "   ", "Thanks for the great work!", "👍", "x" * 1000])
def test_words_that_say_nothing_give_no_reading(text: str) -> None:
    assert readings_by_rules(text) == ()


def test_a_models_readings_are_kept_only_where_they_are_valid() -> None:
    good = {"kind": "expected", "fault": "memory_leak", "entity": {"name": "cart"}}
    bad = [
        {"kind": "expected", "fault": "gremlins"},
        {"kind": "expected", "fault": "false_alarm"},
        {"kind": "obey", "text": "x"},
        {"kind": "owner"},
        "nonsense",
    ]
    assert parse_model_readings({"readings": [good, *bad]}) == (Reading.model_validate(good),)
    assert parse_model_readings("nonsense") == ()
