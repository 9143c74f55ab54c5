"""The same golden signals under the names that others give them, told in the labels of one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from skills.contract import Series
from skills.prometheus.families import questions, united

AT = datetime(2026, 3, 14, 15, 0, tzinfo=UTC)
ASKED = {q.name: q.expression for q in questions()} | {"requests": "plain", "calls": "plain"}


def series(level: float, **labels: str) -> Series:
    return Series(labels, tuple((AT + timedelta(minutes=m), level) for m in range(3)))


def told(namespaces: tuple[str, ...] = ("shop",), **answers: list[Series]) -> list[dict[str, str]]:
    given = {name.replace("__", "@"): tuple(found) for name, found in answers.items()}
    merged, _ = united(given, ASKED, namespaces)
    return [dict(s.labels) for s in merged.get("requests", ()) + merged.get("calls", ())]


def test_each_family_tells_namespace_and_service_in_its_own_words() -> None:
    assert told(requests__otel=[series(1, job="shop/cart", service_name="cart")]) == [
        {"service": "cart", "namespace": "shop"}
    ]
    assert told(requests__otel=[series(1, job="opentelemetry-demo/cart", k8s_namespace_name="shop")]) == [
        {"service": "cart", "namespace": "shop"}
    ]
    assert told(requests__spring=[series(1, namespace="shop", application="cart")]) == [
        {"service": "cart", "namespace": "shop"}
    ]
    assert told(requests__spans=[series(1, service_name="cart")]) == [{"service": "cart"}]
    of_mesh = series(1, destination_service_name="cart", destination_workload_namespace="shop")
    assert told(requests__mesh=[of_mesh]) == [{"service": "cart", "namespace": "shop"}]


def test_a_service_namespace_that_is_no_namespace_of_the_cluster_is_not_taken_for_one() -> None:
    assert told(requests__otel=[series(1, job="opentelemetry-demo/cart")]) == [{"service": "cart"}]


def test_what_is_of_another_namespace_is_left_out() -> None:
    assert told(requests__spring=[series(1, namespace="billing", application="cart")]) == []
    assert told((), requests__spring=[series(1, namespace="billing", application="cart")]) != []


def test_a_service_that_two_families_know_is_told_once() -> None:
    both = told(
        requests=[series(5, namespace="shop", service="cart")],
        requests__otel=[series(9, job="shop/cart"), series(2, job="shop/quote")],
    )
    assert [s["service"] for s in both] == ["cart", "quote"]


def test_clients_name_whom_they_call() -> None:
    calls = told(calls__spring=[series(1, namespace="shop", application="cart", client_name="quote")])
    assert calls == [{"service": "cart", "namespace": "shop", "peer": "quote"}]


def test_what_is_cited_can_be_asked_again() -> None:
    _, asked = united({"requests": (), "requests@otel": (series(1, job="shop/cart"),)}, ASKED, ("shop",))
    assert asked["requests"] == ASKED["requests@otel"]
    assert not [name for name in asked if "@" in name]
