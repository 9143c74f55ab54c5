from __future__ import annotations

import pytest

from tests.evaluation.made import LIMIT, OOM, shown
from workers.domain import Evidence
from workers.evaluation import predicates
from workers.evaluation.predicates import Uncheckable, covered, is_checkable, satisfied


@pytest.mark.parametrize(
    ("predicate", "text"),
    [
        ("pod ~ cart-* and lastState.reason = OOMKilled", OOM),
        ("limits.memory of cart is 128Mi", LIMIT),
        ("log ~ too many clients already", "FATAL:  sorry, too many   clients already"),
        (
            "event.reason = FailedScheduling and message ~ untolerated taint",
            "FailedScheduling: had untolerated taint {x}",
        ),
        ("log ~ no such host or log ~ NXDOMAIN", "lookup cart: nxdomain"),
        ("event.reason = FailedScheduling and message ~ taint", "PodScheduled=False Unschedulable: untolerated taint"),
        ("log ~ refused|timed out", "connect: connection refused"),
        ("log ~ dial tcp *: i/o timeout", "dial tcp 10.0.0.1:80: i/o timeout"),
    ],
)
def test_a_predicate_is_satisfied_by_one_piece_of_evidence(predicate: str, text: str) -> None:
    assert satisfied(predicate, shown("E1", text))


@pytest.mark.parametrize(
    ("predicate", "text"),
    [
        ("lastState.reason = OOMKilled", "container was not OOMKilledBefore"),
        ("limits.memory of cart is 128Mi", "container cart limits.memory 1128Mi"),
        ("limits.memory of cart is 128Mi", "container pricing limits.memory 128Mi"),
        ("event.reason = FailedScheduling and message ~ untolerated taint", "FailedScheduling: Insufficient cpu"),
    ],
)
def test_a_predicate_is_not_satisfied_by_what_only_looks_alike(predicate: str, text: str) -> None:
    assert not satisfied(predicate, shown("E1", text))


def test_two_halves_in_two_places_do_not_make_a_whole() -> None:
    halves = [shown("E1", "OOMKilled"), shown("E2", "pod cart-1")]
    assert not covered("OOMKilled and pod ~ cart-*", halves)


def test_a_metric_may_stand_in_the_query() -> None:
    it = Evidence(id="E1", skill="prometheus", tool="t", query="max(pg_locks_count{mode=~'x'})", excerpt="12 now")
    assert satisfied("pg_locks_count grows", it)


@pytest.mark.parametrize("prose", ["its own durations stay flat", "requests of the callee grow far above"])
def test_prose_names_nothing_and_is_refused(prose: str) -> None:
    assert not is_checkable(prose)
    with pytest.raises(Uncheckable, match="names nothing"):
        predicates.parse(prose)
