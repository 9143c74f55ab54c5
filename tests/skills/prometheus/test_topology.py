"""Edges from a mesh's metrics: only pairs whose places are known.

Labels: Istio documentation, "Istio Standard Metrics" (source_workload, destination_service_name, unknown).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from skills.contract import Focus, Series, Window
from skills.prometheus import analyzers, topology
from skills.prometheus.look import Look

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
WINDOW = Window(NOW - timedelta(minutes=30), NOW)


def series(caller: str, callee: str, place: str = "data") -> Series:
    labels = {
        "source_workload": caller,
        "source_workload_namespace": "shop" if caller != "unknown" else "unknown",
        "destination_service_name": callee,
        "destination_service_namespace": place,
    }
    return Series(labels, ((NOW, 0.02),))


def look(*answers: Series) -> Look:
    return Look(Focus(), NOW, WINDOW, WINDOW.before(), {topology.QUESTION: answers}, {topology.QUESTION: "sum by ..."})


def test_calls_that_the_mesh_measures_are_edges_with_both_namespaces() -> None:
    (edge,) = topology.edges(look(series("cart", "cart-redis"), series("cart", "cart-redis")))
    assert (str(edge.source), str(edge.target), edge.via) == (
        "Deployment shop/cart",
        "Service data/cart-redis",
        "metric",
    )
    assert edge.evidence is not None
    assert edge.evidence.text == "cart in shop calls cart-redis in data, as the mesh measures"


def test_peer_without_a_proxy_is_no_edge() -> None:
    found = look(series("unknown", "cart"), series("cart", "unknown"), series("cart", "api", "unknown"))
    assert topology.edges(found) == ()


def test_question_is_one_that_is_asked_anyway() -> None:
    assert topology.QUESTION in {q.name for q in analyzers.questions()}
    assert topology.PAIRS in {q.name for q in analyzers.questions()}


def test_a_destination_tells_which_of_several_workloads_was_called() -> None:
    def answered(caller: str, callee: str, rate: float) -> Series:
        labels = {"source_workload": caller, "source_workload_namespace": "shop" if caller != "unknown" else "unknown"}
        labels |= {"destination_workload": callee, "destination_workload_namespace": "shop"}
        return Series(labels, ((NOW, rate),))

    told = (
        answered("front", "reviews-v3", 2.0),
        answered("unknown", "reviews-v3", 9.0),
        answered("front", "idle", 0.0),
    )
    seen = Look(Focus(), NOW, WINDOW, WINDOW.before(), {topology.PAIRS: told}, {topology.PAIRS: "sum by ..."})
    assert [(str(e.source), str(e.target)) for e in topology.edges(seen)] == [
        ("Deployment shop/front", "Deployment shop/reviews-v3")
    ]
