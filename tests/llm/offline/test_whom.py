"""Whom a symptom blames: stores known by a host name, volumes, consumers of a queue, and two things that alert."""

from dataclasses import replace

from skills.contract import Excerpt, ToolResult
from tests.agent.company import ONSET, AnalyzeInput, FakeSkill, alert, edge, entity, looks, request, run, symptom
from tests.llm.offline.test_twins import MINUTE, lead, look
from workers.llm.entities import akin, is_claim_of

ORDERS_TO_DB = edge("Deployment shop/orders", "Service data/orders-db")
DB_BEHIND = edge("Service data/orders-db", "StatefulSet data/orders-db", "selector")


def locks(about="Deployment shop/orders-db", faults="slow_query_or_lock", says="orders-db waits for locks (90 lines)"):
    """As a client's log tells it: the host's name, and the client's own namespace."""
    told = symptom(
        about, faults, says, 0.9, victims=["Deployment shop/orders"], analyzer="logs.faults", query="level:error"
    )
    lines = tuple(replace(e, entity=entity("Deployment shop/orders")) for e in told.evidence)
    return replace(told, evidence=lines)


def test_a_store_is_found_where_the_complaining_workload_has_it():
    finding = run(request(alert("orders")), look(locks(), edges=[ORDERS_TO_DB, DB_BEHIND]))
    assert lead(finding) == ("StatefulSet data/orders-db", "slow_query_or_lock", "high")
    assert [(x.source.name, x.target.name) for x in finding.chain] == [("orders-db", "orders")]


def test_a_store_whose_service_has_another_name_is_found_behind_it():
    to_pg, behind = (
        edge("Deployment shop/orders", "Service data/pg"),
        edge("Service data/pg", "StatefulSet data/orders-postgres", "selector"),
    )
    finding = run(
        request(alert("orders")), look(locks("Service data/pg", says="pg waits for locks"), edges=[to_pg, behind])
    )
    assert lead(finding)[:2] == ("StatefulSet data/orders-postgres", "slow_query_or_lock")


def test_of_two_namesakes_the_one_that_the_victim_uses_is_meant():
    other = edge("Service test/orders-db", "StatefulSet test/orders-db", "selector")
    finding = run(request(alert("orders")), look(locks(), edges=[other, ORDERS_TO_DB, DB_BEHIND]))
    assert lead(finding)[0] == "StatefulSet data/orders-db"


def test_what_the_cluster_shows_is_not_moved_to_a_namesake_elsewhere():
    oom = symptom("Deployment prod/worker", "memory_limit_too_low", "worker is OOMKilled", 0.95)
    elsewhere = edge("Deployment staging/worker", "Service staging/db")
    finding = run(request(alert("worker", "prod")), look(oom, edges=[elsewhere]))
    assert lead(finding) == ("Deployment prod/worker", "memory_limit_too_low", "high")


def test_a_store_that_nobody_saw_is_not_blamed_with_certainty():
    finding = run(request(alert("orders")), look(locks()))
    assert lead(finding) == ("Deployment shop/orders-db", "slow_query_or_lock", "medium")
    assert "log lines of others" in (finding.causes[0].confidence.capped_by or "")


def test_a_full_volume_is_the_claims_where_the_claim_was_seen():
    said = locks(faults="volume_full", says="orders-db has no space left on its volume")
    claim = symptom(
        "PersistentVolumeClaim data/data-orders-db-0", "volume_full", "volume claim data-orders-db-0 is 100 % full",
        0.85, analyzer="prometheus.saturation", query="kubelet_volume_stats_available_bytes",
    )  # fmt: skip
    finding = run(request(alert("orders")), look(said, claim, edges=[ORDERS_TO_DB, DB_BEHIND]))
    assert lead(finding) == ("PersistentVolumeClaim data/data-orders-db-0", "volume_full", "high")


def test_a_claim_belongs_to_the_stateful_set_in_its_name():
    claim = entity("PersistentVolumeClaim data/data-orders-db-0")
    assert is_claim_of(claim, entity("StatefulSet data/orders-db"))
    assert not is_claim_of(claim, entity("StatefulSet shop/orders-db"))


