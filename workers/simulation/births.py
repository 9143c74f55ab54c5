"""How a company comes to be, healthy and with a past: nodes, namespaces, workloads, services, stores."""

from __future__ import annotations

from workers.simulation import dice, templates
from workers.simulation.belongings import belongings, ingress
from workers.simulation.cluster import Json, NodeState, Pod, Run, ServiceObject, Workload
from workers.simulation.company import Company, Platform, Running, Service, Store
from workers.simulation.copied import copied
from workers.simulation.fates import Fate, healthy
from workers.simulation.jobs import scheduled_runs
from workers.simulation.rollout import new_pod, new_revision
from workers.simulation.world import DAY, World


def found(company: Company, seed: str, now: float) -> World:
    """The company at `now`, with nothing wrong but small things."""
    world = World(company, seed, now)
    _nodes(world)
    _namespaces(world)
    for part in (*company.platform, *company.stores, *company.services):
        _workload(world, part)
        _service_object(world, part)
        belongings(world, part)
    scheduled_runs(world)
    ingress(world)
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
        world.addresses.add(ip)
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
        if name == "monitoring":
            world.put("ServiceAccount", name, "gumshoe-reader", created + 86400, {})
    for name in world.company.application_namespaces:
        created = world.founded + 9000
        world.put(
            "Secret",
            name,
            "registry-pull",
            created,
            {"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": dice.hidden(168, name)}},
        )
    storage, provisioner = world.company.nodes.storage
    world.put(
        "StorageClass",
        "",
        storage,
        world.founded + 900,
        {
            "provisioner": provisioner,
            "reclaimPolicy": "Delete",
            "volumeBindingMode": "WaitForFirstConsumer",
            "allowVolumeExpansion": True,
            "parameters": {"type": storage if provisioner.startswith("ebs") else "pd-balanced"},
        },
        annotations={"storageclass.kubernetes.io/is-default-class": "true"},
    )
    world.put(
        "PriorityClass",
        "",
        "system-node-critical",
        world.founded,
        {
            "value": 2000001000,
            "globalDefault": False,
            "preemptionPolicy": "PreemptLowerPriority",
            "description": "Used for system critical pods that must not be moved from their current node.",
        },
    )
    world.put(
        "PriorityClass",
        "",
        "system-cluster-critical",
        world.founded,
        {
            "value": 2000000000,
            "globalDefault": False,
            "preemptionPolicy": "PreemptLowerPriority",
            "description": "Used for system critical pods that must run in the cluster, but can be moved to another "
            "node if necessary.",
        },
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
        older = copied(template)
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


def newcomer(
    world: World, like: Workload, name: str, at: float, *, priority: tuple[str, int] = ("", 0), cpu: float = 0.0
) -> Workload:
    """A Deployment that was not there before, by the same team as another, without pods yet."""
    assert isinstance(like.part, Service)
    part = like.part.model_copy(update={"name": name, "image": name, "version": "0.3.1", "routes": (), "worker": True})
    template = templates.of(part, world.company)
    container = template["spec"]["containers"][0]
    container["env"] = [e for e in container["env"] if e["name"] in ("SERVICE_NAME", "LOG_FORMAT", "POD_NAME")]
    container.pop("envFrom", None)
    if cpu:
        container["resources"]["requests"]["cpu"] = f"{round(cpu * 1000)}m"
    if priority[0]:
        template["spec"].update(priorityClassName=priority[0], priority=priority[1])
    world.put("ServiceAccount", part.namespace, name, at - 2, {"imagePullSecrets": [{"name": "registry-pull"}]})
    uid = world.uid("Deployment", part.namespace, name)
    made = Workload("Deployment", part.namespace, name, uid, at, part, {"app": name})
    made.labels = dict(template["metadata"]["labels"])
    made.strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}}
    world.workloads[(part.namespace, name)] = made
    new_revision(world, made, at, template)
    return made
