# ruff: noqa: E501  (the wordings of Kubernetes are quoted whole)
"""A healthy namespace has no cause in it, with all the things that real namespaces hold."""

from __future__ import annotations

from typing import Any

from skills.contract import Focus
from skills.kubernetes import overview
from tests.skills.kubernetes.shapes import (
    NODES,
    NS,
    WINDOW,
    Obj,
    ago,
    app,
    causes,
    conditions,
    container,
    ended,
    event,
    found_in,
    meta,
    owner,
    pod,
    pod_spec,
    running,
    service,
    snapshot,
)


def shop() -> list[Obj]:
    env = [
        {"name": "CART_ADDR", "value": "cart:8080"},
        {"name": "DB_URL", "value": "postgres://shop:hunter@db.example.com:5432/shop"},
    ]
    spec = pod_spec(
        container(
            image="registry.example.com/shop/frontend:1.4.1",
            env=env,
            readinessProbe={"httpGet": {"path": "/ready", "port": 8080}},
        ),
        initContainers=[
            container("proxy", "registry.example.com/mesh/proxy:2", 15090, restartPolicy="Always"),
            container("migrate", port=None),
        ],
    )
    done = {"name": "migrate", "ready": True, "restartCount": 0, "image": "x", "imageID": "", "lastState": {}, "started": False,
            "state": {"terminated": ended("Completed", 0)}}  # fmt: skip
    ephemeral = {
        "name": "debugger",
        "ready": False,
        "restartCount": 0,
        "image": "busybox",
        "imageID": "",
        "lastState": {},
        "state": {"terminated": ended("Completed", 0)},
    }
    front = app("frontend", spec=spec, init=[running("proxy"), done], ephemeralContainerStatuses=[ephemeral])
    job_pod = pod("report-29012345-x", labels={"job-name": "report-29012345"}, owners=owner("Job", "report-29012345", "batch/v1"),
                  phase="Succeeded", conds=conditions(Ready=("False", "PodCompleted", "")),
                  statuses=[{**running(ready=False), "state": {"terminated": ended("Completed", 0)}}])  # fmt: skip
    job = {"kind": "Job", "apiVersion": "batch/v1", "metadata": meta("report-29012345", ownerReferences=owner("CronJob", "report", "batch/v1")),
           "spec": {"template": {"metadata": {}, "spec": pod_spec()}}, "status": {"succeeded": 1, "completionTime": ago(60)}}  # fmt: skip
    going = pod("cart-old-zz", labels={"app": "cart"}, replica_set="cart-5d9c7b", conds=conditions(Ready="False"))
    going["metadata"]["deletionTimestamp"] = ago(0.2)
    policy = {"kind": "NetworkPolicy", "apiVersion": "networking.k8s.io/v1", "metadata": meta("unused"),
              "spec": {"podSelector": {"matchLabels": {"app": "nobody"}}, "policyTypes": ["Ingress"]}}  # fmt: skip
    quota = {"kind": "ResourceQuota", "apiVersion": "v1", "metadata": meta("compute"), "spec": {"hard": {"pods": "10"}},
             "status": {"hard": {"pods": "10"}, "used": {"pods": "3"}}}  # fmt: skip
    claim = {
        "kind": "PersistentVolumeClaim",
        "apiVersion": "v1",
        "metadata": meta("data"),
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
        "status": {"phase": "Bound"},
    }
    bare = {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"name": "bare", "namespace": NS},
        "spec": {"containers": None},
        "status": None,
    }
    return [*front, *app("cart", replicas=2), job, job_pod, going, policy, quota, claim, bare,
            event("Pod", "frontend-5d9c7b-ax7k2", "Unhealthy", "Readiness probe failed: connection refused", minutes=50),
            event("Pod", "cart-5d9c7b-ax7k2", "FailedScheduling", "0/3 nodes are available: 3 Insufficient cpu.", minutes=50)]  # fmt: skip


def test_a_healthy_namespace_yields_no_cause() -> None:
    assert [(str(s.entity), s.faults, s.summary) for s in causes(*shop())] == []


def test_a_pod_without_spec_and_status_breaks_nothing() -> None:
    assert all(s.entity.name == "bare" for s in found_in(*shop()))


def test_an_unused_service_without_endpoints_is_hardly_a_suspect() -> None:
    leftover = service("leftover", selector={"app": "gone"})
    found = causes(*shop(), leftover)
    assert [s.entity.name for s in found] == ["leftover"]
    assert found[0].specificity < 0.3


def test_nothing_is_concluded_from_kinds_that_could_not_be_read() -> None:
    assert causes(*shop(), unread=("Service", "ConfigMap", "Secret", "ServiceAccount", "Node", "StorageClass")) == []


def test_the_nodes_of_the_fixture_are_well() -> None:
    assert causes(*NODES) == []


def well(*objects: Obj, **focus: Any) -> list[str]:
    return [s.summary for s in overview.healthy(snapshot(*objects), Focus(namespace=NS, **focus), WINDOW)]


def test_what_the_alert_names_by_a_label_or_a_pod_is_looked_at_and_found_well() -> None:
    assert well(*app("cart"), service="cart") == ["Deployment cart: 1 of 1 pods ready, 0 restarts."]
    for labels in ({"deployment": "cart"}, {"pod": "cart-5d9c7b-ax7k2"}, {"app": "cart"}):
        assert len(well(*app("cart"), *app("orders"), labels=labels)) == 1
    assert well(*app("cart"), labels={"pod": "orders-1"}) == []


def test_a_restart_before_the_window_is_no_illness_and_one_within_is() -> None:
    def restarted(minutes: float) -> list[Obj]:
        status = {
            **running(restarts=2),
            "lastState": {"terminated": ended("Error", 1, begun=minutes + 50, over=minutes)},
        }
        return app("cart", statuses=[status])

    assert "last restart 2026-03-" in well(*restarted(900), service="cart")[0]
    assert well(*restarted(20), service="cart") == []
