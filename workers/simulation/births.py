"""How a company comes to be, healthy and with a past: nodes, namespaces, workloads, services, stores."""

from __future__ import annotations

from copy import deepcopy

from workers.simulation import dice, templates
from workers.simulation.cluster import Json, NodeState, Pod, Run, ServiceObject, Workload
from workers.simulation.company import Company, Job, Platform, Running, Service, Store
from workers.simulation.fates import Fate, healthy
from workers.simulation.quantities import amount
from workers.simulation.rollout import new_pod, new_revision
from workers.simulation.world import DAY, World, managed


def found(company: Company, seed: str, now: float) -> World:
    """The company at `now`, with nothing wrong but small things."""
    world = World(company, seed, now)
    _nodes(world)
    _namespaces(world)
    for part in (*company.platform, *company.stores, *company.services):
        _workload(world, part)
        _service_object(world, part)
        _belongings(world, part)
    _jobs(world)
    _ingress(world)
    return world


def _nodes(world: World) -> None:
    spec = world.company.nodes
    for i in range(spec.count):
        subnet = 32 + 16 * (i % len(spec.zones)) + int(world.between(0, 8, "subnet", i))
        ip = f"{spec.network}.{subnet}.{int(world.between(11, 245, 'host', i))}"
        zone = spec.zones[i % len(spec.zones)]
        created = world.now - world.between(9, 47, "node", i) * DAY
        if spec.naming == "eks":
            name = f"ip-{ip.replace('.', '-')}.{world.company.region}.compute.internal"
        else:
            name = f"gke-{world.company.cluster}-pool-1-{dice.hexadecimal(8, world.seed, 'pool')}-{dice.letters(4, world.seed, i)}"  # noqa: E501
        labels = {
            "kubernetes.io/arch": "amd64",
            "kubernetes.io/hostname": name,
            "kubernetes.io/os": "linux",
            "node.kubernetes.io/instance-type": spec.type,
            "topology.kubernetes.io/region": world.company.region,
            "topology.kubernetes.io/zone": zone,
        }
        world.nodes[name] = NodeState(name, world.uid("Node", name), zone, ip, created, labels, booted=created - 40)


def _namespaces(world: World) -> None:
    for name in ("default", "kube-node-lease", "kube-public", "kube-system", *world.company.namespaces):
        team = world.company.namespaces[name].team if name in world.company.namespaces else ""
        labels = {"kubernetes.io/metadata.name": name, **({"team": team} if team else {})}
        created = (
            world.founded
            if name.startswith(("kube-", "default"))
            else world.founded + 2100 + world.between(0, 900, name)
        )
        world.put(
            "Namespace",
            "",
            name,
            created,
            {"spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}},
            labels=labels,
        )
        world.put(
            "ConfigMap",
            name,
            "kube-root-ca.crt",
            created + 1,
            {"data": {"ca.crt": "-----BEGIN CERTIFICATE-----\n(public part)\n-----END CERTIFICATE-----\n"}},
        )
        world.put("ServiceAccount", name, "default", created + 1, {})
    for name in world.company.application_namespaces:
        created = world.founded + 9000
        world.put(
            "Secret",
            name,
            "registry-pull",
            created,
            {"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": ""}},
        )
    world.put(
        "StorageClass",
        "",
        "gp3",
        world.founded + 900,
        {
            "provisioner": "ebs.csi.aws.com",
            "reclaimPolicy": "Delete",
            "volumeBindingMode": "WaitForFirstConsumer",
            "allowVolumeExpansion": True,
            "parameters": {"type": "gp3"},
        },
        annotations={"storageclass.kubernetes.io/is-default-class": "true"},
    )
    world.put(
        "PriorityClass",
        "",
        "system-node-critical",
        world.founded,
        {"value": 2000001000, "globalDefault": False, "preemptionPolicy": "PreemptLowerPriority"},
    )
    world.put(
        "PriorityClass",
        "",
        "system-cluster-critical",
        world.founded,
        {"value": 2000000000, "globalDefault": False, "preemptionPolicy": "PreemptLowerPriority"},
    )
    corefile = ".:53 {\n    errors\n    health {\n        lameduck 5s\n    }\n    ready\n    kubernetes cluster.local in-addr.arpa ip6.arpa {\n        pods insecure\n        fallthrough in-addr.arpa ip6.arpa\n    }\n    prometheus :9153\n    forward . /etc/resolv.conf\n    cache 30\n    loop\n    reload\n    loadbalance\n}\n"  # noqa: E501
    world.put(
        "ConfigMap",
        "kube-system",
        "coredns",
        world.founded + 400,
        {"data": {"Corefile": corefile}},
        labels={"k8s-app": "kube-dns"},
    )
    for name in ("kube-scheduler", "kube-controller-manager"):
        world.put(
            "Lease",
            "kube-system",
            name,
            world.founded,
            {
                "spec": {
                    "holderIdentity": f"ip-{world.company.nodes.network.replace('.', '-')}-7-31_{dice.uid(world.seed, name)}",  # noqa: E501
                    "leaseDurationSeconds": 15,
                    "acquireTime": world.now - 3.1 * DAY,
                    "renewTime": world.now - world.between(0.2, 2, name),
                    "leaseTransitions": 7,
                }
            },
        )


