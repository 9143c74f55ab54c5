from __future__ import annotations

import pytest

from tests.evaluation.made import LIMIT, OOM, shown
from workers.domain import Evidence
from workers.evaluation import predicates
from workers.evaluation.predicates import Uncheckable, covered, is_checkable, satisfied


@pytest.mark.parametrize(
    ("predicate", "text"),
    [
        ("pod ~ cart-* and lastState.reason = OOMKilled", OOM),
        ("limits.memory of cart is 128Mi", LIMIT),
        ("log ~ too many clients already", "FATAL:  sorry, too many   clients already"),
        (
            "event.reason = FailedScheduling and message ~ untolerated taint",
            "FailedScheduling: had untolerated taint {x}",
        ),
        ("log ~ no such host or log ~ NXDOMAIN", "lookup cart: nxdomain"),
        ("event.reason = FailedScheduling and message ~ taint", "PodScheduled=False Unschedulable: untolerated taint"),
        ("log ~ refused|timed out", "connect: connection refused"),
        ("log ~ dial tcp *: i/o timeout", "dial tcp 10.0.0.1:80: i/o timeout"),
    ],
)
def test_a_predicate_is_satisfied_by_one_piece_of_evidence(predicate: str, text: str) -> None:
    assert satisfied(predicate, shown("E1", text))


@pytest.mark.parametrize(
    ("predicate", "text"),
    [
        ("lastState.reason = OOMKilled", "container was not OOMKilledBefore"),
        ("limits.memory of cart is 128Mi", "container cart limits.memory 1128Mi"),
        ("limits.memory of cart is 128Mi", "container pricing limits.memory 128Mi"),
        ("event.reason = FailedScheduling and message ~ untolerated taint", "FailedScheduling: Insufficient cpu"),
    ],
)
def test_a_predicate_is_not_satisfied_by_what_only_looks_alike(predicate: str, text: str) -> None:
    assert not satisfied(predicate, shown("E1", text))


def test_two_halves_in_two_places_do_not_make_a_whole() -> None:
    halves = [shown("E1", "OOMKilled"), shown("E2", "pod cart-1")]
    assert not covered("OOMKilled and pod ~ cart-*", halves)


def test_a_metric_may_stand_in_the_query() -> None:
    it = Evidence(id="E1", skill="prometheus", tool="t", query="max(pg_locks_count{mode=~'x'})", excerpt="12 now")
    assert satisfied("pg_locks_count grows", it)


def test_words_that_only_the_question_holds_are_no_answer() -> None:
    query = '{namespace="shop"} |= "too many clients"'
    nothing = Evidence(id="E1", skill="loki", tool="t", query=query, excerpt="orders: 3 lines, none alike")
    assert not satisfied("log ~ too many clients", nothing)
    assert satisfied("log ~ too many clients", nothing.model_copy(update={"excerpt": "FATAL: too many clients"}))


@pytest.mark.parametrize("prose", ["its own durations stay flat", "requests of the callee grow far above"])
def test_prose_names_nothing_and_is_refused(prose: str) -> None:
    assert not is_checkable(prose)
    with pytest.raises(Uncheckable, match="names nothing"):
        predicates.parse(prose)


