"""The offline investigator in small made-up situations: what it convicts, what it lets go, and when it says nothing."""

from datetime import timedelta

import pytest

from skills.contract import Excerpt, Gap, ToolResult
from tests.agent.company import (
    NOW,
    ONSET,
    AnalyzeInput,
    FakeSkill,
    LogsInput,
    MemoryJournal,
    alert,
    change,
    edge,
    looks,
    request,
    run,
    symptom,
    unreachable,
)
from workers.domain import EntityPattern, Guidance, Reading

FRONT_TO_CART = edge("Deployment shop/frontend", "Service shop/cart")
CART_TO_DB = edge("Deployment shop/cart", "Service shop/db")
FRONT_FAILS = symptom(
    "Deployment shop/frontend",
    "",
    "frontend answers 31% of requests with 5xx",
    0.4,
    role="effect",
    points_at=["Service shop/cart"],
    analyzer="prometheus.traffic",
    query="rate(http_requests_total[5m])",
)
NO_ENDPOINTS = symptom(
    "Service shop/cart",
    "service_selects_no_pods",
    "Service cart selects app=cart-v2 and no pod carries it",
    0.95,
    victims=["Deployment shop/frontend"],
    analyzer="kubernetes.services",
    query="kubectl get service cart",
)
WELL = symptom(
    "Deployment shop/cart",
    "",
    "cart has 3 of 3 pods ready and no restarts",
    0.8,
    role="healthy",
    analyzer="kubernetes.workloads",
    at=None,
)


def look(*symptoms, **more):
    return FakeSkill(sees=looks(*symptoms, **more))


def convicted(finding):
    return [(c.entity.name, c.fault) for c in finding.causes]


def test_a_callers_errors_are_explained_by_the_dependency_that_is_down():
    finding = run(request(alert("frontend")), look(FRONT_FAILS, NO_ENDPOINTS, edges=[FRONT_TO_CART]))
    assert finding.verdict == "incident"
    assert convicted(finding) == [("cart", "service_selects_no_pods")]
    assert finding.causes[0].confidence.band == "high"
    assert (finding.chain[0].source.name, finding.chain[0].target.name) == ("cart", "frontend")
    assert "5xx" in finding.impact.text


def test_the_chain_runs_over_every_dependency_between():
    db = symptom(
        "StatefulSet shop/db", "volume_full", "db has no space left on device", 0.95, query="kubectl logs db-0"
    )
    victim = symptom(
        "Deployment shop/cart", "code_defect_in_release", "cart raises OperationalError since 14:04", 0.7,
        analyzer="elasticsearch.errors", query="level:error",
    )  # fmt: skip
    edges = [FRONT_TO_CART, CART_TO_DB]
    finding = run(request(alert("frontend")), look(FRONT_FAILS, db, victim, edges=edges))
    assert convicted(finding)[0] == ("db", "volume_full")
    assert [(x.source.name, x.target.name) for x in finding.chain] == [("db", "cart"), ("cart", "frontend")]
    assert any(r.fault == "code_defect_in_release" for r in finding.ruled_out)


def test_an_unrelated_change_is_not_blamed():
    decoy = change("r7", "Deployment shop/recommendation", "image 1.4 -> 1.5", ONSET - timedelta(minutes=1))
    changed = symptom(
        "Deployment shop/recommendation", "code_defect_in_release", "recommendation was rolled out at 14:03", 0.6,
        role="change", change="r7", analyzer="changes.rollouts", query="kubectl rollout history",
    )  # fmt: skip
    finding = run(
        request(alert("frontend")), look(FRONT_FAILS, NO_ENDPOINTS, changed, edges=[FRONT_TO_CART], changes=[decoy])
    )
    assert convicted(finding) == [("cart", "service_selects_no_pods")]
    assert finding.causes[0].change != "r7"