def test_parts_of_one_application_share_its_name():
    assert akin(entity("Ingress shop/cart-public"), entity("Service shop/cart"))
    assert akin(entity("HorizontalPodAutoscaler shop/cart"), entity("Deployment shop/cart"))
    assert not akin(entity("Ingress shop/cart"), entity("Service test/cart"))
    assert not akin(entity("Deployment shop/cart"), entity("Service shop/cart"))  # the same thing, not a part


# --- queues ---------------------------------------------------------------------------------------------------------

BACKLOG = {"alert_type": "QueueBacklog", "title": "Queue events has 1139 messages waiting"}
MAIL_TO_BROKER = edge("Deployment shop/mail", "Service data/rabbitmq")
POISON = symptom(
    "Deployment shop/mail", "queue_backlog contract_broken_between_services", "mail fails on its messages (500 lines)",
    0.75, analyzer="logs.faults", query="level:error",
)  # fmt: skip
BROKER_WELL = symptom("StatefulSet data/rabbitmq", "", "rabbitmq: 1 of 1 pods ready", 0.3, role="healthy", at=None)


def test_a_brokers_backlog_is_its_consumers():
    about = alert("rabbitmq", "data", **BACKLOG)
    finding = run(request(about), look(POISON, BROKER_WELL, edges=[MAIL_TO_BROKER]))
    assert lead(finding)[:2] == ("Deployment shop/mail", "queue_backlog")


def test_who_uses_a_broker_that_alerts_is_asked_about():
    def answer(asked, context):
        return ToolResult("ok", "1 symptom", symptoms=(POISON,) if asked.namespace == "shop" else ())

    skill = FakeSkill(sees=looks(BROKER_WELL, edges=[MAIL_TO_BROKER]), answers={"logs_analyze": (AnalyzeInput, answer)})
    finding = run(request(alert("rabbitmq", "data", **BACKLOG)), skill)
    assert lead(finding)[:2] == ("Deployment shop/mail", "queue_backlog")


def test_ready_pods_do_not_make_a_backlog_a_false_alarm():
    finding = run(request(alert("rabbitmq", "data", **BACKLOG)), look(BROKER_WELL))
    assert finding.verdict == "inconclusive"


def test_a_consumer_group_is_called_after_its_consumer():
    about = alert(
        "stream", "data", alert_type="KafkaConsumerLag", labels={"namespace": "data", "consumergroup": "mail"}
    )
    finding = run(request(about), look(POISON))
    assert lead(finding)[:2] == ("Deployment shop/mail", "queue_backlog")


# --- two at once ----------------------------------------------------------------------------------------------------


def test_an_alert_that_the_first_cause_does_not_explain_has_a_cause_of_its_own():
    oom = symptom("Deployment shop/cart", "memory_limit_too_low", "cart is OOMKilled", 0.95)
    throws = symptom(
        "Deployment shop/search", "code_defect_in_release", "search throws TypeError", 0.78,
        analyzer="logs.crashes", query="level:error",
    )  # fmt: skip
    finding = run(request(alert("cart"), alert("search", fingerprint="f2")), look(oom, throws))
    assert [(c.entity.name, c.fault, c.confidence.band) for c in finding.causes] == [
        ("cart", "memory_limit_too_low", "high"),
        ("search", "code_defect_in_release", "medium"),
    ]


def test_an_alert_that_the_first_cause_explains_gets_no_second():
    oom = symptom("Deployment shop/cart", "memory_limit_too_low", "cart is OOMKilled", 0.95)
    throws = symptom(
        "Deployment shop/search", "code_defect_in_release", "search throws TypeError", 0.78,
        analyzer="logs.crashes", query="level:error",
    )  # fmt: skip
    way = edge("Deployment shop/search", "Service shop/cart")
    finding = run(request(alert("cart"), alert("search", fingerprint="f2")), look(oom, throws, edges=[way]))
    assert [c.entity.name for c in finding.causes] == ["cart"]


# --- what is over, and what still holds -----------------------------------------------------------------------------

