# ruff: noqa: E501  (the wordings of Kubernetes and its runtimes are quoted whole)
"""What kubelets and runtimes say: images, starts, rejections and evictions, in the words of containerd, cri-o and clouds.

Sources: containerd core/remotes/docker (resolver, authorizer), containers/image docker client (cri-o), runc libcontainer,
pkg/kubelet/lifecycle/predicate.go, pkg/kubelet/eviction/{helpers,eviction_manager}.go, pkg/kubelet/nodeshutdown.
"""

from __future__ import annotations

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
    ended,
    event,
    found_in,
    leading,
    node,
    pod,
    pod_spec,
    replica_set,
    unwell,
    waiting,
)

CART, POD = "Deployment shop/cart", "cart-5d9c7b-ax7k2"


def unpulled(words: str, image: str = "r.acme.io/cart:1.4.401") -> list[Obj]:
    """As kubelets of 1.30 and later say it: the reason is part of the back-off message."""
    message = f'Back-off pulling image "{image}": ErrImagePull: {words}'
    return unwell(
        "cart",
        spec=pod_spec(container(image=image)),
        phase="Pending",
        statuses=[waiting("ImagePullBackOff", message, image=image)],
    )


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("rpc error: code = NotFound desc = failed to pull and unpack image: failed to resolve reference: r.acme.io/cart:1.4.401: not found", "image_not_found"),
        ("reading manifest 1.4.401 in r.acme.io/cart: manifest unknown", "image_not_found"),
        ('short-name "cart:9" did not resolve to an alias and no unqualified-search registries are defined', "image_not_found"),
        ("failed to authorize: failed to fetch oauth token: unexpected status from GET request to https://r.acme.io/token: 403 Forbidden", "registry_credentials_missing"),
        ('Permission "artifactregistry.repositories.downloadArtifacts" denied on resource "projects/acme" (or it may not exist)', "registry_credentials_missing"),
        ("pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials", "registry_credentials_missing"),
        ("reading manifest 1.4.401 in r.acme.io/cart: denied: requested access to the resource is denied", "registry_credentials_missing"),
        ('failed to do request: Head "https://r.acme.io/v2/": proxyconnect tcp: dial tcp 10.0.0.9:3128: connect: connection refused', "registry_unreachable"),
        ("unexpected status code 429 Too Many Requests - Server message: toomanyrequests: You have reached your pull rate limit", "registry_unreachable"),
        ("failed to do request: Head: tls: failed to verify certificate: x509: certificate signed by unknown authority", "registry_unreachable"),
    ],
)  # fmt: skip
def test_pull_errors_of_registries_and_runtimes(words: str, fault: str) -> None:
    assert leading(*unpulled(words)) == (CART, fault)


def test_a_node_without_space_is_no_missing_image() -> None:
    words = "failed to extract layer sha256:0f: write /var/lib/containerd/x: no space left on device"
    assert leading(*unpulled(words)) == ("Node node-a", "node_disk_pressure")


def test_the_kubelets_own_pull_limit_passes() -> None:
    assert causes(*unpulled("pull QPS exceeded")) == []


def test_an_image_that_runs_elsewhere_exists() -> None:
    image = "r.acme.io/cart:1.4.401"
    well = app("search", image=image)
    stuck = unpulled("", image)
    for status in stuck[2]["status"]["containerStatuses"]:
        status["state"]["waiting"]["message"] = f'Back-off pulling image "{image}"'
    assert leading(*stuck, *well)[1] != "image_not_found"


START = "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: "


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (START + 'exec: "/app/run": stat /app/run: no such file or directory: unknown', "container_command_invalid"),
        (START + 'exec: "/app/run.sh": permission denied: unknown', "container_command_invalid"),
        (START + "error during container init: unable to apply caps: operation not permitted: unknown", "security_context_rejected"),
        (START + "error during container init: unable to apply apparmor profile: apparmor failed to apply profile", "security_context_rejected"),
        (START + 'error during container init: error mounting "/var/lib/kubelet/pods/1/volume-subpaths/conf/app/0" to rootfs at "/etc/app.conf": not a directory: unknown: Are you trying to mount a directory onto a file (or vice-versa)?', "secret_or_configmap_missing"),
    ],
)  # fmt: skip
def test_starts_that_fail_are_told_apart_by_runcs_words(words: str, fault: str) -> None:
    last = ended("StartError", 128, begun=None, message=words)
    status = waiting(
        "CrashLoopBackOff", "back-off 5m0s restarting failed container=app pod=cart_shop(1)", restarts=4, last=last
    )
    assert leading(*unwell("cart", statuses=[status])) == (CART, fault)


