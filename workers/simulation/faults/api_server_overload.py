"""A10: an agent was rolled out that asks the Kubernetes API for every line it ships; the API answers 429 to everybody.

Metrics: kubernetes.io/docs/reference/instrumentation/metrics (apiserver_request_total, apiserver_flowcontrol_*). Texts
are client-go's: "the server has received too many requests and has asked us to try again later" is the message of a
429 StatusError, and the reflector writes "Failed to watch". A controller that misses its lease writes LeaderElection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workers.simulation.blow import Blow, rollout_of, workload_thing
from workers.simulation.cluster import Json, Note
from workers.simulation.metrics.control_plane import LABELS, RATES
from workers.simulation.rollout import roll_out
from workers.simulation.world import Gauge, LogNote, OwnEffect, World

FAULT = "api_server_overload"
OPTIONS = {"per_second": 340}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it, flood = world.workload(victim), float(options["per_second"])

    def edit(template: Json) -> None:
        container = template["spec"]["containers"][0]
        container.setdefault("env", []).append({"name": "KUBE_META_CACHE_TTL", "value": "0s"})

    revision = roll_out(world, it, at, edit)
    onset = min(s for p in it.pods if p.revision is revision for s, _ in p.ready_spans()) + 20

    def counted(usual: float, more: float) -> Callable[[float], float]:
        return lambda t: float(int((t - world.founded) * usual + max(0.0, t - onset) * more))

    usual = RATES[("LIST", "pods", "200")]
    pods = {**LABELS, "verb": "LIST", "resource": "pods", "version": "v1", "group": ""}
    world.gauges.append(Gauge("apiserver_request_total", {**pods, "code": "200"}, counted(usual, flood * 0.64)))
    world.gauges.append(Gauge("apiserver_request_total", {**pods, "code": "429"}, counted(0, flood * 0.36), onset))
    for verb, resource in (("PUT", "leases"), ("GET", "leases"), ("PUT", "nodes")):
        labels = {**LABELS, "verb": verb, "resource": resource, "version": "v1", "group": "", "code": "429"}
        world.gauges.append(Gauge("apiserver_request_total", labels, counted(0, 0.31), onset))
    schema = {"flow_schema": "service-accounts", "priority_level": "workload-low", "reason": "queue-full"}
    world.gauges.append(
        Gauge("apiserver_flowcontrol_rejected_requests_total", {**LABELS, **schema}, counted(0, flood * 0.36), onset)
    )
    world.gauges.append(
        Gauge(
            "apiserver_current_inflight_requests",
            {"request_kind": "readOnly"},
            lambda t: 396.0 + int(t // 7) % 5,
            onset,
        )
    )
    world.own.append(OwnEffect(victim, "cpu", onset, factor=0.7, revision=revision.number))
    _words(world, victim, onset)
    _leases(world, onset)
    return Blow(
        (workload_thing(it),),
        onset,
        rollout_of(it, revision),
        evidence=("metric apiserver_request_total and 429", "log ~ has asked us to try again later"),
    )


def _words(world: World, victim: str, onset: float) -> None:
    server = f"https://{world.company.services_network}.0.1:443"
    busy = "the server has received too many requests and has asked us to try again later"
    query = f"{server}/api/v1/pods?fieldSelector=status.podIP%3D{{id}}"
    loud = (
        f"request.go:697] Waited for 1.{{n}}s due to client-side throttling, request: GET:{query}",
        f'metadata.go:118] "Pod metadata lookup failed, asking again" err="{busy} (get pods)" attempt={{n}}',
    )
    world.log_notes.append(LogNote(victim, onset, world.now, 40, "warning", loud, logger="klog"))
    quiet = f"reflector.go:561] k8s.io/client-go/informers/factory.go:160: failed to list *v1.Pod: {busy} (get pods)"
    for name in ("kube-state-metrics", "metrics-server"):
        world.log_notes.append(LogNote(name, onset + 20, world.now, 1.2, "warning", (quiet,), logger="klog"))
    text = f"[WARNING] plugin/kubernetes: {busy}"
    world.log_notes.append(LogNote("coredns", onset + 20, world.now, 0.7, "warning", (text,)))


def _leases(world: World, onset: float) -> None:
    for i, name in enumerate(("kube-scheduler", "kube-controller-manager")):
        taken = onset + 70 + 41 * i
        if taken > world.now:
            continue
        lease = world.objects["Lease"][("kube-system", name)]
        holder = lease["spec"]["holderIdentity"]
        lease["spec"].update(acquireTime=taken, leaseTransitions=lease["spec"]["leaseTransitions"] + 1)
        uid = lease["metadata"]["uid"]
        text = f"{holder} became leader"
        api = "coordination.k8s.io/v1"
        world.note(
            Note(
                "Lease", "kube-system", name, uid, "LeaderElection", text, taken, taken, component=name, api_version=api
            )
        )
