"""What applications on real clusters taught: ready pods refute no errors, and an unknown way is not no way."""

from tests.agent.company import alert, edge, request, run, symptom
from tests.llm.offline.test_twins import lead, look

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