def test_a_missing_host_path_is_no_missing_command() -> None:
    words = 'failed to generate container "0f" spec: failed to generate spec: failed to stat "/mnt/models": stat /mnt/models: no such file or directory'
    assert leading(*unwell("cart", statuses=[waiting("CreateContainerError", words)])) == (CART, "volume_cannot_attach")


def test_mount_warnings_of_the_start_up_do_not_explain_a_pod_that_has_run() -> None:
    status = waiting("CrashLoopBackOff", "back-off", restarts=4, last=ended("Error", 1))
    said = event(
        "Pod",
        POD,
        "FailedMount",
        'MountVolume.SetUp failed for volume "conf" : configmap "cart-conf" not found',
        minutes=40,
    )
    assert [s for s in causes(*unwell("cart", statuses=[status]), said) if s.analyzer == "kubernetes.startup"] == []


@pytest.mark.parametrize(
    "words",
    [
        'MountVolume.SetUp failed for volume "kube-api-access-x7" : object "shop"/"kube-root-ca.crt" not registered',
        'MountVolume.SetUp failed for volume "conf" : failed to sync configmap cache: timed out waiting for the condition',
    ],
)
def test_the_kubelets_late_caches_are_noise(words: str) -> None:
    objects = unwell("cart", phase="Pending", statuses=[waiting("ContainerCreating")], age=1)
    assert causes(*objects, event("Pod", POD, "FailedMount", words, minutes=0.5)) == []


def test_a_secrets_store_that_does_not_deliver() -> None:
    # secrets-store-csi-driver pkg/secrets-store/nodeserver.go
    words = 'MountVolume.SetUp failed for volume "vault" : rpc error: code = Unknown desc = failed to mount secrets store objects for pod shop/cart, err: secretproviderclasses.secrets-store.csi.x-k8s.io "cart" not found'
    objects = unwell("cart", phase="Pending", statuses=[waiting("ContainerCreating")])
    assert leading(*objects, event("Pod", POD, "FailedMount", words)) == (CART, "secret_or_configmap_missing")


# --- rejections and evictions -----------------------------------------------------------------------------------------


def over(reason: str, message: str, minutes: float = 5, name: str = "cart-5d9c7b-gone1") -> Obj:
    disrupted = [
        {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "TerminationByKubelet",
            "message": message,
            "lastTransitionTime": ago(minutes),
        }
    ]
    return pod(name, labels={"app": "cart"}, replica_set="cart-5d9c7b", phase="Failed", conds=disrupted, statuses=[],
               age=minutes + 100, reason=reason, message=message)  # fmt: skip


SHORT = "Pod was rejected: Node didn't have enough resource: cpu, requested: 2000, used: 3000, capacity: 4000"


def lacking() -> list[Obj]:
    objects = app("cart", replicas=2)
    return [o for o in objects if o["metadata"]["name"] != POD.replace("ax7k2", "bx7k2")]


@pytest.mark.parametrize(
    ("reason", "message", "expected"),
    [
        ("OutOfcpu", SHORT, (CART, "cpu_requests_do_not_fit")),
        ("OutOfmemory", SHORT.replace("cpu", "memory"), (CART, "memory_requests_do_not_fit")),
        ("NodeAffinity", "Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector", (CART, "node_selector_unmatched")),
        ("NodePorts", "Pod was rejected: Predicate NodePorts failed", (CART, "pinned_to_missing_node_or_port")),
        ("SysctlForbidden", 'Pod was rejected: forbidden sysctl: "net.core.somaxconn" not allowlisted', (CART, "security_context_rejected")),
        ("Terminated", "Pod was terminated in response to imminent node shutdown.", ("Node node-a", "node_rebooted")),
    ],
)  # fmt: skip
def test_pods_that_the_kubelet_turned_away(reason: str, message: str, expected: tuple[str, str]) -> None:
    assert leading(*lacking(), over(reason, message)) == expected


def test_what_the_kubelet_turned_away_days_ago_is_a_leftover() -> None:
    assert all(s.specificity < 0.3 for s in causes(*app("cart"), over("OutOfcpu", SHORT, minutes=3000)))


LOW = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 88820Ki. Container app was using 900Mi, request is 0, has larger consumption of memory. "


