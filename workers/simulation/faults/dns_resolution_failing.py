"""F6: cluster DNS was reconfigured and answers most names with failure, for everybody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Altered, Blow, Thing, next_version, rollout_of, workload_thing
from workers.simulation.cluster import Json
from workers.simulation.company import External
from workers.simulation.rollout import roll_out
from workers.simulation.world import EdgeEffect, Gauge, LogNote, World

FAULT = "dns_resolution_failing"
OPTIONS = {"share": 0.45}
UPSTREAM = "10.96.0.53"
"""Of another cluster: nobody answers there."""


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    if victim != "coredns":
        return _asks_the_node(world, victim, at)

    def edit(body: Json) -> None:
        body["data"]["Corefile"] = (
            body["data"]["Corefile"]
            .replace("    forward . /etc/resolv.conf\n", f"    forward . {UPSTREAM}\n")
            .replace("fallthrough in-addr.arpa ip6.arpa", "fallthrough")
        )

    world.edit("ConfigMap", "kube-system", "coredns", at, edit, "kubectl-edit", {"f:data": {"f:Corefile": {}}})
    began = at + world.between(22, 34, "reload")
    resolver = f"{world.company.services_network}.0.10:53"
    for service in world.company.services:
        for callee in service.dependencies:
            outside = isinstance(world.company.parts[callee], External)
            share = min(0.97, float(options["share"]) * (1.9 if outside else 1.0))
            world.edges.append(
                EdgeEffect(service.name, callee, "dns_timeout", began, share=share, detail={"resolver": resolver})
            )
    shape = world.shape
    for pod in world.workload("coredns").pods:

        def failed(t: float, since: float = pod.created) -> float:
            usual = (shape.until(t) - shape.until(since)) * 46 * 0.0004
            return float(int(usual + max(0.0, t - began) * 21))

        world.gauges.append(Gauge("coredns_dns_responses_total", {"pod": pod.name, "rcode": "SERVFAIL"}, failed, began))
    pod = world.workload("coredns").pods[0]
    third, store = world.company.externals[0].host, world.company.stores[0]
    inside = f"{store.name}.{store.namespace}.svc.cluster.local"
    texts = (
        f"[ERROR] plugin/errors: 2 {third}. A: read udp {pod.ip}:41{{n}}->{UPSTREAM}:53: i/o timeout",
        f"[ERROR] plugin/errors: 2 {inside}. AAAA: read udp {pod.ip}:39{{n}}->{UPSTREAM}:53: i/o timeout",
        "[INFO] plugin/reload: Running configuration SHA512 = 8d1f0c7b{id}",
    )
    world.log_notes.append(LogNote("coredns", began, world.now, 40, "error", texts))
    names = ("ConfigMap kube-system/coredns", "Service kube-system/kube-dns", "cluster_component coredns")
    thing = Thing("Deployment", "kube-system", "coredns", names)
    change = Altered("config", Thing("ConfigMap", "kube-system", "coredns"), at, ("ConfigMap kube-system/coredns",))
    return Blow(
        (thing,),
        began,
        change,
        evidence=("log ~ name resolution|i/o timeout", "metric coredns_dns_responses_total > 5%"),
    )


def _asks_the_node(world: World, victim: str, at: float) -> Blow:
    """A release has dnsPolicy Default: the pod asks the node's resolver, which knows no name of the cluster.

    kubernetes.io/docs/concepts/services-networking/dns-pod-service/#pod-s-dns-policy
    """
    it = world.workload(victim)

    def edit(template: Json) -> None:
        next_version(template)
        template["spec"]["dnsPolicy"] = "Default"

    revision = roll_out(world, it, at, edit)
    onset = min(s for p in it.pods if p.revision is revision for s, _ in p.ready_spans())
    resolver = f"{world.company.nodes.network}.0.2:53"
    for callee in it.part.dependencies:
        if not isinstance(world.company.parts[callee], External):
            detail = {"resolver": resolver}
            world.edges.append(EdgeEffect(victim, callee, "no_such_host", onset, detail=detail))
    return Blow(
        (workload_thing(it),),
        onset,
        rollout_of(it, revision),
        evidence=('log ~ no such host|"Name or service not known"', f"{victim} dnsPolicy"),
    )
