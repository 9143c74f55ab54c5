"""Recognition of faults in log lines: wordings, twins, baselines, who is blamed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from skills.contract import Entity, LogLine, Symptom
from skills.faults import fault
from skills.logfaults import recognise
from skills.logfaults.patterns import all_patterns
from skills.logfaults.sightings import see

AT = datetime(2025, 6, 1, 14, 3, tzinfo=UTC)
WORDINGS = yaml.safe_load((Path(__file__).parent / "log_wordings.yaml").read_text(encoding="utf-8"))
EXAMPLES = [tuple(row) for group in ("network", "stores", "runtime", "application") for row in WORDINGS[group]]


def pod(name: str, namespace: str = "shop") -> Entity:
    return Entity(kind="Pod", namespace=namespace, name=name)


def lines(*texts: str, writer: Entity | None = None, start: datetime = AT, step: float = 10) -> list[LogLine]:
    who = writer or pod("geo-6c5f8b7d9-x2k4p")
    return [LogLine(start + timedelta(seconds=i * step), text, who) for i, text in enumerate(texts)]


def found(*args: LogLine, **options: object) -> list[Symptom]:
    return recognise(list(args), namespace="shop", query="q", link=None, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(("pattern", "text", "host"), EXAMPLES)
def test_a_real_wording_is_taken_for_what_it_is(pattern: str, text: str, host: str | None) -> None:
    sightings = see(lines(text), "shop").sightings
    assert [s.pattern.name for s in sightings] == [pattern]
    assert (sightings[0].host.name if sightings[0].host else None) == host or host is None


@pytest.mark.parametrize("text", WORDINGS["innocent"])
def test_an_innocent_line_is_no_symptom(text: str) -> None:
    assert found(*lines(text, text, text)) == []


def test_every_pattern_has_an_example_and_names_faults_of_the_vocabulary() -> None:
    seen = {pattern for pattern, _, _ in EXAMPLES}
    for pattern in all_patterns():
        assert all(fault(name).is_cause for name in pattern.faults), pattern.name
    missing = {p.name for p in all_patterns()} - seen
    assert len(missing) <= 12, missing


# --- twins ------------------------------------------------------------------------------------------------------------


def only(symptoms: list[Symptom]) -> Symptom:
    assert len(symptoms) == 1, [s.summary for s in symptoms]
    return symptoms[0]


def service(name: str, namespace: str = "shop") -> Entity:
    return Entity(kind="Service", namespace=namespace, name=name)


def deployment(name: str, namespace: str = "shop") -> Entity:
    return Entity(kind="Deployment", namespace=namespace, name=name)


def test_refused_timed_out_and_unknown_are_three_things_that_happen_to_the_same_service() -> None:
    refused = only(found(*lines("Get http://rate:8084/: dial tcp 10.96.1.1:8084: connect: connection refused")))
    timed = only(found(*lines("Get http://rate:8084/: dial tcp 10.96.1.1:8084: i/o timeout")))
    unknown = only(found(*lines("dial tcp: lookup rate on 10.96.0.10:53: no such host")))
    for symptom in (refused, timed, unknown):
        assert (symptom.entity, symptom.role, symptom.points_at) == (deployment("geo"), "effect", (service("rate"),))
    assert refused.faults[0] == "service_selects_no_pods"
    assert timed.faults[0] == "network_policy_blocks"
    assert unknown.faults[:2] == ("service_deleted", "dependency_address_wrong")


def test_credentials_are_their_users_and_privileges_the_stores() -> None:
    url = "Read database URL: mongodb-geo:27017"
    rejected = "panic: server returned error on SASL authentication step: Authentication failed."
    credentials = only(found(*lines(url, rejected)))
    assert (credentials.entity, credentials.faults[0]) == (deployment("geo"), "datastore_credentials_rejected")
    assert credentials.points_at == (service("mongodb-geo"),)
    privilege = only(found(*lines(url, 'panic: not authorized on geo-db to execute command { find: "geo" }')))
    assert (privilege.entity, privilege.faults) == (deployment("mongodb-geo"), ("datastore_privilege_missing",))
    assert privilege.points_at == (service("mongodb-geo"),)
    assert privilege.victims == (deployment("geo"),)


def test_a_store_that_says_so_itself_is_the_culprit_by_its_own_name() -> None:
    server = pod("mongodb-geo-5f7d8c9b6d-q2wzk")
    line = next(text for pattern, text, _ in EXAMPLES if pattern == "mongodb user missing")
    symptom = only(found(*lines(line, writer=server)))
    assert (symptom.entity, symptom.faults[0], symptom.role) == (
        deployment("mongodb-geo"), "datastore_privilege_missing", "cause",
    )  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        '{"@timestamp":"2026-05-04T09:35:00.184Z", "log.level": "WARN", "message":"flood stage disk watermark [95%]'
        " exceeded on [sGZ3][search-0][/usr/share/elasticsearch/data] free: 1.9gb[3.8%], all indices will be marked"
        ' read-only", "ecs.version": "1.2.0","service.name":"ES_ECS","event.dataset":"elasticsearch.server"}',
        "[2026-05-04T09:35:00,1][WARN ][o.e.c.r.a.DiskThresholdMonitor] [search-0] flood stage disk watermark hit",
        "[2026-05-04T09:35:00,1][WARN ][o.o.c.r.a.DiskThresholdMonitor] [search-0] flood stage disk watermark hit",
    ],
)
def test_a_store_is_known_by_the_form_of_its_lines_whatever_it_is_called(line: str) -> None:
    """Elasticsearch ECSJsonLayout and log4j2.properties; OpenSearch's the same with packages of its own."""
    said = only(found(*lines(*[line] * 5, writer=pod("search-0"))))
    assert (said.role, said.entity, said.faults[0]) == (
        "cause", Entity(kind="StatefulSet", namespace="shop", name="search"), "volume_full",
    )  # fmt: skip
    told = only(
        found(*lines(*["index [a] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark"] * 5))
    )
    assert told.role == "effect"