def test_evictions_of_today_and_of_last_week() -> None:
    assert causes(*app("cart"), over("Evicted", LOW, minutes=10))[0].specificity >= 0.8
    old = causes(*app("cart"), over("Evicted", LOW, minutes=7 * 1440))
    assert all(s.specificity < 0.3 and not s.ongoing for s in old)


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ("The node was low on resource: ephemeral-storage. Threshold quantity: 1Gi, available: 900Mi. ", "node_disk_pressure"),
        ("The node was low on resource: inodes. ", "node_disk_pressure"),
        ("The node was low on resource: pids. ", "process_limit_exhausted"),
        ("Pod was rejected: The node had condition: [DiskPressure]. ", "node_disk_pressure"),
        ("Pod was rejected: The node had condition: [MemoryPressure]. ", "node_cpu_or_memory_pressure"),
    ],
)  # fmt: skip
def test_what_a_node_was_low_on(message: str, fault: str) -> None:
    assert leading(*app("cart"), over("Evicted", message)) == ("Node node-a", fault)


def test_the_one_neighbour_without_a_limit_is_named_and_agents_of_the_node_are_not() -> None:
    bound = pod_spec(container(resources={"limits": {"memory": "64Mi"}}))
    batch = app("batch", spec=pod_spec(container(image="x/batch:1")))
    agent = pod("agent-1", labels={"app": "agent"}, spec=pod_spec(container("agent", "x/agent:1", None)),
                owners=[{"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "agent", "uid": "u", "controller": True}])  # fmt: skip
    found = causes(*app("cart", spec=bound), *batch, agent, over("Evicted", LOW))
    assert [(str(s.entity), s.faults[0]) for s in found if s.faults[0] == "unlimited_neighbour"] == [
        ("Deployment shop/batch", "unlimited_neighbour")
    ]


# --- nodes ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("conds", "fault"),
    [
        (conditions(Ready=("False", "KubeletNotReady", "container runtime is down")), "container_runtime_stopped"),
        (conditions(Ready=("False", "KubeletNotReady", "[container runtime status check may not have completed yet, PLEG is not healthy: pleg was last seen active 5m12s ago; threshold is 3m0s]")), "container_runtime_stopped"),
        (conditions(Ready=("False", "KubeletNotReady", "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized")), "node_link_degraded"),
        (conditions(Ready=("False", "KubeletNotReady", "node is shutting down")), "node_rebooted"),
        (conditions(Ready="True", NTPProblem=("True", "NTPIsDown", "NTP service is not running")), "node_clock_skew"),
        (conditions(Ready="True", ReadonlyFilesystem=("True", "FilesystemIsReadOnly", "Filesystem is read-only")), "disk_io_slow_or_failing"),
        (conditions(Ready="True", ContainerRuntimeProblem=("True", "ContainerdUnhealthy", "containerd is unhealthy")), "container_runtime_stopped"),
        (conditions(Ready="True", NetworkingReady=("False", "IPAMDNotReady", "aws-node is not ready")), "node_link_degraded"),
    ],
)  # fmt: skip
def test_conditions_of_kubelets_and_node_monitors(conds: list[Obj], fault: str) -> None:
    assert leading(*app("cart"), node("node-a", conds=conds), node("node-b")) == ("Node node-a", fault)


@pytest.mark.parametrize(
    ("reason", "message", "fault"),
    [
        ("Rebooted", "Node node-a has been rebooted, boot id: 0f0f", "node_rebooted"),
        ("SystemOOM", "System OOM encountered, victim process: java, pid: 1234", "node_cpu_or_memory_pressure"),
        ("EvictionThresholdMet", "Attempting to reclaim ephemeral-storage", "node_disk_pressure"),
        ("EvictionThresholdMet", "Attempting to reclaim memory", "node_cpu_or_memory_pressure"),
        ("ConntrackFull", "Node node-a conntrack table full: nf_conntrack: table full, dropping packet", "connection_tracking_full"),
        ("IOError", "Buffer I/O error on dev sda, logical block 0, async page read", "disk_io_slow_or_failing"),
        ("TaskHung", "INFO: task jbd2/sda1-8:312 blocked for more than 120 seconds.", "disk_io_slow_or_failing"),
        ("SpotInterruption", "Spot Interruption event received. Instance will be interrupted", "node_rebooted"),
    ],
)  # fmt: skip
def test_events_of_nodes(reason: str, message: str, fault: str) -> None:
    said = event("Node", "node-a", reason, message, namespace="default")
    assert leading(*app("cart"), *NODES, said) == ("Node node-a", fault)


def test_a_kubelets_first_look_at_its_disk_is_noise_and_so_is_a_node_that_joins() -> None:
    said = event(
        "Node",
        "node-a",
        "ImageGCFailed",
        "failed to get imageFs info: unable to find data in memory cache",
        namespace="default",
    )
    fresh = node(
        "node-z",
        conds=conditions(
            Ready=("False", "KubeletNotReady", "container runtime network not ready: cni plugin not initialized")
        ),
    )
    fresh["metadata"]["creationTimestamp"] = ago(1)
    assert causes(*app("cart"), *NODES, fresh, said) == []


def test_a_node_that_its_cloud_took_away_and_one_that_the_autoscaler_let_go() -> None:
    words = "Deleting node node-q because it does not exist in the cloud provider"
    gone = event("Node", "node-q", "DeletingNode", words, namespace="default")
    assert leading(*app("cart"), *NODES, gone) == ("Node node-q", "node_rebooted")
    planned = event("Node", "node-q", "ScaleDown", "marked the node as toBeDeleted/unschedulable", namespace="default")
    assert causes(*app("cart"), *NODES, gone, planned) == []


def test_a_zone_that_fell_silent_is_a_partition_and_one_node_of_it_is_not() -> None:
    silent = conditions(Ready=("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status."))
    zones = {"node-a": "z1", "node-b": "z1", "node-c": "z2", "node-d": "z2"}

    def cluster(*down: str) -> list[Obj]:
        return [
            node(n, labels={"topology.kubernetes.io/zone": z}, conds=silent if n in down else None)
            for n, z in zones.items()
        ]

    assert leading(*app("cart"), *cluster("node-a", "node-b"))[1] == "network_partition"
    assert leading(*app("cart"), *cluster("node-a"))[1] == "kubelet_stopped"


def test_a_node_proxy_that_is_not_ready_and_one_on_a_dead_node() -> None:
    proxy = pod("kube-proxy-7x", labels={"k8s-app": "kube-proxy"}, namespace="kube-system", conds=UNREADY, age=300,
                statuses=[waiting("CrashLoopBackOff", "back-off", "kube-proxy", restarts=5, last=ended())],
                spec=pod_spec(container("kube-proxy", "registry.k8s.io/kube-proxy:v1.33.1", None)))  # fmt: skip
    assert leading(*app("cart"), *NODES, proxy) == ("Node node-a", "node_proxy_stopped")
    dead = node(
        "node-a", conds=conditions(Ready=("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status."))
    )
    assert leading(*app("cart"), dead, node("node-b"), proxy) == ("Node node-a", "kubelet_stopped")
    assert all("node_proxy_stopped" not in s.faults for s in found_in(*app("cart"), dead, node("node-b"), proxy))


# --- sandboxes --------------------------------------------------------------------------------------------------------------


def creating(words: str, count: int = 5, minutes: float = 2) -> list[Obj]:
    objects = unwell("cart", phase="Pending", statuses=[waiting("ContainerCreating")], age=12)
    return [*objects, event("Pod", POD, "FailedCreatePodSandBox", words, count=count, minutes=minutes)]


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ('Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "0f": plugin type="aws-cni" name="aws-cni" failed (add): add cmd: failed to assign an IP address to container', "node_link_degraded"),
        ('Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "0f": plugin type="calico" failed (add): error getting ClusterInformation: connection is unauthorized: Unauthorized', "node_link_degraded"),
        ('Failed to create pod sandbox: rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix /run/containerd/containerd.sock: connect: connection refused"', "container_runtime_stopped"),
    ],
)  # fmt: skip
def test_pods_without_a_sandbox_point_to_their_node(words: str, fault: str) -> None:
    assert leading(*creating(words)) == ("Node node-a", fault)


