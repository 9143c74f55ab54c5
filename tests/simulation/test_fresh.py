"""Scenarios that nobody wrote: the same for everybody, and about an alert that their fault made fire."""

from __future__ import annotations

import pytest

from workers.simulation import SimulationError, fresh, library
from workers.simulation.running import stage


def test_a_number_is_the_same_scenario_each_time_and_another_number_is_another() -> None:
    first = fresh.compose("fresh-4")
    assert fresh.compose("fresh-4") == first
    assert fresh.compose("fresh-97") != first
    assert library.load("fresh-4") == first


@pytest.mark.parametrize("number", [0, 5, 16])
def test_its_alert_fires_since_the_fault_and_does_not_without_it(number: int) -> None:
    it = library.load(f"fresh-{number}")
    staged = stage(it.name)
    (cause, *_) = staged.truth.causes
    assert cause.fault == it.faults[0].fault
    assert all(alert["startsAt"] > cause.onset for alert in staged.alert["alerts"])
    with pytest.raises(SimulationError, match="does not fire"):
        stage(it.name, of=it.model_copy(update={"faults": ()}))


def test_what_is_no_number_is_no_fresh_scenario() -> None:
    with pytest.raises(SimulationError, match="fresh-NUMBER"):
        fresh.compose("fresh-one")
    with pytest.raises(SimulationError, match="no scenario called 'fresh-one'"):
        library.load("fresh-one")