def _workload(world: World, part: Running) -> None:
    kind = part.kind if isinstance(part, Platform) else "StatefulSet" if isinstance(part, Store) else "Deployment"
    template = templates.of(part, world.company)
    selector = dict(part.labels) if isinstance(part, Platform) else {"app": part.name}
    created = world.founded + world.between(0.2, 9, "born", part.name) * DAY
    workload = Workload(
        kind, part.namespace, part.name, world.uid(kind, part.namespace, part.name), created, part, selector
    )
    workload.labels = dict(template["metadata"]["labels"])
    if kind == "Deployment":
        workload.strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}}
    workload.manager = "argocd-controller" if isinstance(part, Service) else "helm"
    world.workloads[(part.namespace, part.name)] = workload
    _past(world, workload, part, template)
    count = world.company.nodes.count if kind == "DaemonSet" else getattr(part, "replicas", 1)
    workload.scale = [(created, count)]
    born = workload.revision.created
    for i, node in zip(range(count), world.nodes.values() if kind == "DaemonSet" else [None] * count, strict=False):
        since = max(node.created + 25, born) if node else born + 14 * i
        pod = new_pod(world, workload, workload.revision, since, _on(node.name if node else ""), ordinal=i)
        _old_restart(world, pod)
    workload.revision.replicas = count


def _on(node: str) -> Fate:
    def fate(world: World, pod: Pod) -> None:
        pod.node = node
        healthy(world, pod)

    return fate


def _past(world: World, workload: Workload, part: Running, template: Json) -> None:
    """Earlier releases, each with another image tag; the newest is some days old."""
    releases = 1 + int(world.between(3, 9, "releases", part.name)) if isinstance(part, Service) else 2
    age = (
        world.between(1.3, 7.5, "age", part.name)
        if isinstance(part, Service)
        else world.between(14, 45, "age", part.name)
    )
    total = releases + (int(world.between(6, 38, "history", part.name)) if isinstance(part, Service) else 0)
    image, _, version = template["spec"]["containers"][0]["image"].rpartition(":")
    for back in range(releases - 1, -1, -1):
        at = max(
            workload.created + 60,
            world.now
            - (age * (1 + back * world.between(0.8, 1.6, "gap", part.name, back))) * DAY
            + world.between(0, 30000, "hour", part.name, back),
        )
        older = deepcopy(template)
        older["spec"]["containers"][0]["image"] = f"{image}:{_earlier(version, back)}"
        revision = new_revision(world, workload, at, older)
        revision.number = total - back
    for revision in workload.revisions:
        revision.hash = dice.letters(10, world.seed, workload.namespace, workload.name, revision.number)


def _earlier(version: str, steps: int) -> str:
    """`2.20.3` two releases before: `2.20.1`, or the minor before it."""
    parts = version.lstrip("v").split(".")
    for _ in range(steps):
        for i in range(len(parts) - 1, -1, -1):
            if parts[i].isdigit() and int(parts[i]) > 0:
                parts[i] = str(int(parts[i]) - 1)
                break
            if i > 0:
                parts[i] = "3"
    return ("v" if version.startswith("v") else "") + ".".join(parts)


def _old_restart(world: World, pod: Pod) -> None:
    """Here and there a container was restarted days ago, for reasons nobody remembers."""
    run = pod.runs[pod.main][0]
    if world.chance("old restart", pod.name) < 0.13 and world.now - run.started > 2.5 * DAY:
        ended = run.started + (world.now - run.started) * world.between(0.2, 0.7, "when", pod.name)
        run.ended, run.reason, run.exit_code = ended, "Error", 1 if world.chance("code", pod.name) < 0.5 else 2
        pod.runs[pod.main].append(Run(ended + 1.2, ended + 9.4))