def test_a_sandbox_that_failed_once_is_tried_again() -> None:
    words = "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to reserve sandbox name"
    assert causes(*creating(words, count=1)) == []
    assert causes(*creating(words, minutes=40)) == []


def test_a_node_that_one_neighbour_starves_is_its_victim() -> None:
    free, bound = (
        pod_spec(container(image="x/batch:2")),
        pod_spec(container(image="x/batch:1", resources={"limits": {"memory": "1Gi"}})),
    )
    batch = [o for o in app("batch", spec=free) if o["kind"] != "ReplicaSet"]
    batch += [
        replica_set("batch", "5d9c7b", spec=free, revision=2, age=20),
        replica_set("batch", "77aa", spec=bound, replicas=0),
    ]
    pressed = node(
        "node-a",
        conds=conditions(
            Ready="True",
            MemoryPressure=("True", "KubeletHasInsufficientMemory", "kubelet has insufficient memory available"),
        ),
    )
    found = found_in(*app("cart", spec=bound), *batch, pressed, node("node-b"), over("Evicted", LOW))
    assert (str(found[0].entity), found[0].faults[0], found[0].specificity) == (
        "Deployment shop/batch",
        "unlimited_neighbour",
        0.96,
    )
    assert {s.role for s in found if s.entity.kind == "Node"} == {"effect"}