def test_a_user_that_the_store_does_not_know_is_the_stores_and_the_client_its_victim() -> None:
    server = next(text for pattern, text, _ in EXAMPLES if pattern == "mongodb user missing")
    symptoms = found(
        *lines("Read database URL: mongodb-geo:27017", "panic: server returned error on SASL authentication step: "
               "Authentication failed."),
        *lines(server, writer=pod("mongodb-geo-5f7d8c9b6d-q2wzk")),
    )  # fmt: skip
    cause = only([s for s in symptoms if s.role == "cause"])
    effect = only([s for s in symptoms if s.role == "effect"])
    assert (cause.entity, cause.faults[0]) == (deployment("mongodb-geo"), "datastore_privilege_missing")
    assert (effect.entity, effect.points_at) == (deployment("geo"), (service("mongodb-geo"),))


@pytest.mark.parametrize(
    "complaint", ["panic: no reachable servers", "dial tcp 10.96.1.1:27777: connect: connection refused"]
)
def test_a_store_looked_for_at_a_strange_port_is_a_wrong_address_and_at_its_own_port_is_not(complaint: str) -> None:
    strange = only(found(*lines("2026-01-13T12:29:22Z INF Read database URL: mongodb-geo:27777", complaint)))
    assert (strange.entity, strange.role, strange.faults[0]) == (deployment("geo"), "cause", "datastore_endpoint_wrong")
    complaint = complaint.replace("27777", "27017")
    usual = only(found(*lines("2026-01-13T12:29:22Z INF Read database URL: mongodb-geo:27017", complaint)))
    assert (usual.role, usual.points_at) == ("effect", (service("mongodb-geo"),))


def test_a_pool_and_a_read_only_store_are_blamed_on_the_store_behind_the_client() -> None:
    pool = only(found(*lines(
        "connecting to postgresql://app@orders-db:5432/orders",
        "sqlalchemy.exc.TimeoutError: QueuePool limit of size 5 overflow 10 reached, connection timed out",
    )))  # fmt: skip
    assert (pool.entity.name, pool.faults[0]) == ("orders-db", "connection_pool_exhausted")
    readonly = only(found(*lines(
        "connecting to redis://valkey-cart:6379", "READONLY You can't write against a read only replica."
    )))  # fmt: skip
    assert (readonly.entity.name, readonly.faults[0]) == ("valkey-cart", "datastore_read_only_or_lagging")