def test_a_change_alone_is_never_convicted_with_high_confidence():
    changed = symptom(
        "Deployment shop/cart", "code_defect_in_release", "cart was rolled out at 14:03", 0.9,
        role="change", analyzer="changes.rollouts",
    )  # fmt: skip
    finding = run(request(), look(changed))
    assert all(c.confidence.band != "high" for c in finding.causes)


def test_two_independent_faults_are_both_named():
    other = symptom(
        "Deployment shop/mail", "image_not_found", "mail cannot pull image mail:nope, not found", 0.97,
        query="kubectl get events", analyzer="kubernetes.images",
    )  # fmt: skip
    group = (alert("cart"), alert("mail", fingerprint="f2"))
    finding = run(request(*group), look(NO_ENDPOINTS, other))
    assert set(convicted(finding)) == {("cart", "service_selects_no_pods"), ("mail", "image_not_found")}


def test_a_leftover_of_weeks_ago_is_no_cause():
    old = symptom(
        "Deployment shop/cart", "node_selector_unmatched", "a pod of cart is unschedulable", 0.95,
        at=ONSET - timedelta(days=20), analyzer="kubernetes.scheduling", query="kubectl get events",
    )  # fmt: skip
    fresh = symptom("Deployment shop/cart", "memory_limit_too_low", "cart is OOMKilled with limit 128Mi", 0.9)
    finding = run(request(), look(old, fresh))
    assert convicted(finding) == [("cart", "memory_limit_too_low")]


def test_an_old_leftover_alone_is_a_lead_at_most():
    old = symptom(
        "Deployment shop/batch",
        "node_selector_unmatched",
        "batch is unschedulable",
        0.95,
        at=ONSET - timedelta(days=20),
    )
    finding = run(request(), look(old))
    assert finding.verdict == "inconclusive"


def test_what_fails_in_another_namespace_is_not_blamed():
    far = symptom("Deployment test/cart-demo", "image_not_found", "cart-demo cannot pull its image", 0.97)
    finding = run(request(), look(far))
    assert finding.verdict == "inconclusive"


def test_a_namespaces_quota_explains_the_workload_that_alerted():
    quota = symptom(
        "Namespace shop", "cpu_quota_exhausted", "exceeded quota: requested cpu 500m, used 4, limited 4", 0.97,
        victims=["Deployment shop/cart"], analyzer="kubernetes.quotas", query="kubectl get events",
    )  # fmt: skip
    finding = run(request(), look(quota))
    assert convicted(finding) == [("shop", "cpu_quota_exhausted")]


def test_a_node_explains_the_workloads_on_it():
    node = symptom(
        "Node worker-2", "kubelet_stopped", "Kubelet stopped posting node status", 0.97,
        victims=["Deployment shop/cart"], analyzer="kubernetes.nodes", query="kubectl get nodes",
    )  # fmt: skip
    finding = run(request(), look(node))
    assert convicted(finding) == [("worker-2", "kubelet_stopped")]
    assert finding.causes[0].entity.namespace is None


def test_a_healthy_system_is_a_false_alarm():
    finding = run(request(), look(WELL))
    assert (finding.verdict, finding.causes) == ("false_alarm", ())
    assert "3 of 3" in finding.headline.text


def test_silence_is_not_health():
    finding = run(request(), look())
    assert finding.verdict == "inconclusive"


def test_health_that_could_only_half_be_seen_is_no_false_alarm():
    finding = run(request(), look(WELL), unreachable("prometheus", "connection refused"))
    assert finding.verdict == "inconclusive"
    assert finding.gaps[0].what == "prometheus"


def test_a_fault_that_is_over_is_named_as_past():
    over = symptom(
        "Deployment shop/cart", "memory_limit_too_low", "cart was OOMKilled 4 times until 14:07", 0.95, ongoing=False
    )
    finding = run(request(alert(status="resolved")), look(over, WELL))
    assert finding.verdict == "recovered"
    assert convicted(finding) == [("cart", "memory_limit_too_low")]


