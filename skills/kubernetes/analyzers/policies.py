"""Traffic that a policy forbids: NetworkPolicy (F9), and authorization or mTLS of a service mesh (F10).

NetworkPolicy: a pod selected for a direction accepts only what some policy's rules of that direction allow; no rules
allow nothing (networking.k8s.io/v1 reference). Istio: AuthorizationPolicy DENY, or ALLOW without rules;
PeerAuthentication STRICT towards callers without a proxy.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta

from skills.contract import Entity, Focus, Symptom, Window
from skills.kubernetes import cite, netpolicies, references, topology
from skills.kubernetes.differences import owner_of_field
from skills.kubernetes.objects import (
    Object,
    created,
    entity,
    labels,
    latest,
    mapping,
    maps,
    name,
    namespace,
    strings,
    text,
    time_of,
)
from skills.kubernetes.pods import live
from skills.kubernetes.selectors import describe, matches_map
from skills.kubernetes.snapshot import Snapshot

NAME = "kubernetes.policies"


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    found: list[Symptom | None] = [_network(snapshot, p) for p in snapshot.of("NetworkPolicy")]
    found += [_authorization(snapshot, p) for p in snapshot.all("AuthorizationPolicy")]
    found += [_peer(snapshot, p) for p in snapshot.all("PeerAuthentication")]
    return [s for s in found if s]


# --- NetworkPolicy -------------------------------------------------------------------------------------------------


def _network(snapshot: Snapshot, policy: Object) -> Symptom | None:
    pods = live(snapshot.pods_matching(namespace(policy), mapping(policy, "spec", "podSelector")))
    if not pods:
        return None  # a leftover that nobody feels
    by_owner = {snapshot.owner_of(p): p for p in pods}
    owners = list(by_owner)
    blocked = dict.fromkeys(
        d
        for d in netpolicies.directions(policy)
        for owner, pod in by_owner.items()
        if not netpolicies.any_rule(snapshot, pod, d) and (d == "Egress" or snapshot.services_of(owner))
    )
    cut = [] if blocked else _cut_edges(snapshot, policy, owners)
    deaf = [] if blocked or "Egress" not in netpolicies.directions(policy) else _without_names(snapshot, by_owner)
    selector = describe(mapping(policy, "spec", "podSelector"))
    who = ", ".join(o.name for o in owners[:5])
    if blocked:
        why = f"no {' and no '.join(d.lower() for d in blocked)} is allowed for {who} (pods {selector})"
        # Only what is called, or calls, can feel it.
        specificity = 0.93 if "Ingress" in blocked else 0.88
        victims = owners
    elif cut:
        why = f"calls of {', '.join(f'{s.name} to {t.name}' for s, t in cut[:4])} match no rule (pods {selector})"
        specificity, victims = 0.88, [s for s, _ in cut]
    elif deaf:
        why = f"{', '.join(o.name for o in deaf[:4])} may not ask cluster DNS: no egress rule allows port 53"
        specificity, victims = 0.88, deaf
    else:
        return None
    at = latest([created(policy), time_of(owner_of_field(policy, "spec")[1])])
    return Symptom(
        analyzer=NAME,
        entity=entity("NetworkPolicy", policy),
        faults=("network_policy_blocks", "dns_resolution_failing") if deaf else ("network_policy_blocks",),
        summary=f"NetworkPolicy {name(policy)}: {why}.",
        specificity=specificity * weight_by_age(snapshot, at),
        evidence=(
            cite.seen(snapshot, "NetworkPolicy", policy, f"NetworkPolicy {name(policy)} {_told(policy)}", verb="get"),
        ),
        onset=at,
        victims=tuple(dict.fromkeys([*owners, *victims])),
    )


def weight_by_age(snapshot: Snapshot, at: datetime | None) -> float:
    """A policy that has stood for weeks did not break what worked yesterday."""
    if at is None or snapshot.clock - at < timedelta(days=1):
        return 1.0
    return 0.75 if snapshot.clock - at < timedelta(days=7) else 0.5


def _told(policy: Object) -> str:
    rules = {d.lower(): netpolicies.rules(policy, d) for d in netpolicies.directions(policy)}
    types = netpolicies.directions(policy)
    return f"podSelector {describe(mapping(policy, 'spec', 'podSelector'))} policyTypes {types} {rules}"


def _without_names(snapshot: Snapshot, by_owner: dict[Entity, Object]) -> list[Entity]:
    """Workloads that call others by name and may not ask for names."""
    callers = {r.workload for r in references.every(snapshot) if re.search("[a-z]", r.host)}
    return [o for o, pod in by_owner.items() if o in callers and not netpolicies.lets_ask_names(snapshot, pod)]


def _cut_edges(snapshot: Snapshot, policy: Object, owners: list[Entity]) -> list[tuple[Entity, Entity]]:
    """Known calls into the selected workloads, or out of them, that no rule of any policy allows."""
    into, out = (d in netpolicies.directions(policy) for d in ("Ingress", "Egress"))
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
            if not sources or not targets or caller == target:
                continue
            stopped = into and target in owners and not netpolicies.lets_in(snapshot, sources[0], targets[0])
            stopped |= out and caller in owners and not netpolicies.lets_out(snapshot, sources[0], targets[0])
            if stopped:
                cut.append((caller, target))
    return cut


# --- mesh ----------------------------------------------------------------------------------------------------------


def _selected(snapshot: Snapshot, policy: Object) -> list[Object]:
    selector = mapping(policy, "spec", "selector", "matchLabels")
    places = snapshot.namespaces if namespace(policy) == "istio-system" else (namespace(policy),)
    return live([p for p in snapshot.pods if namespace(p) in places and matches_map(selector, labels(p))])


def _authorization(snapshot: Snapshot, policy: Object) -> Symptom | None:
    pods = _selected(snapshot, policy)
    action, rules = text(policy, "spec", "action") or "ALLOW", maps(policy, "spec", "rules")
    if _is_of_gateway(snapshot, policy):
        return _at_the_gateway(snapshot, policy, action, rules)
    if not pods or action not in ("ALLOW", "DENY"):
        return None
    if action == "ALLOW" and not rules:
        why, specificity = "allows nothing at all", 0.93
    elif action == "DENY" and any(r == {} for r in maps(policy, "spec", "rules")):
        why, specificity = "denies everything", 0.93
    elif action == "DENY" and rules:
        why, specificity = f"denies {rules[0]}", 0.65
    else:
        why, specificity = f"allows only {rules[0]}", 0.4
    specificity *= weight_by_age(snapshot, latest([created(policy), time_of(owner_of_field(policy, "spec")[1])]))
    return _mesh(snapshot, "AuthorizationPolicy", policy, pods, why, specificity)


def _is_of_gateway(snapshot: Snapshot, policy: Object) -> bool:
    """Of a gateway that stands in a namespace of its own, whose pods are not read: by the label that charts give it, or
    by the Gateway that it names."""
    selected = mapping(policy, "spec", "selector", "matchLabels")
    named = any("gateway" in f"{k}={v}".lower() for k, v in selected.items())
    named |= any(text(t, "kind") == "Gateway" for t in maps(policy, "spec", "targetRefs"))
    return named and namespace(policy) not in snapshot.namespaces


def _at_the_gateway(snapshot: Snapshot, policy: Object, action: str, rules: list[Object]) -> Symptom | None:
    """Denies at the door whatever comes in from outside: whoever is called from there gets no requests."""
    if action == "ALLOW" and not rules:
        why, specificity = "allows nothing at all", 0.9
    elif action == "DENY" and any(not r.get("from") and not r.get("when") for r in rules):
        why, specificity = f"denies {rules[0]} to anybody", 0.85
    elif action == "DENY" and rules:
        why, specificity = f"denies {rules[0]}", 0.5
    else:
        return None
    at = latest([created(policy), time_of(owner_of_field(policy, "spec")[1])])
    found = _mesh(snapshot, "AuthorizationPolicy", policy, [], f"of the gateway {why}", specificity)
    return replace(found, specificity=specificity * weight_by_age(snapshot, at), victims=_let_in(snapshot))


def _let_in(snapshot: Snapshot) -> tuple[Entity, ...]:
    """Workloads that requests from outside reach first: those that routes lead to, else those that nobody inside
    calls."""
    behind: dict[Entity, list[Entity]] = {}
    for edge in topology.edges(snapshot):
        if edge.via == "selector":
            behind.setdefault(edge.source, []).append(edge.target)
    routed = [e.target for e in topology.edges(snapshot) if e.via == "ingress"]
    for virtual in snapshot.of("VirtualService"):
        hosts = [text(r, "destination", "host") for rule in maps(virtual, "spec", "http") for r in maps(rule, "route")]
        outer = [g for g in strings(virtual, "spec", "gateways") if g != "mesh"]
        place = namespace(virtual)
        routed += [Entity(kind="Service", namespace=place, name=h.partition(".")[0]) for h in hosts if outer]
    called = {e.target for e in topology.edges(snapshot) if e.via in ("env", "config")}
    doors = routed or [service for service in behind if service not in called]
    return tuple(dict.fromkeys(t for service in doors for t in (service, *behind.get(service, ()))))


def _peer(snapshot: Snapshot, policy: Object) -> Symptom | None:
    if text(policy, "spec", "mtls", "mode") != "STRICT":
        return None
    pods = _selected(snapshot, policy)
    bare = [p for p in live(snapshot.pods) if not _has_proxy(p)]
    if not pods or not bare or not any(_has_proxy(p) for p in pods):
        return None
    callers = _callers_of(snapshot, {snapshot.owner_of(p) for p in pods})
    without = list(dict.fromkeys(snapshot.owner_of(p) for p in bare))
    cut = [o for o in without if o in callers]
    who = ", ".join(o.name for o in (cut or without)[:5])
    age = weight_by_age(snapshot, latest([created(policy), time_of(owner_of_field(policy, "spec")[1])]))
    # Jobs and agents without a proxy are everywhere; it hurts only who calls into the mesh.
    specificity = (0.88 if cut else 0.4) * age
    return _mesh(snapshot, "PeerAuthentication", policy, pods, f"demands mTLS, but {who} have no proxy", specificity)


def _callers_of(snapshot: Snapshot, targets: set[Entity]) -> set[Entity]:
    services = {entity("Service", s) for t in targets for s in snapshot.services_of(t)}
    return {e.source for e in topology.edges(snapshot) if e.target in services and e.via in ("env", "config")}


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