def test_many_unknown_names_are_the_dns_and_one_is_not() -> None:
    asks = [
        *lines("dial tcp: lookup rate on 10.96.0.10:53: no such host", writer=pod("search-6c5f8b7d9-x2k4p")),
        *lines("dial tcp: lookup geo on 10.96.0.10:53: no such host", writer=pod("search-6c5f8b7d9-x2k4p")),
        *lines("dial tcp: lookup user on 10.96.0.10:53: no such host", writer=pod("frontend-6c5f8b7d9-x2k4p")),
    ]
    dns = only(found(*asks))
    assert dns.entity == Entity(kind="Deployment", namespace="kube-system", name="coredns")
    assert dns.faults[0] == "dns_resolution_failing"
    assert dns.victims == (deployment("frontend"), deployment("search"))
    assert {e.entity for e in dns.evidence} == {deployment("frontend"), deployment("search")}


def test_a_cause_that_two_clients_tell_of_is_one_symptom_with_evidence_of_both() -> None:
    full = 'psycopg.errors.DiskFull: could not extend file "base/1/2": No space left on device'
    symptom = only(found(
        *lines(f"call to orders-db failed: {full}", writer=pod("orders-6c5f8b7d9-x2k4p")),
        *lines(f"call to orders-db failed: {full}", writer=pod("inventory-6c5f8b7d9-x2k4p")),
    ))  # fmt: skip
    assert (symptom.entity, symptom.faults[0]) == (deployment("orders-db"), "volume_full")
    assert symptom.victims == (deployment("orders"), deployment("inventory"))
    assert {e.entity for e in symptom.evidence} == {deployment("orders"), deployment("inventory")}


def test_a_pod_that_asks_a_public_resolver_for_a_service_has_the_wrong_dns_policy() -> None:
    symptom = only(found(*lines("dial tcp: lookup mongodb-geo on 8.8.8.8:53: no such host")))
    assert (symptom.entity, symptom.role, symptom.faults) == (deployment("geo"), "cause", ("dns_resolution_failing",))
    assert symptom.specificity > 0.8


def test_a_host_outside_the_cluster_is_to_blame_itself() -> None:
    line = "requests.exceptions.HTTPError: 429 Client Error: Too Many Requests for url: https://api.payments.example.com/v1"
    symptom = only(found(*lines(line)))
    assert symptom.entity == Entity(kind="external", name="api.payments.example.com")
    assert (symptom.role, symptom.faults[0]) == ("cause", "external_dependency_failing")


def test_a_foreign_hosts_expired_certificate_fails_us_and_one_that_is_not_trusted_may_be_our_trust() -> None:
    says = "tls: failed to verify certificate: x509: certificate"
    expired = only(found(*lines(f'Get "https://api.payments.example.com/": {says} has expired or is not yet valid')))
    assert (expired.entity.kind, expired.faults[0]) == ("external", "external_dependency_failing")
    unknown = only(found(*lines(f'Get "https://api.payments.example.com/": {says} signed by unknown authority')))
    assert (unknown.entity, unknown.faults[0]) == (deployment("geo"), "tls_certificate_invalid")
    ours = only(found(*lines(f'Get "https://auth:8443/": {says} has expired or is not yet valid')))
    assert (ours.entity, ours.faults[0]) == (service("auth"), "tls_certificate_invalid")


def test_an_alert_of_the_other_end_is_about_what_the_writer_presents() -> None:
    line = "http: TLS handshake error from 10.244.1.7:51234: remote error: tls: unknown certificate authority"
    symptom = only(found(*lines(line), resolve={"10.244.1.7": deployment("ingest")}.get))
    assert (symptom.entity, symptom.victims) == (deployment("geo"), (deployment("ingest"),))


def test_what_was_tried_again_and_failed_says_both() -> None:
    again = only(found(*lines(*["Retry 'fx', attempt 5 of 5 failed: Read timed out"] * 2)))
    assert (again.faults[0], again.faults[-1]) == ("link_latency", "retry_storm")
    once = only(found(*lines("Read timed out", "Read timed out")))
    assert "retry_storm" not in once.faults


def test_a_name_in_another_namespace_points_there() -> None:
    symptom = only(found(*lines("dial tcp: lookup db-0.db.data.svc.cluster.local on 10.96.0.10:53: no such host")))
    assert symptom.points_at == (service("db", "data"),)


