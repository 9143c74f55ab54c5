"""Who depends on whom: the edges that skills offer, merged, and the ways from what alerted to what is at fault."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import Field

from skills.contract import Edge, Entity, ToolInput
from workers.agent import render
from workers.agent.evidence import Ledger
from workers.domain import Guidance
from workers.llm.entities import parse, same_thing
from workers.llm.graph import Graph, vertex

NAME = "topology"
DESCRIPTION = (
    "What an entity depends on and what depends on it, merged from all systems (Service selectors, env and config "
    "references, traces, metrics)."
)


STATEFUL = ("StatefulSet", "DaemonSet")


class TopologyInput(ToolInput):
    entity: str
    """e.g. `Deployment shop/cart` or `cart`"""
    hops: int = Field(default=2, ge=1, le=4)


class Topology:
    """A view over the ledger's edges; guidance adds those that people know of."""

    def __init__(self, ledger: Ledger, guidance: Iterable[Guidance] = ()) -> None:
        self._ledger = ledger
        self._told = tuple(guidance)

    def graph(self) -> Graph:
        known = self._ledger.entities()
        return Graph((*self._ledger.edges, *_told_edges(self._told, known)))

    def tell(self, call: TopologyInput) -> str:
        """For the model: the edges around an entity, with the evidence of each."""
        graph, asked = self.graph(), parse(call.entity)
        if asked is None:
            return "no_data: name an entity"
        known = [e for edge in graph.edges for e in (edge.source, edge.target)]
        here = next((e for e in known if e == asked), None) or next((e for e in known if same_thing(e, asked)), None)
        if here is None:
            return f"no_data: no edge of {call.entity} is known ({len(graph.edges)} edges in all)"
        edges = graph.around(here, call.hops)
        rows = [render.edge_row(e, self._ledger) for e in edges]
        return "\n".join(
            [f"ok: {len(edges)} edges, {call.hops} hop(s) around {here}", *render.block("topology", rows, render.EDGES)]
        )

    def telling(self, edges: Iterable[Edge]) -> tuple[Edge, ...]:
        """Without those that say only that a Service has the Deployment of its name behind it. That it is a StatefulSet
        is news: a client's log line knows a store by its host name alone, and what is to blame is the workload."""
        return tuple(e for e in edges if vertex(e.source) != vertex(e.target) or e.target.kind in STATEFUL)

    def near(self, entities: Sequence[Entity], edges: Sequence[Edge], limit: int = render.EDGES) -> tuple[Edge, ...]:
        """The edges worth a place on the first page: those around what alerted and what stands out, nearest first."""
        if len(edges) <= limit:
            return tuple(edges)
        graph = Graph(edges)
        kept: dict[int, Edge] = {}
        for hops in (1, 2):
            for entity in entities:
                kept.update((id(e), e) for e in graph.around(entity, hops))
                if len(kept) >= limit:
                    return tuple(kept.values())[:limit]
        return tuple(kept.values())


def _told_edges(guidance: Iterable[Guidance], known: Sequence[Entity]) -> list[Edge]:
    edges: list[Edge] = []
    for reading in (r for g in guidance for r in g.readings if r.kind == "depends_on"):
        if reading.entity is None or reading.target is None:
            continue
        for source in _matching(known, reading.entity.name):
            edges.extend(Edge(source, target, "guidance") for target in _matching(known, reading.target.name))
    return edges


def _matching(known: Sequence[Entity], name: str) -> list[Entity]:
    found = [e for e in known if e.name == name]
    return found or [Entity(kind="Service", name=name)]