def test_missing_telemetry_is_inconclusive_with_its_gaps():
    slow = symptom("Deployment shop/cart", "", "cart takes 4 s", 0.3, role="effect")
    finding = run(request(), look(slow, gaps=[Gap("logs of cart", "403 Forbidden")]))
    assert finding.verdict == "inconclusive"
    assert ("logs of cart", "403 Forbidden") in [(g.what, g.why) for g in finding.gaps]
    assert all(c.confidence.band == "low" for c in finding.causes)


def test_twins_of_one_symptom_are_not_listed_as_a_second_cause():
    killed = symptom("Deployment shop/cart", "memory_limit_too_low memory_leak", "cart is OOMKilled", 0.92)
    finding = run(request(), look(killed))
    assert convicted(finding) == [("cart", "memory_limit_too_low")]


def test_agreement_of_two_systems_beats_one_louder_voice():
    leak = symptom(
        "Deployment shop/cart",
        "memory_leak memory_limit_too_low",
        "cart grows for hours",
        0.7,
        analyzer="prometheus.memory",
    )
    said = symptom(
        "Deployment shop/cart", "memory_leak", "cart logs a growing cache", 0.6, analyzer="logs.runtime", query="q2"
    )
    other = symptom(
        "Deployment shop/cart",
        "cpu_throttled_by_limit",
        "cart is throttled",
        0.75,
        analyzer="prometheus.cpu",
        query="q3",
    )
    finding = run(request(), look(leak, said, other))
    assert convicted(finding)[0] == ("cart", "memory_leak")
    assert finding.causes[0].confidence.band != "high"


def test_a_sufferers_suspicion_supports_what_the_cluster_shows():
    refused = symptom(
        "Deployment shop/frontend",
        "service_target_port_wrong service_selects_no_pods",
        "connection refused by cart:8080",
        0.6,
        role="effect",
        points_at=["Service shop/cart"],
        analyzer="logs.network",
        query="level:error",
    )
    finding = run(request(alert("frontend")), look(refused, NO_ENDPOINTS))
    assert convicted(finding)[0] == ("cart", "service_selects_no_pods")


def test_what_is_not_decisive_is_looked_into_by_tools():
    def analyze(given, context):
        return ToolResult("ok", "1 symptom", symptoms=(NO_ENDPOINTS,))

    skill = FakeSkill(sees=looks(FRONT_FAILS), answers={"kubernetes_analyze": (AnalyzeInput, analyze)})
    journal = MemoryJournal()
    finding = run(request(alert("frontend")), skill, journal=journal)
    assert skill.asked[0][1].namespace == "shop"
    assert convicted(finding) == [("cart", "service_selects_no_pods")]


def test_the_dependency_that_is_pointed_at_is_asked_about():
    def logs(given, context):
        return ToolResult("ok", "nothing", (Excerpt(text="quiet", query="q"),))

    skill = FakeSkill(sees=looks(FRONT_FAILS), answers={"elasticsearch_logs": (LogsInput, logs)})
    run(request(alert("frontend")), skill)
    assert next((a.namespace, a.service) for _, a in skill.asked) == ("shop", "cart")


def guidance(*readings, text="as told"):
    return Guidance(
        id="g1",
        customer="acme",
        alert_type="*",
        text=text,
        readings=readings,
        author="U7",
        created_at=NOW - timedelta(days=9),
    )


def test_what_guidance_expects_at_this_time_is_a_false_alarm():
    killed = symptom("Deployment shop/cart", "memory_limit_too_low", "cart is OOMKilled", 0.92)
    told = Reading(
        kind="expected", entity=EntityPattern(name="cart"), fault="memory_limit_too_low", window="14:00-15:00 UTC"
    )
    finding = run(request(guidance=(guidance(told),)), look(killed))
    assert (finding.verdict, finding.causes) == ("false_alarm", ())
    assert finding.used.guidance[0].id == "g1"
    late = told.model_copy(update={"window": "02:00-04:00 UTC"})
    assert run(request(guidance=(guidance(late),)), look(killed)).verdict == "incident"