def _service_object(world: World, part: Running) -> None:
    name = part.service if isinstance(part, Platform) else part.name
    if not name or (isinstance(part, Service) and part.worker):
        return
    workload = world.workloads[(part.namespace, part.name)]
    assert isinstance(part, (Service, Store, Platform))
    port = part.port
    ports: Json = {
        "name": "dns" if port == 53 else "http" if isinstance(part, Service) else "main",
        "port": port,
        "targetPort": "http" if isinstance(part, Service) else port,
        "protocol": "UDP" if port == 53 else "TCP",
    }
    n = dice.number(world.seed, "cluster-ip", part.namespace, name)
    ip = (
        f"{world.company.services_network}.{n % 253 + 1}.{n // 997 % 250 + 3}"
        if name != "kube-dns"
        else f"{world.company.services_network}.0.10"
    )
    spec: Json = {
        "type": "ClusterIP",
        "clusterIP": ip,
        "clusterIPs": [ip],
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "internalTrafficPolicy": "Cluster",
        "sessionAffinity": "None",
        "selector": dict(workload.selector),
        "ports": [ports],
    }
    created = workload.created - 2
    made = ServiceObject(
        part.namespace,
        name,
        world.uid("Service", part.namespace, name),
        created,
        ip,
        dict(workload.labels),
        [(created, spec)],
    )
    made.edits.append((created, workload.manager, {"f:spec": {"f:ports": {}, "f:selector": {}, "f:type": {}}}))
    world.services[(part.namespace, name)] = made


def _belongings(world: World, part: Running) -> None:
    """Accounts, configuration, secrets, claims and autoscalers of a workload."""
    workload = world.workloads[(part.namespace, part.name)]
    created = workload.created - 4
    _account(world, part)
    if isinstance(part, Service):
        data = {
            "LOG_LEVEL": "info",
            "HTTP_TIMEOUT_MS": str(int(part.timeout_seconds * 1000)),
            "DB_POOL_SIZE": "10",
            "CACHE_TTL_SECONDS": "300",
            "FEATURE_FLAGS_SOURCE": "file:///etc/flags/flags.yaml",
        }
        changed = world.now - world.between(11, 60, "config", part.name) * DAY
        made = world.put(
            "ConfigMap", part.namespace, f"{part.name}-config", created, {"data": data}, labels={"app": part.name}
        )
        made["metadata"]["resourceVersion"] = world.resource_version(max(created, changed), part.name)
        made["metadata"]["managedFields"] = [managed("argocd-controller", max(created, changed), {"f:data": {}})]
        targets = (world.company.parts[c] for c in part.dependencies)
        if any(isinstance(t, Store) and t.engine == "postgres" for t in targets):
            _secret(world, part.namespace, f"{part.name}-db", created, ("username", "password"))
        if part.volume_gib:
            _claim(world, part.namespace, f"{part.name}-data", part.volume_gib, workload)
        if part.hpa:
            _autoscaler(world, part)
    if isinstance(part, Store):
        if part.engine == "postgres":
            _secret(world, part.namespace, f"{part.name}-admin", created, ("password",))
        for i in range(part.replicas):
            _claim(world, part.namespace, f"data-{part.name}-{i}", part.disk_gib, workload)


def _account(world: World, part: Running) -> None:
    if (part.namespace, part.name) not in world.objects.get("ServiceAccount", {}):
        world.put(
            "ServiceAccount",
            part.namespace,
            part.name,
            world.founded + 9100,
            {"imagePullSecrets": [{"name": "registry-pull"}]},
        )


def _secret(world: World, namespace: str, name: str, at: float, keys: tuple[str, ...]) -> None:
    world.put("Secret", namespace, name, at, {"type": "Opaque", "data": dict.fromkeys(keys, "")})


def _claim(world: World, namespace: str, name: str, gib: int, workload: Workload) -> None:
    volume = f"pvc-{world.uid('claim', namespace, name)}"
    zone = world.company.nodes.zones[dice.number(name) % len(world.company.nodes.zones)]
    created = workload.created + 3
    claim = world.put(
        "PersistentVolumeClaim",
        namespace,
        name,
        created,
        {
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": f"{gib}Gi"}},
                "storageClassName": "gp3",
                "volumeMode": "Filesystem",
                "volumeName": volume,
            },
            "status": {"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": f"{gib}Gi"}},
        },
        labels=dict(workload.selector),
        annotations={
            "pv.kubernetes.io/bind-completed": "yes",
            "volume.kubernetes.io/storage-provisioner": "ebs.csi.aws.com",
        },
        finalizers=["kubernetes.io/pvc-protection"],
    )
    reference = {
        "kind": "PersistentVolumeClaim",
        "apiVersion": "v1",
        "namespace": namespace,
        "name": name,
        "uid": claim["metadata"]["uid"],
    }
    world.put(
        "PersistentVolume",
        "",
        volume,
        created + 2,
        {
            "spec": {
                "capacity": {"storage": f"{gib}Gi"},
                "accessModes": ["ReadWriteOnce"],
                "claimRef": reference,
                "persistentVolumeReclaimPolicy": "Delete",
                "storageClassName": "gp3",
                "volumeMode": "Filesystem",
                "csi": {
                    "driver": "ebs.csi.aws.com",
                    "volumeHandle": f"vol-0{dice.hexadecimal(16, world.seed, name)}",
                    "fsType": "ext4",
                },
                "nodeAffinity": {
                    "required": {
                        "nodeSelectorTerms": [
                            {
                                "matchExpressions": [
                                    {"key": "topology.kubernetes.io/zone", "operator": "In", "values": [zone]}
                                ]
                            }
                        ]
                    }
                },
            },
            "status": {"phase": "Bound"},
        },
    )


