"""Whatever comes in, it is parsed or refused with a reason; nothing crashes, nothing is unbounded."""

from __future__ import annotations

import copy
import json
import random
import time
from typing import Any

import pytest

from bot.intake import build, read, read_bytes
from bot.intake.read import LARGEST_BYTES, decode, event_key
from tests.intake.golden import names, payload

NASTY: list[Any] = [
    None, True, 0, -1, 1e308, 10**30, "", " ", "x" * 5000, "\x00\ud800\u202e", "<@U1|", "<http://|>", "](((",
    "[FIRING:9999999999]", "https://[::1", "$SERVICE", [], [[]], [None], {}, {"": ""}, {"a": {"b": [1]}},
    ["x", {"type": "section"}], "0001-01-01T00:00:00Z", "9999999999999999999", '{"a":', ":fire:", "*" * 300, "`" * 99,
    "a:b " * 300, "Labels:\n - a = b\nLabels:", "\u0130" * 40,
]  # fmt: skip


def mutate(value: Any, dice: random.Random) -> Any:
    """The value with a few members replaced, dropped, repeated or renamed."""
    value = copy.deepcopy(value)
    for _ in range(dice.randint(1, 4)):
        value = _one_change(value, dice)
    return value


def _one_change(value: Any, dice: random.Random) -> Any:
    if isinstance(value, dict) and value and dice.random() < 0.85:
        name = dice.choice(list(value))
        if dice.random() < 0.1:
            del value[name]
        elif dice.random() < 0.1:
            value[dice.choice(["alerts", "attachments", "event", "data", "labels", "payload", "Message"])] = value.pop(
                name
            )
        else:
            value[name] = _one_change(value[name], dice)
        return value
    if isinstance(value, list) and value and dice.random() < 0.8:
        place = dice.randrange(len(value))
        if dice.random() < 0.2:
            value.append(value[place])
        else:
            value[place] = _one_change(value[place], dice)
        return value
    return copy.deepcopy(dice.choice(NASTY))


@pytest.mark.parametrize("seed", range(12))
def test_mutated_samples_never_crash_and_results_can_be_stored(seed: int) -> None:
    dice = random.Random(seed)
    samples = [payload(name) for name in names()]
    for _ in range(150):
        found = read(mutate(dice.choice(samples), dice))
        assert bool(found.alerts) != bool(found.reason)
        for alert in found.alerts:
            json.dumps(alert.model_dump(mode="json"), ensure_ascii=False).encode("utf-8")
            assert alert.alert_type.strip()
            assert alert.fingerprint.strip()
            assert "\x00" not in alert.title + alert.summary


@pytest.mark.parametrize("value", NASTY)
def test_odd_values_in_place_of_a_payload_are_refused(value: Any) -> None:
    assert read(value).reason or read(value).alerts


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"{", "not JSON"),
        (b"hello", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[" * 200_000, "nested too deeply"),
        (b"9" * 5000, "not JSON"),
        (b'"text"', "not a JSON object"),
        (b"[]", "empty list"),
        (b"{}", "no title"),
        (b" " * (LARGEST_BYTES + 1), "bytes"),
    ],
)
def test_bytes_that_hold_no_alert_say_why(data: bytes, reason: str) -> None:
    assert reason in read_bytes(data).reason


def test_invalid_utf8_is_read_and_marked() -> None:
    body = json.dumps(payload("am-webhook-firing-single")).encode().replace(b"rising", b"ris\xffing")
    assert "�" in read_bytes(body).alerts[0].title


def test_a_byte_order_mark_is_no_obstacle() -> None:
    assert read_bytes(b"\xef\xbb\xbf" + json.dumps({"title": "x is stuck"}).encode()).alerts


def test_halves_of_surrogate_pairs_do_not_reach_the_store() -> None:
    assert read_bytes(b'{"title": "broken \\ud800 pair", "severity": "high"}').alerts[0].title == "broken � pair"


def test_ten_thousand_labels_are_bounded_and_say_so() -> None:
    body = payload("am-webhook-firing-single")
    body["alerts"][0]["labels"] |= {f"label_{n}": "v" * 2000 for n in range(10_000)}
    labels = read(body).alerts[0].labels
    assert len(labels) == build.MOST_LABELS + 1
    assert labels["gumshoe_labels_left_out"] == str(10_005 - build.MOST_LABELS)
    assert "more characters" in labels["label_0"]


def test_a_megabyte_of_text_is_cut_visibly_and_soon() -> None:
    body = payload("am-webhook-firing-single")
    body["alerts"][0]["annotations"] = {"summary": "s " * 300_000, "description": "d" * 1_000_000}
    began = time.monotonic()
    alert = read_bytes(json.dumps(body).encode()).alerts[0]
    assert len(alert.title) < 400
    assert alert.summary.endswith("more characters)")
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "unit", ["x", "a ", "a:b ", "*", "`", "<", "[", "(", "'", "1", "1a", "a.", "a-", ":", "\n", "- a = b\n", "é"]
)
@pytest.mark.parametrize("place", ["text", "title", "body"])
def test_no_text_makes_a_pattern_run_away(unit: str, place: str) -> None:
    words = unit * (200_000 // len(unit))
    post: dict[str, Any] = {"bot_id": "B1", "username": "x"}
    posts = {
        "text": {**post, "text": f"CRITICAL: {words}"},
        "title": {**post, "attachments": [{"title": f"[FIRING:1] {words}", "text": words, "footer": "Grafana"}]},
        "body": {"title": words, "severity": "high", "message": words},
    }
    began = time.monotonic()
    read(posts[place])
    assert time.monotonic() - began < 3


def test_many_alerts_are_bounded_and_counted() -> None:
    body = payload("am-webhook-firing-single")
    body["alerts"] = [{**body["alerts"][0], "fingerprint": str(n)} for n in range(1500)]
    found = read(body).alerts
    assert len(found) == build.MOST_ALERTS
    assert found[0].labels["gumshoe_alerts_left_out"] == "1000"


def test_no_json_is_told_apart_from_json_without_an_alert() -> None:
    assert decode(b"{").problem
    assert not decode(b"{}").problem


def test_a_delivery_is_known_by_the_name_its_sender_gives_it() -> None:
    assert event_key(payload("slack-in-bot-message")) == "Ev222"
    assert event_key(payload("own-pagerduty-v3-triggered")) == "01EXAMPLEEVENTERED"
    assert event_key(payload("own-cloudwatch-sns-direct")) == "m-1"
    assert event_key(payload("am-webhook-firing-single")) == ""
    assert event_key(["x"]) == ""