def test_what_guidance_says_to_ignore_is_not_convicted():
    told = Reading(kind="ignore", entity=EntityPattern(name="cart"), fault="service_selects_no_pods")
    killed = symptom("Deployment shop/cart", "memory_limit_too_low", "cart is OOMKilled", 0.92)
    finding = run(request(guidance=(guidance(told),)), look(NO_ENDPOINTS, killed))
    assert convicted(finding) == [("cart", "memory_limit_too_low")]


def test_a_dependency_that_people_know_of_leads_to_the_cause():
    far = symptom("Deployment core/ledger", "image_not_found", "ledger cannot pull ledger:9, not found", 0.97)
    told = Reading(kind="depends_on", entity=EntityPattern(name="cart"), target=EntityPattern(name="ledger"))
    assert run(request(), look(far)).verdict == "inconclusive"
    finding = run(request(guidance=(guidance(told),)), look(far))
    assert convicted(finding) == [("ledger", "image_not_found")]


def test_owner_and_runbook_go_into_the_next_steps():
    told = (Reading(kind="owner", text="team-cart"), Reading(kind="runbook", text="https://runbooks.example.com/cart"))
    finding = run(request(guidance=(guidance(*told),)), look(NO_ENDPOINTS))
    assert finding.next[-2:] == ("owner: team-cart", "runbook: https://runbooks.example.com/cart")


def test_an_alert_in_words_only_is_placed_by_the_names_it_mentions():
    vague = alert(service="", namespace="", title="Errors on frontend!", labels={})
    finding = run(request(vague), look(FRONT_FAILS, NO_ENDPOINTS, edges=[FRONT_TO_CART]))
    assert convicted(finding) == [("cart", "service_selects_no_pods")]


def test_labels_of_the_exporter_do_not_stand_for_what_ails():
    labels = {"namespace": "shop", "pod": "cart-7d9f8c6b5-x2lqp", "service": "kube-state-metrics"}
    killed = symptom("Deployment shop/cart", "memory_limit_too_low", "cart is OOMKilled", 0.92)
    finding = run(request(alert(service="kube-state-metrics", labels=labels)), look(killed))
    assert convicted(finding) == [("cart", "memory_limit_too_low")]
    assert finding.causes[0].confidence.band == "high"


@pytest.mark.parametrize("count", [0, 300])
def test_equal_conversations_get_equal_answers_and_a_bounded_page(count):
    noise = [
        symptom(f"Deployment shop/app-{i}", "cpu_throttled_by_limit", f"app-{i} is throttled", 0.3, query=f"q{i}")
        for i in range(count)
    ]
    journals = MemoryJournal(), MemoryJournal()
    first, second = (run(request(), look(NO_ENDPOINTS, *noise), journal=j) for j in journals)
    assert first.causes == second.causes
    assert first.causes[0].fault == "service_selects_no_pods"
    page = next(s for s in journals[0].spans if s.op == "chat").input["messages"][0]["content"][0]["text"]
    assert len(page) < 40_000


def test_a_leftover_beside_a_healthy_service_does_not_spoil_the_false_alarm():
    leftover = symptom(
        "Deployment shop/old-batch", "image_not_found", "old-batch cannot pull its image, not found", 0.95, at=None
    )
    finding = run(request(), look(WELL, leftover))
    assert (finding.verdict, finding.causes) == ("false_alarm", ())


def test_the_only_decisive_fault_of_the_namespace_is_named_without_certainty():
    lone = symptom("Deployment shop/catalog", "image_not_found", "catalog cannot pull its image, not found", 0.97)
    finding = run(
        request(alert("frontend")), look(FRONT_FAILS.__class__(**{**FRONT_FAILS.__dict__, "points_at": ()}), lone)
    )
    assert convicted(finding) == [("catalog", "image_not_found")]
    assert finding.causes[0].confidence.band == "medium"
    assert "no known way" in (finding.causes[0].confidence.capped_by or "")


