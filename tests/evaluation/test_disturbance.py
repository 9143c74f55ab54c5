from __future__ import annotations

import pytest

from tests.evaluation.made import span
from workers.evaluation.disturbance import is_disturbed
from workers.trace import Span


def gap(why: str) -> Span:
    return span(gaps=[{"what": "pods", "why": why}])


@pytest.mark.parametrize(
    "why",
    [
        "Kubernetes had not ended its answer after 2.92 s; look at the health of Kubernetes, or ask for less",
        "deployments shop: not read within 3.84 s",
        "Kubernetes was not asked: no time was left; asked: GET /api/v1/namespaces/shop/pods/cart-1/log",
        "Prometheus did not answer within 10 s; look at the health of Prometheus; asked: up",
    ],
)
def test_a_skill_that_gave_up_waiting_disturbs_a_try(why: str) -> None:
    assert is_disturbed([span(), gap(why)])


def test_what_the_system_said_itself_does_not() -> None:
    assert not is_disturbed([gap("403 Forbidden: nodes is forbidden"), gap("3 scrape targets are down: cart")])
    assert not is_disturbed(
        [span("first_look kubernetes", "first_look", "Liveness probe failed: no answer within 1 s")]
    )


def test_a_late_step_disturbs_and_a_refused_one_does_not() -> None:
    assert is_disturbed([span(error="timeout")])
    assert not is_disturbed([span(error="invalid_arguments")])