RULE = "HighErrorRate fires on `rate(errors[5m]) > 0.05` for 120 s; health ok"


def sees(value, *symptoms):
    told = f"{RULE}\nHighErrorRate: {{service=cart}} is {value}, 0 before 14:03:00Z"
    return FakeSkill(sees=replace(looks(*symptoms), text=told))


WELL = symptom("Deployment shop/cart", "", "cart: 3 of 3 pods ready", 0.8, role="healthy", at=None)


def test_an_alert_whose_expression_holds_is_not_false():
    errors = alert("cart", alert_type="HighErrorRate")
    assert run(request(errors), sees("0.31", WELL)).verdict == "inconclusive"


def test_an_alert_whose_expression_holds_no_more_is_false_where_all_is_well():
    errors = alert("cart", alert_type="HighErrorRate")
    assert run(request(errors), sees("0.0004", WELL)).verdict == "false_alarm"


def test_a_cause_that_is_over_is_past_once_the_expression_holds_no_more():
    gone = symptom(
        "Deployment shop/cart", "scaled_to_zero", "cart was scaled to 0 and is back", 0.9, ongoing=False,
        at=ONSET - MINUTE,
    )  # fmt: skip
    mean = symptom(
        "Service shop/cart", "", "cart answers 0.2 errors/s", 0.3, role="effect", analyzer="prometheus.traffic"
    )
    errors = alert("cart", alert_type="HighErrorRate")
    assert run(request(errors), sees("0", gone, mean)).verdict == "recovered"
    assert run(request(errors), sees("0.4", gone, mean)).verdict == "incident"


def test_a_firing_alert_is_false_where_what_makes_it_fire_is_shown():
    retired = symptom(
        "Service shop/cart", "", "target 10.0.0.9:9100 is down because no node or pod has that address", 0.9,
        role="healthy", at=None, analyzer="prometheus.alert",
    )  # fmt: skip
    assert run(request(alert("cart", alert_type="HighErrorRate")), sees("0.31", retired)).verdict == "false_alarm"


def test_each_thing_is_ruled_out_once():
    oom = symptom("Deployment shop/cart", "memory_limit_too_low", "cart is OOMKilled", 0.95)
    noise = [
        symptom("Deployment shop/mail", name, f"mail shows {name}", 0.5, query=name, analyzer=f"kubernetes.{name}")
        for name in ("image_not_found", "cpu_hot_loop", "volume_full")
    ]
    finding = run(request(), look(oom, *noise))
    assert len([r for r in finding.ruled_out if r.fault]) == 1


def test_an_alert_about_scraping_is_false_where_the_target_itself_is_well():
    told = "TargetDown fires on `up == 0` for 180 s; health ok\nTargetDown: {job=cart} is 0, 1 before 14:03:00Z"
    blind = FakeSkill(sees=replace(looks(WELL), text=told))
    assert run(request(alert("cart", alert_type="TargetDown")), blind).verdict == "false_alarm"


def test_a_measure_that_is_where_it_always_was_alerts_falsely_where_nobody_suffers():
    told = "MemoryHigh fires on `a / b > 0.92` for 180 s; health ok"
    line = Excerpt(text="MemoryHigh: {pod=cart-0} is 0.966, 0.957 before 02:26:06Z", query="a / b")
    always = FakeSkill(sees=replace(looks(WELL), text=told, evidence=(line,)))
    assert run(request(alert("cart", alert_type="MemoryHigh")), always).verdict == "false_alarm"
    other = replace(line, text=line.text.replace("0.957", "0.5"))
    rose = FakeSkill(sees=replace(looks(WELL), text=told, evidence=(other,)))
    assert run(request(alert("cart", alert_type="MemoryHigh")), rose).verdict == "inconclusive"


# --- what lies underneath -------------------------------------------------------------------------------------------


