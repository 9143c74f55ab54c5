# ruff: noqa: E501  (the wordings of Kubernetes are quoted whole)
"""Reading a cluster over HTTP through the real client: scope, paging, permissions, and every way to be let down."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from skills.contract import Access, Focus, LogQuery, QueryMeter, SkillContext, ToolError, ToolInput
from skills.kubernetes.kinds import IN_NAMESPACE, OF_CLUSTER, OPTIONAL
from skills.kubernetes.settings import Settings
from skills.kubernetes.tools import Kubernetes
from tests.skills.kubernetes.server import Cluster, Misbehave, send, serving, status
from tests.skills.kubernetes.shapes import (
    NODES,
    NOW,
    NS,
    WINDOW,
    Obj,
    app,
    container,
    ended,
    endpoints,
    meta,
    pod,
    pod_spec,
    service,
    unwell,
    waiting,
)
from tests.skills.kubernetes.test_traffic import proxy

NAMESPACES: list[Obj] = [
    {"kind": "Namespace", "apiVersion": "v1", "metadata": meta(n, namespace=None), "status": {"phase": "Active"}}
    for n in ("default", "kube-system", "shop", "billing")
]


def kubernetes(url: str, token: str = "", limit: int | None = None, **settings: object) -> Kubernetes:
    wanted = Settings.model_validate({"url": url, "token_env": "SHOP_TOKEN" if token else None, **settings})
    return Kubernetes(Access(wanted, lambda name: token or None, QueryMeter("kubernetes", limit), timeout_seconds=2))


def context(**focus: object) -> SkillContext:
    asked = Focus(**{"namespace": NS, "service": "cart", "started_at": NOW, **focus})  # type: ignore[arg-type]  # test words
    return SkillContext(asked, NOW, WINDOW, WINDOW)


def broken_shop() -> Cluster:
    objects = [*NODES, *NAMESPACES, *app("cart"), *app("frontend")]
    for obj in objects:
        if obj["kind"] == "Service" and obj["metadata"]["name"] == "cart":
            obj["spec"]["selector"] = {"app": "cart", "track": "none"}
    return Cluster([*(o for o in objects if o["metadata"]["name"] != "cart-x1z2p"), endpoints("cart")])


def test_the_first_look_names_the_culprit_within_seconds_and_few_requests() -> None:
    cluster = broken_shop()
    with serving(cluster) as url:
        begun = time.monotonic()
        look = kubernetes(url).first_look(context())
        assert time.monotonic() - begun < 2
    best = look.symptoms[0]
    assert (str(best.entity), best.faults[0]) == ("Service shop/cart", "service_selects_no_pods")
    assert sum(cluster.requests.values()) < 30
    assert look.gaps == ()
    assert all(e.query.startswith("kubectl ") for s in look.symptoms for e in s.evidence)
    assert not any(path.startswith("/api/v1/pods") for path in cluster.paths), "never all pods of a cluster"


def test_without_a_namespace_the_one_that_holds_the_service_is_found() -> None:
    cluster = broken_shop()
    with serving(cluster) as url:
        look = kubernetes(url).first_look(context(namespace=""))
    assert look.symptoms[0].entity.namespace == NS
    assert not any("/namespaces/billing/" in path for path in cluster.paths)


def test_every_tool_answers_and_a_second_question_reads_nothing_twice() -> None:
    cluster = broken_shop()
    cluster.logs[(NS, "cart-5d9c7b-ax7k2", "app", False)] = "2026-03-14T14:59:00.000000000Z listening on 8080\n"
    arguments = {"kubernetes_describe": {"kind": "Service", "name": "cart"}, "kubernetes_logs": {"name": "cart"}}
    with serving(cluster) as url:
        skill = kubernetes(url)
        skill.reach()
        answers = {t.name: t.run(t.input(**arguments.get(t.name, {})), context()) for t in skill.tools}
        before = sum(cluster.requests.values())
        skill.tools[0].run(skill.tools[0].input(), context())
        assert sum(cluster.requests.values()) == before
    assert {name for name, a in answers.items() if a.status == "error"} == set()
    assert "listening on 8080" in answers["kubernetes_logs"].evidence[0].text
    assert len(skill.tools) <= 7


def test_ten_thousand_pods_of_other_namespaces_are_never_listed() -> None:
    crowd = [pod(f"p{i}", labels={"app": "x"}, namespace="billing") for i in range(9_000)]
    cluster = broken_shop()
    cluster.objects += crowd
    with serving(cluster) as url:
        look = kubernetes(url).first_look(context())
    assert cluster.requests["/api/v1/namespaces/billing/pods"] == 0
    assert sum(cluster.requests.values()) < 30
    assert look.gaps == ()


def crowded() -> Cluster:
    """Twelve hundred pods in the alert's namespace, two of which do not run well."""
    crash = waiting("CrashLoopBackOff", "back-off", restarts=4, last=ended("OOMKilled", 137))
    limited = pod_spec(container(resources={"limits": {"memory": "64Mi"}}))
    many = [o for i in range(300) for o in app(f"svc-{i:03}", replicas=4, suffix=f"77aa{i:04}")]
    return Cluster([*NODES, *NAMESPACES, *many, *unwell("zz-late", suffix="88bb0000", spec=limited, statuses=[crash])])


