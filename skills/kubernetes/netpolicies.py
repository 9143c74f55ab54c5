"""What NetworkPolicies let through, as networking.k8s.io/v1 defines it: a pod that some policy selects for a direction
accepts only what a rule of one of these policies names; a rule without peers names all, one without ports every port.
"""

from __future__ import annotations

from skills.kubernetes.objects import Object, labels, mapping, maps, namespace, number, strings, text
from skills.kubernetes.selectors import matches
from skills.kubernetes.snapshot import Snapshot

DNS_PORT = 53


def directions(policy: Object) -> list[str]:
    types = strings(policy, "spec", "policyTypes")
    return types or (["Ingress", "Egress"] if maps(policy, "spec", "egress") else ["Ingress"])


def rules(policy: Object, direction: str) -> list[Object]:
    found = mapping(policy, "spec").get(direction.lower())
    return [r for r in found if isinstance(r, dict)] if isinstance(found, list) else []


def selecting(snapshot: Snapshot, pod: Object, direction: str) -> list[Object]:
    return [
        p
        for p in snapshot.all("NetworkPolicy")
        if namespace(p) == namespace(pod)
        and direction in directions(p)
        and matches(mapping(p, "spec", "podSelector"), labels(pod))
    ]


def any_rule(snapshot: Snapshot, pod: Object, direction: str) -> bool:
    found = selecting(snapshot, pod, direction)
    return not found or any(rules(p, direction) for p in found)


def lets_in(snapshot: Snapshot, source: Object, target: Object) -> bool:
    """Whether the policies of the target let the source in, on a port that the target's containers declare."""
    found = selecting(snapshot, target, "Ingress")
    ports = {number(p, "containerPort") for c in maps(target, "spec", "containers") for p in maps(c, "ports")}
    return not found or any(_names(snapshot, p, r, source, ports, "from") for p in found for r in rules(p, "Ingress"))


def lets_out(snapshot: Snapshot, source: Object, target: Object) -> bool:
    found = selecting(snapshot, source, "Egress")
    ports = {number(p, "containerPort") for c in maps(target, "spec", "containers") for p in maps(c, "ports")}
    return not found or any(_names(snapshot, p, r, target, ports, "to") for p in found for r in rules(p, "Egress"))


def lets_ask_names(snapshot: Snapshot, pod: Object) -> bool:
    """Whether the pod may ask cluster DNS: some egress rule names port 53 or all, towards kube-system or anybody."""
    found = selecting(snapshot, pod, "Egress")
    return not found or any(_is_for_dns(r) for p in found for r in rules(p, "Egress"))


def _is_for_dns(rule: Object) -> bool:
    ports = [p.get("port") for p in maps(rule, "ports")]
    open_port = not ports or any(p in (DNS_PORT, "dns", "dns-tcp", 5353, 1053, None) for p in ports)
    return open_port and (not maps(rule, "to") or any(_may_be_system(peer) for peer in maps(rule, "to")))


def _may_be_system(peer: Object) -> bool:
    if "ipBlock" in peer:
        return True  # node-local DNS and Services of some networks are allowed by address
    if "namespaceSelector" not in peer:
        return False
    wanted = mapping(peer, "namespaceSelector", "matchLabels")
    named = text(wanted, "kubernetes.io/metadata.name")
    return not named or named in ("kube-system", "openshift-dns")


def _names(snapshot: Snapshot, policy: Object, rule: Object, other: Object, ports: set[int], side: str) -> bool:
    wanted = [p.get("port") for p in maps(rule, "ports")]
    ends = [(p.get("port"), p.get("endPort")) for p in maps(rule, "ports")]
    in_range = any(isinstance(a, int) and isinstance(b, int) and any(a <= q <= b for q in ports) for a, b in ends)
    if wanted and ports and not in_range and not any(not isinstance(p, int) or p in ports for p in wanted):
        return False
    peers = maps(rule, side)
    return not peers or any(_is_peer(snapshot, policy, peer, other) for peer in peers)


def _is_peer(snapshot: Snapshot, policy: Object, peer: Object, other: Object) -> bool:
    if "ipBlock" in peer:
        return True
    if "namespaceSelector" in peer:
        space = snapshot.find("Namespace", None, namespace(other))
        inside = space is None or matches(peer["namespaceSelector"], labels(space))
    else:
        inside = namespace(other) == namespace(policy)
    return inside and ("podSelector" not in peer or matches(peer["podSelector"], labels(other)))
