# ruff: noqa: E501  (the wordings of Kubernetes are quoted whole)
"""One test for each line of the field notes that objects can show: noise, leftovers, and what is missing or contradicts.

Lines about log texts, telemetry windows and metrics are tested where those are read.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.skills.kubernetes.shapes import (
    NODES,
    UNREADY,
    Obj,
    ago,
    app,
    causes,
    conditions,
    container,
    deployment,
    ended,
    endpoints,
    event,
    found_in,
    leading,
    meta,
    node,
    pod,
    pod_spec,
    running,
    service,
    unwell,
    waiting,
)

POD = "cart-5d9c7b-ax7k2"


# --- noise that looks like a cause ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "name", "reason", "message"),
    [
        ("ReplicaSet", "cart-5d9c7b", "FailedCreate", 'Error creating: pods "cart-" is forbidden: error looking up service account shop/default: serviceaccount "default" not found'),
        ("Pod", POD, "FailedScheduling", "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."),
        ("Pod", POD, "Unhealthy", 'Readiness probe failed: Get "http://10.244.1.7:8080/": dial tcp 10.244.1.7:8080: connect: connection refused'),
        ("Pod", POD, "Unhealthy", 'Liveness probe failed: Get "http://10.244.1.7:8080/": context deadline exceeded'),
        ("Pod", POD, "Failed", 'Failed to pull image "registry.example.com/shop/cart:1.4.1": context deadline exceeded'),
        ("Pod", POD, "BackOff", 'Back-off pulling image "registry.example.com/shop/cart:1.4.1"'),
        ("Pod", POD, "FailedMount", 'MountVolume.SetUp failed for volume "conf" : configmap "conf" not found'),
        ("Pod", POD, "FailedAttachVolume", 'Multi-Attach error for volume "pvc-1" Volume is already exclusively attached to one node'),
        ("PersistentVolumeClaim", "data", "ProvisioningFailed", 'storageclass.storage.k8s.io "fast" not found'),
        ("Pod", POD, "FailedCreatePodSandBox", "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox"),
        ("HorizontalPodAutoscaler", "cart", "FailedGetResourceMetric", "failed to get cpu utilization: unable to get metrics"),
        ("Pod", POD, "Preempted", "Preempted by pod 6b1 on node node-a"),
        ("Job", "report-1", "BackoffLimitExceeded", "Job has reached the specified backoff limit"),
        ("Node", "node-a", "NodeNotReady", "Node node-a status is now: NodeNotReady"),
    ],
)  # fmt: skip
def test_what_was_said_during_the_start_up_means_nothing_when_all_is_well(
    kind: str, name: str, reason: str, message: str
) -> None:
    probe = {"httpGet": {"path": "/", "port": 8080}}
    spec = pod_spec(container(readinessProbe=probe, livenessProbe=probe))
    place = "default" if kind == "Node" else "shop"
    said = event(kind, name, reason, message, minutes=50, count=4, namespace=place)
    assert [s for s in found_in(*app("cart", spec=spec), said) if s.specificity > 0.4] == []


@pytest.mark.parametrize(
    ("message", "faults"),
    [
        ("0/6 nodes are available: 1 Insufficient cpu, 5 node(s) didn't match Pod's node affinity/selector.", ["cpu_requests_do_not_fit"]),
        ("0/6 nodes are available: 1 Insufficient nvidia.com/gpu, 5 node(s) didn't satisfy plugin(s) [NodeAffinity]. no new claims to deallocate, preemption: 0/6 nodes are available: 6 Preemption is not helpful for scheduling.", []),
        ("0/6 nodes are available: 6 node(s) didn't match Pod's node affinity/selector.", ["node_selector_unmatched"]),
    ],
)  # fmt: skip
def test_that_a_pod_of_a_daemon_set_is_meant_for_one_node_is_no_trouble(message: str, faults: list[str]) -> None:
    """kube-scheduler 1.34: the other nodes never match, since the controller binds each pod to its node by affinity."""
    agent = {"kind": "DaemonSet", "apiVersion": "apps/v1", "metadata": meta("agent"), "status": {"desiredNumberScheduled": 1},
             "spec": {"selector": {}, "template": {"metadata": {}, "spec": pod_spec(nodeSelector={"pool": "gpu"})}}}  # fmt: skip
    owners = [{"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "agent", "uid": "u", "controller": True}]
    words = conditions(PodScheduled=("False", "Unschedulable", message))
    stuck = pod(
        "agent-x",
        labels={},
        owners=owners,
        spec=pod_spec(nodeSelector={"pool": "gpu"}),
        node=None,
        phase="Pending",
        conds=words,
    )
    said = [s for s in causes(agent, stuck) if s.analyzer == "kubernetes.scheduling"]
    assert [s.faults[0] for s in said] == faults


def test_leftovers_do_not_hide_what_is_wrong_today() -> None:
    deny = {"kind": "NetworkPolicy", "apiVersion": "networking.k8s.io/v1", "metadata": meta("deny-all-old"),
            "spec": {"podSelector": {"matchLabels": {"app": "gone"}}, "policyTypes": ["Ingress", "Egress"]}}  # fmt: skip
    words = conditions(
        PodScheduled=(
            "False",
            "Unschedulable",
            "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector.",
        )
    )
    words[0]["lastTransitionTime"] = ago(60 * 24 * 30)
    agent = {"kind": "DaemonSet", "apiVersion": "apps/v1", "metadata": meta("gpu-agent", age=60 * 24 * 40), "status": {"desiredNumberScheduled": 1},
             "spec": {"selector": {}, "template": {"metadata": {}, "spec": pod_spec(nodeSelector={"gpu": "yes"})}}}  # fmt: skip
    owners = [{"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "gpu-agent", "uid": "u", "controller": True}]
    stuck = pod(
        "gpu-agent-x",
        labels={},
        owners=owners,
        spec=pod_spec(nodeSelector={"gpu": "yes"}),
        node=None,
        phase="Pending",
        conds=words,
        age=60 * 24 * 30,
    )
    unused = [
        service("old-api", selector={"app": "gone"}),
        deployment("blue", replicas=0),
        service("blue"),
        endpoints("blue"),
    ]
    hurt = unwell("cart", statuses=[waiting("CreateContainerConfigError", 'secret "db" not found')])
    leftovers = [deny, agent, stuck, *unused]
    assert all(s.specificity < 0.45 for s in causes(*app("cart"), *leftovers))
    assert leading(*hurt, *leftovers) == ("Deployment shop/cart", "secret_or_configmap_missing")


def test_pods_and_events_of_other_operators_accuse_nobody() -> None:
    workflow = [
        {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "name": "etl-7", "uid": "u", "controller": True}
    ]
    failed = {**running("main", ready=False), "state": {"terminated": ended("Error", 1, begun=500, over=490)}}
    step = pod(
        "etl-7-step", labels={}, owners=workflow, phase="Failed", statuses=[failed], conds=conditions(Ready="False")
    )
    chaos = [
        {
            "apiVersion": "chaos-mesh.org/v1alpha1",
            "kind": "PodNetworkChaos",
            "name": "x",
            "uid": "u",
            "controller": True,
        }
    ]
    scanner = pod("scan-1", labels={}, owners=chaos, phase="Succeeded", statuses=[], conds=conditions(Ready="False"))
    said = [event("PodChaos", "x", "Applied", "Successfully apply chaos for shop/cart"), event("Pod", POD, "PolicyViolation", "policy require-labels/check fail (blocked)"),
            event("Deployment", "cart", "DisruptionBlocked", "Pod has a do-not-disrupt annotation")]  # fmt: skip
    assert causes(*app("cart"), step, scanner, *said) == []


def test_a_single_restart_of_a_single_replica_is_no_cause() -> None:
    for reason, code in (("Completed", 0), ("Error", 1), ("Error", 143)):
        status = {
            **running(restarts=1, since=600),
            "lastState": {"terminated": ended(reason, code, begun=9000, over=601)},
        }
        assert causes(*app("cart", statuses=[status])) == []


# --- evidence that is missing --------------------------------------------------------------------------------------------------


def test_pods_on_a_dead_node_keep_saying_running_and_the_node_tells_the_truth() -> None:
    dead = node(
        "node-a", conds=conditions(Ready=("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status."))
    )
    assert leading(*app("cart"), dead, node("node-b")) == ("Node node-a", "kubelet_stopped")


def test_a_lease_that_stopped_tells_before_the_conditions_do() -> None:
    def lease(name: str, seconds: int) -> Obj:
        return {
            "kind": "Lease",
            "apiVersion": "coordination.k8s.io/v1",
            "metadata": meta(name, namespace="kube-node-lease"),
            "spec": {"renewTime": ago(seconds / 60)},
        }

    assert leading(*app("cart"), *NODES, lease("node-a", 95), lease("node-b", 4)) == ("Node node-a", "kubelet_stopped")
    assert causes(*app("cart"), *NODES, lease("node-a", 12), lease("node-b", 4)) == []


def test_deployments_minutes_old_at_revision_one_are_compared_with_their_siblings() -> None:
    def limited(name: str, memory: str, **more: Any) -> list[Obj]:
        spec = pod_spec(container(image="acme/store:5", resources={"limits": {"memory": memory}}))
        return unwell(name, spec=spec, age=4, **more) if more else app(name, spec=spec, age=4)

    killed = [waiting("CrashLoopBackOff", "back-off", restarts=3, last=ended("OOMKilled", 137, begun=3, over=2.9))]
    shop = [o for n in ("rate", "geo", "user") for o in limited(n, "512Mi")] + limited(
        "profile", "64Mi", statuses=killed
    )
    best = causes(*shop)[0]
    assert (str(best.entity), best.faults[0]) == ("Deployment shop/profile", "memory_limit_too_low")
    assert "containers of the same image have 512Mi" in best.summary


def test_a_young_namespace_that_is_all_created_at_once_tells_no_change() -> None:
    objects = [*app("cart", age=4), *app("orders", age=4)]
    for obj in objects:
        obj["metadata"]["creationTimestamp"] = ago(4)
    assert found_in(*objects) == []


# --- statuses that disagree ------------------------------------------------------------------------------------------------------


def test_pods_that_are_ready_while_their_deployment_is_not_and_the_reverse() -> None:
    behind = app("cart")
    behind[0]["status"] |= {"readyReplicas": 0, "availableReplicas": 0, "unavailableReplicas": 1}
    assert causes(*behind) == []
    ahead = app("orders", conds=UNREADY, statuses=[running(ready=False, since=0.2)])
    assert causes(*ahead) == []


def test_a_start_error_dated_1970_is_read_by_its_words() -> None:
    words = 'failed to create containerd task: OCI runtime create failed: runc create failed: unable to start container process: exec: "srv": executable file not found in $PATH: unknown'
    for status in (
        waiting("RunContainerError", words, last=ended("StartError", 128, begun=None, message=words)),
        {**waiting("x"), "state": {"terminated": ended("StartError", 128, begun=None, message=words)}},
    ):
        assert leading(*unwell("cart", statuses=[status])) == ("Deployment shop/cart", "container_command_invalid")


def test_several_objects_of_one_name_are_kept_apart() -> None:
    spec = pod_spec(container(image="redis:7", port=6379))
    owners = [{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "redis", "uid": "u", "controller": True}]
    stateful = {"kind": "StatefulSet", "apiVersion": "apps/v1", "metadata": meta("redis"), "status": {"readyReplicas": 1},
                "spec": {"replicas": 1, "selector": {}, "template": {"metadata": {"labels": {"app": "redis"}}, "spec": spec}}}  # fmt: skip
    member = pod("redis-0", labels={"app": "redis"}, owners=owners, spec=spec)
    headless = service("redis-headless", selector={"app": "redis"}, port=6379, clusterIP="None")
    both = [
        *app("redis", spec=spec, port=6379),
        stateful,
        member,
        headless,
        endpoints("redis-headless", "redis-0", port=6379),
    ]
    assert causes(*both) == []


def test_a_pod_that_ends_and_one_that_debugs_are_no_trouble() -> None:
    leaving = pod(
        "cart-5d9c7b-old11",
        labels={"app": "cart"},
        replica_set="cart-5d9c7b",
        conds=UNREADY,
        statuses=[waiting("ContainerCreating")],
    )
    leaving["metadata"]["deletionTimestamp"] = ago(1)
    debugged = app(
        "orders",
        ephemeralContainerStatuses=[{**running("debugger", ready=False), "state": {"terminated": ended("Error", 137)}}],
    )
    assert causes(*app("cart"), leaving, *debugged) == []


# --- telling twins apart -----------------------------------------------------------------------------------------------------------


def test_a_wrong_address_in_a_config_map_is_compared_with_the_services_that_exist() -> None:
    conf = {
        "kind": "ConfigMap",
        "apiVersion": "v1",
        "metadata": meta("gateway-conf"),
        "data": {
            "nginx.conf": "location /cart { proxy_pass http://cart-svc:8080; }\nlocation /orders { proxy_pass http://orders:8080; }"
        },
    }
    spec = pod_spec(container(image="nginx:1.27"), volumes=[{"name": "c", "configMap": {"name": "gateway-conf"}}])
    best = causes(*app("cart"), *app("orders"), *app("gateway", spec=spec), conf)[0]
    assert (str(best.entity), best.faults[0]) == ("Deployment shop/gateway", "dependency_address_wrong")
    assert "cart-svc:8080" in best.summary


def test_forty_healthy_deployments_yield_nothing() -> None:
    many = [o for i in range(40) for o in app(f"svc-{i}")]
    assert found_in(*many) == []
