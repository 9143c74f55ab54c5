"""Fewer requests than an hour ago are no loss where the hour before was the unusual one."""

from __future__ import annotations

from dataclasses import replace

from skills.contract import Focus, Series, Symptom
from skills.prometheus.analyzers import usual
from tests.skills.prometheus.test_analyzers import look, step

WEB = {"namespace": "shop", "service": "web"}


def seen(now: Series, day_before: Series, *errors: Series, service: str = "web") -> list[Symptom]:
    given = look(requests=(now,), requests_yesterday=(day_before,), errors=errors)
    return usual.analyze(replace(given, focus=Focus(namespace="shop", service=service)))


def test_traffic_that_is_back_where_it_was_yesterday_after_an_unusual_rush_is_well() -> None:
    (found,) = seen(step(43, 10, **WEB), step(10.5, 11, **WEB))
    assert (found.role, str(found.entity)) == ("healthy", "Service shop/web")
    assert "10 requests/s, as a day before at this time (11); the 43 of before were unusual" in found.summary


def test_traffic_that_fell_below_what_is_usual_is_not_vouched_for() -> None:
    assert seen(step(43, 10, **WEB), step(43, 44, **WEB)) == []
    assert seen(step(43, 3, **WEB), step(10, 10, **WEB)) == []


def test_a_fall_that_happens_every_day_is_left_to_others_and_one_with_errors_is_no_health() -> None:
    assert seen(step(43, 10, **WEB), step(43, 10, **WEB)) == []
    assert seen(step(43, 10, **WEB), step(10, 10, **WEB), step(0, 1, **WEB)) == []


def test_only_the_service_of_the_alert_is_looked_at() -> None:
    assert seen(step(43, 10, **WEB), step(10, 10, **WEB), service="cart") == []
