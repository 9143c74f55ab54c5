"""What applications on real clusters taught: ready pods refute no errors, and an unknown way is not no way."""

from tests.agent.company import ONSET, alert, edge, request, run, symptom
from tests.llm.offline.test_twins import MINUTE, lead, look, released, throws

WELL = symptom("Deployment shop/web", "", "deployment web: 2 of 2 pods ready", 0.8, role="healthy")
SHUT = symptom("NetworkPolicy shop/deny-db", "network_policy_blocks", "no ingress is allowed for db", 0.93,
               victims=["Deployment shop/db"])  # fmt: skip


def test_ready_pods_do_not_make_an_alert_about_errors_a_false_alarm():
    errors = alert("web", title="HighErrorRate", summary="5 % of the requests to web fail with errors")
    assert run(request(errors), look(WELL)).verdict == "inconclusive"


def test_where_no_edge_of_the_alerted_is_known_a_cause_next_door_is_not_called_far():
    found = run(request(alert("web", title="HighErrorRate")), look(SHUT))
    assert lead(found)[:2] == ("NetworkPolicy shop/deny-db", "network_policy_blocks")
    assert found.verdict == "incident"


def test_what_breaks_a_dependency_of_the_alerted_is_near_it():
    ways = [edge("Deployment shop/web", "Service shop/orders"), edge("Deployment shop/orders", "Service shop/db")]
    near = run(request(alert("web", title="HighErrorRate")), look(SHUT, edges=ways))
    assert lead(near)[0] == "NetworkPolicy shop/deny-db"
    assert near.verdict == "incident"


def test_a_runtime_whose_heap_is_used_up_may_live_in_a_ready_pod():
    heap = symptom("Deployment shop/web", "memory_leak", "web runs out of heap", 0.7, analyzer="logs.faults")
    found = run(request(alert("web", title="HighErrorRate")), look(heap, WELL))
    assert lead(found)[:2] == ("Deployment shop/web", "memory_leak")
    assert found.verdict == "incident"


REFUSED = symptom(
    "Deployment shop/web",
    "service_selects_no_pods dependency_address_wrong",
    "web is refused: db:9999",
    0.6,
    role="effect",
    points_at=["Service shop/db"],
    analyzer="logs.faults",
)


def test_a_setting_that_was_always_wrong_is_as_new_as_the_complaint_that_it_causes():
    says = "env DB_ADDR of web is db:9999, but Service db offers port 5432"
    old = symptom("Deployment shop/web", "dependency_address_wrong", says, 0.9, at=ONSET - 4 * 24 * 60 * MINUTE)
    ways = [edge("Deployment shop/web", "Service shop/db")]
    complained = run(request(alert("web", title="HighErrorRate")), look(old, REFUSED, edges=ways))
    assert lead(complained)[:2] == ("Deployment shop/web", "dependency_address_wrong")
    silent = run(request(alert("web", title="HighErrorRate")), look(old, edges=ways))
    assert silent.causes[0].confidence.value < complained.causes[0].confidence.value


def test_a_service_that_is_seen_to_select_pods_is_not_said_to_select_none():
    """Callers of a Service with nobody ready are refused alike; its selector is known."""
    asked = request(alert("web", title="HighErrorRate"))
    ways = [edge("Deployment shop/web", "Service shop/db")]
    unknown = run(asked, look(REFUSED, edges=ways))
    known = run(asked, look(REFUSED, edges=[*ways, edge("Service shop/db", "StatefulSet shop/db", via="selector")]))
    guessed = [
        {c.fault: c.confidence.value for c in f.causes}.get("service_selects_no_pods", 0) for f in (unknown, known)
    ]
    assert guessed[0] > guessed[1]


def test_a_pagers_service_in_plain_words_is_no_object_that_a_cause_could_be_far_from():
    dns = symptom("Deployment kube-system/coredns", "dns_resolution_failing", "3 workloads cannot resolve 3 names", 0.8)
    plain = run(request(alert("Payments edge", title="error budget burn")), look(dns))
    assert lead(plain)[1] == "dns_resolution_failing"
    assert plain.verdict == "incident"


def test_a_fault_that_a_thing_cannot_have_does_not_take_the_whole_finding_with_it():
    """A refused conclusion is no conclusion: the second best is told."""
    impossible = symptom("external api.example.com", "tls_certificate_invalid", "api.example.com has expired", 0.9)
    possible = symptom("Deployment shop/web", "config_value_harmful", "web has a timeout of 1 ms", 0.7)
    found = run(request(alert("web", title="HighErrorRate")), look(impossible, possible))
    assert lead(found)[:2] == ("Deployment shop/web", "config_value_harmful")


