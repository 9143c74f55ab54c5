"""Analyzers of ways and waiting: calls as their callers time them, segments sent again, queues, retired targets.

Label sets: OpenTelemetry HTTP metrics (server.address), Tempo service graphs (client, server), Istio "Standard
Metrics", node_exporter netstat, rabbitmq_prometheus, kafka_exporter, kube-state-metrics (node and pod info).
"""

from __future__ import annotations

from dataclasses import replace

from skills.contract import Focus
from skills.prometheus.analyzers import cpu, edges, queues, retransmissions, targets, traffic
from tests.skills.prometheus.test_analyzers import CART, ONSET, look, series, step

FRONT = {"namespace": "shop", "service": "front"}
TO_ACCOUNTS = {**FRONT, "server_address": "accounts"}


def test_calls_that_take_longer_than_the_callee_itself_are_slow_on_their_way() -> None:
    own = step(0.01, 0.011, namespace="shop", service="accounts")
    found = edges.analyze(look(calls=(step(0.012, 1.3, **TO_ACCOUNTS),), latency=(own,)))
    cause = next(s for s in found if s.role == "cause")
    assert (str(cause.entity), cause.faults[0]) == ("Service shop/accounts", "link_latency")
    assert [str(v) for v in cause.victims] == ["Service shop/front"]
    assert cause.onset == ONSET


def test_a_callee_that_is_slow_itself_is_pointed_at_and_its_way_is_not_blamed() -> None:
    own = step(0.01, 1.2, namespace="shop", service="accounts")
    (found,) = edges.analyze(look(calls=(step(0.012, 1.3, **TO_ACCOUNTS),), latency=(own,)))
    assert (found.role, [str(p) for p in found.points_at]) == ("effect", ["Service shop/accounts"])


def test_one_caller_of_several_that_sees_it_has_the_slow_way_itself() -> None:
    own = step(0.01, 0.01, namespace="shop", service="accounts")
    other = step(0.012, 0.012, namespace="shop", service="mail", server_address="accounts")
    found = edges.analyze(look(calls=(step(0.012, 1.3, **TO_ACCOUNTS), other), latency=(own,)))
    assert next(s for s in found if s.role == "cause").entity.name == "front"


def test_a_service_graph_tells_the_way_from_the_callee() -> None:
    ends = {"client": "front", "server": "accounts"}
    found = edges.analyze(look(graph_calls=(step(0.01, 0.9, **ends),), graph_answers=(step(0.01, 0.01, **ends),)))
    assert next(s for s in found if s.role == "cause").faults[0] == "link_latency"


def test_a_host_outside_that_takes_longer_is_pointed_at() -> None:
    (found,) = edges.analyze(look(calls=(step(0.1, 3.0, **{**FRONT, "server_address": "api.pay.example.com"}),)))
    assert [str(p) for p in found.points_at] == ["external api.pay.example.com"]


def test_calls_that_always_took_long_are_nothing_new() -> None:
    assert edges.analyze(look(calls=(step(1.2, 1.3, **TO_ACCOUNTS),))) == []


def test_segments_sent_again_at_one_node_are_that_nodes() -> None:
    nodes = [step(0.2, 0.3, instance=f"10.0.0.{i}:9100", node=f"worker-{i}") for i in (1, 2, 3)]
    bad = step(0.2, 40, instance="10.0.0.4:9100", node="worker-4")
    (found,) = retransmissions.analyze(look(retransmissions=(*nodes, bad)))
    assert (str(found.entity), found.faults[0], found.role) == ("Node worker-4", "node_link_degraded", "effect")
    (found,) = retransmissions.analyze(look(retransmissions=(*nodes, bad, replace(bad, labels={"node": "worker-5"}))))
    assert found.faults == ("packet_loss",)
    assert retransmissions.analyze(look(retransmissions=tuple(nodes))) == []


