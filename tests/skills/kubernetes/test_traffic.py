# ruff: noqa: E501  (the wordings of Kubernetes are quoted whole)
"""Who may talk to whom, by which port, and who only seems cut off.

Sources: networking.k8s.io/v1 NetworkPolicy reference, Istio security reference (AuthorizationPolicy, PeerAuthentication),
core/v1 Service, pkg/controller/endpointslice; maxinflight and leaderelection for the API server.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from skills.contract import LogLine
from tests.skills.kubernetes.shapes import (
    NODES,
    NOW,
    NS,
    Obj,
    ago,
    app,
    causes,
    container,
    ended,
    found_in,
    leading,
    meta,
    pod,
    pod_spec,
    running,
    service,
    unwell,
    waiting,
)


def caller(name: str = "frontend", value: str = "cart:8080", **more: Any) -> list[Obj]:
    env = [{"name": "CART_ADDR", "value": value}]
    return app(name, spec=pod_spec(container(image=f"x/{name}:1", env=env), *more.pop("sidecars", [])), **more)


def policy(name: str, selector: Obj, age: float = 15, **spec: Any) -> Obj:
    return {
        "kind": "NetworkPolicy",
        "apiVersion": "networking.k8s.io/v1",
        "metadata": meta(name, age=age),
        "spec": {"podSelector": selector, **spec},
    }


CART = {"matchLabels": {"app": "cart"}}
FRONT = {"matchLabels": {"app": "frontend"}}
DNS = {
    "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}],
    "ports": [{"port": 53, "protocol": "UDP"}],
}


def test_a_policy_of_months_did_not_break_what_worked_yesterday() -> None:
    fresh = causes(*app("cart"), *caller(), policy("deny", CART, policyTypes=["Ingress"]))[0]
    old = causes(*app("cart"), *caller(), policy("deny", CART, age=60 * 24 * 90, policyTypes=["Ingress"]))[0]
    assert fresh.specificity > 0.9
    assert old.specificity < 0.5


def test_egress_without_port_53_takes_the_names_away() -> None:
    only = policy("out", FRONT, policyTypes=["Egress"], egress=[{"to": [{"podSelector": CART}]}])
    best = causes(*app("cart"), *caller(), only)[0]
    assert best.faults == ("network_policy_blocks", "dns_resolution_failing")
    both = policy("out", FRONT, policyTypes=["Egress"], egress=[{"to": [{"podSelector": CART}]}, DNS])
    assert causes(*app("cart"), *caller(), both) == []


def test_egress_that_names_another_callee_cuts_the_call() -> None:
    elsewhere = policy(
        "out",
        FRONT,
        policyTypes=["Egress"],
        egress=[{"to": [{"podSelector": {"matchLabels": {"app": "orders"}}}]}, DNS],
    )
    assert leading(*app("cart"), *caller(), elsewhere) == ("NetworkPolicy shop/out", "network_policy_blocks")


def test_a_range_of_ports_and_a_policy_for_another_direction_are_understood() -> None:
    ranged = policy(
        "in",
        CART,
        policyTypes=["Ingress"],
        ingress=[{"from": [{"podSelector": FRONT}], "ports": [{"port": 8000, "endPort": 9000}]}],
    )
    outward = policy("out", CART, policyTypes=["Egress"], egress=[{}])
    assert causes(*app("cart"), *caller(), ranged, outward) == []


# --- mesh ------------------------------------------------------------------------------------------------------------------

PROXY = container("istio-proxy", "docker.io/istio/proxyv2:1.24", 15090)


def meshed(name: str) -> list[Obj]:
    return app(name, spec=pod_spec(container(image=f"x/{name}:1"), PROXY))


def authorization(age: float = 15, **spec: Any) -> Obj:
    return {
        "kind": "AuthorizationPolicy",
        "apiVersion": "security.istio.io/v1",
        "metadata": meta("gate", age=age),
        "spec": spec,
    }


STRICT = {
    "kind": "PeerAuthentication",
    "apiVersion": "security.istio.io/v1",
    "metadata": meta("strict", age=15),
    "spec": {"mtls": {"mode": "STRICT"}},
}


def test_a_mesh_policy_that_allows_nothing_and_an_old_one_that_denies_a_path() -> None:
    assert leading(*meshed("cart"), authorization()) == ("AuthorizationPolicy shop/gate", "mesh_policy_blocks")
    admin = authorization(age=60 * 24 * 30, action="DENY", rules=[{"to": [{"operation": {"paths": ["/admin"]}}]}])
    assert all(s.specificity < 0.35 for s in causes(*meshed("cart"), admin))


def test_strict_mutual_tls_hurts_callers_without_a_proxy_and_nobody_else() -> None:
    hurt = causes(*meshed("cart"), *caller(), STRICT)[0]
    assert (hurt.faults[0], hurt.specificity > 0.85) == ("mesh_policy_blocks", True)
    job = pod("report-1", labels={}, spec=pod_spec(container("report", port=None)))
    assert all(s.specificity <= 0.4 for s in causes(*meshed("cart"), *caller(sidecars=[PROXY]), job, STRICT))


# --- Services ---------------------------------------------------------------------------------------------------------------


def test_a_port_of_both_protocols_is_no_wrong_transport() -> None:
    spec = pod_spec(container(ports=[{"containerPort": 53, "protocol": "UDP"}], port=None))
    objects = [o for o in app("names", spec=spec, port=53) if o["kind"] != "Service"]
    both = service("names", port=53)
    both["spec"]["ports"] = [{"name": p.lower(), "port": 53, "targetPort": 53, "protocol": p} for p in ("UDP", "TCP")]
    assert causes(*objects, both) == []


def written(minutes: float) -> list[Obj]:
    return [
        {
            "manager": "kubectl-edit",
            "operation": "Update",
            "time": ago(minutes),
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:spec": {"f:ports": {}}},
        }
    ]


def test_a_port_that_nobody_declares_is_a_suspect_when_it_is_new_and_hardly_when_it_is_old() -> None:
    for minutes, decisive in ((10, True), (60 * 24 * 20, False)):
        objects = [o for o in app("cart") if o["kind"] != "Service"]
        wrong = service("cart", port=80, target=9090, age=60 * 24 * 30)
        wrong["metadata"]["managedFields"] = written(minutes)
        best = causes(*objects, wrong)[0]
        assert (best.faults[0], best.specificity >= 0.9) == ("service_target_port_wrong", decisive)


# --- addresses ----------------------------------------------------------------------------------------------------------------


def test_a_collector_that_is_missing_breaks_no_program() -> None:
    env = [{"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": "http://otel-collector:4317"}]
    found = causes(*app("cart", spec=pod_spec(container(env=env))), *app("orders", spec=pod_spec(container(env=env))))
    assert all(s.specificity <= 0.2 for s in found)


def test_comments_and_exceptions_for_proxies_are_no_addresses() -> None:
    conf = {
        "kind": "ConfigMap",
        "apiVersion": "v1",
        "metadata": meta("conf"),
        "data": {"nginx.conf": "upstream x {\n  # server old-cart:8080;\n  server cart:8080;\n}\n"},
    }
    env = [{"name": "NO_PROXY", "value": "localhost,vault:8200,.svc"}]
    spec = pod_spec(container(image="x/f:1", env=env), volumes=[{"name": "c", "configMap": {"name": "conf"}}])
    assert causes(*app("cart"), *app("frontend", spec=spec), conf) == []


def test_a_name_given_twice_matters_when_it_is_an_address() -> None:
    twice = [{"name": "LOG_LEVEL", "value": "info"}, {"name": "LOG_LEVEL", "value": "debug"}]
    assert all(s.specificity < 0.5 for s in causes(*app("cart", spec=pod_spec(container(env=twice)))))


# --- K3, A10 --------------------------------------------------------------------------------------------------------------------


def test_one_member_of_a_set_that_alone_runs_out_may_hold_a_hot_shard() -> None:
    spec = pod_spec(container(resources={"limits": {"memory": "2Gi"}}))
    owners = [{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "shards", "uid": "u", "controller": True}]
    whole = {"kind": "StatefulSet", "apiVersion": "apps/v1", "metadata": meta("shards"), "status": {"readyReplicas": 3},
             "spec": {"replicas": 3, "selector": {}, "template": {"metadata": {"labels": {"app": "shards"}}, "spec": spec}}}  # fmt: skip
    hot = {**running(restarts=4), "lastState": {"terminated": ended("OOMKilled", 137, begun=30, over=5)}}
    members = [
        pod(f"shards-{i}", labels={"app": "shards"}, owners=owners, spec=spec, statuses=[hot] if i == 1 else None)
        for i in range(3)
    ]
    best = causes(whole, *members)[0]
    assert "hot_key_or_shard" in best.faults
    assert "2 siblings" in best.summary


def test_an_api_server_that_cannot_keep_up_shows_in_leases_clients_and_nodes() -> None:
    ended_now = {"terminated": {**ended("Error", 1, begun=60, over=4)}}
    leaders = [
        pod(
            f"{n}-cp",
            labels={"component": n},
            namespace="kube-system",
            statuses=[{**running(n, restarts=3), "lastState": ended_now}],
        )
        for n in ("kube-controller-manager", "kube-scheduler")
    ]
    client = unwell("watcher", statuses=[waiting("CrashLoopBackOff", "back-off", restarts=3, last=ended())])
    said = LogLine(
        NOW - timedelta(minutes=2),
        "the server has received too many requests and has asked us to try again later (get pods)",
        None,
        "app",
    )
    best = causes(*client, *leaders, logs={(NS, "watcher-5d9c7b-ax7k2", "app", True): (said,)})[0]
    assert (str(best.entity), best.faults[0]) == ("Deployment shop/watcher", "api_server_overload")


def test_one_refused_request_and_a_restart_of_last_month_are_no_overload() -> None:
    old = {"terminated": ended("Error", 1, begun=50000, over=49000)}
    leader = pod(
        "kube-scheduler-cp",
        labels={},
        namespace="kube-system",
        statuses=[{**running("kube-scheduler", restarts=2), "lastState": old}],
    )
    said = LogLine(NOW, "the server has received too many requests and has asked us to try again later", None, "app")
    found = found_in(*app("watcher"), leader, *NODES, logs={(NS, "watcher-5d9c7b-ax7k2", "app", False): (said,)})
    assert found == []


def test_the_agent_that_was_rolled_out_just_before_leaders_lost_their_leases_is_named() -> None:
    def lease(name: str, minutes: float) -> Obj:
        spec = {"holderIdentity": "cp-1_0f", "acquireTime": ago(minutes), "renewTime": ago(0), "leaseTransitions": 4}
        return {
            "kind": "Lease",
            "apiVersion": "coordination.k8s.io/v1",
            "metadata": meta(name, namespace="kube-system"),
            "spec": spec,
        }

    managed = [
        {
            "manager": "helm",
            "operation": "Update",
            "time": ago(16),
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:spec": {"f:template": {}}},
        }
    ]
    agent = {"kind": "DaemonSet", "apiVersion": "apps/v1", "metadata": meta("shipper", namespace="logging", managedFields=managed),
             "spec": {"selector": {}, "template": {"metadata": {}, "spec": pod_spec()}}, "status": {}}  # fmt: skip
    leaders = [lease("kube-scheduler", 12), lease("kube-controller-manager", 11)]
    best = causes(*app("cart"), agent, *leaders)[0]
    assert (str(best.entity), best.faults[0]) == ("DaemonSet logging/shipper", "api_server_overload")
    assert best.onset is not None
    assert f"{best.onset:%Y-%m-%dT%H:%M:%SZ}" == ago(12)  # when the first lease was lost, not when it was rolled out
    assert causes(*app("cart"), agent, lease("kube-scheduler", 5000), lease("kube-controller-manager", 5000)) == []


# --- names ------------------------------------------------------------------------------------------------------------------------


def test_a_member_that_is_called_below_a_service_that_is_gone() -> None:
    env = [{"name": "DB_ADDR", "value": "db-0.db:5432"}]
    whole = {"kind": "StatefulSet", "apiVersion": "apps/v1", "metadata": meta("db"), "status": {"readyReplicas": 1},
             "spec": {"replicas": 1, "serviceName": "db", "selector": {}, "template": {"metadata": {"labels": {"app": "db"}}, "spec": pod_spec()}}}  # fmt: skip
    member = pod(
        "db-0",
        labels={"app": "db"},
        owners=[{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "uid": "u", "controller": True}],
    )
    assert leading(*app("cart", spec=pod_spec(container(env=env))), whole, member) == (
        "Service shop/db",
        "service_deleted",
    )


def test_a_node_whose_dns_cache_is_down() -> None:
    cache = {"kind": "DaemonSet", "apiVersion": "apps/v1", "metadata": meta("node-local-dns", namespace="kube-system"),
             "spec": {"selector": {}, "template": {"metadata": {}, "spec": pod_spec()}}, "status": {"desiredNumberScheduled": 3, "numberReady": 2}}  # fmt: skip
    assert leading(*app("cart"), cache) == ("DaemonSet kube-system/node-local-dns", "dns_resolution_failing")


def test_a_service_that_only_its_siblings_give_away_is_a_weak_lead_and_a_stronger_one_when_the_alert_names_it() -> None:
    shop = [o for n in ("geo", "rate", "user", "search", "profile") for o in app(n)]
    gone = [
        o for o in shop if not (o["kind"] in ("Service", "EndpointSlice") and o["metadata"]["name"].startswith("rate"))
    ]
    assert [(str(s.entity), s.specificity) for s in causes(*gone)] == [("Service shop/rate", 0.3)]


def proxy(image: str, minutes: float) -> list[Obj]:
    managed = [
        {
            "manager": "kubectl-set",
            "operation": "Update",
            "time": ago(minutes),
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:spec": {"f:template": {}}},
        }
    ]
    spec = pod_spec(container("kube-proxy", image, None))
    ours = {"kind": "DaemonSet", "apiVersion": "apps/v1", "metadata": meta("kube-proxy", namespace="kube-system", managedFields=managed),
            "spec": {"selector": {}, "template": {"metadata": {}, "spec": spec}},
            "status": {"numberReady": 3, "desiredNumberScheduled": 3, "currentNumberScheduled": 3, "numberMisscheduled": 0}}  # fmt: skip
    api = pod(
        "kube-apiserver-cp",
        labels={"tier": "control-plane"},
        namespace="kube-system",
        spec=pod_spec(container("kube-apiserver", "registry.k8s.io/kube-apiserver:v1.33.1", None)),
    )
    return [ours, api]


def test_a_node_proxy_that_somebody_replaced_today_is_noticed_and_a_mirror_is_not() -> None:
    best = causes(*app("cart"), *proxy("ghcr.io/someone/kube-proxy:v1.33.1", 20))[0]
    assert (best.entity.name, best.faults[0], best.specificity) == ("kube-proxy", "traffic_locality_imbalance", 0.7)
    assert all(
        s.specificity <= 0.3
        for s in causes(*app("cart"), *proxy("mirror.example.com/kube-proxy:v1.33.1", 60 * 24 * 90))
    )
    assert causes(*app("cart"), *proxy("registry.k8s.io/kube-proxy:v1.33.1", 20)) == []


def test_a_service_of_a_balancer_that_selects_nobody_is_used_from_outside() -> None:
    outer = service("cart-external", selector={"app": "cart", "tier": "none"}, type="LoadBalancer")
    best = causes(*app("cart"), outer)[0]
    assert (best.entity.name, best.faults[0], [v.name for v in best.victims]) == (
        "cart-external",
        "service_selects_no_pods",
        ["cart"],
    )
    assert best.specificity >= 0.75


# --- Cilium -----------------------------------------------------------------------------------------------------------------------


def cilium(name: str, selector: Obj, age: float = 15, **spec: Any) -> Obj:
    return {
        "kind": "CiliumNetworkPolicy",
        "apiVersion": "cilium.io/v2",
        "metadata": meta(name, age=age),
        "spec": {"endpointSelector": {"matchLabels": selector}, **spec},
    }


def test_a_known_caller_whom_no_rule_of_cilium_names_is_cut_off() -> None:
    def admitting(**labels: str) -> Obj:
        return cilium("gate", {"app": "cart"}, ingress=[{"fromEndpoints": [{"matchLabels": labels}]}])

    shop = [*app("cart"), *caller()]
    assert leading(*shop, admitting(app="checkout")) == ("CiliumNetworkPolicy shop/gate", "network_policy_blocks")
    assert causes(*shop, admitting(app="frontend")) == []
    other = cilium("more", {"app": "cart"}, ingress=[{"fromEndpoints": [{"matchLabels": {"k8s:app": "frontend"}}]}])
    assert causes(*shop, admitting(app="checkout"), other) == []
    anywhere = cilium("any", {"app": "cart"}, ingress=[{"fromEntities": ["cluster"]}])
    assert causes(*shop, anywhere) == []


def test_a_policy_at_a_gateway_whose_pods_are_not_read_starves_what_stands_behind_it() -> None:
    def at_the_door(age: float = 15, **rule: Any) -> Obj:
        gateway = {"matchLabels": {"istio": "ingressgateway"}}
        denies = authorization(age, selector=gateway, action="DENY", rules=[rule])
        return {**denies, "metadata": meta("door", namespace="istio-system", age=age)}

    anybody = {"to": [{"operation": {"methods": ["GET", "POST"]}}]}
    found = causes(*meshed("cart"), *caller(), at_the_door(**anybody))
    assert (str(found[0].entity), found[0].faults[0]) == ("AuthorizationPolicy istio-system/door", "mesh_policy_blocks")
    assert "frontend" in {v.name for v in found[0].victims}
    assert "cart" not in {v.name for v in found[0].victims}  # it is called from inside
    some = {**anybody, "from": [{"source": {"ipBlocks": ["203.0.113.0/24"]}}]}
    old, few = (causes(*meshed("cart"), *caller(), p)[0] for p in (at_the_door(99999, **anybody), at_the_door(**some)))
    assert max(old.specificity, few.specificity) < 0.6 < found[0].specificity


def test_a_cilium_policy_that_closes_a_direction_and_one_that_others_open_again() -> None:
    closed = cilium("deny", {"k8s:app": "cart"}, ingress=[{}])
    assert leading(*app("cart"), closed) == ("CiliumNetworkPolicy shop/deny", "network_policy_blocks")
    opened = cilium("allow", {"app": "cart"}, ingress=[{"fromEndpoints": [{"matchLabels": {"app": "frontend"}}]}])
    assert causes(*app("cart"), closed, opened) == []
    assert causes(*app("cart"), opened, cilium("unused", {"app": "gone"}, ingress=[{}])) == []
    assert all(
        s.specificity < 0.5
        for s in causes(*app("cart"), cilium("deny", {"app": "cart"}, age=60 * 24 * 60, ingress=[{}]))
    )
    soft = cilium("soft", {"app": "cart"}, ingress=[{}], enableDefaultDeny={"ingress": False})
    assert causes(*app("cart"), soft, cilium("none", {"app": "cart"}, ingress=[])) == []


def test_a_wrong_address_of_a_cache_is_one_of_a_dependency_and_of_a_database_one_of_a_store() -> None:
    cache = [*app("cart-cache", port=6379), *caller(value="cart-cache-ro:6379")]
    store = [*app("cart-db", port=5432), *caller(value="cart-db-ro:5432")]
    assert leading(*cache) == ("Deployment shop/frontend", "dependency_address_wrong")
    assert leading(*store) == ("Deployment shop/frontend", "datastore_endpoint_wrong")