def test_a_crowded_namespace_is_read_by_what_deviates() -> None:
    cluster = crowded()
    with serving(cluster) as url:
        look = kubernetes(url).first_look(context(service="svc-007"))
    asked = [p for p in cluster.paths if p.startswith(f"/api/v1/namespaces/{NS}/pods?")]
    assert (str(look.symptoms[0].entity), look.symptoms[0].faults[0]) == (
        "Deployment shop/zz-late",
        "memory_limit_too_low",
    )
    assert len(asked) <= 6
    assert any("includeObject=None" in p for p in asked)
    assert any("pod-template-hash+in+%2888bb0000%29" in p for p in asked)
    assert look.gaps == (), "what is known to be well is no gap"


def test_nothing_is_missed_because_pods_were_not_read_whole() -> None:
    with serving(crowded()) as url:
        look = kubernetes(url).first_look(context())
    assert {str(s.entity) for s in look.symptoms if s.role in ("cause", "effect")} == {"Deployment shop/zz-late"}


def test_a_selector_that_matches_nobody_is_seen_in_a_crowd_by_its_endpoints() -> None:
    cluster = crowded()
    for obj in cluster.objects:
        if obj["metadata"]["name"] == "svc-299" and obj["kind"] == "Service":
            obj["spec"]["selector"] = {"app": "svc-299", "track": "none"}
        if obj["metadata"]["name"] == "svc-299-x1z2p":
            obj["endpoints"] = []
    with serving(cluster) as url:
        look = kubernetes(url).first_look(context(service="svc-299"))
    assert ("Service shop/svc-299", "service_selects_no_pods") in {
        (str(s.entity), s.faults[0]) for s in look.symptoms if s.faults
    }


def test_a_table_that_is_refused_leaves_a_gap_and_the_rest() -> None:
    def no_tables(handler: BaseHTTPRequestHandler) -> bool:
        if "as=Table" in handler.headers.get("Accept", ""):
            status(handler, 406, "NotAcceptable", "only the following media types are accepted: application/json")
            return True
        return False

    cluster = crowded()
    cluster.misbehave = no_tables
    with serving(cluster) as url:
        look = kubernetes(url).first_look(context())
    assert any("pods" in g.what and "406" in g.why for g in look.gaps)
    assert look.symptoms == () or look.symptoms[0].specificity <= 0.96


def test_pages_beyond_the_cap_are_a_gap_that_says_so() -> None:
    services = [service(f"s{i}") for i in range(1_200)]
    with serving(Cluster([*NODES, *app("cart"), *services])) as url:
        look = kubernetes(url, max_pages=2).first_look(context())
    assert any("services" in g.what and "1000 objects in 2 pages, 201 left" in g.why for g in look.gaps)


def test_a_missing_permission_is_a_gap_with_verb_and_resource() -> None:
    cluster = broken_shop()
    cluster.forbidden = {"secrets", "nodes"}
    with serving(cluster) as url:
        skill = kubernetes(url)
        look = skill.first_look(context())
        checks = {c.what: c for c in skill.checks()}
    assert look.symptoms[0].faults[0] == "service_selects_no_pods"
    assert {g.what for g in look.gaps} == {"list secrets in shop", "list nodes"}
    assert any('cannot list resource "nodes"' in g.why for g in look.gaps)
    assert not checks["list nodes"].ok
    assert checks["list pods"].ok


