"""A suspect is an entity with a fault. What the rest of the offline investigator knows of one, and of them all."""

from __future__ import annotations

from dataclasses import dataclass

from skills.contract import Entity
from skills.faults import fault
from workers.llm.entities import same_thing
from workers.llm.graph import Graph
from workers.llm.offline.notes import Sign

STRONG = 0.5
"""A suspect worth convicting."""
WEAK = 0.25
"""A suspect worth naming as a lead."""
DECISIVE = 0.9
"""Specificity of a symptom that is seldom seen without its fault."""


@dataclass(frozen=True)
class Suspect:
    entity: Entity
    fault: str
    signs: tuple[Sign, ...]
    """The symptoms that speak for it, the most specific first."""
    strength: float
    closeness: float
    timing: float
    own: float
    """1, less where its symptoms are explained by something it depends on."""
    coverage: float
    """The part of the suffering that it explains."""
    score: float

    @property
    def decisive(self) -> bool:
        return any(s.specificity >= DECISIVE and s.role == "cause" and s.faults[0] == self.fault for s in self.signs)

    @property
    def ongoing(self) -> bool:
        """What shows the fault itself knows; those who suffered from it may complain for a while."""
        shown = [s for s in self.signs if s.role == "cause"]
        return any(s.ongoing for s in shown or self.signs)


@dataclass(frozen=True)
class Ranking:
    suspects: tuple[Suspect, ...]
    """Best first."""
    effects: tuple[Sign, ...]
    healthy: tuple[Sign, ...]
    ignored: tuple[Sign, ...]
    graph: Graph
    alerted: tuple[Entity, ...]

    @property
    def lead(self) -> Suspect | None:
        return self.suspects[0] if self.suspects else None

    def rivals(self, lead: Suspect) -> tuple[Suspect, ...]:
        """Suspects that are a different explanation: not a twin fault of the same symptom, not a victim of the lead."""
        return tuple(
            s for s in self.suspects if s is not lead and not self.is_twin(lead, s) and not self.explains(lead, s)
        )

    def is_twin(self, a: Suspect, b: Suspect) -> bool:
        shared = {s.evidence for s in a.signs} & {s.evidence for s in b.signs}
        return same_thing(a.entity, b.entity) and (bool(shared) or fault(a.fault).id[0] == fault(b.fault).id[0])

    def explains(self, cause: Suspect, other: Suspect) -> bool:
        """Whether the other's trouble follows from the cause: it depends on it, is its victim, or lives on it."""
        if self.graph.distance(other.entity, cause.entity):
            return True
        return any(same_thing(v, other.entity) for s in cause.signs for v in s.victims)