TIMED_OUT = symptom(
    "Deployment shop/web",
    "service_transport_wrong packet_loss",
    "web cannot open a connection: db:5432",
    0.6,
    role="effect",
    points_at=["Service shop/db"],
    analyzer="logs.faults",
)
AGAIN = symptom(
    "Node 10.0.0.3",
    "node_link_degraded packet_loss",
    "1 of 3 nodes sends segments again",
    0.4,
    role="effect",
    analyzer="prometheus.retransmissions",
)


def test_what_bars_a_way_lets_no_connection_through_and_segments_sent_again_are_of_some():
    asked = request(alert("web", title="HighErrorRate"))
    ways = [edge("Deployment shop/web", "Service shop/db")]
    assert lead(run(asked, look(TIMED_OUT, edges=ways)))[1] == "service_transport_wrong"
    assert lead(run(asked, look(TIMED_OUT, AGAIN, edges=ways)))[1] == "packet_loss"


def test_a_node_that_metrics_know_by_its_address_is_blamed_by_its_name():
    skew = symptom("Node 10.0.0.3", "node_clock_skew", "the clock of node 10.0.0.3 is off by 431 s", 0.91)
    asked = request(alert("web", title="HighErrorRate"))
    known = run(asked, look(skew, edges=[edge("Node 10.0.0.3", "Node worker-3", "address")]))
    assert lead(known)[0] == "Node worker-3"
    assert lead(run(asked, look(skew)))[0] == "Node 10.0.0.3"


def test_a_route_that_leads_a_services_calls_nowhere_is_near_whoever_complains_of_the_service():
    says = "route leads to subset v4, whose labels no pod has"
    nowhere = symptom("VirtualService shop/db", "ingress_route_wrong", says, 0.93, victims=["Service shop/db"])
    asked = request(alert("web", title="HighErrorRate"))
    ways = [edge("Deployment shop/web", "Service shop/cache")]
    assert run(asked, look(nowhere, REFUSED, edges=ways)).verdict == "incident"


def test_what_a_client_says_of_its_stores_state_is_never_the_clients_own_full_volume():
    says = "web: its data store, or it, is read-only"
    told = symptom("Deployment shop/web", "datastore_read_only_or_lagging volume_full", says, 0.79, role="effect",
                   analyzer="logs.faults")  # fmt: skip
    ways = [edge("Deployment shop/web", "Service shop/web-mongo"), edge("Deployment shop/web", "Service shop/redis"),
            edge("Service shop/web-mongo", "StatefulSet shop/web-mongo", "selector")]  # fmt: skip
    found = run(request(alert("web", title="HighErrorRate")), look(told, edges=ways))
    assert lead(found)[:2] == ("StatefulSet shop/web-mongo", "datastore_read_only_or_lagging")


def test_ready_pods_are_no_answer_to_an_alert_that_does_not_speak_of_pods():
    mails = run(request(alert("web", title="mails are not delivered", alert_type="MailsStuck")), look(WELL))
    assert mails.verdict == "inconclusive"
    pods = run(request(alert("web", title="KubePodNotReady")), look(WELL))
    assert pods.verdict == "false_alarm"


def test_a_release_of_what_the_trace_itself_calls_is_blamed_although_no_setting_names_it():
    url = "http://comments:4000/count"
    crash = throws("Deployment shop/web", f"web throws KeyError: 'total' after {url}")
    asked = request(alert("web", title="HighErrorRate"))
    found = run(asked, look(crash, changes=[released("Deployment shop/comments")]))
    assert lead(found)[:2] == ("Deployment shop/comments", "contract_broken_between_services")
    other = run(asked, look(crash, changes=[released("Deployment shop/sitemap")]))
    assert lead(other)[0] == "Deployment shop/web"


def test_a_rollout_next_door_that_nobody_suffers_from_explains_no_errors_elsewhere():
    waits = symptom("Deployment shop/mailer", "image_not_found", "mailer: 1 pod cannot pull mailer:4.2.0", 0.95)
    asked = request(alert("web", title="HighErrorRate"))
    ways = [edge("Deployment shop/web", "Service shop/db")]
    assert run(asked, look(waits, edges=ways)).verdict == "inconclusive"
    reached = [*ways, edge("Deployment shop/web", "Service shop/mailer")]
    assert run(asked, look(waits, edges=reached)).verdict == "incident"


def test_the_name_of_a_namespace_is_no_word_about_pods():
    """newsroom holds no out-of-memory."""
    told = alert("web", namespace="newsroom", title="subscriptions below usual", alert_type="SubscriptionsBelowUsual")
    well = symptom("Deployment newsroom/web", "", "deployment web: 2 of 2 pods ready", 0.8, role="healthy")
    assert run(request(told), look(well)).verdict == "inconclusive"