def test_values_of_secrets_never_enter_a_snapshot() -> None:
    applied = {"kubectl.kubernetes.io/last-applied-configuration": '{"stringData": {"password": "made-up-value"}}'}
    secret = {
        "kind": "Secret",
        "apiVersion": "v1",
        "type": "Opaque",
        "data": {"password": "bWFkZS11cC12YWx1ZQ=="},
        "metadata": meta("db", annotations=applied),
    }
    cluster = Cluster([*NODES, *app("cart"), secret])
    with serving(cluster) as url:
        skill = kubernetes(url)
        skill.first_look(context())
        told = skill.tools[2].run(skill.tools[2].input(kind="Secret", name="db"), context())
    assert "made-up" not in repr(told)
    assert "bWFkZS1" not in repr(told)


def test_logs_are_offered_to_other_skills() -> None:
    cluster = broken_shop()
    cluster.logs[(NS, "cart-5d9c7b-ax7k2", "app", False)] = (
        "2026-03-14T14:59:00.000000000Z ERROR no route\n2026-03-14T14:59:01.000000000Z fine\n"
    )
    with serving(cluster) as url:
        logs = kubernetes(url).sources.logs
        assert logs is not None
        batch = logs.read(LogQuery(WINDOW, NS, "cart", errors_only=True))
    assert [line.text for line in batch.lines] == ["ERROR no route"]


def test_the_last_words_of_a_crashing_container_are_read_and_cited() -> None:
    last = ended("Error", 1)
    cluster = Cluster(
        [*NODES, *unwell("cart", statuses=[waiting("CrashLoopBackOff", "back-off", restarts=3, last=last)])]
    )
    cluster.logs[(NS, "cart-5d9c7b-ax7k2", "app", True)] = (
        "2026-03-14T14:54:59.000000000Z panic: lookup ledger on 10.96.0.10:53: no such host\n"
    )
    with serving(cluster) as url:
        look = kubernetes(url).first_look(context())
    assert any("no such host" in e.text for s in look.symptoms for e in s.evidence)


# --- let down ----------------------------------------------------------------------------------------------------------


def answering(code: int, words: str) -> Misbehave:
    def answer(handler: BaseHTTPRequestHandler) -> bool:
        status(handler, code, "Because", words)
        return True

    return answer


def garbage(handler: BaseHTTPRequestHandler) -> bool:
    handler.send_response(200)
    handler.send_header("Content-Length", "12")
    handler.end_headers()
    handler.wfile.write(b"<html>no</h>")
    return True


def half_a_body(handler: BaseHTTPRequestHandler) -> bool:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"items": [')
    handler.close_connection = True
    return True


def nothing(handler: BaseHTTPRequestHandler) -> bool:
    handler.close_connection = True
    return True


def silence(handler: BaseHTTPRequestHandler) -> bool:
    time.sleep(1.5)
    handler.close_connection = True
    return True


def drip(handler: BaseHTTPRequestHandler) -> bool:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    for _ in range(20):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.1)
    handler.close_connection = True
    return True


def huge(handler: BaseHTTPRequestHandler) -> bool:
    handler.send_response(200)
    handler.send_header("Content-Length", str(100 * 2**20))
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b" " * 2**20)
    return True


@pytest.mark.parametrize(
    ("misbehave", "words"),
    [
        (answering(401, "Unauthorized"), "401 Unauthorized"),
        (answering(403, "pods is forbidden"), "403 pods is forbidden"),
        (answering(404, "page not found"), "404 page not found"),
        (answering(429, "too many requests"), "429 too many requests"),
        (answering(500, "etcdserver: request timed out"), "500 etcdserver: request timed out"),
        (garbage, "not JSON"),
        (half_a_body, "broke off"),
        (nothing, "without response"),
        (silence, "no answer within"),
        (drip, "no complete answer within"),
        (huge, "larger than 32 MiB"),
    ],
)
def test_a_server_that_lets_one_down_is_quoted_in_time(misbehave: Misbehave, words: str) -> None:
    with serving(Cluster(misbehave=misbehave)) as url:
        skill = kubernetes(url, timeout_seconds=0.6, first_look_seconds=3)
        begun = time.monotonic()
        with pytest.raises(ToolError, match=words) as raised:
            skill.reach()
        assert "GET /version" in str(raised.value)
        with pytest.raises(ToolError):
            skill.first_look(context())
        assert not skill.checks()[0].ok
        assert time.monotonic() - begun < 9


