"""The graders, on hand-made findings and truths: each says one thing and is wrong in one way at a time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.evaluation.made import (
    AT,
    DECOY,
    HEALTHY,
    LIMIT,
    OOM,
    cause,
    finding,
    span,
    true_cause,
    truth,
)
from workers.evaluation import sameness
from workers.evaluation.grading import causes, chains, grade, moments, proof, verdicts
from workers.evaluation.grading.firstfailure import first_error, first_failure

RIGHT = finding(cause())
SEARCH = true_cause("Deployment shop/search", "code_defect_in_release", change=None, chain=())


@pytest.mark.parametrize(
    "said", ["Deployment shop/cart", "Service shop/cart", "Pod shop/cart-7d9f8c6b5-x2lqp", "Deployment cart"]
)
def test_an_entity_is_right_under_its_name_and_its_aliases(said: str) -> None:
    assert causes.entity_exact(finding(cause(said)), truth()) == 1


@pytest.mark.parametrize(
    "said", ["Deployment shop/cart-worker", "Deployment other/cart", "Node cart", "Namespace shop"]
)
def test_an_entity_of_another_kind_place_or_name_is_wrong(said: str) -> None:
    assert causes.entity_exact(finding(cause(said)), truth()) == 0


def test_a_node_and_a_namespace_of_one_name_stay_distinct() -> None:
    on_node = truth(true_cause("Node n-1", "kubelet_stopped", chain=()))
    assert causes.entity_exact(finding(cause("Node n-1")), on_node) == 1
    assert causes.entity_exact(finding(cause("Namespace n-1")), on_node) == 0


def test_nothing_to_blame_is_not_asked_for_an_entity() -> None:
    assert causes.entity_exact(finding(verdict="false_alarm"), HEALTHY) is None


def test_a_hit_is_counted_within_the_first_three() -> None:
    said = finding(cause("Deployment shop/a"), cause("Deployment shop/b"), cause())
    assert (causes.entity_exact(said, truth()), causes.entity_hit(said, truth())) == (0, 1)


def test_precision_counts_only_when_every_true_entity_is_named() -> None:
    both = truth(true_cause(), SEARCH)
    assert causes.precision_at_full_recall(finding(cause()), both) == 0
    assert causes.precision_at_full_recall(finding(cause(), cause("Deployment shop/search")), both) == 1
    crowd = finding(cause(), cause("Deployment shop/search"), cause("Deployment shop/pricing"))
    assert causes.precision_at_full_recall(crowd, both) == pytest.approx(2 / 3)


def test_two_spellings_of_one_entity_are_one_name() -> None:
    assert causes.precision_at_full_recall(finding(cause(), cause("Service shop/cart")), truth()) == 1


@pytest.mark.parametrize(
    ("said", "near"),
    [
        ("Deployment shop/cart", 1),
        ("Service shop/checkout", 1 / 2),
        ("Deployment shop/storefront", 1 / 3),
        ("Deployment shop/pricing", 0),
    ],
)
def test_proximity_falls_with_hops_and_is_nothing_off_the_path(said: str, near: float) -> None:
    assert causes.proximity(finding(cause(said)), truth()) == pytest.approx(near)


@pytest.mark.parametrize(
    ("fault", "score"),
    [("memory_limit_too_low", 1), ("memory_leak", 0.5), ("service_deleted", 0), ("no_such_fault", 0)],
)
def test_a_leaf_earns_half_within_its_group(fault: str, score: float) -> None:
    assert causes.leaf(finding(cause(fault=fault)), truth()) == score


def test_a_twin_counts_only_where_the_scenario_accepts_it() -> None:
    twin = finding(cause(fault="memory_leak"))
    assert causes.leaf(twin, truth(true_cause(accept=("memory_leak",)))) == 1
    assert causes.passed(twin, truth(true_cause(accept=("memory_leak",))))
    assert not causes.passed(twin, truth())


def test_entity_of_one_true_cause_with_the_leaf_of_another_is_not_right() -> None:
    both = truth(true_cause(), SEARCH)
    assert causes.passed(finding(cause("Deployment shop/search", "code_defect_in_release")), both)
    assert not causes.passed(finding(cause("Deployment shop/search", "memory_limit_too_low")), both)


def test_the_right_cause_at_rank_two_does_not_pass() -> None:
    assert not causes.passed(finding(cause("Deployment shop/a"), cause()), truth())


def test_a_right_lead_of_an_inconclusive_finding_is_a_lead_and_no_pass() -> None:
    said = finding(cause(band="low"), verdict="inconclusive")
    assert (causes.lead(said, truth()), causes.passed(said, truth())) == (1, False)


@pytest.mark.parametrize(("away", "score"), [(0, 1), (-59, 1), (61, 0.5), (-299, 0.5), (301, 0)])
def test_an_onset_is_right_within_a_minute_and_half_right_within_five(away: int, score: float) -> None:
    assert moments.onset(finding(cause(onset=AT + timedelta(seconds=away))), truth()) == score


def test_a_longer_scrape_interval_widens_the_onset() -> None:
    late = finding(cause(onset=AT + timedelta(seconds=100)))
    assert moments.onset(late, truth(), scrape_seconds=120) == 1


def test_the_onset_of_a_wrong_entity_is_not_asked() -> None:
    assert moments.onset(finding(cause("Deployment shop/a")), truth()) is None


@pytest.mark.parametrize(
    "said",
    ["cart-7d9f8c6b5", "rollout/shop/cart/33", "Deployment shop/cart revision 33", "scale/cart/20261124T140030Z"],
)
def test_a_change_is_known_by_any_of_its_names(said: str) -> None:
    assert moments.change(finding(cause(change=said)), truth(), {}) == 1
    assert moments.convicted(finding(cause(change=said)), truth(), {}) == 0


@pytest.mark.parametrize("said", ["rollout/shop/cart/32", "rollout/shop/search/33", "scale/shop/cart/20261124T130000Z"])
def test_another_change_is_a_convicted_innocent(said: str) -> None:
    assert moments.change(finding(cause(change=said)), truth(), {}) == 0
    assert moments.convicted(finding(cause(change=said)), truth(), {}) == 1


def test_an_opaque_change_id_is_known_by_what_the_skill_reported_under_it() -> None:
    reported = {"deployment/shop/cart/991": {"entity": {"kind": "Deployment", "namespace": "shop", "name": "cart"},
                                             "at": "2026-11-24T13:59:41Z"}}  # fmt: skip
    said = finding(cause(change="deployment/shop/cart/991"))
    assert moments.change(said, truth(), reported) == 1
    reported["deployment/shop/cart/991"]["at"] = "2026-11-24T11:00:00Z"
    assert moments.change(said, truth(), reported) == 0


def test_none_is_the_answer_where_nothing_changed_and_unknown_is_not() -> None:
    unchanged = truth(true_cause(change=None))
    assert moments.change(finding(cause(change="none")), unchanged, {}) == 1
    assert moments.change(finding(cause(change="unknown")), unchanged, {}) == 0
    assert moments.convicted(finding(cause(change="none")), unchanged, {}) is None
    assert moments.convicted(finding(cause(change="rollout/shop/cart/33")), unchanged, {}) == 1


def test_a_planted_decoy_is_counted_when_it_is_named() -> None:
    assert moments.convicted_a_decoy(finding(cause(change="rollout/shop/search/12")), truth(), {}) == 1
    assert moments.convicted_a_decoy(RIGHT, truth(), {}) == 0
    assert DECOY["ids"] == ["shop/search@12"]


def test_edges_are_compared_after_aliasing() -> None:
    said = finding(cause(), chain=(("Service shop/cart", "Service shop/checkout"),
                                   ("Deployment shop/checkout", "Service shop/storefront")))  # fmt: skip
    assert chains.edge_f1(said, truth()) == 1


def test_a_missing_and_an_invented_edge_cost_half() -> None:
    said = finding(cause(), chain=(("Deployment shop/cart", "Deployment shop/checkout"),
                                   ("Deployment shop/cart", "Deployment shop/pricing")))  # fmt: skip
    assert chains.edge_f1(said, truth()) == pytest.approx(0.5)


def test_a_cause_that_is_what_alerted_has_no_chain_to_grade() -> None:
    assert chains.edge_f1(finding(cause()), truth(true_cause(chain=()))) is None


def test_a_root_is_grounded_by_a_forward_path_to_what_alerted() -> None:
    straight = finding(cause(), chain=(("Deployment shop/cart", "Deployment shop/storefront"),))
    backward = finding(cause(), chain=(("Deployment shop/storefront", "Deployment shop/cart"),))
    assert chains.grounded(straight, truth()) == 1
    assert chains.grounded(backward, truth()) == 0
    assert chains.grounded(finding(cause()), truth()) == 0
    assert chains.grounded(finding(cause()), truth(alerted="namespace=shop pod=cart-7d9f8c6b5-x2lqp")) == 1


def test_coverage_is_the_share_of_required_evidence_that_is_cited() -> None:
    assert proof.coverage(RIGHT, truth()) == 1
    assert proof.coverage(finding(cause(evidence=("E1",))), truth()) == 0.5
    uncited = finding(cause(evidence=()), evidence=(("E1", OOM), ("E2", LIMIT)))
    assert proof.coverage(uncited, truth()) == 0


def test_full_evidence_with_a_wrong_cause_is_told_apart() -> None:
    marks = grade(finding(cause("Deployment shop/checkout")), [span("first_look kubernetes", "first_look", OOM, LIMIT)],
                  truth())  # fmt: skip
    assert (marks.evidence, marks.passed) == (1, 0)


def test_prose_that_cannot_be_checked_is_not_required() -> None:
    assert proof.required(truth(true_cause(evidence=("requests grow while they fall", "OOMKilled")))) == ("OOMKilled",)


def test_evidence_that_no_tool_returned_is_not_grounded() -> None:
    assert proof.grounding(RIGHT, [span("first_look kubernetes", "first_look", OOM, LIMIT)]) == 1
    assert proof.grounding(RIGHT, [span("first_look kubernetes", "first_look", OOM)]) == 0.5
    assert proof.grounding(finding(cause(evidence=("E9",))), [span("x", "first_look", OOM)]) == 0


def test_evidence_off_the_point_is_counted() -> None:
    said = finding(cause(evidence=("E1", "E3")), evidence=(("E1", OOM), ("E3", "node is fine")))
    assert proof.on_point(said, truth()) == 0.5


def test_a_cause_on_a_false_alarm_has_no_restraint() -> None:
    assert verdicts.restraint(finding(verdict="false_alarm"), HEALTHY) == 1
    assert verdicts.restraint(finding(cause()), HEALTHY) == 0


def test_on_a_recovered_case_the_past_cause_counts_and_a_present_one_does_not() -> None:
    over = truth(verdict="recovered")
    assert verdicts.restraint(finding(cause(), verdict="recovered"), over) == 1
    assert verdicts.restraint(finding(cause()), over) == 0
    assert verdicts.restraint(finding(cause()), truth()) is None


def test_inconclusive_earns_a_part_only_where_telemetry_was_removed() -> None:
    unsure = finding(verdict="inconclusive")
    assert verdicts.credit(unsure, truth()) == 0
    assert verdicts.credit(unsure, truth(), blind=True) == 0.3
    assert verdicts.restraint(unsure, HEALTHY, blind=True) == 0.3
    assert verdicts.restraint(unsure, HEALTHY) == 0


def test_high_and_wrong_is_a_wrong_cause_said_with_high_confidence() -> None:
    assert verdicts.high_and_wrong(finding(cause("Deployment shop/a")), truth())
    assert not verdicts.high_and_wrong(finding(cause("Deployment shop/a", band="medium")), truth())
    assert not verdicts.high_and_wrong(RIGHT, truth())
    assert verdicts.high_and_wrong(RIGHT, truth(verdict="recovered"))
    assert verdicts.high_and_wrong(RIGHT, HEALTHY)


SYMPTOM = {"entity": {"kind": "Deployment", "namespace": "shop", "name": "cart"}, "faults": ["memory_limit_too_low"],
           "evidence": [{"text": OOM, "query": "kubectl get"}]}  # fmt: skip
OPENED = {"action": "open", "entity": SYMPTOM["entity"], "fault": "memory_limit_too_low"}
WRONG = finding(cause("Deployment shop/a"))


def test_a_truth_that_was_never_seen_is_lost_in_the_first_look() -> None:
    assert first_failure(WRONG, [span("first_look kubernetes", "first_look", "all fine")], truth()) == (
        "receive",
        "first_look",
    )


def test_a_truth_hidden_by_a_failed_query_is_lost_there() -> None:
    spans = [span("first_look kubernetes", "first_look", "all fine"),
             span("prometheus_query", "query_prometheus", error="timeout")]  # fmt: skip
    assert first_failure(WRONG, spans, truth()) == ("first_look", "query_prometheus")


def test_a_truth_that_was_seen_and_not_recognised_is_lost_in_interpreting() -> None:
    assert first_failure(WRONG, [span("first_look kubernetes", "first_look", OOM)], truth()) == (
        "first_look",
        "interpret",
    )


def test_a_truth_that_was_recognised_and_not_believed_is_lost_in_hypothesising() -> None:
    seen = span("first_look kubernetes", "first_look", symptoms=[SYMPTOM])
    assert first_failure(WRONG, [seen], truth()) == ("first_look", "hypothesise")


def test_a_truth_that_was_given_up_is_lost_in_the_challenge() -> None:
    spans = [span("first_look kubernetes", "first_look", symptoms=[SYMPTOM]),
             span("hypothesis", "hypothesise", given=OPENED),
             span("hypothesis", "hypothesise", given={**OPENED, "action": "discard"})]  # fmt: skip
    assert first_failure(WRONG, spans, truth()) == ("hypothesise", "challenge")


def test_a_truth_that_was_believed_and_not_said_is_lost_in_the_conclusion() -> None:
    spans = [span("first_look kubernetes", "first_look", symptoms=[SYMPTOM]),
             span("hypothesis", "hypothesise", given=OPENED)]  # fmt: skip
    assert first_failure(WRONG, spans, truth()) == ("hypothesise", "conclude")


def test_what_passed_has_no_failure() -> None:
    assert first_failure(RIGHT, [], truth()) is None


def test_without_a_truth_the_first_error_is_the_failure() -> None:
    spans = [
        span(),
        span("prometheus_query", "query_prometheus", error="timeout"),
        span("x", "conclude", error="budget"),
    ]
    assert first_error(spans) == ("first_look", "query_prometheus")
    assert first_error([span()]) is None


def test_process_counts_what_the_way_cost() -> None:
    spans = [
        span("first_look kubernetes", "first_look", OOM, LIMIT),
        span("prometheus_query", "query_prometheus", error="tool_error"),
        span("prometheus_query", "query_prometheus", error="invalid_arguments"),
    ]
    marks = grade(RIGHT, spans, truth())
    assert (marks.process.steps, marks.process.tool_errors, marks.process.invalid_calls) == (3, 1, 1)
    assert marks.process.bytes_read > len(OOM) + len(LIMIT)


def test_a_reported_change_of_an_object_that_stands_among_the_ids_is_the_true_one() -> None:
    flag = {"kind": "flag", "entity": {"kind": "feature_flag", "namespace": None, "name": "bulk-price", "aliases": []},
            "at": "2026-11-24T14:00:00Z", "ids": ["ConfigMap shop/feature-flags", "bulk-price"]}  # fmt: skip
    reported = {"configmap/shop/x/7": {"entity": {"kind": "ConfigMap", "namespace": "shop", "name": "feature-flags"},
                                       "at": "2026-11-24T14:00:20Z"}}  # fmt: skip
    assert sameness.is_change("configmap/shop/x/7", flag, reported)
    reported["configmap/shop/x/7"]["at"] = "2026-11-24T12:00:00Z"
    assert not sameness.is_change("configmap/shop/x/7", flag, reported)
    reported["configmap/shop/x/7"] = {
        "at": flag["at"],
        "entity": {"kind": "ConfigMap", "namespace": "shop", "name": "b"},
    }
    assert not sameness.is_change("configmap/shop/x/7", flag, reported)


def test_a_step_of_the_chain_is_itself_though_the_culprit_may_go_by_its_name() -> None:
    flag = true_cause("feature_flag bulk", "feature_flag_harmful", change=None,
                      chain=(("feature_flag bulk", "Deployment shop/cart"),))  # fmt: skip
    flag = flag.model_copy(update={"entity": {**flag.entity, "aliases": ["Deployment shop/cart"]}})
    said = finding(
        cause("feature_flag bulk", "feature_flag_harmful"), chain=(("feature_flag bulk", "Service shop/cart"),)
    )
    assert chains.edge_f1(said, truth(flag)) == 1
    back = finding(
        cause("feature_flag bulk", "feature_flag_harmful"), chain=(("Service shop/cart", "feature_flag bulk"),)
    )
    assert chains.edge_f1(back, truth(flag)) == 0


def test_a_root_that_goes_by_the_name_of_the_next_step_is_grounded_from_there() -> None:
    steps = (("Secret shop/cart-tls", "Deployment shop/cart"), ("Deployment shop/cart", "Deployment shop/storefront"))
    secret = true_cause("Secret shop/cart-tls", "tls_certificate_invalid", change=None, chain=steps)
    secret = secret.model_copy(update={"entity": {**secret.entity, "aliases": ["Service shop/cart"]}})
    root = cause("Service shop/cart", "tls_certificate_invalid")
    assert chains.grounded(finding(root, chain=steps[1:]), truth(secret)) == 1
    assert chains.grounded(finding(root), truth(secret)) == 0
