"""Which change is held responsible: only one that touches what fails, can bring it about, and came before, soon enough.

Each claim has its twin: an innocent change that differs in the one thing that matters.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from skills.contract import ToolInput, ToolResult
from tests.agent.company import ONSET, FakeSkill, alert, change, edge, looks, request, run, symptom

MINUTE = timedelta(minutes=1)
CART = "Deployment shop/cart"


def attributed(*symptoms, changes=(), edges=(), about="cart"):
    seen = FakeSkill(sees=looks(*symptoms, changes=changes, edges=edges))
    return run(request(alert(about)), seen).causes[0].change


def altered(about, what, minutes_before=1.0, kind="rollout", called=""):
    made = change(called or f"{kind}/{about}/{what}", about, what, ONSET - minutes_before * MINUTE)
    return replace(made, kind=kind)


def shown(fault, about=CART, says="", **more):
    return symptom(about, fault, says or f"{about} has {fault}", 0.96, **more)


BY_ROLLOUT = [
    ("image_not_found", "cart image shop/cart:1.4.1 -> shop/cart:1.4.2", "cart limits.memory 1Gi -> 2Gi"),
    ("memory_limit_too_low", "cart limits.memory 512Mi -> 128Mi", "cart image shop/cart:1.4.1 -> shop/cart:1.4.2"),
    ("cpu_throttled_by_limit", "cart limits.cpu 2 -> 100m", "cart limits.memory 512Mi -> 1Gi"),
    ("readiness_probe_misconfigured", "cart readinessProbe.httpGet.path /ready -> /up", "cart limits.cpu 1 -> 2"),
    ("service_account_absent", "serviceAccountName cart -> cart-v2", "cart env LOG_LEVEL info -> debug"),
    ("node_selector_unmatched", "nodeSelector.disk (none) -> ssd", "cart env LOG_LEVEL info -> debug"),
    ("cpu_requests_do_not_fit", "cart requests.cpu 200m -> 64", "cart env LOG_LEVEL info -> debug"),
    ("volume_cannot_attach", "volumes [] -> {data}", ""),
]


@pytest.mark.parametrize(("fault", "guilty", "innocent"), BY_ROLLOUT)
def test_a_rollout_is_held_responsible_for_the_part_that_it_changed(fault, guilty, innocent):
    assert attributed(shown(fault), changes=[altered(CART, guilty)]) == f"rollout/{CART}/{guilty}"
    if innocent:
        assert attributed(shown(fault), changes=[altered(CART, innocent)]) in ("none", "unknown")


BY_OBJECT = [
    ("cpu_quota_exhausted", "Namespace shop", "ResourceQuota shop/compute", "ResourceQuota other/compute"),
    ("rbac_permission_revoked", CART, "Role shop/cart-reader", "Role other/cart-reader"),
    ("admission_webhook_fault", "ValidatingWebhookConfiguration gate", "ValidatingWebhookConfiguration gate",
     "ValidatingWebhookConfiguration other"),
    ("network_policy_blocks", "NetworkPolicy shop/cart-in", "NetworkPolicy shop/cart-in", "NetworkPolicy shop/db-in"),
    ("service_selects_no_pods", "Service shop/cart", "Service shop/cart", "Service shop/pricing"),
    ("ingress_route_wrong", "Ingress shop/cart", "Ingress shop/cart", "Ingress shop/admin"),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "culprit", "guilty", "innocent"), BY_OBJECT)
def test_a_written_object_is_held_responsible_where_it_is_the_one_that_fails(fault, culprit, guilty, innocent):
    said = f"{guilty.split()[0]} changed"
    assert attributed(shown(fault, culprit, victims=[CART]), changes=[altered(guilty, said, 5, "config", "it")]) == "it"
    assert attributed(
        shown(fault, culprit, victims=[CART]), changes=[altered(innocent, said, 5, "config", "it")]
    ) in ("none", "unknown")  # fmt: skip


@pytest.mark.parametrize(
    ("fault", "what"),
    [("service_selects_no_pods", "Service changed: ports"), ("service_target_port_wrong", "Service changed: selector")],
)
def test_another_part_of_the_service_was_written_than_the_one_that_is_wrong(fault, what):
    written = altered("Service shop/cart", what, 1, "config")
    assert attributed(shown(fault, "Service shop/cart"), changes=[written]) == "unknown"


def test_a_change_after_the_first_sign_or_long_before_it_is_innocent():
    limit = "cart limits.memory 512Mi -> 128Mi"
    for minutes in (-4, 60 * 5):
        assert attributed(shown("memory_limit_too_low"), changes=[altered(CART, limit, minutes)]) == "none"


def test_the_same_change_of_a_healthy_peer_is_innocent():
    what = "pricing limits.memory 512Mi -> 128Mi"
    assert attributed(shown("memory_limit_too_low"), changes=[altered("Deployment shop/pricing", what)]) == "none"


def test_of_two_rollouts_the_last_before_the_trouble_is_responsible():
    changes = [altered(CART, f"cart image a:{n} -> a:{n + 1}", 30 - n) for n in (1, 20)]
    assert attributed(shown("image_not_found"), changes=changes) == changes[1].id


def test_a_claim_came_with_the_rollout_of_the_workload_that_waits_for_it():
    claim = shown("storage_class_missing", "PersistentVolumeClaim shop/cart-data", victims=[CART])
    mounted = altered(CART, 'volumes [] -> {"data":{"persistentVolumeClaim":{"claimName":"cart-data"}}}')
    assert attributed(claim, changes=[mounted]) == mounted.id
    stranger = altered("Deployment shop/pricing", mounted.summary)
    assert attributed(claim, changes=[stranger]) == "none"


def test_a_quota_that_was_always_so_was_met_by_whoever_asked_for_more():
    full = shown("pod_count_quota_exhausted", "Namespace shop", victims=[CART])
    more = altered(CART, "Scaled up replica set cart-7d9f8c6b5 from 3 to 9", 1, "scale")
    assert attributed(full, changes=[more]) == more.id
    lowered = altered("ResourceQuota shop/pods", "ResourceQuota changed: hard", 3, "config")
    assert attributed(full, changes=[lowered, more]) == lowered.id
    earlier = altered(CART, "Scaled up replica set cart-7d9f8c6b5 from 3 to 9", 50, "scale")
    assert attributed(full, changes=[earlier]) == "none"


def test_a_secret_that_the_symptom_names_is_responsible_for_rejected_credentials():
    says = "cart is refused by cart-db: password authentication failed (Secret cart-db-login)"
    rejected = shown("datastore_credentials_rejected", says=says)
    assert (
        attributed(rejected, changes=[altered("Secret shop/cart-db-login", "Secret changed", 40, "config", "it")])
        == "it"
    )
    assert (
        attributed(rejected, changes=[altered("Secret shop/mail", "Secret changed", 40, "config", "it")]) == "unknown"
    )


def test_what_no_change_brings_about_has_none():
    full = shown("volume_full", "PersistentVolumeClaim shop/cart-data", victims=[CART])
    assert attributed(full, changes=[altered(CART, "cart image a:1 -> a:2")]) == "none"


def test_where_nobody_read_the_changes_of_a_place_they_are_unknown():
    there = shown("memory_limit_too_low", "Deployment billing/cart", analyzer="prometheus.memory")
    assert attributed(there, changes=[altered("Deployment shop/pricing", "pricing image a:1 -> a:2")]) == "unknown"
    here = shown("memory_limit_too_low", analyzer="prometheus.memory")
    assert attributed(here, changes=[altered("Deployment shop/pricing", "pricing image a:1 -> a:2")]) == "none"


def test_a_fault_that_somebody_made_has_an_unknown_change_where_none_was_seen():
    assert attributed(shown("service_selects_no_pods", "Service shop/cart")) == "unknown"


def test_a_rollout_says_more_than_the_delivery_tools_word_of_it():
    sync = altered(CART, "sync to 3f9c1d2", 1, "sync")
    rollout = altered(CART, "cart image a:1 -> a:2", 1.5)
    assert attributed(shown("image_not_found"), changes=[sync, rollout]) == rollout.id
    assert attributed(shown("image_not_found"), changes=[sync]) == sync.id


def test_a_state_of_a_node_is_no_change_that_made_it():
    lost = altered("Node worker-3", "NodeNotReady: Node worker-3 status is now: NodeNotReady", 0, "node")
    silent = shown("kubelet_stopped", "Node worker-3", victims=[CART])
    assert attributed(silent, changes=[lost], edges=[edge(CART, "Node worker-3", "node")]) == "none"


def test_what_was_written_after_the_trouble_began_did_not_bring_it_about():
    fixed = altered("Service shop/cart", "Service changed: selector", -3, "config", "fix")
    wrong = shown("service_selects_no_pods", "Service shop/cart", change="fix")
    assert attributed(wrong, changes=[fixed]) == "unknown"
    broke = altered("Service shop/cart", "Service changed: selector", 0.1, "config", "break")
    assert attributed(replace(wrong, change="break"), changes=[broke]) == "break"


def test_a_change_seconds_after_the_first_sign_is_where_the_trouble_began():
    late = altered(CART, "cart image a:1 -> a:2", -0.2)
    seen = FakeSkill(sees=looks(shown("image_not_found"), changes=[late]))
    first = run(request(alert("cart")), seen).causes[0]
    assert (first.change, first.onset) == (late.id, late.at)


def test_lines_that_say_the_same_are_cited_once_as_evidence_of_a_cause():
    lines = [f'{{"ts":"14:0{n}:00Z","msg":"cart: cannot allocate {n}00 MB"}}' for n in (1, 2, 3)]
    other = "cart container restarts 6"
    said = shown("memory_leak")
    said = replace(said, evidence=tuple(replace(said.evidence[0], text=t) for t in (*lines, other)))
    found = run(request(alert("cart")), FakeSkill(sees=looks(said)))
    cited = [e.excerpt for e in found.evidence if e.id in found.causes[0].evidence]
    assert cited == [lines[0], other]


def test_room_was_taken_by_the_workload_that_was_made_for_it():
    taken = shown("preempted_by_priority", points_at=["Deployment batch/risk"])
    made = altered("Deployment batch/risk", "created (or deleted and created again)", 1, called="created/batch/risk")
    assert attributed(taken, changes=[made]) == made.id
    other = altered("Deployment batch/mail", "created (or deleted and created again)", 1, called="created/batch/mail")
    assert attributed(taken, changes=[other]) in ("none", "unknown")
    itself = altered(CART, "Scaled up replica set cart-7d9f8c6b5 from 0 to 2", 0, "scale")
    assert attributed(taken, changes=[itself]) == "none"


class _Asked(ToolInput):
    namespace: str = ""
    name: str = ""


def test_changes_of_a_place_that_nobody_told_of_are_asked_for_before_the_conclusion():
    agent = "DaemonSet logging/shipper"
    busy = shown("cpu_hot_loop", agent, analyzer="prometheus.cpu", victims=[CART])
    released = altered(agent, "shipper image a:1 -> a:2", 2)
    told = FakeSkill(
        sees=looks(busy),
        answers={"kubernetes_rollouts": (_Asked, lambda *_: ToolResult("ok", "1", changes=(released,)))},
    )
    assert run(request(alert("cart")), told).causes[0].change == released.id
    assert [(n, a.namespace, a.name) for n, a in told.asked if a.namespace == "logging" and not a.name]


def test_changes_that_were_told_are_not_asked_for_again():
    told = FakeSkill(
        sees=looks(shown("image_not_found"), changes=[altered(CART, "cart image a:1 -> a:2")]),
        answers={"kubernetes_rollouts": (_Asked, lambda *_: ToolResult("no_data", "none"))},
    )
    run(request(alert("cart")), told)
    assert told.asked == []


def test_a_word_that_means_a_program_does_not_mean_the_configuration_of_that_name():
    says = "cart is refused by orders: password authentication failed"
    rejected = shown("datastore_credentials_rejected", says=says)
    secret = altered("Secret shop/orders", "Secret changed", 5, "config", "it")
    assert attributed(rejected, changes=[secret]) == "it"
    assert attributed(rejected, changes=[secret], edges=[edge(CART, "Service shop/orders")]) == "unknown"


def test_who_asks_for_less_exhausts_nothing():
    full = shown("connection_pool_exhausted", "StatefulSet shop/cart-db", victims=[CART])
    more = altered(CART, "Scaled up replica set cart-7d9f8c6b5 from 2 to 9", 5, "scale")
    fewer = altered(CART, "Scaled down replica set cart-7d9f8c6b5 from 9 to 2", 5, "scale")
    calls = [edge(CART, "StatefulSet shop/cart-db")]
    assert attributed(full, changes=[more], edges=calls) == more.id
    assert attributed(full, changes=[fewer], edges=calls) == "none"


def test_a_defect_shows_when_what_is_broken_is_done_for_the_first_time():
    thrown = shown("code_defect_in_release", says="cart throws TypeError in nightly (/app/cart/nightly.py:9)")
    at_noon = altered(CART, "cart image a:1 -> a:2", 60 * 5)
    last_week = altered(CART, "cart image a:1 -> a:2", 60 * 24 * 7)
    assert attributed(thrown, changes=[at_noon]) == at_noon.id
    assert attributed(thrown, changes=[last_week]) == "unknown"


@pytest.mark.parametrize(
    "what", ["Scaled down replica set cart-7d9f8c6b5 from 3 to 0", "replicas 0, written by kubectl"]
)
def test_only_a_scaling_to_nothing_leaves_nothing(what):
    gone = shown("scaled_to_zero")
    assert attributed(gone, changes=[altered(CART, what, 1, "scale", "it")]) == "it"
    assert attributed(gone, changes=[altered(CART, what.replace("0", "1"), 1, "scale", "it")]) == "unknown"


def test_a_release_from_the_same_registry_takes_no_credentials_away():
    refused = shown("registry_credentials_missing")
    moved = altered(CART, "cart image registry.one/shop/cart:1 -> registry.two/shop/cart:2")
    assert attributed(refused, changes=[moved]) == moved.id
    same = altered(CART, "cart image registry.one/shop/cart:1 -> registry.one/shop/cart:2")
    assert attributed(refused, changes=[same]) == "unknown"
    dropped = altered(CART, 'imagePullSecrets [{"name":"pull"}] -> (removed)')
    assert attributed(refused, changes=[dropped]) == dropped.id


@pytest.mark.parametrize(
    ("config", "known"),
    [("coredns", True), ("coredns-config", True), ("coredns-cache-config", False), ("proxy", False)],
)
def test_configuration_that_is_called_after_the_culprit_is_its_own(config, known):
    fails = shown("dns_resolution_failing", "Deployment kube-system/coredns", "CoreDNS fails every tenth answer",
                  victims=[CART])  # fmt: skip
    written = altered(f"ConfigMap kube-system/{config}", "ConfigMap changed: Corefile = .:53", 2, "config", "it")
    assert (attributed(fails, changes=[written]) == "it") is known


def test_a_headline_says_whose_change_it_was_where_that_is_not_the_culprit():
    full = shown("cpu_quota_exhausted", "Namespace shop", "new pods of cart are refused by a quota", victims=[CART])
    lowered = altered("ResourceQuota shop/compute", "ResourceQuota changed: hard", 3, "config")
    told = run(request(alert("cart")), FakeSkill(sees=looks(full, changes=[lowered]))).headline.text
    assert told.endswith("since ResourceQuota compute changed: hard at 14:01")
    own = altered(CART, "env FEATURE off -> on", 3)
    wrong = shown("config_value_harmful", says="cart fails")
    told = run(request(alert("cart")), FakeSkill(sees=looks(wrong, changes=[own]))).headline.text
    assert told.endswith("since env FEATURE off -> on at 14:01")


def test_a_rollback_seconds_after_the_first_sign_is_the_remedy():
    broke, undone = altered(CART, "cart image a:1 -> a:2", 1), altered(CART, "cart image a:2 -> a:1", -1.2)
    assert attributed(shown("image_not_found"), changes=[broke, undone]) == broke.id


def test_a_sync_is_not_blamed_where_its_rollout_told_innocent_parts():
    rollout = altered(CART, "cart image a:1 -> a:2", 1)
    synced = altered(CART, "synced to 4f2a", 1.2, "sync", "sync")
    assert attributed(shown("cpu_throttled_by_limit"), changes=[rollout, synced]) in ("none", "unknown")
    assert attributed(shown("cpu_throttled_by_limit"), changes=[synced]) == "sync"


PLACES = [
    ("cpu_quota_exhausted", "Namespace shop", "ResourceQuota shop/q", "ResourceQuota changed: services 5 -> 10"),
    ("rbac_permission_revoked", CART, "ClusterRole grafana-viewer", "created by helm"),
    ("nodes_cordoned", "Node worker-1", "Node worker-9", "Node worker-9 cordoned, as 1 more node(s): worker-8"),
    ("taint_not_tolerated", CART, "Node worker-9", "Node worker-9 tainted: pool=gpu:NoSchedule"),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "culprit", "thing", "what"), PLACES)
def test_another_object_of_the_kind_in_the_same_place_is_innocent(fault, culprit, thing, what):
    said = "0/3 nodes are available: 3 node(s) had untolerated taint {team: search}"
    found = attributed(shown(fault, culprit, said, victims=[CART]), changes=[altered(thing, what, 9, "config", "it")])
    assert found in ("none", "unknown")


GUILTY = [
    ("cpu_quota_exhausted", "Namespace shop", "ResourceQuota shop/q", "ResourceQuota changed: requests.cpu 8 -> 2"),
    ("nodes_cordoned", "Node worker-1", "Node worker-9", "Node worker-9 cordoned, as 2 more: worker-1, worker-8"),
    ("taint_not_tolerated", CART, "Node worker-9", "Node worker-9 tainted: team=search:NoSchedule"),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "culprit", "thing", "what"), GUILTY)
def test_and_the_one_that_is_told_of_is_guilty(fault, culprit, thing, what):
    said = "0/3 nodes are available: 3 node(s) had untolerated taint {team: search}"
    it = altered(thing, what, 9, "config", "it")
    assert attributed(shown(fault, culprit, said, victims=[CART]), changes=[it]) == "it"