def test_one_kind_that_is_slow_is_a_gap_and_the_rest_is_answered() -> None:
    def slow_nodes(handler: BaseHTTPRequestHandler) -> bool:
        return handler.path.startswith("/api/v1/nodes") and silence(handler)

    cluster = broken_shop()
    cluster.misbehave = slow_nodes
    with serving(cluster) as url:
        look = kubernetes(url, first_look_seconds=1.2).first_look(context())
    assert look.symptoms[0].faults[0] == "service_selects_no_pods"
    assert any("nodes" in g.what for g in look.gaps)


def test_a_list_that_is_no_list_is_told() -> None:
    def wrong(handler: BaseHTTPRequestHandler) -> bool:
        if handler.path.startswith(f"/api/v1/namespaces/{NS}/pods"):
            send(handler, {"kind": "Status", "items": None} | {"kind": "Pod"})
            return True
        return False

    with serving(Cluster([*NODES, *app("cart")], misbehave=wrong)) as url:
        kubernetes(url).first_look(context())  # null items: an empty list


def test_the_load_limit_ends_reading_with_a_gap() -> None:
    with serving(broken_shop()) as url:
        look = kubernetes(url, limit=10).first_look(context())
    assert any("limit of 10 requests" in g.why for g in look.gaps)


def test_an_unreachable_server_is_one_line() -> None:
    with pytest.raises(ToolError, match=r"GET /version: .*[Rr]efused"):
        kubernetes("http://127.0.0.1:9").reach()


def test_a_token_is_sent_and_its_absence_is_no_authentication() -> None:
    with serving(Cluster(token="made-up")) as url:
        kubernetes(url, token="made-up").reach()
        with pytest.raises(ToolError, match="401"):
            kubernetes(url).reach()


@pytest.mark.parametrize(
    "wrong", [{}, {"url": "http://x", "in_cluster": True}, {"url": "x"}, {"url": "http://x", "color": 1}]
)
def test_settings_want_exactly_one_way_in(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(wrong)


def test_the_rbac_manifest_allows_reading_all_kinds_and_nothing_else() -> None:
    documents = list(yaml.safe_load_all(Path("config/kubernetes-rbac.yaml").read_text(encoding="utf-8")))
    rules = next(d for d in documents if d["kind"] == "ClusterRole")["rules"]
    allowed = {(g, r) for rule in rules for g in rule["apiGroups"] for r in rule["resources"]}
    assert {v for rule in rules for v in rule["verbs"]} == {"get", "list"}
    for kind in (*IN_NAMESPACE, *OF_CLUSTER, *OPTIONAL):
        group = "" if kind.base == "/api/v1" else kind.base.split("/")[2]
        assert (group, kind.plural) in allowed


def test_the_client_is_light_to_load() -> None:
    code = "import sys; import skills.kubernetes.client; print(any(m.startswith('kubernetes.client.api.') or m.startswith('kubernetes.client.models.') for m in sys.modules))"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        == "False"
    )


def test_unknown_arguments_are_refused() -> None:
    with pytest.raises(ValidationError):
        ToolInput(nonsense=1)  # type: ignore[call-arg]  # that is the point


# --- one part lets one down, the rest is answered ------------------------------------------------------------------------


def only(path: str, misbehave: Misbehave) -> Misbehave:
    return lambda handler: path in handler.path and misbehave(handler)