THROTTLED = Evidence(
    id="E1",
    skill="prometheus",
    tool="first_look",
    query='rate(container_cpu_cfs_throttled_periods_total{namespace="shop"}[5m])',
    excerpt="container cart of cart-jn4zkjmf6l-8x7bz was throttled in 83% of its CPU periods (baseline 2%)",
)
FREE = Evidence(
    id="E2",
    skill="prometheus",
    tool="prometheus_query",
    query="kubelet_volume_stats_available_bytes",
    excerpt="node=ip-10-0-54-33, persistentvolumeclaim=data-orders-db-0: now 0, mean 3.39e+09, peak 8.39e+09,"
    " baseline 1.36e+10; from 1.36e+10 to 0 at 14:08:32Z",
)
LEAK = shown("E3", "working set of container cart of cart-0 peaks at 1019Mi (baseline mean 792Mi) of a limit of 1Gi")
SLOW = shown("E4", "mean latency of cart is 1.2 s, 0.08 s in the baseline")
AGAIN = shown("E7", "1 of 5 nodes (ip-10-0-64-163) send TCP segments again, 206/s against 1.7/s before")
SURGE = shown("E5", "pricing gets 61 requests/s against 20.5 before")
FULLEST = Evidence(
    id="E8",
    skill="prometheus",
    tool="first_look",
    query="kubelet_volume_stats_available_bytes",
    excerpt="1 of 5 volumes grows: data-0 has 13.6Gi free",
)
FILES = Evidence(
    id="E9", skill="prometheus", tool="t", query="process_open_fds", excerpt="cart-1: 1 process, 3% of its files"
)
IDLE = Evidence(
    id="E10",
    skill="prometheus",
    tool="t",
    query="rate(container_cpu_cfs_throttled_periods_total[5m])",
    excerpt="cart: 1 container throttled in 2% of its periods",
)
NAMES = Evidence(
    id="E11",
    skill="prometheus",
    tool="t",
    query="coredns_dns_responses_total",
    excerpt="1 in 1000 answers is SERVFAIL: 0.1%",
)
OVER = shown("E12", "latency of cart over 5m is 9 s")
RATIO = Evidence(
    id="E13",
    skill="prometheus",
    tool="prometheus_query",
    query="topk(1, process_open_fds / process_max_fds)",
    excerpt="`topk(1, process_open_fds / process_max_fds)`: now 0.93, mean 0.4, peak 0.95, baseline 0.1",
)
ROLLOUT = shown("E6", "Deployment cart revision 17: cart limits.cpu 400m -> 40m; image cart:1.33.0 -> cart:1.33.1")


@pytest.mark.parametrize(
    ("predicate", "piece"),
    [
        ("metric container_cpu_cfs_throttled_periods_total of cart > 50%", THROTTLED),
        ("metric container_cpu_cfs_throttled_periods_total of cart > 20x before", THROTTLED),
        ("metric: kubelet_volume_stats_available_bytes of data-orders-db-0 = 0", FREE),
        ("metric kubelet_volume_stats_available_bytes of data-orders-db-0 < 1Gi", FREE),
        ("metric kubelet_volume_stats_available_bytes of data-orders-db-0 < 0.1x before", FREE),
        ("metric kubelet_volume_stats_available_bytes of data-orders-db-0 = 0 at 14:08", FREE),
        ("peak of kubelet_volume_stats_available_bytes > 8e+09", FREE),
        ("working set of cart-0 >= 1000Mi", LEAK),
        ("latency of cart > 500ms", SLOW),
        ("latency of cart > 10x before", SLOW),
        ("pricing > 2x before and requests/s", SURGE),
        ("segments of ip-10-0-64-163 > 50x before", AGAIN),
        ("segments of ip-10-0-64-163 > 200/s", AGAIN),
        ("limits.cpu of cart <= 50m", ROLLOUT),
        ("limits.cpu of cart < 0.2x before", ROLLOUT),
        ("metric process_open_fds < 5%", FILES),
        ("metric container_cpu_cfs_throttled_periods_total of cart < 5%", IDLE),
        ("metric coredns_dns_responses_total < 1%", NAMES),
        ("metric kubelet_volume_stats_available_bytes of data-0 > 10Gi", FULLEST),
        ("latency of cart > 2s", OVER),
        ("metric process_open_fds >= 90%", RATIO),
        ("peak of process_open_fds >= 95%", RATIO),
        ("metric process_open_fds < 1", RATIO),
    ],
)
def test_a_figure_is_compared_in_its_units_with_a_bound_or_with_before(predicate: str, piece: Evidence) -> None:
    assert satisfied(predicate, piece)