@pytest.mark.parametrize(("mounted_by", "band"), [("Deployment shop/cart", "high"), ("Deployment shop/report", "low")])
def test_what_makes_a_dependency_suffer_is_on_the_way_to_what_alerted(mounted_by, band):
    unfit = symptom(
        "PersistentVolumeClaim shop/uploads", "pvc_matches_no_volume", "uploads is Pending: nothing fits", 0.95,
        victims=[mounted_by],
    )  # fmt: skip
    known = (FRONT_TO_CART, edge("Service shop/cart", "Deployment shop/cart"))
    finding = run(request(alert("frontend")), FakeSkill(sees=looks(FRONT_FAILS, unfit, edges=known)))
    assert convicted(finding) == [("uploads", "pvc_matches_no_volume")]
    assert finding.causes[0].confidence.band == band


def test_an_alert_that_leaves_out_the_namespace_still_follows_dependencies():
    vague = alert("frontend", namespace="", labels={})
    finding = run(request(vague), look(FRONT_FAILS, NO_ENDPOINTS, edges=[FRONT_TO_CART]))
    assert finding.causes[0].confidence.band == "high"
    assert finding.chain[0].target.name == "frontend"


def test_a_service_that_the_alert_writes_otherwise_is_found():
    finding = run(request(alert("cartservice")), look(NO_ENDPOINTS))
    assert finding.causes[0].confidence.band == "high"


def test_an_error_rate_is_suffering_and_forbids_a_false_alarm():
    errors = symptom("Deployment shop/cart", "", "cart answers 3 errors/s (5xx), 0 in the baseline", 0.3, role="effect")
    finding = run(request(), look(WELL, errors))
    assert finding.verdict == "inconclusive"


def test_a_node_that_only_an_exporters_address_names_is_found():
    full = symptom(
        "Node worker-2", "node_disk_pressure", "worker-2 has DiskPressure", 0.95, analyzer="kubernetes.nodes"
    )
    labels = {"instance": "worker-2:9100", "job": "node-exporter"}
    finding = run(request(alert(service="node-exporter", namespace="", labels=labels)), look(full))
    assert convicted(finding) == [("worker-2", "node_disk_pressure")]


def test_a_release_is_named_for_an_exception_that_began_with_it():
    rollout = change(
        "rollout/shop/cart/7", "Deployment shop/cart", "image 1.4.1 -> 1.4.2", ONSET - timedelta(minutes=2)
    )
    raised = symptom(
        "Deployment shop/cart",
        "code_defect_in_release",
        "KeyError: 'currency' in cart, 41 times since 14:04 and never before",
        0.9,
        analyzer="logs.crashes",
        query="level:error",
    )
    finding = run(request(), look(raised, changes=[rollout]))
    assert finding.causes[0].change == "rollout/shop/cart/7"
    assert "image 1.4.1 -> 1.4.2" in finding.headline.text
    assert finding.causes[0].confidence.band == "high"


def test_a_release_before_the_suffering_is_a_lead_but_no_conviction():
    rollout = change(
        "rollout/shop/cart/7", "Deployment shop/cart", "image 1.4.1 -> 1.4.2", ONSET - timedelta(minutes=4)
    )
    errors = symptom("Deployment shop/cart", "", "cart answers 3 errors/s (5xx), 0 in the baseline", 0.3, role="effect")
    finding = run(request(), look(errors, changes=[rollout]), unreachable("elasticsearch", "no answer"))
    assert finding.verdict == "inconclusive"
    assert convicted(finding) == [("cart", "code_defect_in_release")]
    assert finding.causes[0].change == "rollout/shop/cart/7"


def test_the_chain_of_a_cause_that_alerted_itself_goes_on_to_who_points_at_it():
    finding = run(request(), look(NO_ENDPOINTS, FRONT_FAILS))
    assert [(x.source.name, x.target.name) for x in finding.chain] == [("cart", "frontend")]
