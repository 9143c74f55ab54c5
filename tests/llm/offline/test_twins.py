"""Faults that show the same symptom, in small made-up situations: what else must be seen for the one or the other.

Each claim has its twin: the same picture with the one thing different that decides.
"""

from datetime import timedelta

import pytest

from tests.agent.company import ONSET, FakeSkill, alert, change, edge, looks, request, run, symptom
from workers.llm.offline.notes import Notes
from workers.llm.offline.starved import is_starved

MINUTE = timedelta(minutes=1)
CART_TO_PRICING = edge("Deployment shop/cart", "Service shop/pricing")
FRONT_TO_CART = edge("Deployment shop/front", "Service shop/cart")


def look(*symptoms, **more):
    return FakeSkill(sees=looks(*symptoms, **more))


def throws(about="Deployment shop/cart", says="cart throws KeyError: 'unit_price' in quote (/app/pricing.py:77)"):
    return symptom(
        about,
        "code_defect_in_release contract_broken_between_services feature_flag_harmful",
        says,
        0.78,
        analyzer="logs.crashes",
        query="level:error",
    )


def released(about, minutes_before=2, what="image 1.4.1 -> 1.4.2"):
    return change(f"rollout/{about}", about, what, ONSET - minutes_before * MINUTE)


def refused(about, target, says, faults="service_selects_no_pods service_target_port_wrong scaled_to_zero", **more):
    points = [target] if target else []
    return symptom(
        about, faults, says, 0.62, role="effect", points_at=points, analyzer="logs.faults", query="level:error", **more
    )


def lead(finding):
    first = finding.causes[0]
    return str(first.entity), first.fault, first.confidence.band


# --- J1, J4, J2: who changed ----------------------------------------------------------------------------------------


def test_a_caller_that_nobody_released_trips_over_the_release_of_what_it_calls():
    told = [released("Deployment shop/pricing")]
    about, fault, band = lead(run(request(), look(throws(), changes=told, edges=[CART_TO_PRICING])))
    assert (about, fault) == ("Deployment shop/pricing", "contract_broken_between_services")
    assert band != "high"


def test_a_program_that_was_released_itself_is_blamed_for_what_it_throws():
    told = [released("Deployment shop/pricing", 9), released("Deployment shop/cart", 2)]
    about, fault, _ = lead(run(request(), look(throws(), changes=told, edges=[CART_TO_PRICING])))
    assert (about, fault) == ("Deployment shop/cart", "code_defect_in_release")


def test_a_release_of_something_that_is_not_called_breaks_no_contract():
    told = [released("Deployment shop/mail")]
    about, fault, _ = lead(run(request(), look(throws(), changes=told, edges=[CART_TO_PRICING])))
    assert (about, fault) == ("Deployment shop/cart", "code_defect_in_release")


def test_a_flag_that_was_flipped_explains_what_an_unreleased_program_throws():
    flipped = change("flags", "ConfigMap shop/feature-flags", "ConfigMap changed", ONSET - MINUTE)
    finding = run(request(), look(throws(), changes=[flipped]))
    assert lead(finding)[:2] == ("ConfigMap shop/feature-flags", "feature_flag_harmful")


def test_a_flag_goes_by_its_name_where_the_configuration_was_read():
    flipped = change("flags", "ConfigMap shop/feature-flags", "ConfigMap changed", ONSET - MINUTE)
    named = symptom(
        "feature_flag bundles-v2", "feature_flag_harmful", "flag bundles-v2 was written at 14:03", 0.6, role="change",
        at=ONSET - MINUTE, change="flags", analyzer="kubernetes.configuration", victims=["Deployment shop/cart"],
    )  # fmt: skip
    finding = run(request(), look(throws(), named, changes=[flipped]))
    assert lead(finding)[:2] == ("feature_flag bundles-v2", "feature_flag_harmful")


def test_a_flag_that_was_flipped_yesterday_explains_nothing():
    flipped = change("flags", "ConfigMap shop/feature-flags", "ConfigMap changed", ONSET - timedelta(days=1))
    assert lead(run(request(), look(throws(), changes=[flipped])))[:2] == (
        "Deployment shop/cart",
        "code_defect_in_release",
    )


# --- I9 against J1 --------------------------------------------------------------------------------------------------


