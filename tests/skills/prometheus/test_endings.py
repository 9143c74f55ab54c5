"""What is over by now is told with its end, although the mean of the window still shows it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from skills.contract import Series
from skills.prometheus.analyzers import memory, saturation, state, traffic
from tests.skills.prometheus.test_analyzers import CART, NOW, ONSET, look, series, step

WEB = {"namespace": "shop", "service": "web"}
QUIET = series(lambda m: 10, **WEB)


def between(low: float, high: float, first: int, end: int) -> Callable[[float], float]:
    return lambda m: high if first <= m < end else low


def test_errors_that_ended_are_past_and_say_since_when() -> None:
    (found,) = traffic.analyze(look(requests=(QUIET,), errors=(series(between(0, 3, 2, 20), **WEB),)))
    assert not found.ongoing
    assert found.summary.endswith(", no more since 11:50:00Z")


@pytest.mark.parametrize("end", [29, 31], ids=["two quiet minutes", "none"])
def test_errors_that_paused_for_a_moment_go_on(end: int) -> None:
    (found,) = traffic.analyze(look(requests=(QUIET,), errors=(series(between(0, 3, 2, end), **WEB),)))
    assert found.ongoing


def test_a_rush_that_is_over_was_a_surge_with_a_beginning() -> None:
    (found,) = traffic.analyze(look(requests=(series(between(10, 60, 3, 16), **WEB),)))
    assert (found.faults[0], found.ongoing, found.onset) == ("traffic_surge", False, ONSET + timedelta(minutes=3))
    assert "up to 60 requests/s against 10 before, no more since 11:46:00Z" in found.summary


def test_a_rush_that_lasts_is_no_past_one() -> None:
    (found,) = traffic.analyze(look(requests=(step(10, 60, **WEB),)))
    assert found.ongoing


def test_what_was_full_for_a_while_is_past() -> None:
    labels = {"namespace": "shop", "persistentvolumeclaim": "data"}
    for end, ongoing in ((20, False), (31, True)):
        (found,) = saturation.analyze(look(volume_used=(series(between(0.5, 1.0, 0, end), **labels),)))
        assert found.ongoing is ongoing


def test_a_node_whose_condition_is_gone_was_not_ready_and_one_that_nothing_newer_is_known_of_is_not_ready() -> None:
    down = Series(
        {"node": "worker-1", "status": "unknown"},
        tuple((ONSET + timedelta(minutes=m), 1.0) for m in range(5, 9)),
    )
    (past,) = state.analyze(look(node_not_ready=(down,), requests=(QUIET,)))
    assert (past.ongoing, past.summary) == (
        False,
        f"node worker-1 was not ready (status unknown), no more since {NOW - timedelta(minutes=22):%H:%M:%S}Z",
    )
    (unknown,) = state.analyze(look(node_not_ready=(down,)))
    assert unknown.ongoing


def test_a_pod_that_was_killed_and_replaced_says_nothing_of_its_successor() -> None:
    killed = Series(CART, tuple((ONSET + timedelta(minutes=m), 1.0) for m in range(0, 9)))
    (past,) = memory.analyze(look(oom_killed=(killed,), requests=(QUIET,)))
    assert (past.ongoing, past.summary) == (False, "cart reached its memory limit, no more since 11:38:00Z")
    again = step(1.0, 1.0, **{**CART, "pod": "cart-7d9f8c6b5-zz9zz"})
    (present,) = memory.analyze(look(oom_killed=(killed, again), requests=(QUIET,)))
    assert present.ongoing
