# ruff: noqa: E501  (the wordings of Kubernetes are quoted whole)
"""Neighbouring shapes that mislead: probes, memory, init containers, claims, quotas, certificates, cluster DNS.

Sources: pkg/kubelet/prober, pkg/probe/{http,grpc,exec}; istio pkg/kube/inject (probe rewriting); external-provisioner and
local-path-provisioner events; csi attach errors of pkg/controller/volume/attachdetach; resourcequota and limitranger
admission; cert-manager.io/v1 Certificate; CoreDNS rewrite plugin.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from skills.contract import Focus
from skills.kubernetes import analyzers
from tests.skills.kubernetes import shapes
from tests.skills.kubernetes.shapes import (
    NODES,
    Obj,
    ago,
    app,
    causes,
    conditions,
    container,
    ended,
    event,
    found_in,
    leading,
    meta,
    node,
    pod,
    pod_spec,
    running,
    unwell,
    waiting,
    without,
)

CART, POD = "Deployment shop/cart", "cart-5d9c7b-ax7k2"


def probed(kind: str = "readinessProbe", **way: Any) -> Obj:
    return pod_spec(
        container(
            **{
                kind: {
                    **(way or {"httpGet": {"path": "/ready", "port": 8080}}),
                    "periodSeconds": 10,
                    "failureThreshold": 3,
                }
            }
        )
    )


def unready(words: str, spec: Obj, since: float = 60, **status: Any) -> list[Obj]:
    objects = unwell("cart", spec=spec, statuses=[running(ready=False, since=since, **status)])
    return [*objects, event("Pod", POD, "Unhealthy", f"Readiness probe {words}")]


@pytest.mark.parametrize(
    ("words", "spec"),
    [
        ("failed: HTTP probe failed with statuscode: 404", probed()),
        ('failed: Get "https://10.244.1.7:8080/ready": http: server gave HTTP response to HTTPS client', probed()),
        ('failed: error: this server does not implement the grpc health protocol (grpc.health.v1.Health): unknown service grpc.health.v1.Health', probed(grpc={"port": 8080})),
        ('errored and resulted in unknown state: rpc error: code = Unknown desc = failed to exec in container: OCI runtime exec failed: exec failed: unable to start container process: exec: "curl": executable file not found in $PATH: unknown', probed(exec={"command": ["curl", "localhost"]})),
        ("failed: /bin/sh: 1: wget: not found", probed(exec={"command": ["sh", "-c", "wget -q localhost"]})),
    ],
)  # fmt: skip
def test_readiness_probes_that_cannot_succeed(words: str, spec: Obj) -> None:
    assert leading(*unready(words, spec)) == (CART, "readiness_probe_misconfigured")


@pytest.mark.parametrize(
    "words", ["failed: HTTP probe failed with statuscode: 503", "failed: HTTP probe failed with statuscode: 500"]
)
def test_a_program_that_says_it_is_not_ready_is_no_misconfigured_probe(words: str) -> None:
    assert causes(*unready(words, probed())) == []
    undeclared = probed(httpGet={"path": "/ready", "port": 9999})
    assert causes(*unready(words, undeclared)) == []


def test_a_pod_of_seconds_and_one_whose_start_up_probe_runs_are_waited_for() -> None:
    refused = 'failed: Get "http://10.244.1.7:9999/ready": dial tcp 10.244.1.7:9999: connect: connection refused'
    spec = probed(httpGet={"path": "/ready", "port": 9999})
    assert leading(*unready(refused, spec)) == (CART, "readiness_probe_misconfigured")
    assert causes(*unready(refused, spec, since=0.4)) == []
    starting = unready(refused, spec)
    starting[2]["status"]["containerStatuses"][0]["started"] = False
    assert causes(*starting) == []


def test_a_probe_that_an_injector_rewrote_asks_no_wrong_port() -> None:
    app_container = container(readinessProbe={"httpGet": {"path": "/app-health/app/readyz", "port": 15020}})
    spec = pod_spec(app_container, container("istio-proxy", "docker.io/istio/proxyv2:1.24", 15090))
    status = [running(ready=False, since=60), running("istio-proxy")]
    assert causes(*unwell("cart", spec=spec, statuses=status)) == []


def test_a_liveness_kill_of_last_week_is_over() -> None:
    spec = probed("livenessProbe", httpGet={"path": "/live", "port": 9999})
    old = {**running(restarts=1), "lastState": {"terminated": ended("Error", 143, begun=9000, over=8000)}}
    assert causes(*app("cart", spec=spec, statuses=[old])) == []


# --- memory --------------------------------------------------------------------------------------------------------------

LIMITED = pod_spec(container(resources={"limits": {"memory": "512Mi"}}))


def killed(begun: float, over: float, restarts: int = 1) -> Obj:
    return {
        **running(restarts=restarts, since=over),
        "lastState": {"terminated": ended("OOMKilled", 137, begun=begun, over=over)},
    }


def test_a_kill_of_three_days_ago_is_hardly_a_suspect() -> None:
    best = causes(*app("cart", spec=LIMITED, statuses=[killed(4330, 4320)]))
    assert all(s.specificity <= 0.2 and not s.ongoing for s in best)


def test_a_kill_while_the_node_itself_ran_out_names_the_node_too() -> None:
    said = event(
        "Node",
        "node-a",
        "SystemOOM",
        "System OOM encountered, victim process: app, pid: 77",
        minutes=5,
        namespace="default",
    )
    found = causes(*app("cart", spec=LIMITED, statuses=[killed(10, 5)]), *NODES, said)
    assert found[0].faults[0] == "node_cpu_or_memory_pressure"
    assert any("node_cpu_or_memory_pressure" in s.faults for s in found if s.analyzer == "kubernetes.memory")


def test_a_job_that_was_killed_for_memory_and_is_over_is_not_ongoing() -> None:
    status = {**running("app", ready=False), "state": {"terminated": ended("OOMKilled", 137, begun=200, over=190)}}
    done = pod("import-1", labels={}, spec=LIMITED, phase="Failed", statuses=[status], conds=conditions(Ready="False"))
    assert all(not s.ongoing for s in causes(done) if s.analyzer == "kubernetes.memory")


# --- init containers ------------------------------------------------------------------------------------------------------


def initial(line: str, since: float, env: list[Obj] | None = None) -> list[Obj]:
    init = container("wait", "busybox:1.28", None, command=["sh", "-c", line], env=env or [])
    spec = pod_spec(container(), initContainers=[init])
    status = [running("wait", ready=False, since=since)]
    return unwell("cart", spec=spec, phase="Pending", statuses=[waiting("PodInitializing")], init=status)


def test_an_init_container_that_waits_for_a_port_or_host_from_its_environment() -> None:
    by_port = initial("until nc -z db:5433; do sleep 2; done", 20)
    assert leading(*by_port, *app("db", port=5432)) == (CART, "init_container_stuck")
    env = [{"name": "DB_HOST", "value": "db-old"}]
    best = causes(*initial("until nc -z $DB_HOST 5432; do sleep 2; done", 20, env))[0]
    assert "db-old" in best.summary


def test_a_migration_of_five_minutes_is_no_verdict_and_a_name_outside_is_not_gone() -> None:
    assert all(s.specificity <= 0.6 for s in causes(*initial("python manage.py migrate", 5)))
    far = causes(*initial("until nc -z db.example.com 5432; do sleep 2; done", 20))[0]
    assert "does not exist" not in far.summary


# --- claims and quotas ----------------------------------------------------------------------------------------------------

USER = pod_spec(volumes=[{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}])


def claim(**spec: Any) -> Obj:
    body = {
        "accessModes": ["ReadWriteMany"],
        "resources": {"requests": {"storage": "10Gi"}},
        "storageClassName": "fast",
        **spec,
    }
    return {
        "kind": "PersistentVolumeClaim",
        "apiVersion": "v1",
        "metadata": meta("data", age=20),
        "spec": body,
        "status": {"phase": "Pending"},
    }


FAST = {
    "kind": "StorageClass",
    "apiVersion": "storage.k8s.io/v1",
    "metadata": meta("fast", namespace=None),
    "provisioner": "ebs.csi.aws.com",
}


def attaching() -> list[Obj]:
    return unwell("cart", spec=USER, phase="Pending", statuses=[waiting("ContainerCreating")])


@pytest.mark.parametrize(
    "words",
    [
        'failed to provision volume with StorageClass "fast": rpc error: code = InvalidArgument desc = Volume capabilities MULTI_NODE_MULTI_WRITER not supported. Only AccessModes[ReadWriteOnce] supported.',
        'failed to provision volume with StorageClass "local-path": NodePath only supports ReadWriteOnce and ReadWriteOncePod (1.22+) access modes',
    ],
)  # fmt: skip
def test_an_access_mode_that_the_provisioner_lacks(words: str) -> None:
    said = event("PersistentVolumeClaim", "data", "ProvisioningFailed", words)
    best = causes(claim(), FAST, *attaching(), said)[0]
    assert (best.entity.name, best.faults[0]) == ("data", "pvc_matches_no_volume")
    assert best.specificity > 0.9


def test_a_claim_that_waits_for_its_pod_is_no_fault_of_storage() -> None:
    said = event(
        "PersistentVolumeClaim",
        "data",
        "WaitForPodScheduled",
        "waiting for pod cart-5d9c7b-ax7k2 to be scheduled",
        warning=False,
    )
    words = conditions(PodScheduled=("False", "Unschedulable", "0/3 nodes are available: 3 Insufficient cpu."))
    stuck = unwell("cart", spec=USER, node=None, phase="Pending", conds=words)
    assert [(s.entity.kind, s.faults[0]) for s in causes(claim(), FAST, *stuck, said)] == [
        ("Deployment", "cpu_requests_do_not_fit")
    ]


def test_a_volume_that_a_dead_node_still_holds_points_at_the_node() -> None:
    dead = node(
        "node-b", conds=conditions(Ready=("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status."))
    )
    old = pod("cart-5d9c7b-old11", labels={"app": "cart"}, replica_set="cart-5d9c7b", spec=USER, node="node-b")
    old["metadata"]["deletionTimestamp"] = ago(3)
    words = 'Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) cart-5d9c7b-old11'
    found = found_in(*attaching(), old, node("node-a"), dead, event("Pod", POD, "FailedAttachVolume", words))
    told = next(s for s in found if s.analyzer == "kubernetes.storage")
    assert (told.role, [str(p) for p in told.points_at]) == ("effect", ["Node node-b"])
    assert (found[0].entity.name, found[0].faults[0]) == ("node-b", "kubelet_stopped")


def test_a_disk_that_gives_errors_when_it_is_mounted() -> None:
    words = "MountVolume.MountDevice failed for volume \"pvc-1\" : 'fsck' found errors on device /dev/sdb but could not correct them"
    assert leading(*attaching(), event("Pod", POD, "FailedMount", words))[1] == "disk_io_slow_or_failing"


def quota(hard: dict[str, str], used: dict[str, str], **spec: Any) -> Obj:
    return {
        "kind": "ResourceQuota",
        "apiVersion": "v1",
        "metadata": meta("q"),
        "spec": {"hard": hard, **spec},
        "status": {"hard": hard, "used": used},
    }


def test_a_claim_that_should_exist_where_storage_is_used_up_is_inferred() -> None:
    full = quota({"requests.storage": "100Gi"}, {"requests.storage": "95Gi"})
    assert leading(*attaching(), full) == ("Namespace shop", "storage_quota_exhausted")
    roomy = quota({"requests.storage": "100Gi"}, {"requests.storage": "10Gi"})
    assert leading(*attaching(), roomy) == (CART, "volume_cannot_attach")


def test_a_claim_of_a_stateful_set_that_the_quota_refuses() -> None:
    # pkg/controller/statefulset/stateful_pod_control.go: "create Claim ... failed error: ..."
    words = 'create Claim data-db-0 for Pod db-0 in StatefulSet db failed error: persistentvolumeclaims "data-db-0" is forbidden: exceeded quota: q, requested: requests.storage=50Gi, used: requests.storage=80Gi, limited: requests.storage=100Gi'
    db = {"kind": "StatefulSet", "apiVersion": "apps/v1", "metadata": meta("db"), "status": {"replicas": 0},
          "spec": {"replicas": 1, "serviceName": "db", "selector": {"matchLabels": {"app": "db"}}, "template": {"metadata": {"labels": {"app": "db"}}, "spec": pod_spec()}}}  # fmt: skip
    assert leading(db, event("StatefulSet", "db", "FailedCreate", words)) == (
        "Namespace shop",
        "storage_quota_exhausted",
    )


def test_a_quota_without_room_for_one_more_pod_although_not_all_is_used() -> None:
    spec = pod_spec(container(resources={"requests": {"cpu": "500m"}}))
    short = without(app("cart", spec=spec), "Pod", "EndpointSlice")
    assert leading(*short, quota({"requests.cpu": "1"}, {"requests.cpu": "700m"}))[1] == "cpu_quota_exhausted"
    assert causes(*short, quota({"requests.cpu": "1"}, {"requests.cpu": "200m"})) == []
    scoped = quota({"requests.cpu": "1"}, {"requests.cpu": "1"}, scopes=["BestEffort"])
    assert causes(*short, scoped) == []


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ("[maximum cpu usage per Container is 1, but limit is 2, maximum cpu usage per Pod is 1, but limit is 2]", "cpu_quota_exhausted"),
        ("minimum memory usage per Container is 64Mi, but request is 32Mi", "memory_quota_exhausted"),
        ("memory max limit to request ratio per Container is 2, but provided ratio is 4.000000", "memory_quota_exhausted"),
        ("failed quota: compute: must specify limits.cpu for: app; limits.memory for: app", "cpu_quota_exhausted"),
        ("ValidatingAdmissionPolicy 'no-latest' with binding 'all' denied request: images need a tag", "pod_security_violation"),
    ],
)  # fmt: skip
def test_more_ways_to_be_refused(message: str, fault: str) -> None:
    objects = without(app("cart"), "Pod", "EndpointSlice")
    objects[0]["status"] = {"replicas": 0, "unavailableReplicas": 1}
    said = event("ReplicaSet", "cart-5d9c7b", "FailedCreate", f'Error creating: pods "{POD}" is forbidden: {message}')
    assert leading(*objects, said)[1] == fault


# --- certificates, names, autoscalers -----------------------------------------------------------------------------------------


def certificate(name: str, ends: float, age: float = 9000, **more: Any) -> Obj:
    return {"kind": "Certificate", "apiVersion": "cert-manager.io/v1", "metadata": meta(name, age=age),
            "spec": {"secretName": f"{name}"}, "status": {"notAfter": ago(ends), **more}}  # fmt: skip


def test_an_expired_certificate_that_nobody_presents_is_a_leftover() -> None:
    mounts = app("cart", spec=pod_spec(volumes=[{"name": "tls", "secret": {"secretName": "edge"}}]))
    assert causes(*mounts, certificate("edge", 5))[0].specificity >= 0.95
    assert causes(*app("cart"), certificate("edge", 5))[0].specificity <= 0.5


def test_a_certificate_that_is_being_issued_is_no_fault() -> None:
    issuing = conditions(Ready=("False", "DoesNotExist", "Issuing certificate as Secret does not exist"))
    assert causes(*app("cart"), certificate("edge", -9000, age=2, conditions=issuing)) == []


@pytest.mark.parametrize(
    ("rule", "harmful"),
    [
        ("rewrite name exact api.example.com cart.shop.svc.cluster.local", False),
        ("rewrite name regex (.*)\\.shop\\.svc\\.cluster\\.local {1}.old.svc.cluster.local", True),
        ("rewrite name cart.shop.svc.cluster.local cart.nowhere.example.com", True),
    ],
)
def test_outer_names_may_be_rewritten_and_inner_ones_may_not(rule: str, harmful: bool) -> None:
    corefile = f".:53 {{\n    errors\n    {rule}\n    kubernetes cluster.local\n    forward . /etc/resolv.conf\n}}\n"
    config = {
        "kind": "ConfigMap",
        "apiVersion": "v1",
        "metadata": meta("coredns", namespace="kube-system"),
        "data": {"Corefile": corefile},
    }
    assert bool(causes(*app("cart"), config)) is harmful


def test_an_autoscaler_whose_pods_are_not_ready_is_a_victim() -> None:
    words = "the HPA was unable to compute the replica count: did not receive metrics for targeted pods (pods might be unready)"
    hpa = {"kind": "HorizontalPodAutoscaler", "apiVersion": "autoscaling/v2", "metadata": meta("cart"),
           "spec": {"maxReplicas": 5, "scaleTargetRef": {"kind": "Deployment", "name": "cart"}},
           "status": {"currentReplicas": 1, "desiredReplicas": 1, "conditions": conditions(ScalingActive=("False", "FailedGetResourceMetric", words))}}  # fmt: skip
    assert all(s.specificity <= 0.2 for s in causes(*unwell("cart"), hpa))


_NO_METRICS = (
    "the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics for resource "
    "cpu: unable to fetch metrics from resource metrics API: {} (get pods.metrics.k8s.io)"
)


@pytest.mark.parametrize(
    ("answer", "asked", "suspected"),
    [
        ("the server could not find the requested resource", {"service": "web"}, False),
        ("the server could not find the requested resource", {"horizontalpodautoscaler": "cart"}, True),
        ("the server is currently unable to handle the request", {"service": "web"}, True),
    ],
)
def test_an_autoscaler_of_a_cluster_that_never_had_a_metrics_server_is_no_news(
    answer: str, asked: dict[str, str], suspected: bool
) -> None:
    """Said by a real controller manager (1.34) of every autoscaler there; one that is down is news."""
    words = _NO_METRICS.format(answer)
    hpa = {"kind": "HorizontalPodAutoscaler", "apiVersion": "autoscaling/v2", "metadata": meta("cart"),
           "spec": {"maxReplicas": 5, "scaleTargetRef": {"kind": "Deployment", "name": "cart"}},
           "status": {"currentReplicas": 1, "desiredReplicas": 1, "conditions": conditions(ScalingActive=("False", "FailedGetResourceMetric", words))}}  # fmt: skip
    look = shapes.snapshot(*shapes.NODES, *app("cart"), hpa)
    found = analyzers.run(look, Focus(namespace=shapes.NS, labels=asked), shapes.WINDOW, shapes.NOW)
    assert any(s.entity.kind == "HorizontalPodAutoscaler" and s.specificity >= 0.4 for s in found) is suspected


def test_a_readiness_gate_that_nobody_writes_keeps_a_ready_pod_from_being_ready() -> None:
    """Pod conditions, "Pod readiness": Ready=False, reason ReadinessGatesNotReady, while ContainersReady is True."""
    gate = "www.example.com/traffic-ready"
    shut = (
        "False",
        "ReadinessGatesNotReady",
        f'corresponding condition of pod readiness gate "{gate}" does not exist.',
    )
    states = shapes.conditions(Initialized="True", Ready=shut, ContainersReady="True", PodScheduled="True")
    spec = shapes.pod_spec(readinessGates=[{"conditionType": gate}])
    assert shapes.leading(*shapes.app("cart", spec=spec, conds=states)) == (
        "Deployment shop/cart",
        "readiness_probe_misconfigured",
    )


def test_a_grpc_probe_that_cannot_connect_asks_the_wrong_port_although_a_deadline_is_named() -> None:
    words = 'Readiness probe failed: timeout: failed to connect service "10.244.1.7:9556" within 1s: context deadline exceeded'
    probe = {"grpc": {"port": 9556, "service": ""}, "periodSeconds": 10, "failureThreshold": 3}
    spec = shapes.pod_spec(shapes.container(port=9555, readinessProbe=probe))
    objects = shapes.unwell("ads", spec=spec, statuses=[shapes.running(ready=False)])
    pod = next(o for o in objects if o["kind"] == "Pod")
    told = shapes.event("Pod", pod["metadata"]["name"], "Unhealthy", words)
    assert shapes.leading(*objects, told) == ("Deployment shop/ads", "readiness_probe_misconfigured")


def test_a_flag_that_says_it_breaks_a_service_is_more_than_one_that_is_merely_on() -> None:
    def raised(called: str, told: str) -> float:
        flags = {"flags": {called: {"state": "ENABLED", "description": told, "variants": {"on": True, "off": False}, "defaultVariant": "on"}}}  # fmt: skip
        config = {
            "kind": "ConfigMap",
            "apiVersion": "v1",
            "metadata": shapes.meta("flags"),
            "data": {"demo.flagd.json": json.dumps(flags)},
        }
        return shapes.causes(*shapes.app("cart"), config)[0].specificity

    assert raised("cartFailure", "Fail cart service") > 0.7
    assert raised("generatorTraffic", "Enable synthetic traffic") < 0.4
