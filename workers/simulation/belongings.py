"""What belongs to a workload: accounts, configuration, secrets, claims, autoscalers, and the way in from outside."""

from __future__ import annotations

from workers.simulation import dice
from workers.simulation.cluster import Json, Workload
from workers.simulation.company import Running, Service, Store
from workers.simulation.world import DAY, World, managed


def belongings(world: World, part: Running) -> None:
    """Accounts, configuration, secrets, claims and autoscalers of a workload."""
    workload = world.workloads[(part.namespace, part.name)]
    created = workload.created - 4
    account(world, part)
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


def account(world: World, part: Running) -> None:
    if (part.namespace, part.name) not in world.objects.get("ServiceAccount", {}):
        world.put(
            "ServiceAccount",
            part.namespace,
            part.name,
            world.founded + 9100,
            {"imagePullSecrets": [{"name": "registry-pull"}]},
        )


def _secret(world: World, namespace: str, name: str, at: float, keys: tuple[str, ...]) -> None:
    world.put(
        "Secret",
        namespace,
        name,
        at,
        {"type": "Opaque", "data": {k: "" if k.startswith("tls.") else dice.hidden(20, name, k) for k in keys}},
    )


def _claim(world: World, namespace: str, name: str, gib: int, workload: Workload) -> None:
    storage, provisioner = world.company.nodes.storage
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
                "storageClassName": storage,
                "volumeMode": "Filesystem",
                "volumeName": volume,
            },
            "status": {"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": f"{gib}Gi"}},
        },
        labels=dict(workload.selector),
        annotations={
            "pv.kubernetes.io/bind-completed": "yes",
            "volume.kubernetes.io/storage-provisioner": provisioner,
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
                "storageClassName": storage,
                "volumeMode": "Filesystem",
                "csi": {
                    "driver": provisioner,
                    "volumeHandle": _volume_handle(world, volume, zone),
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
        annotations={"pv.kubernetes.io/provisioned-by": provisioner},
        finalizers=["kubernetes.io/pv-protection", f"external-attacher/{provisioner.replace('.', '-')}"],
    )


def _volume_handle(world: World, volume: str, zone: str) -> str:
    if world.company.project:
        return f"projects/{world.company.project}/zones/{zone}/disks/{volume}"
    return f"vol-0{dice.hexadecimal(16, world.seed, volume)}"


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


def ingress(world: World) -> None:
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
                    "status": {"loadBalancer": {"ingress": [_balancer(world)]}},
                },
            )
            _secret(world, part.namespace, f"{part.name}-tls", world.founded + 6 * DAY, ("tls.crt", "tls.key"))
            world.objects["Secret"][(part.namespace, f"{part.name}-tls")]["type"] = "kubernetes.io/tls"
    world.put("IngressClass", "", "nginx", world.founded + DAY, {"spec": {"controller": "k8s.io/ingress-nginx"}})


def _balancer(world: World) -> Json:
    """The address of the load balancer before the ingress controller: a name or a number, as the cloud gives it."""
    if world.company.nodes.naming == "gke":
        return {"ip": f"34.90.{dice.number(world.seed, 'lb') % 250}.{dice.number(world.seed, 'lb', 2) % 250}"}
    return {"hostname": f"k8s-ingress-{dice.hexadecimal(10, world.seed)}.elb.{world.company.region}.amazonaws.com"}