def _autoscaler(world: World, part: Service) -> None:
    assert part.hpa
    low, high = part.hpa
    world.put(
        "HorizontalPodAutoscaler",
        part.namespace,
        part.name,
        world.founded + 12 * DAY,
        {
            "spec": {
                "scaleTargetRef": {"kind": "Deployment", "name": part.name, "apiVersion": "apps/v1"},
                "minReplicas": low,
                "maxReplicas": high,
                "metrics": [
                    {
                        "type": "Resource",
                        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}},
                    }
                ],
            }
        },
    )


def _ingress(world: World) -> None:
    for part in world.company.services:
        if part.host:
            backend = {"service": {"name": part.name, "port": {"number": part.port}}}
            rule = {"host": part.host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
            world.put(
                "Ingress",
                part.namespace,
                part.name,
                world.founded + 6 * DAY,
                {
                    "spec": {
                        "ingressClassName": "nginx",
                        "tls": [{"hosts": [part.host], "secretName": f"{part.name}-tls"}],
                        "rules": [rule],
                    },
                    "status": {
                        "loadBalancer": {
                            "ingress": [
                                {
                                    "hostname": f"k8s-ingress-{dice.hexadecimal(10, world.seed)}.elb.{world.company.region}.amazonaws.com"  # noqa: E501
                                }
                            ]
                        }
                    },
                },
            )
            _secret(world, part.namespace, f"{part.name}-tls", world.founded + 6 * DAY, ("tls.crt", "tls.key"))
            world.objects["Secret"][(part.namespace, f"{part.name}-tls")]["type"] = "kubernetes.io/tls"
    world.put("IngressClass", "", "nginx", world.founded + DAY, {"spec": {"controller": "k8s.io/ingress-nginx"}})


def set_limit(template: Json, resource: str, limit: str, request: str = "") -> None:
    """Change a container's limit, and its request where it would exceed it."""
    resources = template["spec"]["containers"][0]["resources"]
    resources["limits"][resource] = limit
    if request or amount(resources["requests"].get(resource, "0")) > amount(limit):
        resources["requests"][resource] = request or limit


def _jobs(world: World) -> None:
    """The last runs of each CronJob, on their schedule."""
    for job in world.company.jobs:
        _account(world, job)
        minute, hour = job.schedule.split()[:2]
        period = 60.0 * int(minute[2:]) if minute.startswith("*/") else 86400.0 if hour.isdigit() else 3600.0
        offset = (0.0 if minute.startswith("*/") else 60.0 * int(minute)) + (
            3600.0 * int(hour) if hour.isdigit() else 0.0
        )
        last = (world.now - offset) // period * period + offset
        for back in (2, 1, 0):
            run_job(world, job, last - back * period)


def run_job(
    world: World, job: Job, at: float, *, exit_code: int = 0, template: Json | None = None, tries: int = 1
) -> Workload:
    """One Job of a CronJob: succeeds, or fails in every try."""
    name = f"{job.name}-{int(at // 60)}"
    it = Workload("Job", job.namespace, name, world.uid("Job", name), at, job, {"job-name": name})
    it.scale = [(at, 1)]
    it.labels = {"job-name": name}
    made = template or templates.of(job, world.company)
    made["metadata"]["labels"] = {**made["metadata"]["labels"], "job-name": name, "batch.kubernetes.io/job-name": name}
    world.workloads[(job.namespace, name)] = it
    revision = new_revision(world, it, at, made)
    start = at + 0.4
    for _ in range(tries):
        pod = new_pod(world, it, revision, start, healthy)
        run = pod.runs[pod.main][0]
        lasts = 60 * job.minutes * world.between(0.8, 1.2, name) if exit_code == 0 else world.between(3, 7, name, start)
        if run.started + lasts < world.now:
            run.ended, run.exit_code, run.reason = run.started + lasts, exit_code, "Error" if exit_code else "Completed"
            pod.failed = run.ended
        start = run.started + lasts + 10
    if exit_code:
        it.annotations["outcome"] = "failed"
    return it
