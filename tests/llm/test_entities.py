"""Names of things, who depends on whom, and the windows in which guidance excuses something."""

from datetime import UTC, datetime

import pytest

from config.settings import ConfigError
from skills.contract import Edge, Entity
from workers.llm.choose import pick
from workers.llm.entities import alerted, owner_name, owning_workload, parse, same_thing, settled
from workers.llm.graph import Graph
from workers.llm.offline.guidance import in_window


def entity(text):
    return parse(text)


@pytest.mark.parametrize(
    ("kind", "name", "owner"),
    [
        ("Pod", "cart-7d9f8c6b5-x2lqp", "cart"),
        ("Pod", "checkout-service-66bd9f8d7c-4k2vz", "checkout-service"),
        ("Pod", "db-0", "db"),
        ("Pod", "fluentd-x7k2p", "fluentd"),
        ("Pod", "standalone", "standalone"),
        ("ReplicaSet", "cart-7d9f8c6b5", "cart"),
        ("Job", "backup-29345670", "backup"),
        ("Deployment", "cart-7d9f8c6b5", "cart-7d9f8c6b5"),
    ],
)
def test_a_pods_name_tells_its_owner(kind, name, owner):
    assert owner_name(kind, name) == owner


def test_a_known_owner_beats_a_guess():
    known = [entity("Deployment shop/cart"), entity("Deployment shop/cart-worker")]
    assert owning_workload(entity("Pod shop/cart-worker-7d9f8c6b5-x2lqp"), known) == known[1]


def test_a_service_and_its_workload_are_one_thing_but_a_node_is_not():
    assert same_thing(entity("Service shop/cart"), entity("Deployment shop/cart"))
    assert same_thing(entity("cart"), entity("Deployment shop/cart"))
    assert not same_thing(entity("Service shop/cart"), entity("Deployment test/cart"))
    assert not same_thing(entity("Node cart"), entity("Deployment shop/cart"))


def test_labels_say_what_an_alert_is_about():
    about = alerted("kube-state-metrics", "shop", {"pod": "cart-7d9f8c6b5-x2lqp", "job": "kube-state-metrics"})
    assert about == (Entity(kind="Pod", namespace="shop", name="cart-7d9f8c6b5-x2lqp"),)
    about = alerted("", "shop", {"resourcequota": "objects", "resource": "services"})
    assert about == (Entity(kind="ResourceQuota", namespace="shop", name="objects"),)


def test_what_alerted_is_settled_on_what_is_known():
    known = [entity("Deployment shop/checkoutservice"), entity("Deployment shop/cart")]
    assert settled([entity("Service checkout")], known) == (known[0],)
    assert settled([entity("Service cart")], known) == (entity("Service shop/cart"),)
    assert settled([entity("Service nobody")], known) == (entity("Service nobody"),)


def test_ways_lead_through_services_to_the_workloads_behind_them():
    edges = [
        Edge(entity("Deployment shop/web"), entity("Service shop/cart"), "env"),
        Edge(entity("Deployment shop/cart"), entity("Service shop/db"), "env"),
        Edge(entity("Deployment shop/db"), entity("Service shop/web"), "env"),
    ]
    graph = Graph(edges)
    assert graph.path(entity("Service shop/web"), entity("StatefulSet shop/db")) == tuple(edges[:2])
    assert graph.distance(entity("Service shop/cart"), entity("Deployment shop/cart")) == 0
    assert graph.distance(entity("Service shop/web"), entity("Deployment shop/other")) is None


@pytest.mark.parametrize(
    ("window", "inside"),
    [
        ("", True),
        ("02:00-04:00 UTC", True),
        ("04:00-06:00", False),
        ("22:00-03:30", True),
        ("weekends", True),
        ("weekdays 02:00-04:00", False),
        ("Sat-Mon", True),
        ("05:00-06:00 Europe/Moscow", True),
        ("when the moon is full", False),
    ],
)
def test_guidance_excuses_only_what_happens_in_its_window(window, inside):
    saturday = datetime(2026, 3, 7, 2, 30, tzinfo=UTC)
    assert in_window(window, saturday) is inside


def test_without_a_key_the_offline_investigator_answers():
    assert pick("auto").name == "offline"
    assert pick("auto", api_key="made-up").name == "claude-sonnet-5-5"
    with pytest.raises(ConfigError, match="ANTHROPIC_API_KEY"):
        pick("claude-opus-5-5")
