"""How a change relates to what alerts: the same workload, named after it, its node, a dependency, a caller, a
neighbour, or nothing. Pure: from the alert's words and the edges that other skills offer."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from skills.contract import Edge, Entity, Focus

LONGEST = 6
"""Hops along dependencies that a person would follow."""

_LABELS = ("deployment", "statefulset", "daemonset", "cronjob", "job_name", "horizontalpodautoscaler", "ingress")
_OF_PODS = ("pod", "pod_name")
_EXPORTERS = ("kube-state-metrics", "node-exporter", "prometheus", "blackbox", "cadvisor", "kubelet", "alertmanager")
_RANDOM = "[bcdfghjklmnpqrstvwxz2456789]"
"""Of k8s.io/apimachinery util/rand."""
_POD = (
    re.compile(rf"^(.+)-[a-f0-9]{{7,10}}-{_RANDOM}{{5}}$"),
    re.compile(rf"^(.+)-{_RANDOM}{{6,10}}-{_RANDOM}{{5}}$"),
    re.compile(r"^(.+)-\d{1,4}$"),
    re.compile(rf"^(.+)-{_RANDOM}{{5}}$"),
)
_RUN = re.compile(r"-\d{8,}$")
"""A CronJob's run is named after its minute."""
_AFFIX = re.compile(r"[-_.]?(?:service|svc|deployment|deploy)$")


@dataclass(frozen=True)
class Relation:
    words: str
    """One of _ORDER."""
    rank: int
    """Smaller is closer."""
    hops: int = 0

    @property
    def can_explain(self) -> bool:
        """Whether such a change could be behind the alert at all."""
        return self.rank <= _RANKS["touches unknown"]

    def __str__(self) -> str:
        return f"{self.words}, {self.hops} hops away" if self.hops > 1 else self.words


_ORDER = (
    "same workload", "named after it", "its node", "dependency", "shared in its namespace", "cluster-wide",
    "touches unknown", "caller", "same namespace", "unrelated",
)  # fmt: skip
_RANKS = {words: i for i, words in enumerate(_ORDER)}


def _relation(words: str, hops: int = 0) -> Relation:
    return Relation(words, _RANKS[words], hops)


UNRELATED = _relation("unrelated")


class Surroundings:
    """What alerts, and who depends on whom around it."""

    def __init__(self, focus: Focus, edges: Iterable[Edge] = (), nodes: Iterable[str] = ()) -> None:
        self.names = alerted_names(focus)
        self.namespace = focus.namespace
        self.nodes = frozenset((*nodes, *(n for n in [focus.labels.get("node", "")] if n)))
        """Where it runs, as far as that is known."""
        below, above = _neighbours(edges)
        self._workloads = {key[1] for key in (*below, *above)} - self.names
        self._below = _reach(below, self._starts(below, above))
        self._above = _reach(above, self._starts(below, above))

    def _starts(self, *graphs: Mapping[_Key, set[_Key]]) -> set[_Key]:
        known = {key for graph in graphs for key in graph}
        return {k for k in known if k[1] in self.names and (not self.namespace or k[0] in ("", self.namespace))}

    @property
    def about(self) -> str:
        """In words: what the alert is about."""
        return " and ".join(sorted(self.names)[:3]) or self.namespace or "what alerts"

    @property
    def dependencies(self) -> tuple[str, ...]:
        """Names of what it depends on, nearest first."""
        return tuple(dict.fromkeys(k[1] for k in sorted(self._below, key=lambda k: (self._below[k], k))))

    def of(self, entity: Entity) -> Relation:
        """How one thing relates to what alerts."""
        place, name = entity.namespace or "", base(entity.name)
        near = not place or not self.namespace or place == self.namespace
        if entity.kind == "Node":
            return _relation("its node") if entity.name in self.nodes else UNRELATED
        if entity.kind == "feature_flag":
            return _relation("named after it" if self._in_name(name) else "touches unknown")
        if entity.kind == "Namespace" and entity.name == self.namespace:
            return _relation("named after it")
        if entity.kind in _SHARED and self._is_shared(entity):
            return _relation("shared in its namespace" if place == self.namespace else "cluster-wide")
        if not self.names:
            return _relation("same namespace") if place and place == self.namespace else UNRELATED
        if near and name in self.names:
            return _relation("same workload")
        if near and any(entity.name.startswith(f"{n}-") and entity.kind in _BELONGINGS for n in self.names):
            return _relation("named after it")
        for words, reach in (("dependency", self._below), ("caller", self._above)):
            hops = [h for (space, other), h in reach.items() if other == name and (not place or space in ("", place))]
            if hops:
                return _relation(words, min(hops))
        return _relation("same namespace") if place and place == self.namespace else UNRELATED

    def _in_name(self, flag: str) -> bool:
        """bundle-pricing-v2 speaks of pricing, and freecart of nothing that we know."""
        words = re.split(r"[^a-z0-9]+", flag)
        return any(
            re.split(r"[^a-z0-9]+", n) == words[i : i + n.count("-") + 1] for n in self.names for i in range(len(words))
        )

    def _is_shared(self, entity: Entity) -> bool:
        """Whether everything in the namespace, or in the cluster, may feel it: not when it bears a workload's name."""
        if entity.namespace and entity.namespace not in (self.namespace, *_SYSTEM):
            return False
        names = (*self._workloads, *self.names)
        return not any(entity.name == n or entity.name.startswith(f"{n}-") for n in names)

    def nearest(self, entities: Iterable[Entity]) -> tuple[Relation, Entity | None]:
        """The closest of several things that one change touched."""
        found = [(self.of(e), e) for e in entities]
        return min(found, key=lambda f: (f[0].rank, f[0].hops, str(f[1])), default=(UNRELATED, None))


