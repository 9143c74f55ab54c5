"""Fewer requests than an hour ago are no loss where the hour before was the unusual one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from skills.contract import Focus, Series, Symptom
from skills.prometheus.analyzers import usual
from tests.skills.prometheus.test_analyzers import look, series, step

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


def test_a_sunday_does_not_vouch_for_a_monday() -> None:
    monday, sunday = step(100, 42, **WEB), step(40, 41, **WEB)
    assert on_monday(requests=(monday,), requests_yesterday=(sunday,)) == []
    outage = {"requests": (monday,), "requests_yesterday": (sunday,)}
    assert on_monday(**outage, requests_last_week=(step(100, 101, **WEB),)) == []
    (found,) = on_monday(**outage, requests_last_week=(step(41, 40, **WEB),))
    assert found.role == "healthy"
    assert "the 100 of before were unusual (40 a day before, 41 a week before)" in found.summary


def on_monday(**answers: tuple[Series, ...]) -> list[Symptom]:
    given = look(**answers, errors=())
    monday = given.now + timedelta(days=(0 - given.now.weekday()) % 7)
    return usual.analyze(replace(given, now=monday, focus=Focus(namespace="shop", service="web")))


def test_a_holiday_does_not_vouch_for_a_workday() -> None:
    given = look(
        requests=(step(100, 42, **WEB),),
        requests_yesterday=(step(40, 41, **WEB),),
        requests_last_week=(step(100, 101, **WEB),),
        errors=(),
    )
    assert usual.analyze(replace(given, focus=Focus(namespace="shop", service="web"))) == []


def test_nothing_is_said_of_errors_that_were_not_measured_or_that_ended_within_the_window() -> None:
    well = step(43, 10, **WEB), step(10, 10, **WEB)
    unmeasured = look(requests=(well[0],), requests_yesterday=(well[1],))
    assert usual.analyze(replace(unmeasured, focus=Focus(namespace="shop", service="web"))) == []
    assert seen(*well, series(lambda m: 2.0 if 0 <= m < 10 else 0.0, **WEB)) == []
    assert "no 5xx was counted" in seen(*well)[0].summary
