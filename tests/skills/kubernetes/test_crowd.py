"""Large namespaces and those around the alert's: what is read of them, and what is not."""

from __future__ import annotations

from skills.contract import LogQuery
from tests.skills.kubernetes.served import NAMESPACES, broken_shop, context, crowded, kubernetes
from tests.skills.kubernetes.server import Cluster, serving
from tests.skills.kubernetes.shapes import (
    NODES,
    NS,
    UNREADY,
    WINDOW,
    Obj,
    app,
    conditions,
    container,
    ended,
    meta,
    node,
    pod,
    pod_spec,
    service,
    unwell,
    waiting,
)


def test_ten_thousand_pods_of_other_namespaces_are_never_listed() -> None:
    crowd = [pod(f"p{i}", labels={"app": "x"}, namespace="billing") for i in range(9_000)]
    cluster = broken_shop()
    cluster.objects += crowd
    with serving(cluster) as url:
        look = kubernetes(url).first_look(context())
    assert cluster.requests["/api/v1/namespaces/billing/pods"] == 0
    assert sum(cluster.requests.values()) < 30
    assert look.gaps == ()


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


def test_pages_beyond_the_cap_are_a_gap_that_says_so() -> None:
    services = [service(f"s{i}") for i in range(1_200)]
    with serving(Cluster([*NODES, *app("cart"), *services])) as url:
        look = kubernetes(url, max_pages=2).first_look(context())
    assert any("services" in g.what and "1000 objects in 2 pages, 201 left" in g.why for g in look.gaps)


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


def test_of_five_hundred_agents_the_one_that_fails_is_read() -> None:
    labels = {"k8s-app": "kube-proxy"}
    owners = [{"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "kube-proxy", "uid": "u", "controller": True}]
    spec = pod_spec(container("kube-proxy", "registry.k8s.io/kube-proxy:v1.33.1", None))
    crash = [waiting("CrashLoopBackOff", "back-off", "kube-proxy", restarts=4, last=ended("Error", 1))]
    agents = [
        pod(f"kube-proxy-{i:05}", labels=labels, owners=owners, spec=spec, namespace="kube-system", node=f"node-{i}",
            **({"statuses": crash, "conds": UNREADY} if i == 350 else {}))
        for i in range(400)
    ]  # fmt: skip
    daemon = {"kind": "DaemonSet", "apiVersion": "apps/v1", "metadata": meta("kube-proxy", namespace="kube-system"),
              "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": spec}},
              "status": {"desiredNumberScheduled": 400, "currentNumberScheduled": 400, "numberMisscheduled": 0,
                         "numberReady": 399}}  # fmt: skip
    cluster = Cluster([*NODES, *app("cart"), daemon, *agents])
    with serving(cluster) as url:
        look = kubernetes(url).first_look(context())
    assert ("Node node-350", "node_proxy_stopped") in {(str(s.entity), s.faults[0]) for s in look.symptoms if s.faults}
    assert not any(
        "/kube-system/pods" in p and "limit=500" in p and "as=Table" not in p and "fieldSelector" not in p
        for p in cluster.paths
    )


def test_of_many_nodes_those_that_are_not_ready_are_read() -> None:
    silent = conditions(Ready=("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status."))
    nodes = [node(f"node-{i:03}", conds=silent if i == 200 else None) for i in range(250)]
    cluster = Cluster([*nodes, *app("cart", node="node-200")])
    with serving(cluster) as url:
        look = kubernetes(url).first_look(context())
    assert (str(look.symptoms[0].entity), look.symptoms[0].faults[0]) == ("Node node-200", "kubelet_stopped")
    assert cluster.requests["/api/v1/nodes"] == 2
    assert cluster.requests["/api/v1/nodes/node-200"] == 1