@pytest.mark.parametrize(
    ("misbehave", "words"),
    [
        (answering(401, "Unauthorized"), "401 Unauthorized"),
        (answering(403, "configmaps is forbidden"), "403 configmaps is forbidden"),
        (answering(429, "too many requests"), "429 too many requests"),
        (answering(500, "etcdserver: request timed out"), "500 etcdserver: request timed out"),
        (answering(503, "apiserver is shutting down"), "503 apiserver is shutting down"),
        (garbage, "not JSON"),
        (half_a_body, "broke off"),
        (nothing, "without response"),
        (silence, "no answer within|not read within"),
        (drip, "no complete answer within|not read within"),
        (huge, "larger than 32 MiB|not read within"),
    ],
)
def test_one_kind_that_lets_one_down_is_a_gap_with_its_reason_and_the_rest_is_answered(
    misbehave: Misbehave, words: str
) -> None:
    cluster = broken_shop()
    cluster.misbehave = only("/configmaps", misbehave)
    with serving(cluster) as url:
        begun = time.monotonic()
        look = kubernetes(url, timeout_seconds=1, first_look_seconds=3).first_look(context())
        assert time.monotonic() - begun < 5
    assert look.symptoms[0].faults[0] == "service_selects_no_pods"
    assert any("configmaps" in g.what and re.search(words, g.why) for g in look.gaps), look.gaps


def test_a_kind_that_the_cluster_does_not_serve_is_no_gap() -> None:
    cluster = broken_shop()
    cluster.misbehave = only("/horizontalpodautoscalers", answering(404, "page not found"))
    with serving(cluster) as url:
        assert kubernetes(url).first_look(context()).gaps == ()


@pytest.mark.parametrize(
    ("misbehave", "words"),
    [(answering(403, "pods/log is forbidden"), "403"), (answering(500, "proxy error from kubelet"), "500"), (silence, "no answer"), (nothing, "without response")],
)  # fmt: skip
def test_a_log_that_cannot_be_read_is_a_gap_and_one_that_is_not_there_is_none(misbehave: Misbehave, words: str) -> None:
    last = ended("Error", 1)
    objects = [*NODES, *unwell("cart", statuses=[waiting("CrashLoopBackOff", "back-off", restarts=3, last=last)])]
    cluster = Cluster(objects, misbehave=only("/log", misbehave))
    with serving(cluster) as url:
        look = kubernetes(url, timeout_seconds=1, first_look_seconds=3).first_look(context())
    assert any("log of pod" in g.what and words in g.why for g in look.gaps)
    with serving(Cluster(objects)) as url:
        assert kubernetes(url).first_look(context()).gaps == ()


