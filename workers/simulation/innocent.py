"""What happens for good reasons, and small troubles that are nobody's cause: deploys, scaling, leftovers, restarts."""

from __future__ import annotations

from math import inf

from workers.simulation.blow import Altered, next_version, rollout_of
from workers.simulation.cluster import Json, Note, Run, ServiceObject
from workers.simulation.company import Service
from workers.simulation.rollout import roll_out, scale
from workers.simulation.world import DAY, Gauge, LogNote, World, managed


def deploy(world: World, name: str, at: float) -> Altered:
    """A release that is fine."""
    it = world.workload(name)
    return rollout_of(it, roll_out(world, it, at, lambda template: (next_version(template), None)[1]))


def autoscale(world: World, name: str, at: float, wanted: int) -> None:
    """The autoscaler follows the load, and says so."""
    it = world.workload(name)
    scale(world, it, at, wanted, manager="kube-controller-manager")
    uid = world.objects["HorizontalPodAutoscaler"][(it.namespace, name)]["metadata"]["uid"]
    world.note(
        Note(
            "HorizontalPodAutoscaler",
            it.namespace,
            name,
            uid,
            "SuccessfulRescale",
            f"New size: {wanted}; reason: cpu resource utilization (percentage of request) above target",
            at,
            at,
            component="horizontal-pod-autoscaler",
            api_version="autoscaling/v2",
        )
    )


def tune(world: World, name: str, at: float) -> None:
    """A harmless key of a ConfigMap changes."""
    it = world.workload(name)

    def change(body: Json) -> None:
        body["data"]["CACHE_TTL_SECONDS"] = "240"

    world.edit(
        "ConfigMap",
        it.namespace,
        f"{name}-config",
        at,
        change,
        "argocd-controller",
        {"f:data": {"f:CACHE_TTL_SECONDS": {}}},
    )


def everyday(world: World, keep_away: set[str]) -> None:
    """The state in which one finds a company on any day. Nothing of it touches what a scenario is about."""
    _leftovers(world)
    services = [s.name for s in world.company.services if s.name not in keep_away]
    for i, hours in enumerate((world.between(2.1, 3.4, "deploy"), world.between(7, 11, "deploy", 2))):
        name = services[int(world.between(0, len(services) - 0.01, "deploy of", i))]
        if world.workload(name).revision.created < world.now - 12 * 3600:
            deploy(world, name, world.now - hours * 3600)
    scaled = [s for s in world.company.services if s.hpa and s.name not in keep_away]
    if scaled:
        part = scaled[int(world.between(0, len(scaled) - 0.01, "scaled"))]
        assert part.hpa
        autoscale(world, part.name, world.now - world.between(1900, 5200, "scaling"), min(part.hpa[1], part.hpa[0] + 1))
    _flaky_agent(world)
    _probe_blip(world, [s for s in world.company.services if s.name not in keep_away])


def _leftovers(world: World) -> None:
    """A Service without endpoints and a policy for pods that are gone, as every cluster has."""
    space = world.company.application_namespaces[0]
    created = world.founded + 41 * DAY
    ip = f"{world.company.services_network}.88.{int(world.between(4, 250, 'leftover'))}"
    spec: Json = {
        "type": "ClusterIP",
        "clusterIP": ip,
        "clusterIPs": [ip],
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "internalTrafficPolicy": "Cluster",
        "sessionAffinity": "None",
        "selector": {"app": "importer-v1"},
        "ports": [{"name": "http", "port": 8080, "targetPort": 8080, "protocol": "TCP"}],
    }
    world.services[(space, "importer-v1")] = ServiceObject(
        space,
        "importer-v1",
        world.uid("Service", "importer-v1"),
        created,
        ip,
        {"app": "importer-v1"},
        [(created, spec)],
        [(created, "kubectl-client-side-apply", {"f:spec": {"f:selector": {}}})],
    )
    policy = {"spec": {"podSelector": {"matchLabels": {"app": "importer-v1"}}, "policyTypes": ["Ingress"]}}
    world.put(
        "NetworkPolicy",
        space,
        "importer-v1-deny",
        created,
        policy,
        managedFields=[
            managed("kubectl-client-side-apply", created, {"f:spec": {}}, api_version="networking.k8s.io/v1")
        ],
    )


def _flaky_agent(world: World) -> None:
    """One agent's pod was restarted some hours ago."""
    for it in world.workloads.values():
        if it.kind == "DaemonSet" and it.namespace != "kube-system":
            pod = it.pods[int(world.between(0, len(it.pods) - 0.01, "flaky"))]
            runs = pod.runs[pod.main]
            ended = world.now - world.between(4.2, 9, "flaky at", it.name) * 3600
            if runs[-1].started < ended - 3600 and runs[-1].ended == inf:
                runs[-1].ended, runs[-1].reason, runs[-1].exit_code = ended, "Error", 1
                runs.append(Run(ended + 1.3, ended + 8.8))
            return


def _probe_blip(world: World, services: list[Service]) -> None:
    """Somewhere a readiness probe timed out a few times in the last hour, and nothing came of it."""
    service = services[int(world.between(0, len(services) - 0.01, "blip"))]
    pods = [p for p in world.workload(service.name).pods if p.deleted == inf and p.is_ready(world.now)]
    if not pods:
        return
    pod = pods[0]
    last = world.now - world.between(300, 3000, "blip at")
    text = f'Readiness probe failed: Get "http://{pod.ip}:{service.port}/readyz": context deadline exceeded (Client.Timeout exceeded while awaiting headers)'  # noqa: E501
    world.note(
        Note(
            "Pod",
            pod.namespace,
            pod.name,
            pod.uid,
            "Unhealthy",
            text,
            max(pod.runs[pod.main][0].started + 4, last - world.between(4000, 90000, "blip first")),
            last,
            int(world.between(2, 9, "blips")),
            True,
            "kubelet",
            pod.node,
            f"spec.containers{{{pod.main}}}",
        )
    )
    world.log_notes.append(
        LogNote(
            service.name,
            last - 20,
            last + 25,
            5,
            "warning",
            ("event loop lag {ms}ms", "slow response: {ms}ms for client {id}"),
        )
    )


def retired_target(world: World, at: float) -> None:
    """A machine was retired and its scrape target forgotten: it is down for ever, and nobody misses it."""
    instance = f"{world.company.nodes.network}.{int(world.between(72, 90, 'retired'))}.{int(world.between(9, 240, 'retired', 2))}:9100"  # noqa: E501
    world.gauges.append(Gauge("up", {"job": "node-exporter-legacy", "instance": instance}, lambda _t: 0.0, at))
