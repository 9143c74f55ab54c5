"""What people write about alerts, read by rules; and what a model proposes, held to the closed vocabulary."""

from __future__ import annotations

import time
from typing import Any

import pytest

from skills.faults import all_faults
from workers.domain import EntityPattern, Reading
from workers.fault_words import fault_of
from workers.guidance import parse_model_readings, readings_by_rules, say


def thing(name: str, kind: str | None = None, namespace: str | None = None) -> EntityPattern:
    return EntityPattern(kind=kind, namespace=namespace, name=name)


@pytest.mark.parametrize(
    ("text", "readings"),
    [
        (
            "Nightly batch makes cart OOM between 02:00 and 04:00 UTC, that is expected",
            [Reading(kind="expected", entity=thing("cart"), fault="memory_limit_too_low", window="02:00-04:00 UTC")],
        ),
        (
            "CPU throttling of deployment search is normal on weekends",
            [
                Reading(
                    kind="expected",
                    entity=thing("search", "Deployment"),
                    fault="cpu_throttled_by_limit",
                    window="weekends",
                )
            ],
        ),
        (
            "payments latency from 9am to 5pm Europe/Berlin is normal",
            [Reading(kind="expected", entity=thing("payments"), window="09:00-17:00 Europe/Berlin")],
        ),
        (
            "memory leak in search is known every Sunday",
            [Reading(kind="expected", entity=thing("search"), fault="memory_leak", window="every sunday")],
        ),
        (
            "check the payments redis first",
            [Reading(kind="look_first", target=thing("payments-redis"), text="the payments redis")],
        ),
        (
            "If the cart is slow, check redis-cart first",
            [Reading(kind="look_first", target=thing("redis-cart"), text="redis-cart")],
        ),
        (
            "Start with Deployment cart",
            [Reading(kind="look_first", target=thing("cart", "Deployment"), text="Deployment cart")],
        ),
        (
            "ignore ImagePullBackOff in namespace dev",
            [
                Reading(
                    kind="ignore",
                    entity=thing("*", namespace="dev"),
                    fault="image_not_found",
                    text="ImagePullBackOff in namespace dev",
                )
            ],
        ),
        (
            "OOMKilled in the dev namespace can be ignored.",
            [
                Reading(
                    kind="ignore",
                    entity=thing("*", namespace="dev"),
                    fault="memory_limit_too_low",
                    text="OOMKilled in the dev namespace",
                )
            ],
        ),
        ("checkout depends on cart", [Reading(kind="depends_on", entity=thing("checkout"), target=thing("cart"))]),
        (
            "cart needs redis-cart and postgres",
            [
                Reading(kind="depends_on", entity=thing("cart"), target=thing("redis-cart")),
                Reading(kind="depends_on", entity=thing("cart"), target=thing("postgres")),
            ],
        ),
        ("owner: team-cart", [Reading(kind="owner", text="team-cart")]),
        ("Escalate to #sre-payments!", [Reading(kind="owner", text="#sre-payments")]),
        ("runbook https://wiki.example.com/cart", [Reading(kind="runbook", text="https://wiki.example.com/cart")]),
        (
            "The runbook is <https://wiki.example.com/cart|here>. Owner is @anna.",
            [Reading(kind="runbook", text="https://wiki.example.com/cart"), Reading(kind="owner", text="@anna")],
        ),
    ],
)  # fmt: skip
def test_a_sentence_is_read(text: str, readings: list[Reading]) -> None:
    assert list(readings_by_rules(text)) == readings


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hello there, nice day",
        "This is not expected at night",
        "An OOM here is never normal",
        "cart no longer depends on redis",
        "We had this in May as well",
        "it uses a lot of memory",
    ],
)
def test_what_is_not_understood_is_left_to_the_words(text: str) -> None:
    assert readings_by_rules(text) == ()


def test_several_sentences_give_their_readings_in_order_and_once() -> None:
    text = "Check redis first; owner: team-cart\nowner: team-cart. checkout depends on cart."
    assert [r.kind for r in readings_by_rules(text)] == ["look_first", "owner", "depends_on"]


@pytest.mark.parametrize(
    "unit", ["a ", "a", "a.", "ignore ", "(", "https://", "depends on ", "first ", "in namespace "]
)
def test_no_text_keeps_the_rules_busy(unit: str) -> None:
    began = time.monotonic()
    readings_by_rules(unit * (4000 // len(unit)))
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("OOM", "memory_limit_too_low"),
        ("oomkilled", "memory_limit_too_low"),
        ("OOMKilled", "memory_limit_too_low"),
        ("a leak", "memory_leak"),
        ("ErrImagePull", "image_not_found"),
        ("CrashLoopBackOff", "boot_dependency_missing"),
        ("memory quota", "memory_quota_exhausted"),
        ("throttled", "cpu_throttled_by_limit"),
        ("liveness probe", "liveness_probe_too_aggressive"),
        ("DNS", "dns_resolution_failing"),
        ("queue_backlog", "queue_backlog"),
        ("false_alarm", None),
        ("nothing of that", None),
    ],
)
def test_common_words_name_faults_of_the_vocabulary(words: str, name: str | None) -> None:
    assert fault_of(words) == name


def test_every_reading_is_said_in_one_plain_line() -> None:
    said = {
        say(r)
        for text in (
            "Nightly batch makes cart OOM between 02:00 and 04:00 UTC, that is expected",
            "ignore ImagePullBackOff in namespace dev",
            "check the payments redis first. checkout depends on cart. owner: team-cart",
            "runbook https://wiki.example.com/cart",
        )
        for r in readings_by_rules(text)
    }
    assert said == {
        "Memory limit too low on cart is expected between 02:00 and 04:00 UTC.",
        "Ignore image not found on everything in namespace dev.",
        "Look first at payments-redis.",
        "checkout depends on cart.",
        "The owner is team-cart.",
        "The runbook is https://wiki.example.com/cart.",
    }


def test_a_models_proposal_is_held_to_the_vocabulary() -> None:
    proposed: list[Any] = [
        {"kind": "expected", "fault": "E1", "entity": {"name": "cart"}},
        {"kind": "expected", "fault": "made_up_fault"},
        {"kind": "ignore", "fault": "false_alarm"},
        {"kind": "invented", "text": "x"},
        {"kind": "runbook", "text": "javascript:alert(1)"},
        {"kind": "depends_on", "entity": {"name": "a"}},
        {"kind": "owner", "text": " "},
        "nonsense",
        None,
        {"kind": "owner", "text": "team-cart"},
    ]
    assert parse_model_readings({"readings": proposed}) == (
        Reading(kind="expected", fault="memory_limit_too_low", entity=thing("cart")),
        Reading(kind="owner", text="team-cart"),
    )


@pytest.mark.parametrize("raw", [None, "x", 3, {}, {"readings": "x"}, [[[]]]])
def test_a_model_that_answers_nonsense_proposes_nothing(raw: object) -> None:
    assert parse_model_readings(raw) == ()


def test_every_fault_that_can_be_a_cause_may_be_proposed_by_name() -> None:
    causes = [f for f in all_faults() if f.is_cause][:20]
    assert len(parse_model_readings([{"kind": "ignore", "fault": f.name} for f in causes])) == len(causes)