def test_a_third_party_that_answers_errors_goes_before_a_release_that_only_came_earlier():
    down = symptom(
        "external api.pay.example.com", "external_dependency_failing", "api.pay.example.com answers 503", 0.75,
        victims=["Deployment shop/cart"], analyzer="logs.faults", query="level:error",
    )  # fmt: skip
    errors = symptom("Deployment shop/cart", "", "cart answers 3 errors/s", 0.3, role="effect")
    finding = run(request(), look(down, errors, changes=[released("Deployment shop/cart", 6)]))
    assert lead(finding)[1] == "external_dependency_failing"


# --- J3, F7, I3: settings -------------------------------------------------------------------------------------------


def test_a_setting_that_points_to_the_very_port_that_refuses_is_the_cause():
    rewired = released("Deployment shop/cart", 3, "image 1.4.1 -> 1.4.2; env DB_PORT 5432 -> 6432")
    sees = look(refused("Deployment shop/cart", "", "cart is refused: 10.0.0.7:6432 (90 lines)"), changes=[rewired])
    assert lead(run(request(), sees))[:2] == ("Deployment shop/cart", "datastore_endpoint_wrong")


def test_a_setting_that_points_elsewhere_is_not_blamed_for_a_refusal():
    rewired = released("Deployment shop/cart", 3, "env MAIL_PORT 5025 -> 6025")
    sees = look(
        refused("Deployment shop/cart", "Service shop/db", "cart is refused: db:5432 (90 lines)"), changes=[rewired]
    )
    assert all(c.fault != "dependency_address_wrong" for c in run(request(), sees).causes[:1])


def test_everything_that_fails_minutes_after_the_configuration_was_written_is_its_doing():
    written = symptom(
        "Deployment shop/cart", "config_value_harmful", "ConfigMap cart-config was written at 14:03; used by cart", 0.4,
        role="change", at=ONSET - MINUTE, analyzer="kubernetes.releases",
    )  # fmt: skip
    slow = refused(
        "Deployment shop/cart", "", "cart cannot open a connection: 10.0.0.7:5432",
        "network_policy_blocks service_transport_wrong packet_loss",
    )  # fmt: skip
    finding = run(request(), look(written, slow))
    assert lead(finding)[:2] == ("Deployment shop/cart", "config_value_harmful")


def test_an_unnamed_callee_is_not_taken_for_the_caller_itself():
    finding = run(request(), look(refused("Deployment shop/cart", "", "cart is refused: 10.0.0.7:8080")))
    assert all(c.fault not in ("service_selects_no_pods", "scaled_to_zero") for c in finding.causes)


# --- J6 -------------------------------------------------------------------------------------------------------------


def test_a_job_that_fails_is_a_failing_job_whatever_its_program_says():
    job = symptom("CronJob shop/nightly", "scheduled_job_failing", "BackoffLimitExceeded of nightly-29", 0.88)
    words = symptom(
        "CronJob shop/nightly", "boot_dependency_missing code_defect_in_release", "nightly misses dateutil", 0.85,
        analyzer="logs.faults", query="level:error",
    )  # fmt: skip
    finding = run(request(alert("nightly")), look(job, words))
    assert lead(finding)[:2] == ("CronJob shop/nightly", "scheduled_job_failing")


def test_a_service_that_misses_a_module_is_no_job():
    words = symptom(
        "Deployment shop/cart", "boot_dependency_missing code_defect_in_release", "cart misses dateutil", 0.85,
        analyzer="logs.faults", query="level:error",
    )  # fmt: skip
    assert lead(run(request(), look(words)))[1] == "boot_dependency_missing"


# --- K1, K2, E3, E4 -------------------------------------------------------------------------------------------------

SURGE = symptom(
    "Service shop/pricing", "traffic_surge retry_storm", "pricing gets 40 requests/s against 8", 0.55,
    analyzer="prometheus.traffic", query="rate(http_requests_total[5m])",
)  # fmt: skip
RETRIES = symptom(
    "Deployment shop/cart", "retry_storm", "cart retries again and again (250 lines)", 0.4, role="effect",
    analyzer="logs.faults", query="level:warn",
)  # fmt: skip


def test_load_that_no_caller_passes_on_is_made_of_retries():
    finding = run(request(alert("cart")), look(SURGE, RETRIES, edges=[CART_TO_PRICING]))
    assert lead(finding)[1] == "retry_storm"


