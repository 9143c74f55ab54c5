"""How near a suspect is to what alerted: the same thing, its victim, pointed at, a dependency, next door."""

from __future__ import annotations

import re
from collections.abc import Sequence

from skills.contract import Entity
from workers.llm.entities import akin, family, is_claim_of, same_thing, scaled_by, settled
from workers.llm.graph import Graph
from workers.llm.offline.culprits import by_lines
from workers.llm.offline.notes import Notes, Sign
from workers.llm.offline.starved import is_starved

SYSTEM_NAMESPACES = ("kube-system", "kube-public", "kube-node-lease", "istio-system", "monitoring", "observability")
_OF_THE_USER = ("queue_backlog", "retry_storm", "connection_pool_exhausted", "hot_key_or_shard", "traffic_surge")
"""Faults of whoever uses a thing: a consumer that lags makes the broker's alert, a client that floods the store's."""


def closeness(
    entity: Entity,
    signs: Sequence[Sign],
    notes: Notes,
    about: Sequence[Entity],
    graph: Graph,
    effects: Sequence[Sign],
    name: str = "",
) -> float:
    if not about:
        return _by_place(entity, notes.namespace, known=0.95, other=0.6)
    # Of a program whose addresses stand in files that nobody reads, no edge is known: then none is missed.
    linked = any(graph.knows(a) for a in about)
    # Next door and in trouble, by its object alone, and nobody is seen to suffer from it: a rollout that waits while
    # its old pods serve. What complains in its own log does no longer serve as it should.
    felt = any(s.victims or by_lines(s) or s.role != "cause" for s in signs)
    next_door = 0.7 if felt else 0.5
    best = _by_place(entity, about[0].namespace or notes.namespace, known=next_door if linked else 0.78, other=0.3)
    # What the alerted complains of may be what this makes suffer: a route that leads the calls of a Service nowhere.
    suffering = [v for s in signs if s.role == "cause" for v in s.victims]
    ends = (e for edge in graph.edges for e in (edge.source, edge.target))
    carried = (scaled_by(entity) or entity, *(e for e in ends if is_claim_of(entity, e)))
    for alert in about:
        if same_thing(entity, alert) or (
            entity.kind == "Namespace" and entity.name == (alert.namespace or notes.namespace)
        ):
            return 1.0
        if any(same_thing(v, alert) for s in signs for v in s.victims):
            return 1.0
        if akin(entity, alert):
            best = max(best, 0.97)
        ways = [d for place in carried if (d := graph.distance(alert, place)) is not None]
        if ways:
            best = max(best, 1.0 - 0.04 * min(ways))
        # What it makes suffer is something that the alerted thing depends on.
        below = [d for s in signs for v in s.victims if (d := graph.distance(alert, v))]
        if below and any(s.role == "cause" for s in signs):
            best = max(best, 0.96 - 0.04 * min(below))
        if name in _OF_THE_USER and graph.distance(entity, alert) == 1:
            best = max(best, 0.95)
        for effect in effects:
            if not any(same_thing(p, e) for p in effect.points_at for e in (entity, *suffering)):
                continue
            away = graph.distance(alert, effect.entity)
            if same_thing(effect.entity, alert) or away is not None:
                best = max(best, 0.97 - 0.04 * (away or 0))
    if is_starved(notes):
        return max(best, *(_upstream(entity, a, suffering, graph, effects) for a in about))
    # What depends on the alerted thing suffers from it or loads it; it is seldom its cause.
    return min(best, 0.6) if best <= 0.75 and any(graph.distance(entity, a) for a in about) else best


def _upstream(
    entity: Entity, alert: Entity, suffering: Sequence[Entity], graph: Graph, effects: Sequence[Sign]
) -> float:
    """Of what gets fewer requests: near is who calls it, what makes those suffer, and what they complain of."""
    ways = [hops for e in (entity, *suffering) if (hops := graph.distance(e, alert)) is not None]
    best = 0.98 - 0.04 * min(ways) if ways else 0.0
    for effect in effects:
        if any(same_thing(p, entity) for p in effect.points_at) and graph.distance(effect.entity, alert):
            best = max(best, 0.9)
    return best


def _by_place(entity: Entity, namespace: str | None, *, known: float, other: float) -> float:
    if entity.kind in ("Node", "PersistentVolume") or entity.namespace in SYSTEM_NAMESPACES:
        return 0.75  # what everything stands on
    if entity.namespace is None:
        return 0.7 if entity.kind in ("external", "feature_flag", "certificate") else known
    if entity.kind == "Namespace":
        return known if entity.name == namespace else other
    return known if not namespace or entity.namespace == namespace else other


def alerted(notes: Notes, signs: Sequence[Sign]) -> tuple[Entity, ...]:
    """By label and service; the known things that the alert's words name, where those lead to nothing that is known."""
    known = dict.fromkeys(e for s in signs for e in (s.entity, *s.victims, *s.points_at))
    known.update(dict.fromkeys(e for edge in notes.edges for e in (edge.source, edge.target)))
    about = settled(notes.alerted, known)
    if any(same_thing(a, e) for a in about for e in known):
        return about
    words = {w.strip(".,:;()[]`'\"").casefold() for w in notes.text.split()}
    named = tuple(e for e in known if e.name.casefold() in words and family(e.kind) in ("app", "Node"))
    # A pager's services are called in plain words: what no object can be called is none.
    return tuple(a for a in about if _OBJECT_NAME.fullmatch(a.name)) + named


_OBJECT_NAME = re.compile(r"[a-z0-9]([a-z0-9_.-]*[a-z0-9])?", re.IGNORECASE)
