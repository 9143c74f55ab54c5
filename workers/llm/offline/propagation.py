"""How trouble spread: from the cause over what it carries and serves to what alerted.

A link runs from what fails to who suffers from it, and rests on something that was seen: the sufferer's own words that
name it, or a reference to it by one that suffers. What merely could have been reached is no link.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from skills.contract import Entity
from workers.llm.entities import akin, family, is_claim_of, owner_name, same_thing, scaled_by
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


def links(lead: Suspect, notes: Notes, ranking: Ranking, *, onward: bool = True) -> list[Link]:
    """In the order of the way; where the cause alerted itself, `onward` to those whose own symptoms point at it."""
    scene = _Scene(lead, notes, ranking)
    return _to_alerted(scene) or (_onward(scene) if onward else [])


@dataclass(frozen=True)
class _Tale:
    """Somebody suffers, and what its symptom points at."""

    sufferer: Entity
    points_at: tuple[Entity, ...]
    sign: Sign


class _Scene:
    """What was seen, as this module asks for it."""

    def __init__(self, lead: Suspect, notes: Notes, ranking: Ranking) -> None:
        self.lead, self.graph, self.alerted = lead, ranking.graph, ranking.alerted
        over = not lead.ongoing
        effects = [e for e in ranking.effects if e.specificity >= FAINT and (e.ongoing or over)]
        self.tales = [_Tale(e.entity, e.points_at, e) for e in effects]
        # What a caller says of a store is the store's symptom, with the caller as its victim.
        self.tales += [_Tale(v, s.points_at, s) for s in lead.signs for v in s.victims if s.points_at]
        self.tales.sort(key=lambda t: -t.sign.specificity)
        self._numbers = notes.edge_evidence

    def alerts(self, entity: Entity) -> bool:
        return any(same_thing(a, entity) for a in self.alerted)

    def told(self, sufferer: Entity, culprit: Entity) -> Sign | None:
        """The strongest symptom in which the one points at the other."""
        return next((t.sign for t in self.tales if same_thing(t.sufferer, sufferer) and self.names(t, culprit)), None)

    def names(self, tale: _Tale, culprit: Entity) -> bool:
        """Whether it points at this: a metric or a line may know it by a host name without its namespace."""
        return any(
            same_thing(p, culprit) or (_is_namesake(p, culprit) and self.graph.distance(tale.sufferer, culprit) == 1)
            for p in tale.points_at
        )

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
        return self.alerts(entity) or any(same_thing(t.sufferer, entity) or self.names(t, entity) for t in self.tales)


def _is_namesake(said: Entity, entity: Entity) -> bool:
    alike = owner_name(said.kind, said.name) == owner_name(entity.kind, entity.name)
    return alike and family(said.kind) == family(entity.kind) == "app"


def _to_alerted(scene: _Scene) -> list[Link]:
    root = scene.lead.entity
    if scene.alerts(root):
        return []
    for start in [root] if _serves_itself(root) else _on_the_way(scene):
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


def _on_the_way(scene: _Scene) -> list[Entity]:
    """What the culprit carries and what alerted depends on, nearest to the culprit first."""
    near = [v for v in _served(scene) if any(scene.graph.distance(a, v) is not None for a in scene.alerted)]
    lowest = _lowest(near, scene)
    return [*lowest, *(v for v in near if v not in lowest)]


def _lowest(of: Sequence[Entity], scene: _Scene) -> list[Entity]:
    """Those that depend on none of the others."""
    return [v for v in of if not any(scene.graph.distance(v, w) for w in of if w is not v)]


def _served(scene: _Scene) -> list[Entity]:
    """What the culprit carries: its victims, the owner of a claim, the target of an autoscaler. Whoever uses a flag or
    lives on a node may suffer; who is seen to is told."""
    root = scene.lead.entity
    victims = [v for s in scene.lead.signs for v in s.victims if family(v.kind) == "app"]
    ends = [e for edge in scene.graph.edges for e in (edge.source, edge.target) if family(e.kind) == "app"]
    victims += [e for e in ends if is_claim_of(root, e) or akin(root, e)]
    if scaled := scaled_by(root):
        victims.append(scaled)
    if root.kind == "Node":
        victims += [t.sufferer for t in scene.tales if scene.names(t, root)]
    return list({vertex(v): v for v in reversed(victims) if scene.involves(v)}.values())[::-1]


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
        for tale in scene.tales:
            link = (
                scene.link(here, tale.sufferer)
                if vertex(tale.sufferer) not in seen and scene.names(tale, here)
                else None
            )
            if link is None:
                continue
            seen.add(vertex(tale.sufferer))
            ways.append([*way, link])
            if same_thing(tale.sufferer, alert):
                return ways[-1]
    return []


def _named(scene: _Scene) -> list[Link]:
    """No way is known: a symptom names both ends itself."""
    root = scene.lead.entity
    victims = [(v, s) for s in scene.lead.signs for v in s.victims]
    pointing = [(t.sufferer, t.sign) for t in scene.tales if scene.names(t, root)]
    for end, sign in (*victims, *pointing):
        if scene.alerts(end) and not same_thing(end, root):
            return [Link(root, end, sign.evidence)]
    return []


def _onward(scene: _Scene) -> list[Link]:
    """From what alerted itself to those who say that they suffer from it, over what it carries."""
    root = scene.lead.entity
    if _serves_itself(root):
        return _sufferers(root, scene)[:MOST_ONWARD]
    found = []
    for served in _lowest(_served(scene), scene)[:MOST_ONWARD]:
        found += [Link(root, served, _shown(scene.lead, served)), *_sufferers(served, scene)[:1]]
    return found


def _sufferers(culprit: Entity, scene: _Scene) -> list[Link]:
    """Who also names another of them suffers by way of that one."""
    callers = list(_callers(culprit, scene))
    found = []
    for link in callers:
        between = next((c.target for c in callers if c is not link and scene.told(link.target, c.target)), None)
        if between and not scene.told(between, link.target):
            link = scene.link(between, link.target) or link
        found.append(link)
    return found


def _callers(culprit: Entity, scene: _Scene) -> Iterator[Link]:
    known = {vertex(culprit)}
    for tale in scene.tales:
        if vertex(tale.sufferer) in known or not scene.names(tale, culprit):
            continue
        known.add(vertex(tale.sufferer))
        if link := scene.link(culprit, tale.sufferer):
            yield link