def test_load_that_the_caller_has_as_well_comes_from_outside():
    above = symptom(
        "Service shop/cart", "traffic_surge retry_storm", "cart gets 50 requests/s against 10", 0.55,
        analyzer="prometheus.traffic", query="rate(http_requests_total[5m])",
    )  # fmt: skip
    finding = run(request(alert("cart")), look(SURGE, above, RETRIES, edges=[CART_TO_PRICING]))
    assert lead(finding)[1] == "traffic_surge"


BUSY = symptom(
    "Deployment shop/cart", "cpu_throttled_by_limit cpu_hot_loop traffic_surge", "cart is throttled by its CPU limit",
    0.7, analyzer="prometheus.cpu", query="rate(container_cpu_cfs_throttled_periods_total[5m])",
)  # fmt: skip


def test_throttling_since_a_release_that_left_the_limit_is_code_that_burns():
    finding = run(request(), look(BUSY, changes=[released("Deployment shop/cart", 5)]))
    assert lead(finding)[1] == "cpu_hot_loop"


def test_throttling_since_the_limit_was_lowered_is_the_limit():
    lowered = released("Deployment shop/cart", 5, "image 1.4.1 -> 1.4.2; limits.cpu 1 -> 200m")
    assert lead(run(request(), look(BUSY, changes=[lowered])))[1] == "cpu_throttled_by_limit"


def test_a_processor_that_burns_in_the_collector_is_the_collectors():
    pauses = symptom(
        "Deployment shop/cart", "garbage_collection_stalls memory_leak", "cart stalls in garbage collection (80 lines)",
        0.7, analyzer="logs.faults", query="level:warn",
    )  # fmt: skip
    burns = symptom(
        "Deployment shop/cart", "cpu_hot_loop traffic_surge garbage_collection_stalls", "cart uses 0.95 cores, not 0.1",
        0.8, analyzer="prometheus.cpu", query="rate(container_cpu_usage_seconds_total[5m])",
    )  # fmt: skip
    assert lead(run(request(), look(burns, pauses)))[1] == "garbage_collection_stalls"
    assert lead(run(request(), look(burns)))[1] == "cpu_hot_loop"


def test_calls_that_are_late_and_broken_off_lose_packets():
    late = refused(
        "Deployment shop/front", "Service shop/cart", "front waits too long for cart",
        "link_latency cpu_throttled_by_limit packet_loss",
    )  # fmt: skip
    cut = refused(
        "Deployment shop/front", "Service shop/cart", "front has its connections to cart broken off",
        "mesh_policy_blocks packet_loss",
    )  # fmt: skip
    assert lead(run(request(alert("front")), look(late, cut, edges=[FRONT_TO_CART])))[:2] == (
        "Deployment shop/cart",
        "packet_loss",
    )
    assert lead(run(request(alert("front")), look(late, edges=[FRONT_TO_CART])))[1] == "link_latency"


def test_a_call_that_a_policy_drops_is_not_a_slow_one():
    policy = symptom(
        "NetworkPolicy shop/cart-ingress", "network_policy_blocks", "calls of front to cart match no rule", 0.88,
        victims=["Deployment shop/cart", "Deployment shop/front"], analyzer="kubernetes.policies",
    )  # fmt: skip
    timed = symptom(
        "Deployment shop/cart", "link_latency packet_loss", "calls to cart take 3 s, 0.01 s before",
        0.72, victims=["Deployment shop/front"], analyzer="prometheus.edges", query="client seconds",
    )  # fmt: skip
    late = refused(
        "Deployment shop/front", "Service shop/cart", "front waits too long for cart",
        "link_latency cpu_throttled_by_limit packet_loss network_policy_blocks",
    )  # fmt: skip
    seen = look(policy, timed, late, edges=[FRONT_TO_CART])
    assert lead(run(request(alert("front")), seen))[:2] == ("NetworkPolicy shop/cart-ingress", "network_policy_blocks")
    assert lead(run(request(alert("front")), look(timed, late, edges=[FRONT_TO_CART])))[1] == "link_latency"


def test_one_that_sheds_load_while_another_is_at_its_maximum_meets_demand():
    sheds = symptom(
        "Deployment shop/cart", "traffic_surge retry_storm", "cart sheds load (71 lines)", 0.5, role="effect",
        analyzer="logs.faults", query="level:warn",
    )  # fmt: skip
    ceiling = symptom(
        "HorizontalPodAutoscaler shop/front", "autoscaler_misconfigured traffic_surge",
        "autoscaler front is at 100 % of its maximum", 0.4, analyzer="prometheus.saturation", query="kube_hpa",
    )  # fmt: skip
    finding = run(request(), look(sheds, ceiling))
    assert lead(finding)[:2] == ("Deployment shop/cart", "traffic_surge")


