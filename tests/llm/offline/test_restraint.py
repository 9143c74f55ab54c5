"""When nothing is wrong, or no more: what must be shown before an alert is called false or past."""

from dataclasses import replace
from datetime import timedelta

from tests.agent.company import ONSET, FakeSkill, alert, change, edge, looks, request, run, symptom
from workers.llm.offline.explain import lowered

MINUTE = timedelta(minutes=1)
JOB = "Job shop/report-29012345"
FAILED = symptom(
    JOB, "scheduled_job_failing", "job report-29012345 has 1 failed pods", 0.6, analyzer="prometheus.state"
)
RESETS = symptom(
    "CronJob shop/report", "mesh_policy_blocks", "report has its connections broken off (1 line)", 0.3, role="effect",
    analyzer="logs.faults", query="level:error",
)  # fmt: skip


def of_job(*symptoms):
    asked = alert("", alert_type="KubeJobFailed", labels={"namespace": "shop", "job_name": "report-29012345"})
    return run(request(asked), FakeSkill(sees=looks(*symptoms)))


def complete(at):
    return symptom(JOB, "", "Job is Complete: 1 pod failed, another did it", 0.88, role="healthy", at=at)


def test_a_job_that_is_complete_suffers_no_more_from_what_its_first_pod_said():
    assert of_job(FAILED, RESETS).verdict == "incident"
    finding = of_job(FAILED, RESETS, complete(ONSET + 3 * MINUTE))
    assert (finding.verdict, finding.causes) == ("false_alarm", ())


def test_a_job_that_fails_again_after_it_was_complete_is_failing():
    again = replace(FAILED, onset=ONSET)
    assert of_job(again, complete(ONSET - 30 * MINUTE)).verdict == "incident"


def of_memory(rule, value, *more, title="cart fills its memory"):
    well = symptom("Deployment shop/cart", "", "cart: 3 of 3 pods ready", 0.3, role="healthy", at=None)
    told = f"MemoryHigh fires on `{rule}` for 120 s; health ok"
    level = symptom(
        "Deployment shop/cart", "memory_limit_too_low", f"MemoryHigh: {{pod=cart}} is {value}", 0.4, at=None
    )
    sees = replace(looks(level, well, *more), text=told)
    return run(request(alert("cart", alert_type="MemoryHigh", title=title)), FakeSkill(sees=sees)).verdict


def test_a_level_that_was_always_so_harms_nobody_and_the_odd_reset_of_a_healthy_program_is_no_harm():
    reset = symptom(
        "Deployment shop/cart", "packet_loss", "cart retries now and then", 0.27, role="effect",
        analyzer="kubernetes.logs",
    )  # fmt: skip
    assert of_memory("used / limit > 0.9", "0.95", reset) == "false_alarm"
    assert of_memory("used / limit > 0.9", "0.95", replace(reset, specificity=0.45)) != "false_alarm"


def test_a_measure_that_is_there_only_while_it_fires_shows_nothing_of_the_past():
    few = "cart gets fewer requests"
    assert of_memory("rate(a[5m]) < 2", "0.95", title=few) == "false_alarm"
    assert of_memory("rate(a[5m]) < 0.3 * rate(a[5m] offset 1h)", "0.95", title=few) == "inconclusive"


# --- what was, and is no more ---------------------------------------------------------------------------------------

NODE = "Node worker-1"
BOOTED = symptom(NODE, "node_rebooted", "Node worker-1 has been rebooted, boot id 5b92", 0.48, ongoing=False)


def of_node(value, *symptoms):
    rule = "NodeNotReady fires on `kube_node_ready == 0` for 120 s; health ok"
    told = f"{rule}\nNodeNotReady: {{node=worker-1}} is {value}, 1 before 14:03:00Z"
    asked = alert("", alert_type="NodeNotReady", labels={"node": "worker-1"})
    return run(request(asked), FakeSkill(sees=replace(looks(*symptoms), text=told)))


def not_ready(minutes, ongoing):
    return symptom(
        NODE, "kubelet_stopped container_runtime_stopped", "worker-1 was not ready", 0.7, analyzer="prometheus.state",
        at=ONSET - minutes * MINUTE, ongoing=ongoing,
    )  # fmt: skip


def test_a_node_that_started_again_was_away_for_that_and_is_back():
    finding = of_node(1, BOOTED, not_ready(2, ongoing=False))
    assert (finding.verdict, finding.causes[0].fault) == ("recovered", "node_rebooted")


def test_a_reboot_long_after_the_node_went_away_was_the_remedy():
    finding = of_node(0, BOOTED, not_ready(50, ongoing=True))
    assert (finding.verdict, finding.causes[0].fault) == ("incident", "kubelet_stopped")


def test_a_pod_that_was_killed_and_is_gone_is_past():
    killed = symptom(
        "Deployment shop/cart", "memory_limit_too_low", "cart reached its memory limit", 0.75, ongoing=False,
        analyzer="prometheus.memory",
    )  # fmt: skip
    rule = "KubePodCrashLooping fires on `max_over_time(waiting[5m]) >= 1` for 120 s; health ok"
    sight = "KubePodCrashLooping: {pod=cart-x} was 1 until 13:57:59Z and is no more"
    errors = symptom("Service shop/cart", "", "cart answers 2 errors/s", 0.3, role="effect", ongoing=False,
                     analyzer="prometheus.traffic")  # fmt: skip
    for told, verdict in ((f"{rule}\n{sight}", "recovered"), (f"{rule}\n{sight}\n{GOES_ON}", "incident")):
        sees = replace(looks(killed, errors), text=told)
        assert run(request(alert("cart")), FakeSkill(sees=sees)).verdict == verdict