def test_a_consumer_group_that_falls_behind_is_the_culprit_and_its_broker_the_victim() -> None:
    labels = {"namespace": "data", "service": "kafka", "consumergroup": "mail", "topic": "events"}
    lag = series(lambda m: 3 + max(0.0, m) * 80, **labels)
    (found,) = queues.analyze(look(group_lag=(lag,)))
    assert (str(found.entity), found.faults, found.role) == ("Deployment mail", ("queue_backlog",), "cause")
    assert [str(v) for v in found.victims] == ["Service data/kafka"]


def test_a_lag_that_stands_in_one_partition_of_several_is_a_hot_one() -> None:
    labels = {"namespace": "data", "service": "kafka", "consumergroup": "mail", "topic": "events"}
    hot = series(lambda m: 3 + max(0.0, m) * 80, **labels, partition="2")
    cool = [series(lambda m: 2.0, **labels, partition=str(i)) for i in (0, 1, 3)]
    first, second = queues.analyze(look(group_lag=(hot, *cool)))
    assert (str(first.entity), first.faults[0]) == ("Service data/kafka", "hot_key_or_shard")
    assert second.faults == ("queue_backlog",)
    even = [series(lambda m: 3 + max(0.0, m) * 80, **labels, partition=str(i)) for i in (0, 1, 2)]
    (only,) = queues.analyze(look(group_lag=tuple(even)))
    assert only.faults == ("queue_backlog",)


def test_a_queue_that_grows_is_the_brokers_suffering() -> None:
    ready = series(lambda m: 3 + max(0.0, m) * 80, namespace="data", pod="rabbitmq-0", queue="events", vhost="/")
    (found,) = queues.analyze(look(queue_ready=(ready,)))
    assert (str(found.entity), found.role) == ("StatefulSet data/rabbitmq", "effect")


def test_a_queue_that_drained_again_is_over() -> None:
    drained = series(lambda m: 900.0 if 0 <= m < 15 else 4.0, namespace="data", pod="rabbitmq-0", queue="events")
    assert queues.analyze(look(queue_ready=(drained,))) == []


RETIRED = step(0, 0, instance="10.0.9.9:9100", job="node", address="10.0.9.9")
KNOWN = step(82, 82)


def alerts_about(instance: str) -> Focus:
    return Focus(service="node", labels={"instance": instance, "job": "node"})


def test_a_target_at_an_address_where_nothing_lives_explains_its_alert() -> None:
    seen = replace(look(retired=(RETIRED,), addresses=(KNOWN,)), focus=alerts_about("10.0.9.9:9100"))
    (found,) = targets.analyze(seen)
    assert (found.role, found.analyzer, found.specificity) == ("healthy", "prometheus.alert", 0.9)
    assert "no node and no pod has that address" in found.summary


def test_a_target_that_is_down_at_a_living_address_is_not_explained() -> None:
    other = replace(look(retired=(RETIRED,), addresses=(KNOWN,)), focus=alerts_about("10.0.1.1:9100"))
    assert targets.analyze(other) == []
    blind = replace(look(retired=(RETIRED,)), focus=alerts_about("10.0.9.9:9100"))
    assert targets.analyze(blind) == []  # without kube-state-metrics every address is unknown


def test_pods_of_a_new_release_are_compared_with_those_before_them() -> None:
    old = series(lambda m: 0.1 if m < 0 else float("nan"), **CART)
    new = series(lambda m: float("nan") if m < 0 else 0.95, **{**CART, "pod": "cart-84d5f6c7b-k9m2n"})
    asked = step(5, 5, namespace="shop", service="cart")
    (found,) = cpu.analyze(look(cpu_usage=(old, new), requests=(asked,)))
    assert (found.faults[0], found.specificity) == ("cpu_hot_loop", 0.8)
    busy = step(5, 50, namespace="shop", service="cart")
    (found,) = cpu.analyze(look(cpu_usage=(old, new), requests=(busy,)))
    assert found.faults[0] == "traffic_surge"


def test_a_surge_of_the_last_minutes_is_a_surge() -> None:
    (found,) = traffic.analyze(
        look(requests=(series(lambda m: 10 if m < 22 else 40, namespace="shop", service="cart"),))
    )
    assert found.faults[0] == "traffic_surge"
