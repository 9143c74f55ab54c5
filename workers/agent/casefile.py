"""Everything that is known of the case at hand, and how it is put before the rules that judge a conclusion."""

from __future__ import annotations

from collections.abc import Sequence

from skills.contract import Entity, Gap
from workers.agent import tested, window
from workers.agent.conclude import Draft
from workers.agent.confidence import Case
from workers.agent.evidence import Ledger
from workers.agent.grounding import Grounds
from workers.agent.own_tools import OwnTools
from workers.agent.request import Request
from workers.agent.systems import ConnectedSkill
from workers.agent.topology import Topology
from workers.domain import GapRecord, Phase, Progress
from workers.llm.entities import alerted, settled


class CaseFile:
    def __init__(self, request: Request, skills: Sequence[ConnectedSkill]) -> None:
        self._request = request
        self._skills = tuple(skills)
        self.ledger = Ledger(request.previous.evidence if request.previous else ())
        self.topology = Topology(self.ledger, request.guidance)
        self.own = OwnTools(self.ledger, self.topology)

    @property
    def about(self) -> tuple[Entity, ...]:
        """What alerted, as the systems name it."""
        named = (e for a in self._request.alerts for e in alerted(a.service, window.namespace(a), a.labels))
        return settled(dict.fromkeys(named), self.ledger.entities())

    @property
    def gaps(self) -> tuple[Gap, ...]:
        if not self._skills:
            return (Gap("all systems", "no skill is on for this customer, so nothing could be looked at"),)
        unreachable = (Gap(s.name, s.unreachable) for s in self._skills if s.unreachable)
        return (*unreachable, *self.ledger.gaps)

    @property
    def standouts(self) -> tuple[str, ...]:
        """What the thread shows while it goes on: the strongest symptoms in the analyzers' own words."""
        strongest = sorted(self.ledger.symptoms, key=lambda n: -n.symptom.specificity)
        return tuple(n.symptom.summary for n in strongest if n.symptom.role != "healthy")[:5]

    def progress(self, phase: Phase, doing: str, tool_calls: int) -> Progress:
        """What the thread shows while it goes on."""
        return Progress(
            phase=phase,
            skills_on=tuple(s.name for s in self._skills if s.usable),
            unreachable=tuple(GapRecord(what=s.name, why=s.unreachable) for s in self._skills if s.unreachable),
            symptoms=self.standouts,
            beliefs=tuple(self.own.beliefs.changes),
            doing=doing,
            tool_calls=tool_calls,
        )

    def grounds(self) -> Grounds:
        return Grounds(self.ledger, self._request.alerts)

    def untested(self, draft: Draft) -> tuple[str, ...]:
        """What was not put to the test of what a draft concludes."""
        made = tuple(self.own.challenges.made.values())
        return tuple(tested.untested(draft, self.own.beliefs.all, made, self.ledger))

    def weighed(self, cut_short: str | None) -> Case:
        return Case(
            ledger=self.ledger,
            graph=self.topology.graph(),
            alerted=self.about,
            onset=window.onset(self._request),
            hypotheses=self.own.beliefs.all,
            challenges=tuple(self.own.challenges.made.values()),
            gaps=self.gaps,
            cut_short=cut_short,
        )