GOES_ON = "KubePodCrashLooping: {pod=cart-y} is 1"


# --- what was put right tells what was wrong ------------------------------------------------------------------------

END = ONSET + 8 * MINUTE


def of_service(what, at=END):
    refused = symptom(
        "Deployment shop/front", "service_selects_no_pods service_target_port_wrong scaled_to_zero",
        f"front is refused: 10.0.34.83:9090 (180 lines, none after {END:%H:%M:%S})", 0.3, role="effect", ongoing=False,
        analyzer="logs.faults", query="level:error", points_at=["Service shop/cart"],
    )  # fmt: skip
    ways = [edge("Deployment shop/front", "Service shop/cart")]
    written = change("svc/cart", "Service shop/cart", what, at)
    told = f"{RULE}\nHighErrorRate: {{service=front}} is 0, 0 before 14:03:00Z"
    sees = replace(looks(refused, edges=ways, changes=[written]), text=told)
    finding = run(request(alert("front", alert_type="HighErrorRate")), FakeSkill(sees=sees))
    return finding.verdict, finding.causes[0].fault, finding.causes[0].confidence.band


RULE = "HighErrorRate fires on `rate(errors[5m]) > 0.05` for 120 s; health ok"


def test_refusals_that_end_when_the_ports_of_a_service_are_written_were_a_wrong_port():
    assert of_service("Service changed: ports")[:2] == ("recovered", "service_target_port_wrong")
    assert of_service("Service changed: selector")[:2] == ("recovered", "service_selects_no_pods")


def test_a_service_that_was_written_at_another_time_or_as_a_whole_tells_nothing():
    assert of_service("Service changed: ports", END + 30 * MINUTE)[1:] == ("service_selects_no_pods", "low")
    assert of_service("Service changed")[1:] == ("service_selects_no_pods", "low")
    assert of_service("Service changed: ports", END + timedelta(days=1))[1:] == ("service_selects_no_pods", "low")


def test_a_kind_keeps_its_capitals_in_the_midst_of_a_sentence():
    told = ("ResourceQuota objects: used up", "Deployment web: 2 of 2", "DNS fails")
    assert [lowered(t) for t in told] == ["ResourceQuota objects: used up", "deployment web: 2 of 2", "DNS fails"]


# --- what is explained ----------------------------------------------------------------------------------------------

FULL = symptom(
    "ResourceQuota shop/objects", "", "ResourceQuota objects: services used 8 of 8; nothing is refused", 0.88,
    role="healthy", at=None, analyzer="kubernetes.asmeant",
)  # fmt: skip
REFUSED = symptom("Namespace shop", "service_object_quota_exhausted", "Service cart was refused: quota objects", 0.95)


def of_quota(*symptoms):
    told = "KubeQuotaFullyUsed fires on `used / hard == 1` for 120 s; health ok\nKubeQuotaFullyUsed: {x=y} is 1"
    asked = alert("", alert_type="KubeQuotaFullyUsed", labels={"namespace": "shop", "resourcequota": "objects"})
    return run(request(asked), FakeSkill(sees=replace(looks(*symptoms), text=told)))


def test_an_alert_that_is_explained_is_not_blamed_on_a_failed_job_of_which_nothing_is_known_but_its_namespace():
    failed = replace(FAILED, specificity=0.88, analyzer="kubernetes.jobs")
    assert of_quota(failed, FAILED, FULL).verdict == "false_alarm"
    assert of_quota(failed, FAILED, REFUSED).causes[0].fault == "service_object_quota_exhausted"


def test_usual_traffic_does_not_explain_an_alert_on_something_else_that_holds():
    dns = symptom("Deployment kube-system/coredns", "memory_limit_too_low", "coredns is OOMKilled", 0.9)
    usual = symptom(
        "Deployment shop/cart", "", "cart gets 12 requests/s, as a day before", 0.87,
        role="healthy", at=None, analyzer="prometheus.usual",
    )  # fmt: skip
    told = "CartLatencyHigh fires on `p99 > 1` for 120 s; health ok\nCartLatencyHigh: {service=cart} is 2.5"
    sees = replace(looks(dns, usual), text=told)
    assert run(request(alert("cart", alert_type="CartLatencyHigh")), FakeSkill(sees=sees)).verdict != "false_alarm"


def test_what_two_systems_saw_is_not_refuted_by_pods_that_are_ready_between_two_restarts():
    well = symptom("Deployment shop/cart", "", "2 of 2 pods ready", 0.5, role="healthy", analyzer="kubernetes.overview")
    measured = symptom(
        "Deployment shop/cart", "memory_leak", "cart reaches its memory limit", 0.85, analyzer="prometheus.memory"
    )
    killed = symptom(
        "Deployment shop/cart", "memory_leak", "cart is OOMKilled (3 restarts)", 0.7, analyzer="kubernetes.memory"
    )
    assert run(request(alert("cart")), FakeSkill(sees=looks(well, measured, killed))).verdict == "incident"
    assert run(request(alert("cart")), FakeSkill(sees=looks(well, killed))).verdict != "incident"
