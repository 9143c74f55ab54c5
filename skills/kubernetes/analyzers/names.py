"""Names that do not resolve (F6): a wrong dnsPolicy in a template, or CoreDNS itself (Corefile, pods, Service).

dnsPolicy: "Default" takes the node's resolver, "None" only dnsConfig; "ClusterFirst" on the host network acts like
Default (kubelet pkg/kubelet/network/dns). Corefile: plugins template, rewrite, kubernetes of the CoreDNS manual.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from skills.contract import Entity, Focus, Symptom, Window
from skills.kubernetes import cite, references, rollouts
from skills.kubernetes.differences import owner_of_field
from skills.kubernetes.kinds import SYSTEM_NAMESPACE
from skills.kubernetes.objects import (
    Object,
    created,
    dig,
    entity,
    holds,
    labels,
    latest,
    mapping,
    name,
    number,
    strings,
    text,
    time_of,
)
from skills.kubernetes.pods import is_ready, live, unready_since
from skills.kubernetes.snapshot import Snapshot, Workload

NAME = "kubernetes.names"
_RECENT = timedelta(hours=2)
# The name that is asked for lies in the cluster; outer names that lead to Services are rewritten every day.
_REWRITE = re.compile(
    r"rewrite\s+(?:stop\s+\{?\s*)?(?:name\s+)?(?:exact|prefix|suffix|substring|regex)?\s*\S*\.svc\S*\s+\S+"
)
_TEMPLATE = re.compile(r"template\s+(?P<head>[^{\n]*)\{(?P<body>[^}]*)\}")


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    found = [_policy(snapshot, w) for w in snapshot.workloads]
    return [s for s in [*found, _corefile(snapshot), _servers(snapshot), _of_nodes(snapshot)] if s]


def _policy(snapshot: Snapshot, workload: Workload) -> Symptom | None:
    spec = workload.pod_spec
    policy = text(spec, "dnsPolicy") or "ClusterFirst"
    servers = strings(spec, "dnsConfig", "nameservers")
    on_host = dig(spec, "hostNetwork") is True
    if policy in ("ClusterFirst", "ClusterFirstWithHostNet") and not (on_host and policy == "ClusterFirst"):
        return None
    cluster = text(snapshot.find("Service", SYSTEM_NAMESPACE, "kube-dns"), "spec", "clusterIP")
    if policy == "None" and ((cluster and cluster in servers) or any(s.startswith("169.254.") for s in servers)):
        return None
    calls = [
        r
        for r in references.of_workload(snapshot, workload)
        if references.service_of(snapshot, r.host, workload.entity.namespace or "")
    ]
    told = f"dnsPolicy {policy}" + (f", nameservers {', '.join(servers)}" if servers else "")
    told += ", hostNetwork" if on_host else ""
    rollout = rollouts.latest(snapshot, workload.entity)
    changed = rollout if rollouts.find(rollout, "spec.dns") else None
    specificity = 0.94 if policy == "None" else 0.85 if calls and not on_host else 0.35
    target = workload.entity
    return Symptom(
        analyzer=NAME,
        entity=target,
        faults=("dns_resolution_failing",),
        summary=f"{target.kind} {target.name}: {told}: names of Services do not resolve in its pods ({len(calls)} "
        "are configured).",
        specificity=specificity,
        evidence=(
            cite.about(snapshot, target, f"{target.kind} {target.name} {told}", verb="get"),
            *(references.excerpt(snapshot, r) for r in calls[:2]),
        ),
        onset=changed.after.at if changed else created(workload.obj),
        change=changed.id if changed else None,
        victims=tuple(entity("Service", s) for s in snapshot.services_of(target)),
    )


def _corefile(snapshot: Snapshot) -> Symptom | None:
    config = snapshot.find("ConfigMap", SYSTEM_NAMESPACE, "coredns")
    corefile = re.sub(r"(?m)^\s*#.*$", "", text(config, "data", "Corefile"))
    if config is None or not corefile:
        return None
    blocked = [
        m
        for m in _TEMPLATE.finditer(corefile)
        if re.search(r"rcode\s+(NXDOMAIN|SERVFAIL|REFUSED)", m["body"]) and re.search(r"cluster|svc|\.local", m[0])
    ]
    why = ""
    if blocked:
        why = f"a template answers {' '.join(blocked[0][0].split())}"
    elif not re.search(r"\bkubernetes\s", corefile):
        why = "the kubernetes plugin is gone"
    elif rewritten := _REWRITE.search(corefile):
        why = f"names are rewritten: {rewritten.group(0).strip()}"
    manager, stamp = owner_of_field(config, "data")
    at = time_of(stamp)
    edited = at is not None and manager.startswith("kubectl") and snapshot.clock - at < _RECENT
    if not why and edited:
        forward = re.search(r"forward\s+[^\n{]*", corefile)
        why = f"something was edited by {manager} at {stamp}" + (f" ({forward.group(0).strip()})" if forward else "")
    if not why:
        return None
    victims = [
        entity("Service", s)
        for s in snapshot.of("Service")
        if blocked and f"{name(s)}." in blocked[0][0].replace("\\", "")
    ]
    return Symptom(
        analyzer=NAME,
        entity=entity("ConfigMap", config),
        faults=("dns_resolution_failing",),
        summary=f"Cluster DNS: in the Corefile of kube-system/coredns {why}.",
        specificity=0.96 if blocked else 0.75 if edited else 0.8,
        evidence=(cite.seen(snapshot, "ConfigMap", config, f"ConfigMap coredns Corefile: {why}", verb="get"),),
        onset=at,
        victims=tuple(victims),
    )


def _servers(snapshot: Snapshot) -> Symptom | None:
    """No CoreDNS (or kube-dns) pod is ready."""
    deployments = [d for d in snapshot.system("Deployment") if _is_dns(d)]
    pods = live([p for p in snapshot.system("Pod") if _is_dns(p)])
    serving = any(is_ready(p) for p in pods) or (
        not pods and any(number(d, "status", "readyReplicas") for d in deployments)
    )
    if (not deployments and not pods) or serving:
        return None
    wanted = [number(d, "spec", "replicas") for d in deployments]
    target = entity("Deployment", deployments[0]) if deployments else snapshot.owner_of(pods[0])
    words = (
        f"{target.kind} {target.name} wants {wanted[0] if wanted else '?'} replicas, {len(pods)} pods exist, "
        "none is ready"
    )
    return Symptom(
        analyzer=NAME,
        entity=Entity(kind=target.kind, namespace=SYSTEM_NAMESPACE, name=target.name),
        faults=("dns_resolution_failing",),
        summary=f"Cluster DNS is down: {words}.",
        specificity=0.95,
        evidence=(cite.about(snapshot, target, words),),
        # When the last of them stopped being ready: a pod is older than its trouble.
        onset=latest(unready_since(p) for p in pods),
    )


def _of_nodes(snapshot: Snapshot) -> Symptom | None:
    """NodeLocal DNSCache: where its pod is down, names fail for every pod of that node."""
    for agent in snapshot.system("DaemonSet"):
        ready, wanted = number(agent, "status", "numberReady"), number(agent, "status", "desiredNumberScheduled")
        if name(agent) not in ("node-local-dns", "nodelocaldns") or ready >= wanted:
            continue
        nodes = [n for n in snapshot.all("Node") if not holds(n, "Ready")]
        if len(nodes) >= wanted - ready:
            continue  # those nodes are down as a whole
        words = f"DaemonSet {name(agent)}: {ready} of {wanted} ready"
        return Symptom(
            analyzer=NAME,
            entity=entity("DaemonSet", agent),
            faults=("dns_resolution_failing",),
            summary=f"Cluster DNS on {wanted - ready} node(s): {words}.",
            specificity=0.7,
            evidence=(cite.seen(snapshot, "DaemonSet", agent, words),),
        )
    return None


def _is_dns(obj: Object) -> bool:
    return (
        labels(obj).get("k8s-app") in ("kube-dns", "coredns")
        or name(obj) == "coredns"
        or "coredns" in str(mapping(obj, "spec", "selector"))
    )