def test_an_address_is_named_by_what_else_the_writer_says_or_by_the_cluster() -> None:
    refused = "dial tcp 10.96.1.1:8084: connect: connection refused"
    assert only(found(*lines("client for rate:8084 ready", refused))).points_at == (service("rate"),)
    line = lines(refused)
    assert only(found(*line)).points_at == ()
    assert only(found(*line, resolve={"10.96.1.1": service("rate")}.get)).points_at == (service("rate"),)


# --- baselines --------------------------------------------------------------------------------------------------------


def test_an_error_that_is_always_there_is_no_evidence_and_one_that_grows_is() -> None:
    noise = [f"GET /old 404 page not found {i}" for i in range(40)]
    new = "panic: no reachable servers"
    past = lines(*noise, start=AT - timedelta(hours=1))
    symptom = only(found(*lines(*noise, new), baseline=past))
    assert "mongod" in symptom.evidence[0].text or "no reachable" in symptom.evidence[0].text
    refused = "dial tcp 10.96.1.1:8084: connect: connection refused"
    assert found(*lines(*[refused] * 5), baseline=lines(*[refused] * 5)) == []
    grown = only(found(*lines(*[refused] * 60, step=1), baseline=lines(*[refused] * 5, step=60)))
    assert "5 in the baseline" in grown.summary


def test_what_ended_while_the_writer_went_on_is_over() -> None:
    refused = "dial tcp 10.96.1.1:8084: connect: connection refused"
    symptom = only(found(*lines(refused, *["served"] * 60)))
    assert not symptom.ongoing
    assert symptom.specificity < only(found(*lines(refused))).specificity


# --- stack traces -----------------------------------------------------------------------------------------------------

PYTHON = """ERROR in app: Exception on /total [POST]
Traceback (most recent call last):
  File "/usr/local/lib/python3.11/site-packages/flask/app.py", line 1473, in wsgi_app
    response = self.full_dispatch_request()
  File "/app/checkout/pricing.py", line 42, in total
    return order["total_price"]
           ~~~~~^^^^^^^^^^^^^^^
KeyError: 'total_price\'"""
GO = """panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x8 pc=0x6d5a3c]

goroutine 34 [running]:
net/http.(*conn).serve.func1()
\t/usr/local/go/src/net/http/server.go:1898 +0xbe
github.com/acme/shop/cart.(*Store).Total(...)
\t/src/cart/store.go:88
created by net/http.(*Server).Serve in goroutine 1
\t/usr/local/go/src/net/http/server.go:3285 +0x4b4
exit status 2"""
JAVA = """2025-06-01 14:03:07.123 ERROR 1 --- [nio-8080-exec-1] o.a.c.c.C.[.[.[/]    : Servlet.service() threw
java.lang.IllegalStateException: cannot price
\tat org.springframework.web.servlet.DispatcherServlet.doDispatch(DispatcherServlet.java:1072)
\tat order.service.PriceService.price(PriceService.java:31)
Caused by: java.lang.NullPointerException: Cannot invoke "Route.getId()" because "route" is null
\tat order.service.RouteCache.find(RouteCache.java:17)
\t... 12 more"""
NODE = """TypeError: Cannot read properties of undefined (reading 'units')
    at charge (/usr/src/app/charge.js:52:31)
    at Object.onReceiveHalfClose (/usr/src/app/node_modules/@grpc/grpc-js/build/src/server.js:1463:25)"""


@pytest.mark.parametrize(
    ("trace", "frame"),
    [
        (PYTHON, "KeyError: 'total_price' in total (/app/checkout/pricing.py:42)"),
        (GO, "nil pointer dereference in github.com/acme/shop/cart.(*Store).Total (/src/cart/store.go:88)"),
        (JAVA, 'because "route" is null in order.service.RouteCache.find (RouteCache.java:17)'),
        (NODE, "(reading 'units') in charge (/usr/src/app/charge.js:52)"),
    ],
    ids=["python", "go", "java", "node"],
)
@pytest.mark.parametrize("rows", ["one record", "many lines"])
def test_a_new_exception_names_the_frame_that_is_ours_and_is_cited_whole(trace: str, frame: str, rows: str) -> None:
    texts = [trace] if rows == "one record" else trace.split("\n")
    symptom = only(found(*lines("ready", *texts, step=0.001), baseline=lines("ready", "served")))
    assert frame in symptom.summary
    assert (symptom.role, symptom.faults[0]) == ("cause", "code_defect_in_release")
    assert symptom.evidence[0].text.count("\n") == trace.count("\n")
    assert found(*lines(*texts, step=0.001), baseline=lines(*texts, step=0.001)) == []