# --- E10, L2 --------------------------------------------------------------------------------------------------------

NO_CART = refused("Deployment shop/front", "Service shop/cart", "front is refused: cart:8080 (90 lines)")


def scaled(what, at, about="Deployment shop/cart"):
    return change(f"scale/{at:%H%M}", about, what, at)


def test_what_was_scaled_to_nothing_when_its_callers_began_to_be_refused_is_the_cause():
    away = scaled("Scaled down replica set cart-5b7f from 3 to 0", ONSET - MINUTE)
    finding = run(request(alert("front")), look(NO_CART, edges=[FRONT_TO_CART], changes=[away]))
    assert lead(finding)[:2] == ("Deployment shop/cart", "scaled_to_zero")


def test_a_rollout_that_takes_its_old_replica_set_away_scales_nothing_to_zero():
    new = scaled("Scaled up replica set cart-77aa from 0 to 3", ONSET - 2 * MINUTE)
    old = scaled("Scaled down replica set cart-5b7f from 1 to 0", ONSET - MINUTE)
    finding = run(request(alert("front")), look(NO_CART, edges=[FRONT_TO_CART], changes=[new, old]))
    assert lead(finding)[1] != "scaled_to_zero"


# --- F5, F8 ---------------------------------------------------------------------------------------------------------


def test_a_missing_service_that_nobody_misses_is_no_lead():
    missing = symptom("Service shop/worker", "service_deleted", "Service worker does not exist", 0.3, at=None)
    errors = symptom("Deployment shop/cart", "", "cart answers 3 errors/s", 0.3, role="effect")
    finding = run(request(), look(missing, errors))
    assert finding.verdict == "inconclusive"
    assert all(c.entity.name != "worker" for c in finding.causes)


def test_an_ingress_called_like_the_service_that_lost_its_visitors_is_near():
    route = symptom(
        "Ingress shop/cart", "ingress_route_wrong", "Ingress cart leads to Service cart-web, which is not there", 0.93,
        analyzer="kubernetes.routes",
    )  # fmt: skip
    well = symptom("Deployment shop/cart", "", "cart: 3 of 3 pods ready", 0.3, role="healthy", at=None)
    fewer = alert("cart", alert_type="TrafficDropped", title="cart gets far fewer requests")
    finding = run(request(fewer), look(route, well))
    assert lead(finding) == ("Ingress shop/cart", "ingress_route_wrong", "high")


# --- J5 -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "starved"),
    [
        ("cart gets far fewer requests than an hour ago", True),
        ("Traffic of the gateway dropped", True),
        ("Checkout requests time out, 40% below normal speed", False),
        ("More than 5 % of requests fail; error rate is not low", False),
        ("API calls return 503, healthy pods missing", False),
    ],
)
def test_requests_that_fare_badly_are_not_fewer_requests(title, starved):
    assert is_starved(Notes(alerts=({"type": "", "title": title},))) is starved


def test_fewer_orders_without_an_error_since_a_release_are_wrong_answers():
    fewer = alert("", alert_type="OrdersDropped", title="Orders are at 0.2/s")
    finding = run(request(fewer), look(changes=[released("Deployment shop/pricing", 10)]))
    assert lead(finding)[:2] == ("Deployment shop/pricing", "silent_wrong_result")
    assert lead(finding)[2] != "high"


def test_fewer_orders_with_errors_have_another_cause_than_silence():
    fewer = alert("", alert_type="OrdersDropped", title="Orders are at 0.2/s")
    errors = symptom("Deployment shop/cart", "", "cart answers 3 errors/s", 0.3, role="effect")
    finding = run(request(fewer), look(errors, changes=[released("Deployment shop/pricing", 10)]))
    assert all(c.fault != "silent_wrong_result" for c in finding.causes)


