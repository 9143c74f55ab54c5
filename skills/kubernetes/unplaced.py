"""Why a pod finds no node, one reason of the scheduler's message at a time: the reason is checked against the pod's
spec and all nodes, and becomes a verdict (faults, words, how sure).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from skills.contract import Entity, Excerpt
from skills.kubernetes import cite, rollouts
from skills.kubernetes.analyzers.quotas import storage_quota
from skills.kubernetes.deadlock import waits_for_itself
from skills.kubernetes.objects import (
    Object,
    condition,
    dig,
    labels,
    mapping,
    maps,
    name,
    namespace,
    number,
    strings,
    text,
)
from skills.kubernetes.quantities import quantity, size
from skills.kubernetes.selectors import describe, matches, node_matches_affinity, node_matches_selector, tolerates
from skills.kubernetes.snapshot import Snapshot
from skills.kubernetes.unschedulable import Reason

_NODE_TROUBLE = ("not-ready", "unreachable", "disk-pressure", "memory-pressure", "pid-pressure", "network-unavailable",
                 "uninitialized", "shutdown", "out-of-service", "ToBeDeleted", "karpenter.sh/disrupt")  # fmt: skip
"""Taints that tell the state of a node: conditions, cloud provider, CSI and CNI agents, autoscalers on their way."""
_POOLS = re.compile(r"gpu|nvidia|amd\.com|dedicated|pool|spot|preemptible|arch|windows|sandbox|virtual-kubelet|"
                    r"workload|CriticalAddonsOnly|storage|infra", re.IGNORECASE)  # fmt: skip


@dataclass(frozen=True)
class Stuck:
    owner: Entity
    pods: list[Object]
    message: str
    said: Excerpt

    @property
    def pod(self) -> Object:
        return self.pods[0]

    @property
    def spec(self) -> Object:
        return mapping(self.pod, "spec")


@dataclass(frozen=True)
class Verdict:
    faults: tuple[str, ...]
    why: str
    specificity: float
    evidence: list[Excerpt] = field(default_factory=list)
    path: str = ""
    """Where in the template a rollout would have changed it."""
    role: str = "cause"
    points_at: tuple[Entity, ...] = ()


_OF_ITS_SIBLINGS = ("anti_affinity", "ports", "cpu", "memory")
"""Reasons that go away as soon as an old pod does."""


def deadlocked(snapshot: Snapshot, stuck: Stuck, reason: Reason, verdict: Verdict) -> Verdict:
    """The same finding as a rollout that blocks itself, unless this rollout is what brought the rule or request."""
    rollout = rollouts.latest(snapshot, stuck.owner)
    brought = bool(verdict.path) and rollouts.find(rollout, verdict.path) is not None
    if reason.kind not in _OF_ITS_SIBLINGS or brought or not waits_for_itself(snapshot, stuck.owner, stuck.pods):
        return verdict
    workload = snapshot.workload(stuck.owner)
    strategy = mapping(workload.obj, "spec", "strategy", "rollingUpdate") if workload else {}
    told = (
        f"strategy maxUnavailable {strategy.get('maxUnavailable', '25%')}, maxSurge {strategy.get('maxSurge', '25%')}"
    )
    words = f"{stuck.owner.kind} {stuck.owner.name} {workload.replicas if workload else '?'} replicas, {told}"
    why = (
        f"the rollout stands still: no old pod may go ({told}) and the new one has no place beside them: {verdict.why}"
    )
    evidence = [*verdict.evidence, cite.about(snapshot, stuck.owner, words, verb="get")]
    if workload and condition(workload.obj, "Progressing").get("status") == "False":
        evidence.append(cite.stated(snapshot, stuck.owner.kind, workload.obj, "Progressing"))
    # Scarce CPU or memory blocks others as well; a rule among the workload's own pods blocks only itself.
    own = reason.kind in ("anti_affinity", "ports")
    faults = ("rollout_deadlocked", *verdict.faults) if own else (*verdict.faults, "rollout_deadlocked")
    return replace(verdict, faults=faults, why=why, evidence=evidence, specificity=max(verdict.specificity, 0.95))


def verdict_on(snapshot: Snapshot, stuck: Stuck, reason: Reason, reasons: list[Reason]) -> Verdict | None:
    match reason.kind:
        case "selector":
            return _selector(snapshot, stuck)
        case "anti_affinity":
            return _anti_affinity(snapshot, stuck, reason, reasons)
        case "pod_affinity":
            return _pod_affinity(snapshot, stuck, reason)
        case "spread":
            return _spread(snapshot, stuck, reason)
        case "taint":
            return _taint(snapshot, stuck, reason)
        case "cordoned":
            return _cordoned(snapshot, reason)
        case "cpu" | "memory":
            return _requests(snapshot, stuck, reason.kind, reason)
        case "too_many_pods":
            return Verdict(("cpu_requests_do_not_fit",), "the nodes' pod capacity is used up", 0.5)
        case "ports":
            return _host_port(snapshot, stuck)
        case "volume_node":
            return _volume_elsewhere(snapshot, stuck, reason)
        case "volume_missing":
            return _claim_missing(snapshot, stuck)
        case "volume_unbound" | "volume_bind":
            claims = tuple(
                Entity(kind="PersistentVolumeClaim", namespace=namespace(stuck.pod), name=c)
                for c in claims_of(stuck.spec)
            )
            return Verdict((), reason.words, 0.5, role="effect", points_at=claims)
        case "volume_count":
            return Verdict(("volume_cannot_attach",), reason.words, 0.7)
        case "volume_writer":
            why = "another pod uses its claim, which only one pod may write (ReadWriteOncePod)"
            return Verdict(("volume_cannot_attach",), why, 0.93, path="spec.volumes")
        case "volume_lost":
            return Verdict(("pvc_matches_no_volume", "volume_cannot_attach"), reason.words, 0.85)
        case "volume_space":
            return Verdict(
                ("pvc_matches_no_volume",), f"no node's storage has room for its claim ({reason.words})", 0.8
            )
        case "prefilter":
            return _selector(snapshot, stuck)
    return Verdict((), reason.words, 0.4, role="effect")


# --- selector, affinity --------------------------------------------------------------------------------------------


def _selector(snapshot: Snapshot, stuck: Stuck) -> Verdict:
    nodes = snapshot.all("Node") if snapshot.knows("Node") else ()
    selector = mapping(stuck.spec, "nodeSelector")
    required = mapping(stuck.spec, "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
    by_selector = [n for n in nodes if node_matches_selector(stuck.spec, n)]
    by_affinity = [n for n in nodes if node_matches_affinity(stuck.spec, n)]
    evidence = []
    if selector:
        words = f"pod {name(stuck.pod)} nodeSelector {describe(selector)}"
        words += f" matches {len(by_selector)} of {len(nodes)} nodes" if nodes else ""
        evidence.append(cite.seen(snapshot, "Pod", stuck.pod, words, verb="get"))
    if required:
        terms = "; ".join(describe(t) for t in maps(required, "nodeSelectorTerms"))
        words = f"pod {name(stuck.pod)} required node affinity [{terms}]"
        words += f" matches {len(by_affinity)} of {len(nodes)} nodes" if nodes else ""
        evidence.append(cite.seen(snapshot, "Pod", stuck.pod, words, verb="get"))
    selector_fails = bool(selector) and (not nodes or not by_selector)
    affinity_fails = bool(required) and (not nodes or not by_affinity)
    if selector_fails and not affinity_fails:
        why = f"nodeSelector {describe(selector)} matches no node"
        return Verdict(("node_selector_unmatched",), why, 0.96 if nodes else 0.9, evidence, "spec.nodeSelector")
    if affinity_fails and not selector_fails:
        return Verdict(
            ("node_affinity_unmatched",),
            "its required node affinity matches no node",
            0.96 if nodes else 0.9,
            evidence,
            "spec.affinity",
        )
    if selector_fails:
        return Verdict(
            ("node_selector_unmatched", "node_affinity_unmatched"),
            f"neither nodeSelector {describe(selector)} nor affinity matches a node",
            0.9,
            evidence,
            "spec.nodeSelector",
        )
    # Some nodes match: those must be ruled out by another reason, and the selector only narrows the choice.
    faults = ("node_selector_unmatched",) if selector else ("node_affinity_unmatched",)
    return Verdict(
        faults, "few nodes match its selector or affinity, and those are ruled out otherwise", 0.55, evidence, "spec"
    )


def claims_of(pod_spec: Object) -> list[str]:
    return [c for v in maps(pod_spec, "volumes") if (c := text(v, "persistentVolumeClaim", "claimName"))]


def _anti_affinity(snapshot: Snapshot, stuck: Stuck, reason: Reason, reasons: list[Reason]) -> Verdict:
    terms = maps(stuck.spec, "affinity", "podAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
    told = "; ".join(f"{describe(mapping(t, 'labelSelector'))} per {text(t, 'topologyKey')}" for t in terms)
    workload = snapshot.workload(stuck.owner)
    replicas = f", {workload.replicas} replicas" if workload else ""
    evidence = []
    if terms:
        words = f"pod {name(stuck.pod)} required podAntiAffinity {told}{replicas}"
        evidence.append(cite.seen(snapshot, "Pod", stuck.pod, words, verb="get"))
    shared = [c for c in claims_of(stuck.spec) if _single_writer(snapshot, namespace(stuck.pod), c)]
    if shared and any(r.kind == "volume_node" for r in reasons):
        why = f"its replicas share the ReadWriteOnce claim {shared[0]}, which only one node can hold"
        return Verdict(("volume_cannot_attach", "anti_affinity_blocks_replica"), why, 0.9, evidence, "spec.volumes")
    why = f"anti-affinity ({told or reason.words}) leaves no node for another replica{replicas}"
    return Verdict(("anti_affinity_blocks_replica",), why, 0.95 if terms else 0.85, evidence, "spec.affinity")


def _pod_affinity(snapshot: Snapshot, stuck: Stuck, reason: Reason) -> Verdict:
    """It wants to stand beside pods: which, and whether there are any. A pod that asks for its own like comes first."""
    terms = maps(stuck.spec, "affinity", "podAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
    place = namespace(stuck.pod)
    faults = ("node_affinity_unmatched", "anti_affinity_blocks_replica")
    for term in terms:
        selector = mapping(term, "labelSelector")
        elsewhere = strings(term, "namespaces") or "namespaceSelector" in term
        beside = [p for p in snapshot.pods if namespace(p) == place and matches(selector, labels(p))]
        if not elsewhere and snapshot.knows("Pod", place) and not [p for p in beside if p not in stuck.pods]:
            words = f"pod {name(stuck.pod)} required podAffinity {describe(selector)} per {text(term, 'topologyKey')}"
            words += f"; no pod in {place} has these labels"
            told = cite.seen(snapshot, "Pod", stuck.pod, words, verb="get")
            why = f"it must stand beside pods with {describe(selector)}, and there are none"
            return Verdict(faults, why, 0.93, [told], "spec.affinity")
    told_terms = "; ".join(describe(mapping(t, "labelSelector")) for t in terms)
    return Verdict(faults, f"{reason.words} ({told_terms or '?'})", 0.75, path="spec.affinity")


def _spread(snapshot: Snapshot, stuck: Stuck, reason: Reason) -> Verdict:
    """Topology spread that must hold: a key that no node carries leaves no place at all."""
    faults = ("anti_affinity_blocks_replica", "node_affinity_unmatched")
    rules = [
        c
        for c in maps(stuck.spec, "topologySpreadConstraints")
        if text(c, "whenUnsatisfiable") in ("DoNotSchedule", "")
    ]
    keys = [text(c, "topologyKey") for c in rules]
    unknown = [k for k in keys if not any(k in labels(n) for n in snapshot.all("Node"))]
    if unknown and snapshot.knows("Node"):
        told = cite.seen(
            snapshot,
            "Pod",
            stuck.pod,
            f"pod {name(stuck.pod)} spreads over {unknown[0]}, which no node has",
            verb="get",
        )
        why = f"it must be spread over {unknown[0]}, a label that no node has"
        return Verdict(faults, why, 0.93, [told], "spec.topologySpreadConstraints")
    why = f"{reason.words} ({', '.join(keys)})" if keys else reason.words
    return Verdict(faults, why, 0.75 if keys else 0.6, path="spec.topologySpreadConstraints")


def _single_writer(snapshot: Snapshot, place: str, claim: str) -> bool:
    obj = snapshot.find("PersistentVolumeClaim", place, claim)
    modes = strings(obj, "spec", "accessModes")
    return bool(modes) and not {"ReadWriteMany", "ReadOnlyMany"} & set(modes)


# --- nodes that do not want it -------------------------------------------------------------------------------------


def _tainted(snapshot: Snapshot, stuck: Stuck, reason: Reason) -> list[tuple[Object, Object]]:
    """The taints that are meant. Since 1.34 the message names none: then a cordon, which has a reason of its own, is
    not meant, and a pool's taint only where nothing else keeps the pod away."""
    found = [
        (node, taint)
        for node in snapshot.all("Node")
        for taint in maps(node, "spec", "taints")
        if text(taint, "effect") in ("NoSchedule", "NoExecute")
        and not text(taint, "key").startswith("node-role.kubernetes.io/")
        and (not reason.taint or text(taint, "key") == reason.taint.partition("=")[0])
        and (reason.taint or text(taint, "key") != "node.kubernetes.io/unschedulable")
        and not tolerates(stuck.spec, taint)
    ]
    if reason.taint:
        return found
    new = [(n, t) for n, t in found if not _POOLS.search(text(t, "key")) or _settled(snapshot, {name(n): t})]
    return new or found