def test_a_trace_of_a_refused_connection_is_not_a_code_defect() -> None:
    trace = PYTHON.replace("KeyError: 'total_price'", "ConnectionRefusedError: [Errno 111] Connection refused")
    assert all("code_defect_in_release" not in s.faults for s in found(*lines(*trace.split("\n"), step=0.001)))


TRACE = """Traceback (most recent call last):
  File "/app/eta/clients/weather.py", line 58, in request
    response.raise_for_status()
  File "/usr/local/lib/python3.12/site-packages/httpx/_models.py", line 829, in raise_for_status
    raise HTTPStatusError(message, request=request, response=self)
"""


def test_a_trace_of_a_peers_refusal_is_the_peers_and_a_defect_that_names_the_peer_is_not() -> None:
    refusal = TRACE + "httpx.HTTPStatusError: Server error '503 Service Unavailable' for url '{}'"
    outside = only(found(*lines(*[refusal.format("https://api.weather.example.com/v3/marine")] * 5)))
    assert (outside.entity.kind, outside.entity.name) == ("external", "api.weather.example.com")
    inside = only(found(*lines(*[refusal.format("http://geo:8080/reverse")] * 5)))
    assert (inside.role, inside.points_at) == ("effect", (service("geo"),))
    defect = TRACE + "KeyError: '503 Service Unavailable for url http://geo:8080/reverse'"
    own = only(found(*lines(*[defect] * 5)))
    assert (own.role, own.faults[0]) == ("cause", "code_defect_in_release")


def test_a_panic_of_the_runtime_says_more_about_the_code_than_a_panic_with_an_error() -> None:
    own = only(found(*lines(GO)))
    with_error = GO.replace("runtime error: invalid memory address or nil pointer dereference", "no luck")
    other = only(found(*lines(with_error)))
    assert own.specificity > other.specificity + 0.2


def test_a_baseline_that_was_read_less_densely_counts_for_more() -> None:
    refused = "dial tcp 10.96.1.1:8084: connect: connection refused"
    now, before = lines(*[refused] * 60, step=1), lines(*[refused] * 5, step=60)
    assert len(found(*now, baseline=before)) == 1
    assert found(*now, baseline=before, baseline_scale=20.0) == []


def test_interleaved_pods_do_not_tear_each_others_traces() -> None:
    one = lines(*PYTHON.split("\n"), writer=pod("checkout-6c5f8b7d9-aaaaa"), step=0.001)
    other = lines(*["served"] * len(one), writer=pod("checkout-6c5f8b7d9-bbbbb"), step=0.001)
    mixed = [line for pair in zip(one, other, strict=True) for line in pair]
    assert only(found(*mixed)).evidence[0].text == PYTHON


def test_a_line_or_two_of_what_healthy_systems_say_as_well_tell_next_to_nothing() -> None:
    one = only(found(*lines("write tcp 10.1.2.3:8080->10.1.2.4:4711: write: broken pipe")))
    many = only(found(*lines(*["write tcp 10.1.2.3:8080->10.1.2.4:4711: write: broken pipe"] * 40, step=1)))
    assert one.specificity < 0.2 < many.specificity


def test_a_third_party_that_answers_an_error_is_the_cause_by_its_own_word() -> None:
    said = 'Post "https://api.payments.example.com/v1/charges": unexpected status 503 Service Unavailable'
    symptom = only(found(*lines(*[said] * 20, step=1)))
    assert (symptom.role, symptom.faults[0], symptom.entity.kind) == (
        "cause",
        "external_dependency_failing",
        "external",
    )
    assert symptom.specificity > 0.5


OWN = (
    '{"level":"error","msg":"request failed","path":"/v1/quote","status":500,"error":"bundle: missing field bundle_id"}'
)


