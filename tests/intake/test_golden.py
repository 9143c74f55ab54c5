"""Every real sample reads as it was read when somebody last looked at it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.intake import read
from tests.intake.golden import HERE, names, payload, told

GOLDEN: dict[str, Any] = json.loads((HERE / "golden.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", names())
def test_sample_reads_as_recorded(name: str) -> None:
    assert told(read(payload(name), channel="C0ALERTS")) == GOLDEN[name]


def test_no_sample_lost_its_golden_result() -> None:
    assert sorted(GOLDEN) == names()


def test_a_sample_reads_the_same_in_its_wrapping_and_in_a_list() -> None:
    wrapped = [
        json.loads((HERE / "payloads" / f"{n}.json").read_text(encoding="utf-8"))
        for n in names()
        if n.startswith("am-")
    ]
    alone = [a for one in wrapped for a in read(one["payload"]).alerts]
    assert [a.model_dump() for a in read(wrapped).alerts] == [a.model_dump() for a in alone]


def test_kind_and_source_of_the_wrapping_are_never_relied_on() -> None:
    wrapped = {"source": "x", "kind": "pagerduty.nonsense", "payload": payload("am-webhook-firing-single")}
    assert read(wrapped).alerts[0].source == "alertmanager"
