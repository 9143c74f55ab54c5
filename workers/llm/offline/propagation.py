"""How trouble spread: from the cause over what it carries and serves to what alerted.

A link runs from what fails to who suffers from it, and rests on something that was seen: the sufferer's own words that
name it, or a reference to it by one that suffers. What merely could have been reached is no link.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from skills.contract import Entity
from workers.llm.entities import akin, family, is_claim_of, same_thing, scaled_by
from workers.llm.graph import vertex
from workers.llm.offline.notes import Notes, Sign
from workers.llm.offline.suspects import Ranking, Suspect

MOST_ONWARD = 2
"""Of those who suffer from what alerted: enough to see whom it hurts."""
FAINT = 0.2
"""Specificity below which an effect is the odd reset of a healthy program."""


@dataclass(frozen=True)
class Link:
    source: Entity
    target: Entity
    evidence: tuple[str, ...]


def links(lead: Suspect, notes: Notes, ranking: Ranking) -> list[Link]:
    """In the order of the way; where the cause alerted itself, on to those whose own symptoms point at it."""
    scene = _Scene(lead, notes, ranking)
    return _to_alerted(scene) or _onward(scene)


class _Scene:
    """What was seen, as this module asks for it."""

    def __init__(self, lead: Suspect, notes: Notes, ranking: Ranking) -> None:
        self.lead, self.graph, self.alerted = lead, ranking.graph, ranking.alerted
        over = not lead.ongoing
        self.effects = [e for e in ranking.effects if e.specificity >= FAINT and (e.ongoing or over)]
        self._numbers = notes.edge_evidence

    def alerts(self, entity: Entity) -> bool:
        return any(same_thing(a, entity) for a in self.alerted)

    def told(self, sufferer: Entity, culprit: Entity) -> Sign | None:
        """The strongest symptom in which the one points at the other."""
        pointing = [
            e
            for e in self.effects
            if same_thing(e.entity, sufferer) and any(same_thing(p, culprit) for p in e.points_at)
        ]
        return max(pointing, key=lambda e: e.specificity, default=None)

    def link(self, culprit: Entity, sufferer: Entity) -> Link | None:
        """None where nothing that was seen leads from the one to the other."""
        told = self.told(sufferer, culprit)
        numbers = [*(told.evidence[:2] if told else ()), *self._referred(sufferer, culprit)]
        if not numbers:
            return None
        return Link(culprit, sufferer, tuple(dict.fromkeys(numbers)))

    def _referred(self, sufferer: Entity, culprit: Entity) -> Iterator[str]:
        ends = (vertex(sufferer), vertex(culprit))
        for edge in self.graph.edges:
            if (vertex(edge.source), vertex(edge.target)) == ends:
                number = self._numbers.get((str(edge.source), str(edge.target)))
                yield from [number] if number else self.lead.signs[0].evidence[:1]

    def involves(self, entity: Entity) -> bool:
        """Whether it alerted, suffers, or somebody who suffers names it."""
        return self.alerts(entity) or any(
            same_thing(e.entity, entity) or any(same_thing(p, entity) for p in e.points_at) for e in self.effects
        )


def _to_alerted(scene: _Scene) -> list[Link]:
    root = scene.lead.entity
    if scene.alerts(root):
        return []
    for start in [root] if _serves_itself(root) else _served(scene):
        first = [] if same_thing(start, root) else [Link(root, start, _shown(scene.lead, start))]
        if scene.alerts(start):
            return first
        ways = [way for alert in scene.alerted if (way := _way(start, alert, scene))]
        if ways:
            return [*first, *min(ways, key=len)]
    return _named(scene)


def _serves_itself(entity: Entity) -> bool:
    """A program, a Service or somebody else's system is called; a policy, a claim or a node only carries what is."""
    return family(entity.kind) == "app" or entity.kind == "external"


