"""Traffic that a CiliumNetworkPolicy forbids (F9).

cilium.io/v2: a policy with rules in its `ingress` or `egress` section puts the endpoints that it selects into default
deny for that direction, unless `enableDefaultDeny` says no; an empty rule `{}` allows nothing, `ingressDeny` and
`egressDeny` win over what is allowed ("Policy Enforcement Modes" and "Deny Policies" of its manual). Labels may carry
their source: `k8s:app`.
"""

from __future__ import annotations

from datetime import datetime

from skills.contract import Entity, Focus, Symptom, Window
from skills.kubernetes import cite, topology
from skills.kubernetes.analyzers.policies import weight_by_age
from skills.kubernetes.differences import owner_of_field
from skills.kubernetes.objects import (
    Object,
    created,
    dig,
    entity,
    labels,
    latest,
    mapping,
    maps,
    name,
    namespace,
    time_of,
)
from skills.kubernetes.pods import live
from skills.kubernetes.selectors import describe, matches_map
from skills.kubernetes.snapshot import Snapshot

NAME = "kubernetes.cilium"
_PEERS = {
    "ingress": ("fromEndpoints", "fromEntities", "fromCIDR", "fromCIDRSet", "fromNodes", "fromGroups"),
    "egress": ("toEndpoints", "toEntities", "toCIDR", "toCIDRSet", "toFQDNs", "toServices", "toNodes", "toGroups"),
}


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    found = [_policy(snapshot, p) for p in snapshot.of("CiliumNetworkPolicy")]
    return [s for s in found if s]


def _policy(snapshot: Snapshot, policy: Object) -> Symptom | None:
    selector = {_plain(k): v for k, v in mapping(policy, "spec", "endpointSelector", "matchLabels").items()}
    pods = [p for p in snapshot.pods if namespace(p) == namespace(policy) and matches_map(selector, labels(p))]
    owners = list(dict.fromkeys(snapshot.owner_of(p) for p in live(pods)))
    if not owners:
        return None  # a leftover that nobody feels
    closed = [d for d in _PEERS if _allows_nothing(snapshot, policy, d)]
    denied = [d for d in _PEERS if maps(policy, "spec", f"{d}Deny")]
    cut = [] if closed or denied else _not_admitted(snapshot, policy, owners)
    if cut:
        return _cut(snapshot, policy, cut, describe(selector))
    if not closed and not denied:
        return None
    what = f"no {' and no '.join(closed)} is allowed" if closed else f"{' and '.join(denied)} is denied for some"
    words = f"CiliumNetworkPolicy {name(policy)}: {what} for {', '.join(o.name for o in owners[:5])}"
    at = latest([created(policy), time_of(owner_of_field(policy, "spec")[1])])
    return Symptom(
        analyzer=NAME,
        entity=entity("CiliumNetworkPolicy", policy),
        faults=("network_policy_blocks",),
        summary=f"{words} (endpoints {describe(selector)}).",
        specificity=(0.9 if closed else 0.6) * weight_by_age(snapshot, at),
        evidence=(cite.seen(snapshot, "CiliumNetworkPolicy", policy, words, verb="get"),),
        onset=at,
        victims=tuple(owners),
    )


def _cut(snapshot: Snapshot, policy: Object, cut: list[tuple[Entity, Entity]], selector: str) -> Symptom:
    calls = ", ".join(f"{caller.name} to {target.name}" for caller, target in cut[:4])
    words = f"CiliumNetworkPolicy {name(policy)}: calls of {calls} match no ingress rule (endpoints {selector})"
    at = latest([created(policy), time_of(owner_of_field(policy, "spec")[1])])
    return Symptom(
        analyzer=NAME,
        entity=entity("CiliumNetworkPolicy", policy),
        faults=("network_policy_blocks",),
        summary=f"{words}.",
        specificity=0.85 * weight_by_age(snapshot, at),
        evidence=(cite.seen(snapshot, "CiliumNetworkPolicy", policy, words, verb="get"),),
        onset=at,
        victims=tuple(dict.fromkeys([t for _, t in cut] + [c for c, _ in cut])),
    )


def _not_admitted(snapshot: Snapshot, policy: Object, owners: list[Entity]) -> list[tuple[Entity, Entity]]:
    """(caller, target) of known calls into the selected endpoints that the rules of no policy name."""
    if not maps(policy, "spec", "ingress") or dig(policy, "spec", "enableDefaultDeny", "ingress") is False:
        return []
    here = [p for p in snapshot.of("CiliumNetworkPolicy") if namespace(p) == namespace(policy)]
    behind = [(e.source, e.target) for e in topology.edges(snapshot) if e.via == "selector"]
    cut = []
    for edge in topology.edges(snapshot):
        if edge.via not in ("env", "config"):
            continue
        for target in (t for s, t in behind if s == edge.target and t in owners and t != edge.source):
            callers, pods = live(snapshot.pods_of(edge.source)), live(snapshot.pods_of(target))
            rules = [r for p in here for r in maps(p, "spec", "ingress") if pods and _selects(p, pods[0])]
            if callers and pods and not any(_admits(r, callers[0], target) for r in rules):
                cut.append((edge.source, target))
    return list(dict.fromkeys(cut))


def _selects(policy: Object, pod: Object) -> bool:
    selector = {_plain(k): v for k, v in mapping(policy, "spec", "endpointSelector", "matchLabels").items()}
    expressions = maps(policy, "spec", "endpointSelector", "matchExpressions")
    return not expressions and matches_map(selector, labels(pod))


def _admits(rule: Object, caller: Object, target: Entity) -> bool:
    """Whether an ingress rule lets the caller in; where it says more than labels, it is given the benefit of doubt."""
    if not any(k in rule for k in _PEERS["ingress"]):
        return "toPorts" in rule or "icmps" in rule  # from anybody
    others = [k for k in _PEERS["ingress"] if k != "fromEndpoints" and rule.get(k)]
    if [k for k in others if k != "fromEntities"] or set(rule.get("fromEntities") or ()) & {"all", "cluster"}:
        return True
    for peer in maps(rule, "fromEndpoints"):
        wanted = {_plain(k): str(v) for k, v in mapping(peer, "matchLabels").items()}
        place = wanted.pop(_NAMESPACE, target.namespace or "")
        same = place == namespace(caller)
        if peer.get("matchExpressions") or (same and matches_map(wanted, labels(caller))) or (same and not wanted):
            return True
    return False


_NAMESPACE = "io.kubernetes.pod.namespace"


def _plain(key: str) -> str:
    """`k8s:app` and `any:app` are `app`."""
    return key.partition(":")[2] or key


def _allows_nothing(snapshot: Snapshot, policy: Object, direction: str) -> bool:
    """The direction is closed by this policy and not opened again by another one for the same endpoints."""
    section = mapping(policy, "spec").get(direction)
    left_open = dig(policy, "spec", "enableDefaultDeny", direction) is False
    if not isinstance(section, list) or not section or left_open or _opens(policy, direction):
        return False
    others = [p for p in snapshot.of("CiliumNetworkPolicy") if p is not policy and namespace(p) == namespace(policy)]
    return not any(_opens(p, direction) for p in others)


def _opens(policy: Object, direction: str) -> bool:
    ports = ("toPorts", "icmps")
    return any(any(k in rule for k in (*_PEERS[direction], *ports)) for rule in maps(policy, "spec", direction))