def test_an_error_of_its_own_that_a_program_never_had_is_a_failure_of_its_own() -> None:
    symptom = only(found(*lines(*[OWN] * 40, step=1), baseline=lines(*["served"] * 40)))
    assert (symptom.analyzer, symptom.role, symptom.faults[0]) == ("logs.novel", "cause", "code_defect_in_release")
    assert "missing field bundle_id" in symptom.summary


@pytest.mark.parametrize(
    ("now", "before"),
    [
        ([OWN] * 40, [OWN] * 40),
        ([OWN] * 5, ["served"] * 40),
        ([OWN] * 40, []),
        ([OWN.replace("bundle: missing field bundle_id", "upstream answered late")] * 40, ["served"] * 40),
        ([OWN.replace("bundle: missing field bundle_id", "POST http://cart:8080 failed")] * 40, ["served"] * 40),
        ([OWN.replace("error", "warning", 1)] * 40, ["served"] * 40),
    ],
    ids=["always there", "a few", "no baseline", "of somebody else", "names a host", "a warning"],
)
def test_an_unknown_error_is_no_failure_of_its_own(now: list[str], before: list[str]) -> None:
    seen = found(*lines(*now, step=1), baseline=lines(*before) if before else [])
    assert all(s.analyzer != "logs.novel" for s in seen)


def test_an_error_that_a_grpc_client_quotes_is_about_who_answered() -> None:
    own = "StackExchange.Redis.RedisServerException: NOAUTH Authentication required. endpoint: sessions-redis:6379"
    quoted = f"Error: 9 FAILED_PRECONDITION: Can't access cart storage. {own}"
    seen = recognise(
        [
            *lines(own, writer=Entity(kind="Deployment", namespace="shop", name="cart")),
            *lines(quoted, writer=Entity(kind="Deployment", namespace="shop", name="web")),
        ],
        namespace="shop",
        query="q",
        link=None,
    )
    assert [(str(s.entity), s.role) for s in seen if s.faults] == [("Deployment shop/cart", "cause")]
    assert [(str(s.entity), s.role) for s in seen if not s.faults] == [("Deployment shop/web", "effect")]


def test_what_a_grpc_client_says_of_the_way_is_its_own() -> None:
    own = 'rpc error: code = Unavailable desc = connection error: desc = "dial tcp: lookup ledger: no such host"'
    passed = f"13 INTERNAL: failed to charge card: {own}"
    seen = recognise(
        [
            *lines(own, writer=Entity(kind="Deployment", namespace="shop", name="checkout")),
            *lines(passed, writer=Entity(kind="Deployment", namespace="shop", name="web")),
        ],
        namespace="shop",
        query="q",
        link=None,
    )
    assert [str(s.entity) for s in seen if s.points_at] == ["Deployment shop/checkout"]


def test_the_database_that_a_client_names_is_not_its_host() -> None:
    said = '(Unauthorized) not authorized on geo-db to execute command { insert: "geo", $db: "geo-db" }'
    seen = recognise(
        lines(said, writer=Entity(kind="Deployment", namespace="shop", name="geo")),
        namespace="shop",
        query="q",
        link=None,
    )
    assert all(e.name != "geo-db" for s in seen for e in (s.entity, *s.points_at))


def test_a_line_or_two_that_a_writer_got_over_says_less_than_one_that_goes_on() -> None:
    refused = "dial tcp 10.96.12.7:8080: connect: connection refused"
    once = only(found(*lines(refused, *["served a request"] * 20)))
    again = only(found(*lines(*[refused, "served a request"] * 10)))
    assert once.specificity < 0.6 * again.specificity


def test_a_bad_statement_in_a_servers_log_is_its_clients() -> None:
    line = '2025-06-01 14:03:07.217 UTC [812] ERROR:  column "premium_until" does not exist at character 91'
    of_server = only(found(*lines(line, writer=pod("postgres-0"))))
    assert (of_server.role, of_server.faults) == ("effect", ())
    of_client = only(found(*lines('psycopg.errors.UndefinedColumn: column "premium_until" does not exist')))
    assert (of_client.role, of_client.faults[0]) == ("cause", "boot_dependency_missing")