def _taint(snapshot: Snapshot, stuck: Stuck, reason: Reason) -> Verdict:
    tainted = _tainted(snapshot, stuck, reason)
    if any(word in reason.words for word in _NODE_TROUBLE) or (
        tainted and all(any(w in text(t, "key") for w in _NODE_TROUBLE) for _, t in tainted)
    ):
        nodes = tuple(dict.fromkeys(Entity(kind="Node", name=name(n)) for n, _ in tainted))
        return Verdict((), f"nodes are unwell: {reason.words}", 0.5, role="effect", points_at=nodes)
    evidence = [
        cite.seen(
            snapshot, "Node", node, f"node {name(node)} taint {_spelt(taint)} since {text(taint, 'timeAdded') or '?'}"
        )
        for node, taint in tainted[:3]
    ]
    told = reason.taint or ", ".join(dict.fromkeys(_spelt(t) for _, t in tainted)) or "a taint"
    why = f"{reason.count} node(s) carry the taint {told}, which the pod does not tolerate"
    return Verdict(("taint_not_tolerated",), why, 0.94, evidence, "spec.tolerations")


def _spelt(taint: Object) -> str:
    value = f"={text(taint, 'value')}" if text(taint, "value") else ""
    return f"{text(taint, 'key')}{value}:{text(taint, 'effect')}"