def test_a_log_of_a_hundred_megabytes_is_cut_and_told_in_time() -> None:
    def endless(handler: BaseHTTPRequestHandler) -> bool:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/plain")
        handler.send_header("Content-Length", str(100 * 2**20))
        handler.end_headers()
        line = b"2026-03-14T14:59:00.000000000Z ERROR again\n"
        for _ in range(100):
            handler.wfile.write(line * (2**20 // len(line)))
        return True

    cluster = Cluster([*NODES, *app("cart")], misbehave=only("/log", endless))
    with serving(cluster) as url:
        skill = kubernetes(url)
        begun = time.monotonic()
        assert skill.sources.logs is not None
        batch = skill.sources.logs.read(LogQuery(WINDOW, NS, "cart", limit=100))
        assert time.monotonic() - begun < 5
    assert len(batch.lines) == 100


def test_logs_of_a_crowd_are_found_without_listing_it() -> None:
    cluster = crowded()
    for i in range(4):
        cluster.logs[(NS, f"svc-299-77aa0299-{'abcd'[i]}x7k2", "app", False)] = (
            "2026-03-14T14:59:00.000000000Z ERROR no\n"
        )
    with serving(cluster) as url:
        logs = kubernetes(url).sources.logs
        assert logs is not None
        batch = logs.read(LogQuery(WINDOW, NS, "svc-299"))
    assert len(batch.lines) == 4
    assert not any("limit=500&continue" in p or ("continue=500" in p and "pods?limit=500" in p) for p in cluster.paths)
    assert sum(cluster.requests.values()) < 16


def test_a_second_question_about_a_namespace_that_was_read_wholly_reads_nothing() -> None:
    cluster = broken_shop()
    with serving(cluster) as url:
        skill = kubernetes(url, namespaces=["shop", "billing"])
        skill.first_look(context())
        before = sum(cluster.requests.values())
        overview = next(t for t in skill.tools if t.name == "kubernetes_overview")
        assert overview.run(overview.input(namespace="shop"), context()).status == "ok"
        assert sum(cluster.requests.values()) == before


def test_what_the_look_had_no_reason_to_read_is_named_when_it_is_asked_for() -> None:
    role = {"kind": "Role", "apiVersion": "rbac.authorization.k8s.io/v1", "metadata": meta("reader"), "rules": []}
    cluster = Cluster([*NODES, *app("cart"), role])
    with serving(cluster) as url:
        skill = kubernetes(url)
        describe = next(t for t in skill.tools if t.name == "kubernetes_describe")
        told = describe.run(describe.input(kind="Role", name="writer"), context())
        assert told.status == "no_data"
        assert "there are: reader" in told.text
        assert describe.run(describe.input(kind="Role", name="reader"), context()).status == "ok"


def test_a_namespace_beside_the_alerts_is_read_wholly_when_something_deviates_there() -> None:
    def moved(objects: list[Obj]) -> list[Obj]:
        for obj in objects:
            obj["metadata"]["namespace"] = "billing"
            for slot in obj.get("endpoints", []):
                slot["targetRef"]["namespace"] = "billing"
        return objects

    for unhealthy in (False, True):
        status = [waiting("CreateContainerConfigError", 'secret "db" not found')]
        beside = moved(unwell("ledger", statuses=status) if unhealthy else app("ledger"))
        cluster = Cluster([*NODES, *NAMESPACES, *app("cart"), *beside])
        with serving(cluster) as url:
            look = kubernetes(url, namespaces=["shop", "billing"]).first_look(context())
        assert bool(cluster.requests["/api/v1/namespaces/billing/configmaps"]) is unhealthy
        assert any(s.entity.name == "ledger" for s in look.symptoms) is unhealthy


def test_what_the_lines_of_a_log_mean_is_told_with_them() -> None:
    cluster = broken_shop()
    cluster.logs[(NS, "cart-5d9c7b-ax7k2", "app", False)] = (
        "2026-03-14T14:58:00.000000000Z sqlalchemy.exc.TimeoutError: QueuePool limit of size 5 overflow 10 reached, connection timed out\n"
        * 4
    )
    with serving(cluster) as url:
        skill = kubernetes(url)
        logs = next(t for t in skill.tools if t.name == "kubernetes_logs")
        skill.first_look(context())
        told = logs.run(logs.input(name="cart"), context())
    assert ("Deployment shop/cart", "connection_pool_exhausted") in {
        (str(s.entity), s.faults[0]) for s in told.symptoms
    }


def test_a_server_that_does_not_know_the_type_of_secrets_is_asked_without_it() -> None:
    def strict(handler: BaseHTTPRequestHandler) -> bool:
        if "/secrets" in handler.path and "fieldSelector" in handler.path:
            status(handler, 400, "BadRequest", 'field label not supported: "type"')
            return True
        return False

    cluster = broken_shop()
    cluster.misbehave = strict
    with serving(cluster) as url:
        assert kubernetes(url).first_look(context()).gaps == ()


def test_a_node_proxy_that_was_edited_makes_the_control_plane_worth_reading() -> None:
    cluster = Cluster([*NODES, *app("cart"), *proxy("ghcr.io/someone/kube-proxy:v1.33.1", 20)])
    with serving(cluster) as url:
        look = kubernetes(url).first_look(context())
    assert any(s.entity.name == "kube-proxy" for s in look.symptoms)


def test_config_maps_that_the_alerts_workload_needs_are_read_from_a_crowd_by_name() -> None:
    conf = [{"kind": "ConfigMap", "apiVersion": "v1", "metadata": meta(f"a-{i:03}"), "data": {}} for i in range(300)]
    conf.append(
        {"kind": "ConfigMap", "apiVersion": "v1", "metadata": meta("zz-conf"), "data": {"URL": "http://cartt:8080"}}
    )
    user = app("frontend", spec=pod_spec(container(image="x/f:1", envFrom=[{"configMapRef": {"name": "zz-conf"}}])))
    with serving(Cluster([*NODES, *app("cart"), *user, *conf])) as url:
        look = kubernetes(url).first_look(context(service="frontend"))
    assert ("Deployment shop/frontend", "dependency_address_wrong") in {
        (str(s.entity), s.faults[0]) for s in look.symptoms if s.faults
    }
