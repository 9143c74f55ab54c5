"""Who depends on whom, as a small graph over entities. Pure; the agent and the offline model both ask it.

A Service and the workload of the same name are one vertex: a caller depends on the Service, the fault sits in the
Deployment behind it, and the way from one to the other is no hop.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from skills.contract import Edge, Entity
from workers.llm.entities import family, owner_name

Vertex = tuple[str, str, str]
LONGEST = 6
"""Hops; what is further away explains nothing that a person would follow."""


class Graph:
    """Directed: `source` depends on `target`."""

    def __init__(self, edges: Iterable[Edge] = ()) -> None:
        self.edges: list[Edge] = []
        self._out: dict[Vertex, dict[Vertex, Edge]] = {}
        self._in: dict[Vertex, set[Vertex]] = {}
        self._reach: dict[Vertex, dict[Vertex, Edge]] = {}
        for edge in edges:
            self.add(edge)

    def add(self, edge: Edge) -> None:
        source, target = vertex(edge.source), vertex(edge.target)
        if source == target:
            return
        self._reach.clear()
        known = self._out.setdefault(source, {})
        if target not in known:
            self.edges.append(edge)
            known[target] = edge
            self._in.setdefault(target, set()).add(source)

    def path(self, source: Entity, target: Entity) -> tuple[Edge, ...] | None:
        """The shortest way along dependencies, () for the same thing, None when there is none."""
        start, goal = vertex(source), vertex(target)
        if start == goal:
            return ()
        came = self._reached_from(start)
        return tuple(_walk_back(came, start, goal)) if goal in came else None

    def _reached_from(self, start: Vertex) -> dict[Vertex, Edge]:
        """For each vertex within reach the last edge of the shortest way to it; searched once for each start."""
        if start in self._reach:
            return self._reach[start]
        came: dict[Vertex, Edge] = {}
        queue = deque([(start, 0)])
        while queue:
            here, hops = queue.popleft()
            for there, edge in sorted(self._out.get(here, {}).items()):
                if there != start and there not in came:
                    came[there] = edge
                    if hops + 1 < LONGEST:
                        queue.append((there, hops + 1))
        self._reach[start] = came
        return came

    def distance(self, source: Entity, target: Entity) -> int | None:
        way = self.path(source, target)
        return None if way is None else len(way)

    def knows(self, entity: Entity) -> bool:
        """Whether anything was told of what it depends on or who depends on it."""
        return bool(self._out.get(vertex(entity)) or self._in.get(vertex(entity)))

    def around(self, entity: Entity, hops: int = 2) -> tuple[Edge, ...]:
        """Edges within `hops` of an entity, in either direction, in the order in which they were told."""
        near = {vertex(entity)}
        for _ in range(hops):
            near |= {t for v in near for t in self._out.get(v, {})} | {s for v in near for s in self._in.get(v, ())}
        return tuple(e for e in self.edges if vertex(e.source) in near and vertex(e.target) in near)


def vertex(entity: Entity) -> Vertex:
    return (family(entity.kind or "service"), entity.namespace or "", owner_name(entity.kind, entity.name))


def _walk_back(came: dict[Vertex, Edge], start: Vertex, goal: Vertex) -> Iterator[Edge]:
    way = []
    here = goal
    while here != start:
        edge = came[here]
        way.append(edge)
        here = vertex(edge.source)
    yield from reversed(way)