@pytest.mark.parametrize(
    ("predicate", "piece"),
    [
        ("metric container_cpu_cfs_throttled_periods_total of cart > 90%", THROTTLED),
        ("metric container_cpu_cfs_throttled_periods_total of pricing > 50%", THROTTLED),
        ("metric container_memory_working_set_bytes of cart > 50%", THROTTLED),
        ("metric container_cpu_cfs_throttled_periods_total of cart > 50Mi", THROTTLED),
        ("metric kubelet_volume_stats_available_bytes of data-orders-db-0 > 1Gi", FREE),
        ("metric kubelet_volume_stats_available_bytes of data-orders-db-0 = 0 at 13:08", FREE),
        ("metric kubelet_volume_stats_available_bytes of data-orders-db-0 > 0", FREE),
        ("working set of cart-0 > 1020Mi", LEAK),
        ("working set of cart-0 > 2x before", LEAK),
        ("latency of cart < 500ms", SLOW),
        ("limits.cpu of cart > 100m", ROLLOUT),
        ("metric process_open_fds >= 90%", FILES),
        ("metric container_cpu_cfs_throttled_periods_total of cart > 25%", IDLE),
        ("metric coredns_dns_responses_total > 5%", NAMES),
        ("metric kubelet_volume_stats_available_bytes of data-0 < 100Mi", FULLEST),
        ("latency of cart < 2s", OVER),
        ("metric process_open_fds >= 95%", RATIO),
    ],
)
def test_a_figure_beyond_the_bound_of_another_thing_or_in_other_units_does_not_do(
    predicate: str, piece: Evidence
) -> None:
    assert not satisfied(predicate, piece)


def test_of_nothing_before_there_is_no_multiple() -> None:
    assert not satisfied("storefront > 1.4x before", shown("E1", "storefront answers 0.29 errors/s, 0 in the baseline"))


def test_neither_names_nor_moments_nor_the_baseline_are_figures_of_now() -> None:
    assert not satisfied("cart-9 > 1", shown("E1", "pod cart-9 at 14:20:37 on 10.0.0.9 (baseline 12)"))


def test_a_log_text_with_a_count_is_met_by_a_row_that_counts_or_by_as_many_lines() -> None:
    often = "log ~ worker queue full >= 3 times"
    lines = [shown(f"E{i}", f"14:20:3{i} worker queue full (128 waiting)") for i in range(3)]
    assert covered(often, lines)
    assert not covered(often, lines[:2])
    assert not covered(often, [lines[0], lines[0].model_copy(update={"id": "E9"}), lines[1]])
    assert covered(often, [shown("E1", "NEW WARNING x41 14:08:01-14:20:37 pricing: worker queue full")])
    assert satisfied(often, lines[0])


@pytest.mark.parametrize(
    ("predicate", "reason"),
    [
        ("metric container_cpu_usage of cart > lots", "after the operator stands no figure"),
        ("metric container_cpu_usage of cart > 3x", "'3x' is no figure"),
        ("metric container_cpu_usage of cart > 3furlongs", "'3furlongs' is no figure"),
        ("metric > 50%", "does not say of what the figure is"),
        ("log ~ *", "which any text has"),
        ("log ~ connection refused| ", "which any text has"),
    ],
)
def test_what_cannot_be_checked_is_refused_with_what_is_wrong(predicate: str, reason: str) -> None:
    with pytest.raises(Uncheckable, match=reason):
        predicates.parse(predicate)


def test_in_quotation_marks_or_and_and_are_words_of_the_text() -> None:
    it = 'log ~ no such host|"Name or service not known" and pricing'
    assert satisfied(it, shown("E1", "[Errno -2] Name or service not known (host: 'pricing')"))
    assert not satisfied(it, shown("E2", "Name of the service: pricing"))
    assert list(predicates.texts(it)) == ["no such host", "Name or service not known"]
    assert satisfied('message ~ claim "a" not found', shown("E3", 'persistent volume claim "a" not found'))


def test_the_oracle_learns_from_a_predicate_what_to_ask_for() -> None:
    it = "metric pg_locks_count of orders-db > 10 or log ~ still waiting for *Lock|deadlock detected"
    assert list(predicates.metrics(it)) == ["pg_locks_count"]
    assert list(predicates.texts(it)) == ["still waiting for", "deadlock detected"]
