"""Traffic that a policy forbids: NetworkPolicy (F9), and authorization or mTLS of a service mesh (F10).

NetworkPolicy: a pod selected for a direction accepts only what some policy's rules of that direction allow; no rules
allow nothing (networking.k8s.io/v1 reference). Istio: AuthorizationPolicy DENY, or ALLOW without rules;
PeerAuthentication STRICT towards callers without a proxy.
"""

from __future__ import annotations

from datetime import datetime

from skills.contract import Entity, Focus, Symptom, Window
from skills.kubernetes import cite, topology
from skills.kubernetes.objects import (
    Object,
    created,
    entity,
    labels,
    mapping,
    maps,
    name,
    namespace,
    number,
    strings,
    text,
)
from skills.kubernetes.selectors import describe, matches, matches_map
from skills.kubernetes.snapshot import Snapshot, live

NAME = "kubernetes.policies"


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    found: list[Symptom | None] = [_network(snapshot, p) for p in snapshot.of("NetworkPolicy")]
    found += [_authorization(snapshot, p) for p in snapshot.all("AuthorizationPolicy")]
    found += [_peer(snapshot, p) for p in snapshot.all("PeerAuthentication")]
    return [s for s in found if s]


# --- NetworkPolicy -------------------------------------------------------------------------------------------------


def _directions(policy: Object) -> list[str]:
    types = strings(policy, "spec", "policyTypes")
    return types or (["Ingress", "Egress"] if maps(policy, "spec", "egress") else ["Ingress"])


def _network(snapshot: Snapshot, policy: Object) -> Symptom | None:
    place = namespace(policy)
    pods = live(snapshot.pods_matching(place, mapping(policy, "spec", "podSelector")))
    if not pods:
        return None  # a leftover that nobody feels
    owners = list(dict.fromkeys(snapshot.owner_of(p) for p in pods))
    blocked = [
        d
        for d in _directions(policy)
        for pod in {snapshot.owner_of(p): p for p in pods}.values()
        if not _any_rule(snapshot, place, pod, d) and (d == "Egress" or snapshot.services_of(snapshot.owner_of(pod)))
    ]
    blocked = list(dict.fromkeys(blocked))
    cut = [] if blocked else _cut_edges(snapshot, policy, owners)
    if not blocked and not cut:
        return None
    selector = describe(mapping(policy, "spec", "podSelector"))
    who = ", ".join(o.name for o in owners[:5])
    if blocked:
        why = f"no {' and no '.join(d.lower() for d in blocked)} is allowed for {who} (pods {selector})"
        victims = owners
    else:
        why = f"calls of {', '.join(f'{s.name} to {t.name}' for s, t in cut[:4])} match no rule (pods {selector})"
        victims = [s for s, _ in cut]
    # A policy for everything in the namespace is more often a base line that others open up again.
    specificity = 0.93 if blocked and "Ingress" in blocked else 0.88
    return Symptom(
        analyzer=NAME,
        entity=entity("NetworkPolicy", policy),
        faults=("network_policy_blocks",),
        summary=f"NetworkPolicy {name(policy)}: {why}.",
        specificity=specificity if blocked or cut else 0.4,
        evidence=(
            cite.seen(snapshot, "NetworkPolicy", policy, f"NetworkPolicy {name(policy)} {_told(policy)}", verb="get"),
        ),
        onset=created(policy),
        victims=tuple(dict.fromkeys([*owners, *victims])),
    )


def _told(policy: Object) -> str:
    rules = {d.lower(): policy.get("spec", {}).get(d.lower()) or [] for d in _directions(policy)}
    return f"podSelector {describe(mapping(policy, 'spec', 'podSelector'))} policyTypes {_directions(policy)} {rules}"


def _policies_for(snapshot: Snapshot, place: str, pod: Object, direction: str) -> list[Object]:
    return [
        p
        for p in snapshot.of("NetworkPolicy")
        if namespace(p) == place
        and direction in _directions(p)
        and matches(mapping(p, "spec", "podSelector"), labels(pod))
    ]


def _any_rule(snapshot: Snapshot, place: str, pod: Object, direction: str) -> bool:
    found = _policies_for(snapshot, place, pod, direction)
    return not found or any(
        maps(p, "spec", direction.lower()) or {} in (p["spec"].get(direction.lower()) or []) for p in found
    )