def _cordoned(snapshot: Snapshot, reason: Reason) -> Verdict:
    cordoned = [n for n in snapshot.all("Node") if dig(n, "spec", "unschedulable") is True]
    evidence = [
        cite.seen(snapshot, "Node", n, f"node {name(n)} spec.unschedulable=true (SchedulingDisabled)")
        for n in cordoned[:3]
    ]
    names = ", ".join(name(n) for n in cordoned[:5]) or f"{reason.count} node(s)"
    nodes = tuple(Entity(kind="Node", name=name(n)) for n in cordoned)
    return Verdict(("nodes_cordoned",), f"{names} cordoned", 0.93, evidence, points_at=nodes)


def _requests(snapshot: Snapshot, stuck: Stuck, resource: str, reason: Reason) -> Verdict:
    wanted = sum(quantity(dig(c, "resources", "requests", resource)) or 0.0 for c in maps(stuck.spec, "containers"))
    # Of its RuntimeClass (kata, gvisor): admission writes it into the pod, and the scheduler adds it.
    overhead = quantity(dig(stuck.spec, "overhead", resource)) or 0.0
    wanted += overhead
    largest = max(
        (quantity(dig(n, "status", "allocatable", resource)) or 0.0 for n in snapshot.all("Node")), default=0.0
    )
    shown = size(wanted) if resource == "memory" else f"{wanted:g}"
    top = size(largest) if resource == "memory" else f"{largest:g}"
    words = f"pod {name(stuck.pod)} requests {resource} {shown}"
    words += f", the largest node has {top} allocatable" if largest else ""
    if overhead:
        above = size(overhead) if resource == "memory" else f"{overhead:g}"
        shown += f" (of which {above} is the overhead of RuntimeClass {text(stuck.spec, 'runtimeClassName')})"
        words += f"; spec.overhead {resource} {above}"
    evidence = [cite.seen(snapshot, "Pod", stuck.pod, words, verb="get")]
    too_big = bool(largest) and wanted > largest
    why = f"{reason.count} node(s) have insufficient {resource} for its request of {shown}"
    why += f", more than any node has ({top})" if too_big else ""
    fault = f"{resource}_requests_do_not_fit"
    return Verdict((fault,), why, 0.97 if too_big else 0.92, evidence, f"resources.requests.{resource}")