def test_a_node_that_resends_while_several_services_are_late_has_the_bad_link():
    resent = symptom(
        "Node worker-2", "node_link_degraded packet_loss", "1 of 5 nodes (worker-2) send TCP segments again", 0.4,
        role="effect", analyzer="prometheus.retransmissions", query="node_netstat_Tcp_RetransSegs",
    )  # fmt: skip
    late = [
        refused(
            "Deployment shop/front", f"Service shop/{name}", f"front waits too long for {name}",
            "link_latency cpu_throttled_by_limit packet_loss",
        )
        for name in ("cart", "search")
    ]  # fmt: skip
    ways = [FRONT_TO_CART, edge("Deployment shop/front", "Service shop/search")]
    finding = run(request(alert("front")), look(resent, *late, edges=ways))
    assert lead(finding)[:2] == ("Node worker-2", "node_link_degraded")
    assert lead(run(request(alert("front")), look(resent, late[0], edges=ways)))[0] == "Deployment shop/cart"


def test_a_wrong_value_began_with_the_change_that_wrote_it_not_with_its_object():
    pinned = symptom(
        "Deployment shop/cart", "pinned_to_missing_node_or_port", "cart has nodeName worker-retired, which no node has",
        0.96, at=ONSET - timedelta(days=90), analyzer="kubernetes.scheduler",
    )  # fmt: skip
    wrote = released("Deployment shop/cart", 3, "image 1.4.1 -> 1.4.2; nodeName (none) -> worker-retired")
    assert lead(run(request(), look(pinned, changes=[wrote]))) == (
        "Deployment shop/cart",
        "pinned_to_missing_node_or_port",
        "high",
    )


def test_a_release_without_its_migration_lacks_a_table_and_has_no_defect():
    lacks = symptom(
        "Deployment shop/cart", "boot_dependency_missing code_defect_in_release", "cart misses a table: slots",
        0.8, analyzer="logs.faults", query="level:error",
    )  # fmt: skip
    down = symptom("Deployment shop/cart", "", "1 of 3 pods are not ready (CrashLoopBackOff)", 0.35, role="effect")
    finding = run(request(), look(lacks, down, changes=[released("Deployment shop/cart", 3)]))
    assert lead(finding)[1] == "boot_dependency_missing"


def test_an_autoscaler_that_cannot_scale_what_is_called_is_why_demand_is_not_met():
    blind = symptom(
        "HorizontalPodAutoscaler shop/cart", "autoscaler_misconfigured", "HPA cart cannot scale: no request for cpu",
        0.93, analyzer="kubernetes.replicas",
    )  # fmt: skip
    more = symptom(
        "Service shop/cart", "traffic_surge retry_storm", "cart gets 50 requests/s against 10", 0.75,
        analyzer="prometheus.traffic", query="rate(http_requests_total[5m])",
    )  # fmt: skip
    seen = look(blind, more, edges=[FRONT_TO_CART])
    assert lead(run(request(alert("front")), seen))[:2] == (
        "HorizontalPodAutoscaler shop/cart",
        "autoscaler_misconfigured",
    )


def test_a_partition_that_a_poisonous_message_stops_is_not_hot():
    uneven = symptom(
        "Service data/kafka", "hot_key_or_shard queue_backlog", "mail is behind in one partition of four", 0.7,
        victims=["Deployment shop/mail"], analyzer="prometheus.queues", query="kafka_consumergroup_lag",
    )  # fmt: skip
    poison = symptom(
        "Deployment shop/mail", "queue_backlog contract_broken_between_services", "mail fails on its messages", 0.75,
        analyzer="logs.faults", query="level:error",
    )  # fmt: skip
    labels = {"namespace": "data", "consumergroup": "mail"}
    about = alert("kafka", "data", alert_type="KafkaConsumerLag", labels=labels)
    assert lead(run(request(about), look(uneven, poison)))[1] == "queue_backlog"
    assert lead(run(request(about), look(uneven)))[1] == "hot_key_or_shard"


def test_a_mesh_policy_that_was_made_when_callers_began_to_be_forbidden_forbids_them():
    told = refused(
        "Deployment shop/front", "Service shop/cart", "front is refused by a mesh policy", "mesh_policy_blocks"
    )
    policy = symptom(
        "AuthorizationPolicy shop/deny", "mesh_policy_blocks", "deny allows only ingress-nginx", 0.4, at=ONSET - MINUTE,
        analyzer="kubernetes.policies",
    )  # fmt: skip
    old = symptom(
        "AuthorizationPolicy shop/old", "mesh_policy_blocks", "old allows only ingress-nginx", 0.4,
        at=ONSET - timedelta(days=9), analyzer="kubernetes.policies", query="kubectl get authorizationpolicies",
    )  # fmt: skip
    finding = run(request(alert("front")), look(told, policy, old, edges=[FRONT_TO_CART]))
    assert lead(finding)[:2] == ("AuthorizationPolicy shop/deny", "mesh_policy_blocks")
    assert finding.verdict == "incident"


