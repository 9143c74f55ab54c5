"""What a person says was really true, as a sentence that code reads back."""

from __future__ import annotations

import pytest

from skills.contract import Entity
from workers.correction import Correction, culprit, read

CART = Entity(kind="Deployment", namespace="shop", name="cart")


@pytest.mark.parametrize(
    "said",
    [
        Correction("false_alarm"),
        Correction("incident", CART, "memory_limit_too_low"),
        Correction(
            "recovered", Entity(kind="Node", namespace=None, name="ip-10-0-3-2.eu.example.com"), "node_rebooted"
        ),
    ],
)
def test_what_is_written_is_read_back_whatever_follows(said: Correction) -> None:
    assert read(str(said)) == said
    assert read(f"{said}\nand more of it in prose: see the ticket") == said


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("False alarm.", Correction("false_alarm")),
        ("false_alarm", Correction("false_alarm")),
        ("E1 of Deployment shop/cart", Correction("incident", CART, "memory_limit_too_low")),
        ("memory_limit_too_low of deployment shop/cart", Correction("incident", CART, "memory_limit_too_low")),
    ],
)
def test_people_may_write_it_themselves(words: str, meant: Correction) -> None:
    assert read(words) == meant


@pytest.mark.parametrize(
    "prose",
    [
        "", "the limit was lowered on purpose", "gremlins of Deployment shop/cart", "not a false alarm at all",
        "false_alarm of Deployment shop/cart", "L1 of Deployment shop/cart", "memory_limit_too_low of cart",
        "memory_leak of payment service", "cache_unavailable of the redis",
    ],
)  # fmt: skip
def test_prose_is_left_to_people(prose: str) -> None:
    assert read(prose) is None


def test_a_culprit_is_a_kind_and_a_name() -> None:
    assert culprit(" Deployment shop/cart ") == CART
    assert culprit("Node worker-3") == Entity(kind="Node", namespace=None, name="worker-3")
    assert culprit("statefulset shop-data/orders-db") == Entity(
        kind="StatefulSet", namespace="shop-data", name="orders-db"
    )
    assert culprit("external api.example.com") == Entity(kind="external", namespace=None, name="api.example.com")
    assert culprit("feature_flag new-checkout") == Entity(kind="feature_flag", namespace=None, name="new-checkout")
    assert culprit("Cart service") is None
    assert culprit("the cart") is None
    assert culprit("cart") is None
    assert culprit("the cart service of the shop") is None