def _host_port(snapshot: Snapshot, stuck: Stuck) -> Verdict:
    ports = [
        number(p, "hostPort") for c in maps(stuck.spec, "containers") for p in maps(c, "ports") if number(p, "hostPort")
    ]
    holders = [
        p
        for p in snapshot.all("Pod")
        if p not in stuck.pods
        and text(p, "spec", "nodeName")
        and any(number(q, "hostPort") in ports for c in maps(p, "spec", "containers") for q in maps(c, "ports"))
    ]
    evidence = [
        cite.seen(
            snapshot, "Pod", stuck.pod, f"pod {name(stuck.pod)} hostPort {', '.join(map(str, ports))}", verb="get"
        )
    ]
    evidence += [
        cite.seen(
            snapshot, "Pod", p, f"pod {name(p)} holds the host port on node {text(p, 'spec', 'nodeName')}", verb="get"
        )
        for p in holders[:2]
    ]
    why = f"hostPort {', '.join(map(str, ports)) or '?'} is taken on every node that would do"
    return Verdict(("pinned_to_missing_node_or_port", "port_conflict_in_pod"), why, 0.95, evidence, "ports")


# --- volumes -------------------------------------------------------------------------------------------------------


def _volume_elsewhere(snapshot: Snapshot, stuck: Stuck, reason: Reason) -> Verdict:
    evidence = []
    for claim in claims_of(stuck.spec):
        obj = snapshot.find("PersistentVolumeClaim", namespace(stuck.pod), claim)
        volume = snapshot.find("PersistentVolume", "", text(obj, "spec", "volumeName")) if obj else None
        terms = maps(volume, "spec", "nodeAffinity", "required", "nodeSelectorTerms")
        if volume and terms:
            words = (
                f"PersistentVolume {name(volume)} of claim {claim} may only be used on nodes with "
                f"{'; '.join(describe(t) for t in terms)}"
            )
            evidence.append(cite.seen(snapshot, "PersistentVolume", volume, words))
    selector = mapping(stuck.spec, "nodeSelector")
    if selector:
        words = f"pod {name(stuck.pod)} nodeSelector {describe(selector)}"
        evidence.append(cite.seen(snapshot, "Pod", stuck.pod, words, verb="get"))
        why = f"nodeSelector {describe(selector)} and the node affinity of its volume exclude each other"
        return Verdict(("node_selector_unmatched", "volume_cannot_attach"), why, 0.85, evidence, "spec.nodeSelector")
    return Verdict(
        ("volume_cannot_attach",),
        f"its volume lives on another node or zone ({reason.words})",
        0.85,
        evidence,
        "spec.volumes",
    )


