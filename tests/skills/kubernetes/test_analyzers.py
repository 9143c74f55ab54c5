# ruff: noqa: E501  (the wordings of Kubernetes are quoted whole)
"""Each leaf on the shapes that Kubernetes documents, with its near twins. The source of a wording stands beside it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from skills.contract import Entity, LogLine
from tests.skills.kubernetes.shapes import (
    CONTROL_PLANE,
    NOW,
    NS,
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
    owner,
    pod,
    pod_spec,
    replica_set,
    running,
    service,
    unwell,
    waiting,
    without,
)

CART = "Deployment shop/cart"
POD = "cart-5d9c7b-ax7k2"
CRASH = "back-off 5m0s restarting failed container=app pod=cart-5d9c7b-ax7k2_shop"


def limited(memory: str) -> Obj:
    return pod_spec(container(resources={"limits": {"memory": memory}}))


def second_revision(objects: list[Obj], before: Obj, minutes: float = 20) -> list[Obj]:
    """The objects as revision 2 of cart, twenty minutes old, after a revision with the other pod spec."""
    for obj in objects:
        if obj["metadata"]["name"] == "cart-5d9c7b":
            obj["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = "2"
            obj["metadata"]["creationTimestamp"] = ago(minutes)
    return [*objects, replica_set("cart", "77aa", spec=before, replicas=0)]


# --- E1, E2: kubelet reports reason OOMKilled in ContainerStateTerminated (API reference, Pod v1) ------------------


def oom(memory: str, begun: float, over: float, restarts: int = 6) -> list[Obj]:
    last = ended("OOMKilled", 137, begun=begun, over=over)
    return unwell(
        "cart", spec=limited(memory), statuses=[waiting("CrashLoopBackOff", CRASH, restarts=restarts, last=last)]
    )


def test_a_limit_lowered_by_a_rollout_is_named_with_its_change() -> None:
    best = causes(*second_revision(oom("128Mi", 6, 5), limited("512Mi")))[0]
    assert (str(best.entity), best.faults[0], best.change) == (CART, "memory_limit_too_low", "rollout/shop/cart/2")
    assert best.specificity >= 0.95
    assert best.onset == NOW - timedelta(minutes=20)
    assert "512Mi -> 128Mi" in best.summary


def test_hours_between_kills_read_as_a_leak() -> None:
    assert leading(*oom("512Mi", 305, 5, restarts=3)) == (CART, "memory_leak")


def test_a_kill_minutes_after_the_start_reads_as_a_low_limit() -> None:
    assert leading(*oom("64Mi", 6, 5)) == (CART, "memory_limit_too_low")


# --- A: FailedCreate events of the ReplicaSet (resourcequota/controller.go, serviceaccount/admission.go ...) --------


def refused(message: str) -> list[Obj]:
    objects = [*list(without(app("cart"), "Pod", "EndpointSlice")), endpoints("cart")]
    objects[0]["status"] = {"replicas": 0, "unavailableReplicas": 1, "conditions": []}
    return [
        *objects,
        event("ReplicaSet", "cart-5d9c7b", "FailedCreate", f'Error creating: pods "{POD}" is forbidden: {message}'),
    ]


@pytest.mark.parametrize(
    ("message", "entity", "fault"),
    [
        ("exceeded quota: q, requested: requests.cpu=500m, used: requests.cpu=1, limited: requests.cpu=1", "Namespace shop", "cpu_quota_exhausted"),
        ("exceeded quota: q, requested: limits.memory=1Gi, used: limits.memory=2Gi, limited: limits.memory=2Gi", "Namespace shop", "memory_quota_exhausted"),
        ("exceeded quota: q, requested: pods=1, used: pods=4, limited: pods=4", "Namespace shop", "pod_count_quota_exhausted"),
        ("failed quota: memory-limit-quota: must specify memory for: app", "Namespace shop", "memory_quota_exhausted"),
        ("maximum memory usage per Container is 1Gi, but limit is 2Gi", "Namespace shop", "memory_quota_exhausted"),
        ('error looking up service account shop/robot: serviceaccount "robot" not found', CART, "service_account_absent"),
        ('violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false', CART, "pod_security_violation"),
        ('Internal error occurred: failed calling webhook "v.acme.io": failed to call webhook: Post "https://v.acme.svc:443/v?timeout=10s": context deadline exceeded', CART, "admission_webhook_fault"),
    ],
)  # fmt: skip
def test_refused_pods_are_told_apart_by_the_refusals_words(message: str, entity: str, fault: str) -> None:
    assert leading(*refused(message)) == (entity, fault)


def test_a_webhook_that_fails_is_named_by_its_configuration() -> None:
    hook = {"kind": "ValidatingWebhookConfiguration", "apiVersion": "admissionregistration.k8s.io/v1", "metadata": meta("gate", namespace=None),
            "webhooks": [{"name": "v.acme.io", "failurePolicy": "Fail", "sideEffects": "None", "admissionReviewVersions": ["v1"], "clientConfig": {"service": {"name": "v", "namespace": "acme"}}}]}  # fmt: skip
    words = 'failed calling webhook "v.acme.io": no endpoints available for service "v"'
    assert leading(*refused(words), hook) == ("ValidatingWebhookConfiguration gate", "admission_webhook_fault")


def test_a_refusal_of_the_start_up_that_was_overcome_is_no_cause_of_weight() -> None:
    objects = [
        *app("cart"),
        event(
            "ReplicaSet",
            "cart-5d9c7b",
            "FailedCreate",
            'error looking up service account shop/default: serviceaccount "default" not found',
        ),
    ]
    account = {"kind": "ServiceAccount", "apiVersion": "v1", "metadata": meta("default")}
    assert causes(*objects, account) == []


# --- B: scheduler framework FitError and plugin reasons -----------------------------------------------------------


def pending(
    message: str,
    spec: Obj | None = None,
    replicas: int = 1,
    claims: list[Obj] | None = None,
    nodes: list[Obj] | None = None,
) -> list[Obj]:
    conds = conditions(PodScheduled=("False", "Unschedulable", message))
    return (
        unwell("cart", spec=spec, node=None, phase="Pending", conds=conds, replicas=replicas)
        + (claims or [])
        + (nodes or [])
    )


TAIL = ". preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
CP = "1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }"
AFFINITY = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}]
        }
    }
}
ANTI = {
    "podAntiAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [
            {"labelSelector": {"matchLabels": {"app": "cart"}}, "topologyKey": "kubernetes.io/hostname"}
        ]
    }
}


@pytest.mark.parametrize(
    ("reason", "spec", "fault"),
    [
        ("2 node(s) didn't match Pod's node affinity/selector", {"nodeSelector": {"kubernetes.io/hostname": "extra-node"}}, "node_selector_unmatched"),
        ("2 node(s) didn't match Pod's node affinity/selector", {"affinity": AFFINITY}, "node_affinity_unmatched"),
        ("2 node(s) didn't match pod anti-affinity rules", {"affinity": ANTI}, "anti_affinity_blocks_replica"),
        ("2 node(s) had untolerated taint {team: batch}", {}, "taint_not_tolerated"),
        ("2 node(s) were unschedulable", {}, "nodes_cordoned"),
        ("2 Insufficient cpu", {}, "cpu_requests_do_not_fit"),
        ("2 Insufficient memory", {}, "memory_requests_do_not_fit"),
        ("2 node(s) didn't have free ports for the requested pod ports", {}, "pinned_to_missing_node_or_port"),
    ],
)  # fmt: skip
def test_the_schedulers_reasons_are_told_apart_and_the_control_planes_taint_is_ignored(
    reason: str, spec: Obj, fault: str
) -> None:
    found = causes(*pending(f"0/3 nodes are available: {CP}, {reason}{TAIL}", pod_spec(**spec)))
    assert (str(found[0].entity), found[0].faults[0]) == (CART, fault)
    assert found[0].specificity >= 0.9


def test_nodes_that_are_not_ready_make_the_node_the_suspect_not_the_pod() -> None:
    bad = node("node-b", taints=[{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}], conds=conditions(
        Ready=("False", "KubeletNotReady", "[container runtime is down, PLEG is not healthy: pleg was last seen active 3m ago]")))  # fmt: skip
    objects = pending(
        "0/2 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }" + f", {CP}",
        nodes=[CONTROL_PLANE, bad],
    )
    assert leading(*objects) == ("Node node-b", "container_runtime_stopped")


def test_a_shared_single_writer_claim_is_not_taken_for_anti_affinity() -> None:
    claim = {"kind": "PersistentVolumeClaim", "apiVersion": "v1", "metadata": meta("cart-pvc"), "status": {"phase": "Bound"},
             "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}  # fmt: skip
    spec = pod_spec(affinity=ANTI, volumes=[{"name": "d", "persistentVolumeClaim": {"claimName": "cart-pvc"}}])
    words = f"0/3 nodes are available: 1 node(s) didn't match pod anti-affinity rules, 1 node(s) had volume node affinity conflict, {CP}{TAIL}"
    assert leading(*pending(words, spec, 2, [claim])) == (CART, "volume_cannot_attach")


def test_a_missing_claim_is_the_workloads_fault() -> None:
    spec = pod_spec(volumes=[{"name": "d", "persistentVolumeClaim": {"claimName": "cart-pvc-broken"}}])
    words = '0/3 nodes are available: persistentvolumeclaim "cart-pvc-broken" not found. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.'
    assert leading(*pending(words, spec)) == (CART, "volume_cannot_attach")


def test_pods_without_any_event_point_to_the_scheduler() -> None:
    objects = unwell("cart", node=None, phase="Pending", conds=[], age=10)
    lease = {
        "kind": "Lease",
        "apiVersion": "coordination.k8s.io/v1",
        "metadata": meta("kube-scheduler", namespace="kube-system"),
        "spec": {"renewTime": "2026-03-14T14:30:00.000000Z"},
    }
    fresh = {
        "kind": "Lease",
        "apiVersion": "coordination.k8s.io/v1",
        "metadata": meta("node-a", namespace="kube-node-lease"),
        "spec": {"renewTime": "2026-03-14T14:59:55.000000Z"},
    }
    best = causes(*objects, lease, fresh)[0]
    assert (best.faults[0], best.entity.namespace) == ("scheduler_not_running", "kube-system")
    assert best.specificity > 0.9


def test_a_node_name_that_names_no_node_is_seen_in_the_template() -> None:
    assert leading(*unwell("cart", spec=pod_spec(nodeName="node-z"), node=None, phase="Pending", conds=[])) == (
        CART,
        "pinned_to_missing_node_or_port",
    )


def test_a_preempted_workload_with_waiting_replacement() -> None:
    objects = pending(f"0/3 nodes are available: 2 Insufficient memory, {CP}{TAIL}")
    # pkg/scheduler/framework/preemption: "Preempted by pod <uid> on node <name>"
    told = event("Pod", "cart-5d9c7b-old11", "Preempted", "Preempted by pod 6b1 on node node-a", warning=False)
    assert leading(*objects, told) == (CART, "preempted_by_priority")


# --- C: persistentvolume pv_controller.go -------------------------------------------------------------------------


def claim(**spec: Any) -> Obj:
    body = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Gi"}}, **spec}
    return {
        "kind": "PersistentVolumeClaim",
        "apiVersion": "v1",
        "metadata": meta("data", age=20),
        "spec": body,
        "status": {"phase": "Pending"},
    }


def volume(name: str, phase: str = "Available", size: str = "10Gi", **spec: Any) -> Obj:
    return {"kind": "PersistentVolume", "apiVersion": "v1", "metadata": meta(name, namespace=None), "status": {"phase": phase},
            "spec": {"capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/data"}, "storageClassName": "manual", **spec}}  # fmt: skip


USER = pod_spec(volumes=[{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}])
STANDARD = {
    "kind": "StorageClass",
    "apiVersion": "storage.k8s.io/v1",
    "metadata": meta("standard", namespace=None),
    "provisioner": "rancher.io/local-path",
}
CLAIM = "PersistentVolumeClaim shop/data"


@pytest.mark.parametrize(
    ("objects", "fault"),
    [
        ([claim(storageClassName="fast"), STANDARD], "storage_class_missing"),
        ([claim(storageClassName="manual"), volume("small", size="1Gi"), STANDARD], "pvc_matches_no_volume"),
        ([claim(storageClassName="manual"), volume("v", "Released", claimRef={"namespace": "shop", "name": "old", "uid": "u"}), STANDARD], "volume_held_by_other_claim"),
        ([claim(storageClassName="manual", volumeName="v"), volume("v", "Bound", claimRef={"namespace": "shop", "name": "old", "uid": "u"})], "volume_held_by_other_claim"),
    ],
)  # fmt: skip
def test_claims_without_a_volume_are_told_apart(objects: list[Obj], fault: str) -> None:
    assert leading(*objects, *unwell("cart", spec=USER)) == (CLAIM, fault)


def test_a_multi_attach_error_is_the_workloads() -> None:
    words = 'Multi-Attach error for volume "pvc-1" Volume is already exclusively attached to one node and can\'t be attached to another'
    assert leading(
        *unwell("cart", phase="Pending", statuses=[waiting("ContainerCreating")]),
        event("Pod", POD, "FailedAttachVolume", words),
    ) == (CART, "volume_cannot_attach")


# --- D: kubelet images and kuberuntime; words of containerd, docker and cri-o ---------------------------------------

NOT_FOUND = 'rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/acme/cart:9": failed to resolve reference "docker.io/acme/cart:9": docker.io/acme/cart:9: not found'


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (NOT_FOUND, "image_not_found"),
        ("Error response from daemon: manifest for acme/cart:9 not found: manifest unknown: manifest unknown", "image_not_found"),
        ('failed to resolve reference "r.acme.io/cart:9": failed to authorize: failed to fetch anonymous token: unexpected status: 401 Unauthorized', "registry_credentials_missing"),
        ("reading manifest 9 in r.acme.io/cart: unauthorized: authentication required", "registry_credentials_missing"),
        ('failed to do request: Head "https://r.acme.io/v2/cart/manifests/9": dial tcp: lookup r.acme.io on 10.96.0.10:53: no such host', "registry_unreachable"),
        ("failed to pull and unpack image: no match for platform in manifest: not found", "image_wrong_architecture"),
        ("no matching manifest for linux/arm64/v8 in the manifest list entries", "image_wrong_architecture"),
    ],
)  # fmt: skip
def test_pull_errors_are_told_apart_by_the_runtimes_words(words: str, fault: str) -> None:
    spec = pod_spec(container(image="acme/cart:9"))
    objects = unwell(
        "cart",
        spec=spec,
        phase="Pending",
        statuses=[waiting("ImagePullBackOff", 'Back-off pulling image "acme/cart:9"', image="acme/cart:9")],
    )
    assert leading(*objects, event("Pod", POD, "Failed", f'Failed to pull image "acme/cart:9": {words}')) == (
        CART,
        fault,
    )


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        (waiting("CreateContainerConfigError", 'secret "db" not found'), "secret_or_configmap_missing"),
        (waiting("CreateContainerConfigError", "couldn't find key URL in ConfigMap shop/conf"), "secret_or_configmap_missing"),
        (waiting("CreateContainerConfigError", "container has runAsNonRoot and image will run as root (pod: cart, container: app)"), "security_context_rejected"),
        (waiting("CrashLoopBackOff", CRASH, restarts=4, last=ended("StartError", 128, begun=None, message='failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "crt": executable file not found in $PATH: unknown')), "container_command_invalid"),
        (waiting("CrashLoopBackOff", CRASH, restarts=4, last=ended("Error", 127)), "container_command_invalid"),
    ],
)  # fmt: skip
def test_containers_that_cannot_start_are_told_apart(status: Obj, fault: str) -> None:
    assert leading(*unwell("cart", statuses=[status])) == (CART, fault)


def test_a_mounted_configmap_that_is_gone_keeps_the_container_creating() -> None:
    spec = pod_spec(volumes=[{"name": "s", "configMap": {"name": "mongo-script"}}])
    objects = unwell("cart", spec=spec, phase="Pending", statuses=[waiting("ContainerCreating")])
    words = 'MountVolume.SetUp failed for volume "s" : configmap "mongo-script" not found'
    assert leading(*objects, event("Pod", POD, "FailedMount", words)) == (CART, "secret_or_configmap_missing")
    assert leading(*objects) == (CART, "secret_or_configmap_missing")


def test_an_init_container_that_waits_for_a_service_that_is_not_there() -> None:
    line = "until nslookup legacy-config.shop.svc.cluster.local; do sleep 5; done"
    init = container("wait", "busybox:1.28", None, command=["/bin/sh", "-c", line])
    spec = pod_spec(container(), initContainers=[init])
    objects = unwell(
        "cart",
        spec=spec,
        phase="Pending",
        statuses=[waiting("PodInitializing")],
        init=[running("wait", ready=False, since=20)],
    )
    assert leading(*objects) == (CART, "init_container_stuck")


def test_a_program_of_a_sibling_in_a_shared_image_is_noticed() -> None:
    def one(name: str, command: str) -> list[Obj]:
        return app(name, spec=pod_spec(container(image="acme/hotel:1", command=[command])))

    objects = [o for n in ("geo", "rate", "user", "search") for o in one(n, n)] + one("profile", "geo")
    assert leading(*objects) == ("Deployment shop/profile", "container_command_invalid")


# --- E: kubelet prober, deployment, autoscaler -----------------------------------------------------------------------


def probed(kind: str, port: int = 8080, path: str = "/healthz", **timing: int) -> Obj:
    return pod_spec(
        container(
            port=8083,
            **{
                kind: {
                    "httpGet": {"path": path, "port": port},
                    "periodSeconds": 10,
                    "failureThreshold": 3,
                    "timeoutSeconds": 1,
                    **timing,
                }
            },
        )
    )


REFUSED = 'probe failed: Get "http://10.244.1.7:8080/healthz": dial tcp 10.244.1.7:8080: connect: connection refused'


def test_a_readiness_probe_on_a_port_that_the_container_lacks() -> None:
    objects = unwell("cart", spec=probed("readinessProbe"), statuses=[running(ready=False)])
    assert leading(*objects, event("Pod", POD, "Unhealthy", f"Readiness {REFUSED}")) == (
        CART,
        "readiness_probe_misconfigured",
    )


def test_a_liveness_probe_on_a_wrong_port_and_one_in_too_great_a_hurry() -> None:
    status = waiting("CrashLoopBackOff", CRASH, restarts=5, last=ended("Error", 143))
    wrong = unwell("cart", spec=probed("livenessProbe"), statuses=[status])
    assert leading(*wrong, event("Pod", POD, "Unhealthy", f"Liveness {REFUSED}")) == (
        CART,
        "liveness_probe_misconfigured",
    )
    hasty = unwell("cart", spec=probed("livenessProbe", 8083, periodSeconds=1, failureThreshold=1), statuses=[status])
    told = 'Liveness probe failed: Get "http://10.244.1.7:8083/healthz": context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
    assert leading(*hasty, event("Pod", POD, "Unhealthy", told)) == (CART, "liveness_probe_too_aggressive")


def test_a_wrong_path_is_not_taken_for_haste() -> None:
    status = waiting("CrashLoopBackOff", CRASH, restarts=5, last=ended("Error", 143))
    objects = unwell("cart", spec=probed("livenessProbe", 8083, "/nope"), statuses=[status])
    assert leading(
        *objects, event("Pod", POD, "Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 404")
    ) == (CART, "liveness_probe_misconfigured")


def test_a_probe_that_fails_because_the_program_crashes_is_no_fault_of_the_probe() -> None:
    status = waiting("CrashLoopBackOff", CRASH, restarts=5, last=ended("Error", 1))
    objects = without(unwell("cart", spec=probed("livenessProbe", 8083), statuses=[status]), "Service", "EndpointSlice")
    assert causes(*objects, event("Pod", POD, "Unhealthy", f"Liveness {REFUSED.replace('8080', '8083')}")) == []
    effects = found_in(*objects)
    assert [(s.role, s.faults) for s in effects] == [("effect", ())]


def test_a_sidecar_on_the_same_port() -> None:
    spec = pod_spec(container(), container("sidecar", "busybox"))
    objects = unwell(
        "cart", spec=spec, statuses=[waiting("CrashLoopBackOff", CRASH, restarts=4, last=ended()), running("sidecar")]
    )
    assert leading(*objects) == (CART, "port_conflict_in_pod")


def test_scaled_to_zero_with_a_caller() -> None:
    caller = app(
        "frontend", spec=pod_spec(container(image="x/frontend:1", env=[{"name": "CART_ADDR", "value": "cart:8080"}]))
    )
    objects = [
        deployment("cart", replicas=0),
        replica_set("cart", "5d9c7b", replicas=0),
        service("cart"),
        endpoints("cart"),
    ]
    assert leading(*objects, *caller) == (CART, "scaled_to_zero")


def test_an_autoscaler_without_requests() -> None:
    hpa = {"kind": "HorizontalPodAutoscaler", "apiVersion": "autoscaling/v2", "metadata": meta("cart"),
           "spec": {"maxReplicas": 5, "scaleTargetRef": {"kind": "Deployment", "name": "cart"}},
           "status": {"currentReplicas": 1, "desiredReplicas": 1, "conditions": conditions(ScalingActive=("False", "FailedGetResourceMetric", "the HPA was unable to compute the replica count: failed to get cpu utilization: missing request for cpu in container app of Pod cart-1"))}}  # fmt: skip
    assert leading(*app("cart"), hpa) == ("HorizontalPodAutoscaler shop/cart", "autoscaler_misconfigured")


# --- F: endpointslice controller, DNS specification, Ingress and NetworkPolicy references -------------------------------

SERVICE = "Service shop/cart"


def with_service(objects: list[Obj], **spec: Any) -> list[Obj]:
    for obj in objects:
        if obj["kind"] == "Service" and obj["metadata"]["name"] == "cart":
            obj["spec"] |= spec
    return objects


def caller(value: str, name: str = "frontend", key: str = "CART_ADDR") -> list[Obj]:
    return app(name, spec=pod_spec(container(image=f"x/{name}:1", env=[{"name": key, "value": value}])))


def test_a_selector_that_matches_nobody() -> None:
    objects = with_service(
        without(app("cart"), "EndpointSlice"), selector={"app": "cart", "current_service_name": "cart"}
    )
    assert leading(*objects, endpoints("cart"), *caller("cart:8080")) == (SERVICE, "service_selects_no_pods")


def test_a_selector_that_matches_others_too() -> None:
    objects = with_service([*app("cart"), *app("search")], selector={"service-route": "cart"})
    for obj in objects:
        if obj["kind"] == "Pod":
            obj["metadata"]["labels"]["service-route"] = "cart"
    assert leading(*objects) == (SERVICE, "service_selects_foreign_pods")


def test_canaries_of_one_program_are_not_foreign() -> None:
    canary = without(app("cart-canary", image="registry.example.com/shop/cart:1.5.0"), "Service", "EndpointSlice")
    for obj in canary:
        if obj["kind"] == "Pod":
            obj["metadata"]["labels"]["app"] = "cart"
    assert causes(*app("cart"), *canary) == []


@pytest.mark.parametrize(
    ("port", "fault"),
    [
        ({"port": 8080, "targetPort": 9999, "protocol": "TCP"}, "service_target_port_wrong"),
        ({"port": 8080, "targetPort": "grpc", "protocol": "TCP"}, "service_target_port_wrong"),
        ({"port": 8080, "targetPort": 8080, "protocol": "UDP"}, "service_transport_wrong"),
    ],
)
def test_target_port_and_protocol_are_told_apart(port: Obj, fault: str) -> None:
    assert leading(*with_service(app("cart"), ports=[port])) == (SERVICE, fault)


def test_a_deleted_service_is_inferred_from_who_calls_it() -> None:
    assert leading(*without(app("cart"), "Service", "EndpointSlice"), *caller("cart:8080")) == (
        SERVICE,
        "service_deleted",
    )


def test_a_full_quota_on_services_explains_the_missing_service() -> None:
    quota = {
        "kind": "ResourceQuota",
        "apiVersion": "v1",
        "metadata": meta("objects"),
        "spec": {"hard": {"services": "3"}},
        "status": {"hard": {"services": "3"}, "used": {"services": "3"}},
    }
    assert leading(*without(app("cart"), "Service", "EndpointSlice"), *caller("cart:8080"), quota) == (
        "Namespace shop",
        "service_object_quota_exhausted",
    )


def test_a_misspelt_host_is_the_callers_fault() -> None:
    assert leading(*app("cart"), *caller("cartt:8080")) == ("Deployment shop/frontend", "dependency_address_wrong")
    found = causes(*app("mongodb", port=27017), *caller("mongodb:27018", key="MONGO_ADDR"))
    assert (str(found[0].entity), found[0].faults[0]) == ("Deployment shop/frontend", "datastore_endpoint_wrong")


def test_a_variable_given_twice_and_one_that_points_home() -> None:
    env = [{"name": "CART_ADDR", "value": "cart:8080"}, {"name": "CART_ADDR", "value": "localhost:1"}]
    assert leading(*app("cart"), *app("frontend", spec=pod_spec(container(image="x/f:1", env=env)))) == (
        "Deployment shop/frontend",
        "dependency_address_wrong",
    )
    assert leading(*app("cart"), *caller("localhost", key="CART_HOST")) == (
        "Deployment shop/frontend",
        "dependency_address_wrong",
    )


def test_a_dns_policy_without_the_cluster() -> None:
    spec = pod_spec(dnsPolicy="None", dnsConfig={"nameservers": ["8.8.8.8"]})
    assert leading(*app("cart", spec=spec)) == (CART, "dns_resolution_failing")


def test_a_corefile_that_answers_nxdomain_for_the_cluster() -> None:
    corefile = '.:53 {\n    errors\n    template ANY ANY svc.cluster.local {\n        match ".*\\.svc\\.cluster\\.local\\.?$"\n        rcode NXDOMAIN\n    }\n    kubernetes cluster.local in-addr.arpa\n    forward . /etc/resolv.conf\n}\n'
    config = {
        "kind": "ConfigMap",
        "apiVersion": "v1",
        "metadata": meta("coredns", namespace="kube-system"),
        "data": {"Corefile": corefile},
    }
    assert leading(*app("cart"), config) == ("ConfigMap kube-system/coredns", "dns_resolution_failing")
    config["data"]["Corefile"] = corefile.replace("rcode NXDOMAIN", "# rcode NXDOMAIN")
    assert causes(*app("cart"), config) == []


def ingress(backend: str, port: int = 8080, path: str = "/api(/|$)(.*)") -> Obj:
    service_ref = {"service": {"name": backend, "port": {"number": port}}}
    return {"kind": "Ingress", "apiVersion": "networking.k8s.io/v1", "metadata": meta("shop-ingress"), "spec": {"ingressClassName": "nginx",
            "rules": [{"http": {"paths": [{"path": path, "pathType": "ImplementationSpecific", "backend": service_ref}]}}]}}  # fmt: skip


NGINX = {
    "kind": "IngressClass",
    "apiVersion": "networking.k8s.io/v1",
    "metadata": meta("nginx", namespace=None),
    "spec": {"controller": "k8s.io/ingress-nginx"},
}


@pytest.mark.parametrize("wrong", [ingress("gone"), ingress("cart", 81), ingress("cart")])
def test_routes_that_lead_elsewhere(wrong: Obj) -> None:
    assert leading(*app("cart"), *app("frontend"), NGINX, wrong) == ("Ingress shop/shop-ingress", "ingress_route_wrong")


def test_a_right_route_is_no_suspect() -> None:
    assert causes(*app("cart"), *app("frontend"), NGINX, ingress("frontend")) == []


def policy(name: str, selector: Obj, **spec: Any) -> Obj:
    return {
        "kind": "NetworkPolicy",
        "apiVersion": "networking.k8s.io/v1",
        "metadata": meta(name, age=15),
        "spec": {"podSelector": selector, **spec},
    }


DENY = policy("deny-cart", {"matchLabels": {"app": "cart"}}, policyTypes=["Ingress", "Egress"], ingress=[], egress=[])


def test_a_policy_that_allows_nothing() -> None:
    assert leading(*app("cart"), DENY) == ("NetworkPolicy shop/deny-cart", "network_policy_blocks")


def test_a_base_line_that_others_open_again_is_no_suspect() -> None:
    base = policy("default-deny", {}, policyTypes=["Ingress"])
    opened = policy(
        "allow-cart",
        {"matchLabels": {"app": "cart"}},
        policyTypes=["Ingress"],
        ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "frontend"}}}]}],
    )
    front = policy("allow-front", {"matchLabels": {"app": "frontend"}}, policyTypes=["Ingress"], ingress=[{}])
    assert causes(*app("cart"), *caller("cart:8080"), base, opened, front) == []


def test_a_rule_that_names_another_caller() -> None:
    opened = policy(
        "allow-cart",
        {"matchLabels": {"app": "cart"}},
        policyTypes=["Ingress"],
        ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "checkout"}}}]}],
    )
    assert leading(*app("cart"), *caller("cart:8080"), opened) == (
        "NetworkPolicy shop/allow-cart",
        "network_policy_blocks",
    )


def test_local_traffic_without_a_local_endpoint() -> None:
    objects = with_service(app("cart"), internalTrafficPolicy="Local")
    front = app(
        "frontend",
        spec=pod_spec(container(image="x/f:1", env=[{"name": "CART_ADDR", "value": "cart:8080"}])),
        node="node-b",
    )
    assert leading(*objects, *front) == (SERVICE, "traffic_locality_imbalance")


# --- A7, G5, H, I1, J2, J6 ----------------------------------------------------------------------------------------------


def test_a_forbidden_call_in_the_log_of_a_crashing_container() -> None:
    said = 'Error from server (Forbidden): configmaps "routes" is forbidden: User "system:serviceaccount:shop:robot" cannot get resource "configmaps" in API group "" in the namespace "shop"'
    line = LogLine(NOW, said, Entity(kind="Pod", namespace=NS, name=POD), "app")
    objects = unwell("cart", statuses=[waiting("CrashLoopBackOff", CRASH, restarts=4, last=ended())])
    assert leading(*objects, logs={(NS, POD, "app", True): (line,)}) == (CART, "rbac_permission_revoked")


@pytest.mark.parametrize(
    ("conds", "fault"),
    [
        (conditions(Ready=("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")), "kubelet_stopped"),
        (conditions(Ready="True", DiskPressure=("True", "KubeletHasDiskPressure", "kubelet has disk pressure")), "node_disk_pressure"),
        (conditions(Ready="True", MemoryPressure=("True", "KubeletHasInsufficientMemory", "kubelet has insufficient memory available")), "node_cpu_or_memory_pressure"),
    ],
)  # fmt: skip
def test_node_troubles_are_the_nodes(conds: list[Obj], fault: str) -> None:
    assert leading(*app("cart"), node("node-a", conds=conds), node("node-b")) == ("Node node-a", fault)


def test_an_expired_certificate_needs_no_change() -> None:
    certificate = {
        "kind": "Certificate",
        "metadata": meta("cart-tls"),
        "spec": {"secretName": "cart-tls"},
        "status": {"notAfter": ago(5)},
    }
    assert leading(*app("cart"), certificate) == ("certificate shop/cart-tls", "tls_certificate_invalid")


def test_a_rotated_secret_under_a_running_pod() -> None:
    env = [{"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": "db-conn", "key": "url"}}}]
    secret = {"kind": "Secret", "metadata": meta("db-conn", age=30)}
    assert leading(*app("cart", spec=pod_spec(container(env=env))), secret) == (CART, "datastore_credentials_rejected")


def test_a_flag_that_is_raised_and_flags_that_only_read_enabled() -> None:
    flags = '{"flags": {"adFailure": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off"}}}'
    config = {
        "kind": "ConfigMap",
        "apiVersion": "v1",
        "metadata": meta("flagd-config"),
        "data": {"demo.flagd.json": flags},
    }
    assert causes(config) == []
    config["data"]["demo.flagd.json"] = flags.replace('"defaultVariant": "off"', '"defaultVariant": "on"')
    assert leading(config) == ("feature_flag shop/adFailure", "feature_flag_harmful")


def test_a_job_that_used_up_its_retries() -> None:
    job = {"kind": "Job", "apiVersion": "batch/v1", "metadata": meta("report-29012345", age=60, ownerReferences=owner("CronJob", "report", "batch/v1")),
           "spec": {"template": {"spec": pod_spec()}}, "status": {"failed": 7, "conditions": conditions(Failed=("True", "BackoffLimitExceeded", "Job has reached the specified backoff limit"))}}  # fmt: skip
    assert leading(job) == ("CronJob shop/report", "scheduled_job_failing")


def test_an_evicted_pod_names_the_node() -> None:
    words = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 80Mi. "
    gone = pod(
        "cart-5d9c7b-zz",
        labels={"app": "cart"},
        replica_set="cart-5d9c7b",
        phase="Failed",
        conds=UNREADY,
        statuses=[],
        reason="Evicted",
        message=words,
    )
    limits = pod_spec(container(resources={"limits": {"memory": "64Mi"}}))
    assert leading(*app("cart", spec=limits), gone) == ("Node node-a", "node_cpu_or_memory_pressure")


def test_a_consumer_that_only_names_itself_has_lost_no_service() -> None:
    env = [{"name": "OTEL_SERVICE_NAME", "value": "mailer"}, {"name": "SERVICE", "value": "mailer"}]
    objects = without(app("mailer", spec=pod_spec(container(image="x/mailer:1", env=env, port=None))), "Service")
    assert causes(*app("cart"), *objects) == []


def test_a_name_that_is_looked_up_in_vain_although_its_address_stands_in_no_object() -> None:
    shop = [o for n in ("geo", "rate", "user", "search", "profile") for o in app(n)]
    said = LogLine(NOW, "dial tcp: lookup rate on 10.96.0.10:53: no such host", None, "app")
    objects = [o for o in shop if not (o["kind"] == "Service" and o["metadata"]["name"] == "rate")]
    found = leading(*objects, logs={(NS, "search-5d9c7b-ax7k2", "app", False): (said,)})
    assert found == ("Service shop/rate", "service_deleted")


def test_a_collector_without_rest_and_a_client_without_patience() -> None:
    busy = app("cart", spec=pod_spec(container(env=[{"name": "GOGC", "value": "5"}])))
    assert leading(*busy) == (CART, "garbage_collection_stalls")
    config = {
        "kind": "ConfigMap",
        "apiVersion": "v1",
        "metadata": meta("rpc"),
        "data": {"GRPC_TIMEOUT": "50ms", "GRPC_RETRIES_ON_ERROR": "30"},
    }
    user = app("cart", spec=pod_spec(container(envFrom=[{"configMapRef": {"name": "rpc"}}])))
    assert leading(*user, config) == (CART, "retry_storm")


def test_a_brokers_own_listener_is_no_wrong_address() -> None:
    env = [
        {"name": "KAFKA_QUORUM_VOTERS", "value": "1@kafka:9093"},
        {"name": "LISTENERS", "value": "PLAINTEXT://kafka:9092"},
    ]
    assert causes(*app("kafka", spec=pod_spec(container(image="x/kafka:1", port=9092, env=env)), port=9092)) == []
