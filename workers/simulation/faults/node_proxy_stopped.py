"""H3: kube-proxy on a node fails; its rules stay as they were, and lead to pods that are gone after the next release.

Words: kube-proxy's klog on iptables-restore (pkg/proxy/iptables/proxier.go, "Failed to execute iptables-restore");
metric kubeproxy_sync_proxy_rules_last_timestamp_seconds stands still.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

from workers.simulation.blow import Blow, Thing, next_version, node_named
from workers.simulation.company import Service, SimulationError
from workers.simulation.fates import loop
from workers.simulation.rollout import roll_out
from workers.simulation.world import EdgeEffect, LogNote, World

FAULT = "node_proxy_stopped"
OPTIONS = {"released": "", "later": 240}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    """`released` is the service whose pods are replaced `later` seconds after; it is innocent."""
    node = node_named(world, victim)
    proxy = world.workload("kube-proxy")
    pod = next((p for p in proxy.pods if p.node == node.name and p.deleted == inf), None)
    callee = world.company.parts.get(str(options["released"]))
    if pod is None or not isinstance(callee, Service):
        raise SimulationError("options.released must be a service, and the node must have a kube-proxy")
    error = 'proxier.go:1564] "Failed to execute iptables-restore" err=<exit status 1: iptables-restore v1.8.8 (nf_tables): Could not fetch rule set generation id: Invalid argument>'  # noqa: E501
    loop(world, pod, at, lambda _n: 21.0, exit_code=1, reason="Error", ready=False)
    world.log_notes.append(LogNote("kube-proxy", at - 4, world.now, 14, "error", (error,), pod=pod.name, logger="klog"))
    it = world.workload(callee.name)
    old = [p for p in it.present(at) if p.deleted == inf]
    began = at + float(options["later"])
    roll_out(world, it, began, lambda template: (next_version(template), None)[1])
    onset = min(p.deleted for p in old) + 1
    for service in world.company.services:
        if callee.name in service.dependencies:
            address = f"{world.service(callee.name).cluster_ip}:{callee.port}"
            error = (
                "httpx.ConnectError: [Errno 113] No route to host"
                if service.language == "python"
                else f"dial tcp {address}: connect: no route to host"
            )
            detail = {"error": error, "address": address}
            world.edges.append(EdgeEffect(service.name, callee.name, "refused", onset, node=node.name, detail=detail))
    names = (f"Pod kube-system/{pod.name}", "DaemonSet kube-system/kube-proxy", "cluster_component kube-proxy")
    return Blow(
        (Thing("Node", "", node.name, names),),
        at,
        None,
        evidence=("log ~ Failed to execute iptables-restore",),
    )
