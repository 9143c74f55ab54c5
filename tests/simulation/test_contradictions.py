"""A scenario that names what is not there, or contradicts itself, is refused with file, key and reason."""

from __future__ import annotations

from typing import Any

import pytest

from workers.simulation.company import SimulationError
from workers.simulation.running import stage
from workers.simulation.scenario import parse

FAULT = {"fault": "memory_limit_too_low", "victim": "cart", "onset": "16m"}
SOUND: dict[str, Any] = {
    "title": "cart dies",
    "company": "shop",
    "faults": [FAULT],
    "alert": {"rule": "KubePodCrashLooping", "match": {"pod": "cart-.*"}},
}


def refusal(**other: Any) -> str:
    with pytest.raises(SimulationError) as caught:
        parse({**SOUND, **other}, "x", "scenarios/x.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"company": "shoppe"}, "company: there is no company called 'shoppe'; there are freight, shop"),
        ({"faults": [{**FAULT, "victim": "carts"}]}, "faults.0.victim: shop has nothing called 'carts'"),
        ({"faults": [{**FAULT, "fault": "bad_luck"}]}, "faults.0.fault: 'bad_luck' is not in skills/faults.yaml"),
        ({"loudness": "high"}, "loudness: no such key"),
        ({"kinds": ["weird"]}, "kinds: 'weird' is no kind of group L"),
        ({"verdict": "false_alarm"}, "faults: a false alarm has none"),
        (
            {"faults": [{**FAULT, "delay": "2h"}]},
            "faults.0.delay: 2h after an onset 16m ago nothing has happened yet",
        ),
        (
            {"faults": [{**FAULT, "lasts": "2h"}], "verdict": "recovered"},
            "faults.0.lasts: it lasts 2h and is not over by now",
        ),
        ({"faults": [{**FAULT, "lasts": "5m"}]}, "verdict: incident, but every fault is over by now"),
        ({"kinds": ["false_alarm"]}, "kinds: false_alarm, but the verdict is incident"),
        ({"kinds": ["already_recovered"]}, "kinds: already_recovered, but the verdict is incident"),
        ({"kinds": ["two_independent_faults"]}, "kinds: two_independent_faults, but there are 1 faults"),
        ({"kinds": ["telemetry_gap"]}, "kinds: telemetry_gap, but nothing is missing"),
        ({"decoys": [{"service": "cart", "ago": "5m"}]}, "decoys.0.service: 'cart' is the victim of a fault"),
    ],
)
def test_a_contradiction_is_told_by_file_key_and_reason(other: dict[str, Any], said: str) -> None:
    assert refusal(**other).startswith(f"scenarios/x.yaml: {said}")


def test_a_file_of_words_is_told_from_a_scenario() -> None:
    with pytest.raises(SimulationError, match=r"scenarios/x\.yaml: holds no mapping of keys but 'just words'"):
        parse("just words", "x", "scenarios/x.yaml")


def test_what_is_said_to_be_over_must_not_fire_any_more() -> None:
    it = parse({**SOUND, "verdict": "recovered", "alert": {**SOUND["alert"], "ago": "5m"}}, "x", "scenarios/x.yaml")
    with pytest.raises(SimulationError, match=r"scenarios/x\.yaml: verdict: recovered, but KubePodCrashLooping still"):
        stage("x", of=it)