def _claim_missing(snapshot: Snapshot, stuck: Stuck) -> Verdict:
    place = namespace(stuck.pod)
    leaving = re.search(r'persistentvolumeclaim "([^"]+)" is being deleted', stuck.message)
    if leaving:
        return _claim_leaving(snapshot, stuck, leaving[1])
    missing = [c for c in claims_of(stuck.spec) if not snapshot.find("PersistentVolumeClaim", place, c)]
    there = [name(c) for c in snapshot.of("PersistentVolumeClaim") if namespace(c) == place]
    words = (
        f"no PersistentVolumeClaim {', '.join(missing) or '?'} in {place}; there are: {', '.join(there[:8]) or 'none'}"
    )
    evidence = [cite.absent(snapshot, "PersistentVolumeClaim", place, words)]
    why = f"it mounts the claim {', '.join(missing) or 'named in the message'}, which does not exist"
    if storage_quota(snapshot, place):
        return Verdict((), f"{why}; the storage quota is used up", 0.4, evidence, role="effect")
    return Verdict(("volume_cannot_attach", "pvc_matches_no_volume"), why, 0.95, evidence, "spec.volumes")


def _claim_leaving(snapshot: Snapshot, stuck: Stuck, claim: str) -> Verdict:
    """Deleted while a pod still uses it: kubernetes.io/pvc-protection keeps it until then, and no new pod may."""
    obj = snapshot.find("PersistentVolumeClaim", namespace(stuck.pod), claim)
    since = text(obj, "metadata", "deletionTimestamp") if obj else ""
    words = f"PersistentVolumeClaim {claim} deletionTimestamp {since}" if since else ""
    evidence = [cite.seen(snapshot, "PersistentVolumeClaim", obj, words)] if obj and words else []
    why = f"its claim {claim} has been deleted and waits for the last pod that uses it" + (
        f" (since {since})" if since else ""
    )
    return Verdict(("volume_cannot_attach",), why, 0.93, evidence, "spec.volumes")