def test_programs_that_find_the_time_wrong_speak_for_the_node_whose_clock_is():
    complaint = symptom(
        "Deployment shop/cart", "node_clock_skew tls_certificate_invalid", "cart finds the time wrong (9 lines)", 0.72,
        analyzer="logs.faults", query="level:error",
    )  # fmt: skip
    clock = symptom(
        "Node worker-2", "node_clock_skew", "the clock of node worker-2 is off by 54 s", 0.85, at=None,
        analyzer="prometheus.state", query="node_timex_offset_seconds",
    )  # fmt: skip
    assert lead(run(request(), look(complaint, clock)))[:2] == ("Node worker-2", "node_clock_skew")


def test_a_certificate_of_another_namespace_is_not_the_one_of_which_nothing_more_is_said():
    complaint = symptom(
        "Deployment shop/cart", "tls_certificate_invalid", "cart does not believe a certificate (90 lines)", 0.9,
        analyzer="logs.faults", query="level:error",
    )  # fmt: skip

    def of(place):
        expired = symptom(
            f"Certificate {place}/cart-db-tls", "tls_certificate_invalid", "certificate of cart-db-tls expired", 0.9,
            analyzer="prometheus.state", query="certmanager_certificate_expiration_timestamp_seconds",
        )  # fmt: skip
        return lead(run(request(), look(complaint, expired)))[0]

    assert of("shop") == "Certificate shop/cart-db-tls"
    assert of("staging") == "Deployment shop/cart"


def test_a_nodes_pressure_is_the_doing_of_the_workload_without_limits_on_it():
    node = symptom(
        "Node worker-2", "node_cpu_or_memory_pressure", "Node worker-2 MemoryPressure", 0.93,
        victims=["Deployment shop/batch", "Deployment shop/cart"], analyzer="kubernetes.nodes",
    )  # fmt: skip
    greedy = symptom(
        "Deployment shop/batch", "unlimited_neighbour", "batch runs without a memory limit on worker-2", 0.96,
        victims=["Deployment shop/cart"], analyzer="kubernetes.evictions", query="kubectl get events",
    )  # fmt: skip
    assert lead(run(request(), look(node, greedy)))[:2] == ("Deployment shop/batch", "unlimited_neighbour")
    assert lead(run(request(), look(node)))[:2] == ("Node worker-2", "node_cpu_or_memory_pressure")


def test_queries_that_are_slow_on_a_disk_that_hangs_are_the_disks():
    disk = symptom(
        "Node worker-2", "disk_io_slow_or_failing", "worker-2: task postgres hangs for 120 seconds", 0.65,
        victims=["StatefulSet data/orders-db", "Deployment shop/orders"], analyzer="kubernetes.nodes",
    )  # fmt: skip
    slow = locks(faults="slow_query_or_lock disk_io_slow_or_failing", says="orders-db runs slow queries")
    slow = replace(slow, specificity=0.7)
    seen = look(slow, disk, edges=[ORDERS_TO_DB, DB_BEHIND])
    assert lead(run(request(alert("orders")), seen))[:2] == ("Node worker-2", "disk_io_slow_or_failing")


def test_what_suffered_and_does_so_no_more_was_no_false_alarm():
    past = symptom(
        "Deployment shop/cart", "link_latency network_policy_blocks", "cart waited for pay, none after 14:06", 0.23,
        role="effect", points_at=["Service shop/pay"], ongoing=False, analyzer="logs.faults", query="level:error",
    )  # fmt: skip
    finding = run(request(alert("cart", alert_type="HighErrorRate")), sees("0", past, WELL))
    assert finding.verdict == "recovered"
    assert all(c.confidence.band == "low" for c in finding.causes)


def test_a_cache_that_its_client_does_not_name_is_the_only_one_it_uses():
    full = symptom(
        "Deployment shop/cart", "cache_unavailable", "cart: its data store is out of memory", 0.8, role="effect",
        analyzer="logs.faults", query="level:error",
    )  # fmt: skip
    uses = [edge("Deployment shop/cart", f"Service shop/{name}") for name in ("valkey-cart", "orders-db")]
    finding = run(request(), look(full, edges=uses))
    assert [(c.entity.name, c.fault) for c in finding.causes] == [("valkey-cart", "cache_unavailable")]
    assert all(c.entity.name != "cart" for c in run(request(), look(full)).causes)