def test_a_service_that_is_missing_under_a_full_quota_was_refused():
    missed = refused(
        "Deployment shop/front", "Service shop/quotes", "front asks for a name that DNS does not know: quotes",
        "service_deleted dependency_address_wrong",
    )  # fmt: skip
    full = symptom(
        "Namespace shop", "service_object_quota_exhausted", "quota of shop: services is 100 % used", 0.5, at=None,
        analyzer="prometheus.saturation", query="kube_resourcequota",
    )  # fmt: skip
    assert lead(run(request(alert("front")), look(missed, full)))[:2] == (
        "Namespace shop",
        "service_object_quota_exhausted",
    )
    assert lead(run(request(alert("front")), look(missed)))[1] == "service_deleted"


# --- A10 against E4: what a busy client of the API is busy with ------------------------------------------------------

API_SLOW = symptom("Pod kube-system/kube-apiserver", "api_server_overload", "The Kubernetes API does not keep up", 0.5)
SHIPPER_BUSY = symptom(
    "DaemonSet logging/shipper", "cpu_hot_loop traffic_surge", "shipper uses 0.65 cores a pod, 0.012 before", 0.55,
    analyzer="prometheus.cpu",
)  # fmt: skip


def throttled(about="DaemonSet logging/shipper"):
    return symptom(
        about, "api_server_overload", f"{about.split('/')[-1]} is throttled by the Kubernetes API", 0.63, role="effect",
        analyzer="kubernetes.logs", query=about,
    )  # fmt: skip


def of_the_api(*symptoms):
    rejected = alert("", namespace="", alert_type="KubeAPIRequestsRejected", title="API requests are rejected")
    return lead(run(request(rejected), look(API_SLOW, *symptoms)))


def test_a_throttled_client_that_works_harder_than_ever_floods_the_api():
    assert of_the_api(throttled(), SHIPPER_BUSY)[:2] == ("DaemonSet logging/shipper", "api_server_overload")


def test_a_busy_program_that_the_api_does_not_throttle_floods_nothing():
    assert of_the_api(throttled("Deployment shop/operator"), SHIPPER_BUSY)[:2] != (
        "DaemonSet logging/shipper",
        "api_server_overload",
    )


# --- J2: a flag that waited for somebody to come by -------------------------------------------------------------------


def waiting(*flags):
    return [
        symptom(
            f"feature_flag {f}", "feature_flag_harmful", f"flag {f} is on in ConfigMap flags", 0.1, role="change",
            at=ONSET - 130 * MINUTE, analyzer="kubernetes.configuration", query=f,
        )
        for f in flags
    ]  # fmt: skip


MOVED = [change("r1", "Deployment shop/mail", "image 1.0.0 -> 1.0.1", ONSET - 600 * MINUTE)]
VOUCHERS = throws(says="cart fails with an error that it never had: POST /vouchers: missing field voucher_id")


def test_what_breaks_where_a_flag_is_called_after_it_broke_by_the_flag_that_waited():
    finding = run(request(alert("cart")), look(VOUCHERS, *waiting("stacked-vouchers", "dark-theme"), changes=MOVED))
    assert lead(finding)[:2] == ("feature_flag stacked-vouchers", "feature_flag_harmful")
    assert lead(finding)[2] != "high", "a name in common is a hint and no proof"


def test_a_flag_of_another_name_or_two_of_that_name_are_not_blamed():
    for flags in (("dark-theme",), ("stacked-vouchers", "paper-vouchers")):
        finding = run(request(alert("cart")), look(VOUCHERS, *waiting(*flags), changes=MOVED))
        assert lead(finding)[1] != "feature_flag_harmful"


def test_a_word_that_every_program_says_ties_no_flag_to_an_error():
    thrown = throws(says="cart fails with an error that it never had: exception while handling a request")
    finding = run(request(alert("cart")), look(thrown, *waiting("request-logging"), changes=MOVED))
    assert lead(finding)[1] != "feature_flag_harmful"