def _served(scene: _Scene) -> list[Entity]:
    """What the culprit carries, where it is nearest to it: of its victims those that depend on no other victim, on the
    way from what alerted."""
    root = scene.lead.entity
    victims = [v for s in scene.lead.signs for v in s.victims if family(v.kind) == "app"]
    ends = [e for edge in scene.graph.edges for e in (edge.source, edge.target) if family(e.kind) == "app"]
    victims += [e for e in ends if is_claim_of(root, e) or akin(root, e)]
    if scaled := scaled_by(root):
        victims.append(scaled)
    if root.kind == "Node":
        victims += [e.entity for e in scene.effects if any(same_thing(p, root) for p in e.points_at)]
    # Whoever uses a flag or lives on a node may suffer; who is seen to is told.
    victims = [v for v in victims if scene.involves(v)]
    near = list({vertex(v): v for v in reversed(victims)}.values())[::-1]
    near = [v for v in near if any(scene.graph.distance(a, v) is not None for a in scene.alerted)]
    lowest = [v for v in near if not any(scene.graph.distance(v, w) for w in near if w is not v)]
    return [*lowest, *(v for v in near if v not in lowest)]


def _shown(lead: Suspect, served: Entity) -> tuple[str, ...]:
    speaking = [s for s in lead.signs if any(same_thing(v, served) for v in s.victims)]
    return (speaking or list(lead.signs))[0].evidence[:3]


def _way(start: Entity, alert: Entity, scene: _Scene) -> list[Link]:
    """Along what the sufferers say; else along what they refer to."""
    way = _told_way(start, alert, scene)
    if way:
        return way
    edges = scene.graph.path(alert, start) or ()
    found: list[Link] = []
    here = start
    for edge in reversed(edges):
        target = alert if vertex(edge.source) == vertex(alert) else edge.source
        link = scene.link(here, target)
        if link is None:
            return []
        found.append(link)
        here = target
    return found


def _told_way(start: Entity, alert: Entity, scene: _Scene) -> list[Link]:
    """Breadth first over symptoms that point at what was reached."""
    ways: list[list[Link]] = [[]]
    seen = {vertex(start)}
    for way in ways:
        here = way[-1].target if way else start
        for effect in scene.effects:
            if vertex(effect.entity) in seen or not any(same_thing(p, here) for p in effect.points_at):
                continue
            link = scene.link(here, effect.entity)
            if link is None:
                continue
            seen.add(vertex(effect.entity))
            ways.append([*way, link])
            if same_thing(effect.entity, alert):
                return ways[-1]
    return []


def _named(scene: _Scene) -> list[Link]:
    """No way is known: a symptom names both ends itself."""
    root = scene.lead.entity
    for sign in (*scene.lead.signs, *scene.effects):
        of_lead = sign in scene.lead.signs
        told = of_lead or any(same_thing(p, root) for p in sign.points_at)
        for end in sign.victims if of_lead else (sign.entity,):
            if told and scene.alerts(end) and not same_thing(end, root):
                return [Link(root, end, sign.evidence)]
    return []


def _onward(scene: _Scene) -> list[Link]:
    """Those who say that they suffer from what alerted; who also names another of them suffers by way of that one."""
    root = scene.lead.entity
    callers = list(_callers(root, scene))
    found = []
    for link in callers:
        between = next((c.target for c in callers if c is not link and scene.told(link.target, c.target)), None)
        if between and not scene.told(between, link.target):
            link = scene.link(between, link.target) or link
        found.append(link)
    return found[:MOST_ONWARD]


def _callers(culprit: Entity, scene: _Scene) -> Iterator[Link]:
    known = {vertex(culprit)}
    for effect in sorted(scene.effects, key=lambda e: -e.specificity):
        if vertex(effect.entity) in known or not any(same_thing(p, culprit) for p in effect.points_at):
            continue
        known.add(vertex(effect.entity))
        if link := scene.link(culprit, effect.entity):
            yield link