def _cut_edges(snapshot: Snapshot, policy: Object, owners: list[Entity]) -> list[tuple[Entity, Entity]]:
    """Known calls into the selected workloads that no ingress rule of any policy allows."""
    if "Ingress" not in _directions(policy):
        return []
    by_service: dict[Entity, list[Entity]] = {}
    calls: list[tuple[Entity, Entity]] = []
    for edge in topology.edges(snapshot):
        if edge.via == "selector":
            by_service.setdefault(edge.source, []).append(edge.target)
        elif edge.via in ("env", "config"):
            calls.append((edge.source, edge.target))
    cut = []
    for caller, service in calls:
        for target in by_service.get(service, []):
            sources, targets = live(snapshot.pods_of(caller)), live(snapshot.pods_of(target))
            if target in owners and sources and targets and not _allowed(snapshot, sources[0], targets[0]):
                cut.append((caller, target))
    return cut


def _allowed(snapshot: Snapshot, source: Object, target: Object) -> bool:
    policies = _policies_for(snapshot, namespace(target), target, "Ingress")
    ports = {number(p, "containerPort") for c in maps(target, "spec", "containers") for p in maps(c, "ports")}
    return any(
        _rule_allows(snapshot, p, rule, source, ports) for p in policies for rule in p["spec"].get("ingress") or []
    )


def _rule_allows(snapshot: Snapshot, policy: Object, rule: Object, source: Object, ports: set[int]) -> bool:
    wanted = [p.get("port") for p in maps(rule, "ports")]
    if wanted and ports and not any(not isinstance(p, int) or p in ports for p in wanted):
        return False
    peers = maps(rule, "from")
    if not peers:
        return True
    space = snapshot.find("Namespace", None, namespace(source))
    for peer in peers:
        if "ipBlock" in peer:
            return True
        if "namespaceSelector" in peer:
            inside = space is None or matches(peer["namespaceSelector"], labels(space))
        else:
            inside = namespace(source) == namespace(policy)
        if inside and ("podSelector" not in peer or matches(peer["podSelector"], labels(source))):
            return True
    return False


# --- mesh ----------------------------------------------------------------------------------------------------------


def _selected(snapshot: Snapshot, policy: Object) -> list[Object]:
    selector = mapping(policy, "spec", "selector", "matchLabels")
    places = snapshot.namespaces if namespace(policy) == "istio-system" else (namespace(policy),)
    return live([p for p in snapshot.pods if namespace(p) in places and matches_map(selector, labels(p))])


def _authorization(snapshot: Snapshot, policy: Object) -> Symptom | None:
    pods = _selected(snapshot, policy)
    action, rules = text(policy, "spec", "action") or "ALLOW", maps(policy, "spec", "rules")
    if not pods or action not in ("ALLOW", "DENY"):
        return None
    if action == "ALLOW" and not rules:
        why, specificity = "allows nothing at all", 0.93
    elif action == "DENY" and any(not r for r in (policy.get("spec", {}).get("rules") or [])):
        why, specificity = "denies everything", 0.93
    elif action == "DENY" and rules:
        why, specificity = f"denies {rules[0]}", 0.65
    else:
        why, specificity = f"allows only {rules[0]}", 0.4
    return _mesh(snapshot, "AuthorizationPolicy", policy, pods, why, specificity)


def _peer(snapshot: Snapshot, policy: Object) -> Symptom | None:
    if text(policy, "spec", "mtls", "mode") != "STRICT":
        return None
    pods = _selected(snapshot, policy)
    bare = [p for p in live(snapshot.pods) if not _has_proxy(p)]
    if not pods or not bare or not any(_has_proxy(p) for p in pods):
        return None
    who = ", ".join(dict.fromkeys(snapshot.owner_of(p).name for p in bare[:5]))
    return _mesh(snapshot, "PeerAuthentication", policy, pods, f"demands mTLS, but {who} have no proxy", 0.7)


def _has_proxy(pod: Object) -> bool:
    return any(text(c, "name") == "istio-proxy" for g in ("containers", "initContainers") for c in maps(pod, "spec", g))


def _mesh(snapshot: Snapshot, kind: str, policy: Object, pods: list[Object], why: str, specificity: float) -> Symptom:
    return Symptom(
        analyzer=NAME,
        entity=entity(kind, policy),
        faults=("mesh_policy_blocks",),
        summary=f"{kind} {name(policy)} {why}.",
        specificity=specificity,
        evidence=(cite.seen(snapshot, kind, policy, f"{kind} {name(policy)} {why}", verb="get"),),
        onset=created(policy),
        victims=tuple(dict.fromkeys(snapshot.owner_of(p) for p in pods)),
    )