_SHARED = (
    "ConfigMap", "Secret", "NetworkPolicy", "CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy", "ResourceQuota",
    "LimitRange", "AuthorizationPolicy", "PeerAuthentication", "MutatingWebhookConfiguration", "StorageClass",
    "ValidatingWebhookConfiguration", "IngressClass", "PriorityClass",
)  # fmt: skip
"""Objects that act on others than their namesake."""
_SYSTEM = ("kube-system", "istio-system")
_BELONGINGS = (
    "ConfigMap", "Secret", "HorizontalPodAutoscaler", "PersistentVolumeClaim", "NetworkPolicy", "ServiceAccount",
    "PodDisruptionBudget", "Ingress", "Service", "ResourceQuota",
)  # fmt: skip

_Key = tuple[str, str]
"""(namespace, name); a Service and the workload behind it are one."""


def _key(entity: Entity) -> _Key:
    return (entity.namespace or "", base(entity.name))


def _neighbours(edges: Iterable[Edge]) -> tuple[dict[_Key, set[_Key]], dict[_Key, set[_Key]]]:
    below: dict[_Key, set[_Key]] = {}
    above: dict[_Key, set[_Key]] = {}
    for edge in edges:
        source, target = _key(edge.source), _key(edge.target)
        if source != target:
            below.setdefault(source, set()).add(target)
            above.setdefault(target, set()).add(source)
    return below, above


def _reach(graph: Mapping[_Key, set[_Key]], starts: set[_Key]) -> dict[_Key, int]:
    """Hops to everything that can be reached, without the starts."""
    found: dict[_Key, int] = {}
    queue = deque((s, 0) for s in sorted(starts))
    while queue:
        here, hops = queue.popleft()
        for there in sorted(graph.get(here, ())):
            if there not in found and there not in starts and hops < LONGEST:
                found[there] = hops + 1
                queue.append((there, hops + 1))
    return found


def alerted_names(focus: Focus) -> frozenset[str]:
    """By label, then by service. An exporter's labels say who measured, not who ails."""
    labels = focus.labels
    found = {base(labels[n]) for n in _LABELS if labels.get(n)}
    found |= {owner(labels[n]) for n in _OF_PODS if labels.get(n)}
    found = {_RUN.sub("", name) for name in found}
    if focus.service and (not found or not _is_exporter(focus.service)):
        found.add(base(focus.service))
    return frozenset(n for n in found if n and not _is_exporter(n))


def owner(pod: str) -> str:
    """The workload's name in a pod's."""
    for shape in _POD:
        if match := shape.match(pod):
            return base(match[1])
    return base(pod)


def base(name: str) -> str:
    """checkout for Checkout, checkout-service and checkoutservice's kin that end in -svc."""
    lowered = name.casefold()
    cut = _AFFIX.sub("", lowered)
    return cut if len(cut) > 2 else lowered


def _is_exporter(name: str) -> bool:
    return any(word in name for word in _EXPORTERS)
