"""Analyzers on series with the labels of kube-state-metrics, cAdvisor, node_exporter and the exporters.

Label sets: kube-state-metrics docs/metrics/*, cAdvisor docs/storage/prometheus.md, node_exporter's collectors,
Istio "Standard Metrics".
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from skills.contract import Focus, Series, Window
from skills.prometheus import analyzers
from skills.prometheus.analyzers import cpu, memory, saturation, state, traffic
from skills.prometheus.look import Look, workload
from skills.series import change_point, longest_climb, shown

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
ONSET = NOW - timedelta(minutes=30)
WINDOW = Window(ONSET, NOW)
BASELINE = WINDOW.before()


def series(value: Callable[[float], float], **labels: str) -> Series:
    """`value` of the minutes since the onset, from the start of the baseline to now."""
    return Series(labels, tuple((ONSET + timedelta(minutes=m), value(m)) for m in range(-30, 31)))


def step(before: float, after: float, **labels: str) -> Series:
    return series(lambda m: before if m < 0 else after, **labels)


def look(**answers: tuple[Series, ...]) -> Look:
    sent = {q.name: q.expression for q in analyzers.questions()}
    return Look(Focus(namespace="shop"), NOW, WINDOW, BASELINE, answers, sent)


CART = {"namespace": "shop", "pod": "cart-7d9f8c6b5-x2x4q", "container": "cart"}


def test_throttling_that_began_with_a_lowered_limit_is_the_limit() -> None:
    (found,) = cpu.analyze(
        look(
            throttled=(step(0.01, 0.7, **CART),), cpu_usage=(step(0.4, 0.1, **CART),), cpu_limit=(step(1, 0.1, **CART),)
        )
    )
    assert (str(found.entity), found.faults[0]) == ("Deployment shop/cart", "cpu_throttled_by_limit")
    assert found.onset == ONSET
    assert "lowered from 1" in found.evidence[1].text


def test_usage_that_jumps_without_throttling_is_code_that_burns() -> None:
    (found,) = cpu.analyze(look(cpu_usage=(step(0.1, 0.95, **CART),)))
    assert found.faults[0] == "cpu_hot_loop"


def test_throttling_that_was_always_there_weighs_little() -> None:
    (found,) = cpu.analyze(look(throttled=(step(0.4, 0.42, **CART),)))
    assert found.specificity < 0.5


def test_a_killed_container_whose_set_climbs_is_a_leak_and_one_at_a_lowered_limit_is_not() -> None:
    mebi = 2.0**20
    climbing = series(lambda m: (100 + 6 * (m + 30)) * mebi, **CART)
    killed = (step(1, 1, **CART),)
    (leak,) = memory.analyze(
        look(working_set=(climbing,), memory_limit=(step(512 * mebi, 512 * mebi, **CART),), oom_killed=killed)
    )
    assert leak.faults[0] == "memory_leak"
    (low,) = memory.analyze(
        look(
            working_set=(step(300 * mebi, 127 * mebi, **CART),),
            memory_limit=(step(512 * mebi, 128 * mebi, **CART),),
            oom_killed=killed,
        )
    )
    assert low.faults[0] == "memory_limit_too_low"
    assert any("512Mi to 128Mi" in e.text for e in low.evidence)


@pytest.mark.parametrize(
    ("question", "labels", "fault", "kind"),
    [
        (
            "volume_used",
            {"namespace": "shop", "persistentvolumeclaim": "data-0"},
            "volume_full",
            "PersistentVolumeClaim",
        ),
        (
            "quota_cpu",
            {"namespace": "shop", "resource": "cpu", "resourcequota": "q"},
            "cpu_quota_exhausted",
            "Namespace",
        ),
        ("open_files", CART, "process_limit_exhausted", "Deployment"),
        ("connection_tracking", {"instance": "10.0.3.4:9100"}, "connection_tracking_full", "Node"),
        ("mysql_connections", {"instance": "mysql:9104", "job": "mysql"}, "connection_pool_exhausted", "Service"),
    ],
)
def test_what_is_full_names_its_owner(question: str, labels: dict[str, str], fault: str, kind: str) -> None:
    (found,) = saturation.analyze(look(**{question: (step(0.5, 1.0, **labels),)}))
    assert (found.faults[0], found.entity.kind, found.onset) == (fault, kind, ONSET)


def test_a_node_that_takes_no_new_connection_is_told_with_the_workloads_on_it_and_without_those_of_another() -> None:
    full = step(0.1, 1.0, instance="10.0.3.4:9100")
    on = {"namespace": "shop", "host_ip": "10.0.3.4", "node": "worker-2"}
    pods = (
        step(1, 1, pod=CART["pod"], created_by_kind="ReplicaSet", **on),
        step(1, 1, pod="db-0", created_by_kind="StatefulSet", **on),
        step(1, 1, pod="node-agent-x2x4q", created_by_kind="DaemonSet", **on),
        step(1, 1, pod="web-7d9f8c6b5-b4b4q", created_by_kind="ReplicaSet", **{**on, "host_ip": "10.0.3.5"}),
    )
    (found,) = saturation.analyze(look(connection_tracking=(full,), pods_on_full_nodes=pods))
    assert [str(v) for v in found.victims] == ["Deployment shop/cart", "StatefulSet shop/db"]


def test_what_was_always_full_has_no_onset_and_half_the_weight() -> None:
    labels = {"namespace": "shop", "resource": "cpu", "resourcequota": "q"}
    (always,) = saturation.analyze(look(quota_cpu=(step(1, 1, **labels),)))
    (fresh,) = saturation.analyze(look(quota_cpu=(step(0.5, 1, **labels),)))
    assert always.onset is None
    assert always.specificity == pytest.approx(fresh.specificity / 2)


def test_a_deployment_scaled_to_zero_is_seen_and_one_that_never_ran_is_not() -> None:
    gone = step(3, 0, namespace="shop", deployment="cart")
    parked = step(0, 0, namespace="shop", deployment="old")
    (found,) = state.analyze(look(wanted=(gone, parked)))
    assert (found.entity.name, found.faults, found.onset) == ("cart", ("scaled_to_zero",), ONSET)


def test_a_store_scaled_to_zero_is_seen_like_any_workload() -> None:
    gone = step(1, 0, namespace="shop", statefulset="cache")
    short, ready = step(3, 3, namespace="shop", statefulset="db"), step(3, 2, namespace="shop", statefulset="db")
    zero, lacks = state.analyze(look(wanted_stateful=(gone, short), ready_stateful=(ready,)))
    assert (str(zero.entity), zero.faults, zero.onset) == ("StatefulSet shop/cache", ("scaled_to_zero",), ONSET)
    assert (lacks.role, lacks.summary) == ("effect", "statefulset db has 2 of 3 replicas ready")


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ({"reason": "BackoffLimitExceeded"}, "job report failed: BackoffLimitExceeded"),
        ({}, "job report has 1 failed pods"),
    ],
)
def test_a_failed_job_is_told_by_its_reason_where_the_series_has_one(labels: dict[str, str], words: str) -> None:
    """kube-state-metrics 2.18 of a Job that gave up: one series a reason, 1 for the one that holds."""
    failed = Series(
        {"namespace": "shop", "job_name": "report", **labels},
        tuple((ONSET + timedelta(minutes=m), 1.0) for m in (1, 9)),
    )
    (found,) = state.analyze(look(job_failed=(failed,)))
    assert found.summary == words


def test_a_quota_that_is_full_and_has_no_past_says_so() -> None:
    labels = {"namespace": "shop", "resource": "pods", "resourcequota": "objects"}
    fresh = Series(labels, tuple((ONSET + timedelta(minutes=m), 1.0) for m in (1, 9)))
    (found,) = saturation.analyze(look(quota_pods=(fresh,)))
    assert found.summary == "quota objects of shop: pods is 100 % used (no baseline)"


def test_a_certificate_is_expired_when_its_time_lies_before_now() -> None:
    past = NOW.timestamp() - 60
    (found,) = state.analyze(
        look(certificate_until=(step(past, past, name="web"), step(past + 9e6, past + 9e6, name="fine")))
    )
    assert (found.faults, found.entity.name) == (("tls_certificate_invalid",), "web")


def test_errors_of_a_service_are_an_effect_and_a_mesh_tells_what_they_point_at() -> None:
    plain = look(
        requests=(step(10, 10, namespace="shop", service="checkout"),),
        errors=(step(0, 3, namespace="shop", service="checkout"),),
    )
    (effect,) = traffic.analyze(plain)
    assert (effect.role, effect.faults) == ("effect", ())
    assert "30 %" in effect.summary
    edge = step(
        0,
        2,
        source_workload="checkout",
        source_workload_namespace="shop",
        destination_service_name="cart",
        destination_service_namespace="shop",
    )
    (meshed,) = traffic.analyze(look(mesh_errors=(edge,)))
    assert [str(e) for e in meshed.points_at] == ["Service shop/cart"]


def test_traffic_that_triples_is_a_surge() -> None:
    (found,) = traffic.analyze(look(requests=(step(20, 90, namespace="shop", service="web"),)))
    assert found.faults[0] == "traffic_surge"


def test_a_quiet_company_has_no_symptoms() -> None:
    calm = look(
        throttled=(step(0.02, 0.03, **CART),),
        cpu_usage=(step(0.2, 0.22, **CART),),
        working_set=(step(2e8, 2.1e8, **CART),),
        memory_limit=(step(5e8, 5e8, **CART),),
        requests=(step(20, 22, namespace="shop", service="web"),),
        errors=(step(0.1, 0.12, namespace="shop", service="web"),),
        wanted=(step(3, 3, namespace="shop", deployment="cart"),),
        available=(step(3, 3, namespace="shop", deployment="cart"),),
    )
    assert analyzers.analyze(calm) == []


@pytest.mark.parametrize(
    ("pod", "owner"),
    [
        ("cart-7d9f8c6b5-x2x4q", "Deployment ns/cart"),
        ("geo-6b4b8b9c7d-z7xkq", "Deployment ns/geo"),
        ("mongodb-rate-0", "StatefulSet ns/mongodb-rate"),
        ("kube-proxy-x9zkq", "DaemonSet ns/kube-proxy"),
    ],
)
def test_the_owner_of_a_pod_is_read_off_its_name(pod: str, owner: str) -> None:
    assert str(workload("ns", pod)) == owner


def test_change_points_and_climbs() -> None:
    moment = change_point(step(1, 5).points)
    assert moment is not None
    assert (moment.at, moment.before, moment.after) == (ONSET, 1, 5)
    assert moment.explained == pytest.approx(1)
    assert change_point(step(2, 2).points) is None
    saw = series(lambda m: 10 + (m + 30) % 20)
    assert len(longest_climb(saw.points)) == 20


def test_figures_are_short() -> None:
    assert [shown(x) for x in (0.0123456, 31.234, 512.0, 1200, None)] == ["0.0123", "31.2", "512", "1200", "no data"]