def is_standing(snapshot: Snapshot, stuck: Stuck, reason: Reason, reasons: list[Reason]) -> bool:
    """A taint that keeps the pod from nodes which were never meant for it (a pool for GPUs, the control plane whose
    taint the message leaves unnamed), as long as other nodes have another reason.

    A taint is new when pods that do not tolerate it run there: NoSchedule lets those stay.
    """
    if reason.kind != "taint" or not snapshot.knows("Node") or any(w in reason.words for w in _NODE_TROUBLE):
        return False
    tainted = {name(n): t for n, t in _tainted(snapshot, stuck, reason)}
    others = [r for r in reasons if r is not reason and r.kind not in ("taint", "prefilter")]
    if not reason.taint:
        # Unnamed, as since 1.34: some of these nodes are the control plane's, which are not listed here.
        pools = all(_POOLS.search(text(t, "key")) for t in tainted.values())
        return not tainted or (bool(others) and pools and not _settled(snapshot, tainted))
    settled = _settled(snapshot, tainted)
    return bool(others) and bool(tainted) and not settled and bool(snapshot.pods) and _is_of_a_pool(reason)


def _settled(snapshot: Snapshot, tainted: Mapping[str, Object]) -> bool:
    on_them = [p for p in snapshot.pods if text(p, "spec", "nodeName") in tainted]
    return any(not tolerates(mapping(p, "spec"), tainted[text(p, "spec", "nodeName")]) for p in on_them)


def _is_of_a_pool(reason: Reason) -> bool:
    return bool(_POOLS.search(reason.taint))
