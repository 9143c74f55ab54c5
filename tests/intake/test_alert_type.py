"""Two firings of one monitor have one type; two monitors have two."""

from __future__ import annotations

import pytest

from bot.intake.alert_type import bare_title, masked_title


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("[FIRING:1] Disk full on db-1", "[FIRING:12] Disk full on db-7"),
        ("[FIRING:2] Disk full on db-1", "[RESOLVED] Disk full on db-1"),
        ("CPU at 93.2% on web01.example.com", "CPU at 97% on web12.example.com"),
        ("Pod checkout-7d9f8c6b5-9k2lm restarts", "Pod checkout-5c4d7f9b8-x2x4q restarts"),
        ("Job failed at 2026-11-01 10:00:00 UTC", "Job failed at 2026-11-02 03:59:01 UTC"),
        ("Job failed at 10:00", "Job failed at 23:15:01"),
        ("Request a892bf7d-01c6-40b5-9783-1fb1710e3414 hung", "Request 3f2504e0-4f89-11d3-9a0c-0305e82c3301 hung"),
        ("Instance i-0a1b2c3d4e5f is down", "Instance i-0ffffffffff1 is up"),
        ("Cannot reach 10.0.3.4:9090", "Cannot reach 10.0.3.17:9090"),
        ("Queue 'orders-1' grows", "Queue 'orders-2' grows"),
        ('Alarm "a" in eu-west-1', 'Alarm "b" in eu-west-2'),
        ("Monitor is DOWN: Checkout", "Monitor is UP: Checkout"),
        ("Checkout is DOWN since 10:00", "Checkout is UP again, after 7m"),
        ("CRITICAL: lag 1,234 s", "RECOVERED: lag 2 s"),
        ("Triggered: lag", "Recovered: lag"),
        (":rotating_light: *lag*".replace("*", ""), "✅ lag resolved"),
        ("Commit 1a2b3c4d5e breaks login", "Commit ffee0011aa breaks login"),
        ("Retry after 1.5s failed", "Retry after 30s failed"),
    ],
)
def test_what_varies_does_not_make_a_new_type(first: str, second: str) -> None:
    assert masked_title(first) == masked_title(second)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("High 5xx rate", "High 4xx rate"),
        ("p95 latency high", "p99 latency high"),
        ("S3 errors", "EC2 errors"),
        ("Monitor is DOWN: a.example.com", "Monitor is DOWN: b.example.com"),
        ("“nightly” is DOWN", "“hourly” is DOWN"),
        ("Disk full", "Disk slow"),
    ],
)
def test_what_names_the_monitor_stays(one: str, other: str) -> None:
    assert masked_title(one) != masked_title(other)


@pytest.mark.parametrize(
    ("title", "masked"),
    [
        ("A little bump in the road", "A little bump in the road"),
        ("5XX Error Rate > 5%", "5XX Error Rate > <n>%"),
        ("Lag of orders-1 is 12,345 on ip-10-0-0-7.ec2.internal", "Lag of orders-<n> is <n> on <host>"),
        ("See https://x.example.com/a?b=1 now", "See <url> now"),
        ("Mail to a.b@example.com bounced", "Mail to <email> bounced"),
    ],
)
def test_placeholders_say_what_they_hide(title: str, masked: str) -> None:
    assert masked_title(title) == masked


@pytest.mark.parametrize(
    "title", ["CPU at 93% on web-1", "'a' b 12 1a2b3c4d5e", "10.0.0.1 x", "[FIRING:2] x (a1 b2)", "Db-1: 5 of 7"]
)
def test_masking_twice_changes_nothing(title: str) -> None:
    assert masked_title(masked_title(title)) == masked_title(title)


def test_a_source_that_keeps_its_titles_loses_no_word_of_them() -> None:
    assert masked_title("API is down", keeps_title=True) == "API is down"
    assert masked_title("[FIRING:2] API is down", keeps_title=True) == "API is down"


@pytest.mark.parametrize("title", ["", "   ", "[RESOLVED]", "::", "Error", "🔥"])
def test_odd_titles_do_no_harm(title: str) -> None:
    assert isinstance(bare_title(title), str)
    assert isinstance(masked_title(title), str)
