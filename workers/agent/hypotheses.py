"""What is believed, what it predicts, and what it met. Every change of belief is one line of the thread."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from skills.contract import Entity, ToolInput
from skills.faults import UnknownFault, fault
from workers.agent import vocabulary
from workers.agent.conclude import Ids, Named
from workers.agent.evidence import Ledger
from workers.domain import BeliefChange, Hypothesis

NAME = "hypothesis"
DESCRIPTION = (
    "Record a change of belief: open a suspect (numbered H1, H2 ... as opened) with what it predicts; strengthen, "
    "weaken or discard it with the evidence that did so."
)


class HypothesisInput(ToolInput):
    action: Literal["open", "strengthen", "weaken", "discard"]
    id: str = ""
    """H1 ...; not needed to open"""
    entity: Named | None = None
    fault: str = ""
    statement: str = Field(default="", max_length=600)
    predicts: tuple[str, ...] = ()
    evidence: Ids = ()
    reason: str = Field(default="", max_length=600)


class Refused(Exception):
    """The call cannot be recorded as it is; the text says what is wrong with it."""


class Beliefs:
    """The hypotheses of one investigation, in the order in which they were opened."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._all: dict[str, Hypothesis] = {}
        self.changes: list[BeliefChange] = []

    @property
    def all(self) -> tuple[Hypothesis, ...]:
        return tuple(self._all.values())

    @property
    def standing(self) -> tuple[Hypothesis, ...]:
        return tuple(h for h in self._all.values() if h.state != "discarded")

    def get(self, number: str) -> Hypothesis | None:
        return self._all.get(number)

    def note(self, call: HypothesisInput, at: datetime) -> str:
        """Records one change. Raises Refused."""
        unknown = [n for n in call.evidence if n not in self._ledger]
        if unknown:
            raise Refused(f"there is no evidence {', '.join(unknown)}")
        return self._open(call, at) if call.action == "open" else self._change(call, at)

    def _open(self, call: HypothesisInput, at: datetime) -> str:
        if call.entity is None or not call.fault:
            raise Refused("to open a hypothesis give entity and fault")
        if not any(p.strip() for p in call.predicts):
            raise Refused("to open a hypothesis say what it predicts: what else must be seen if it is true")
        try:
            known = fault(call.fault)
        except UnknownFault:
            raise Refused(vocabulary.unknown(call.fault)) from None
        if not known.is_cause:
            raise Refused(f"{known.name} is a verdict, not a cause")
        entity = Entity(kind=call.entity.kind, namespace=call.entity.namespace, name=call.entity.name)
        for earlier in self._all.values():
            if (earlier.entity, earlier.fault) == (entity, known.name):
                return f"{earlier.id} is already open: {earlier.statement}"
        number = f"H{len(self._all) + 1}"
        statement = call.statement or f"{known.summary}: {entity}"
        self._all[number] = Hypothesis(
            id=number,
            entity=entity,
            fault=known.name,
            statement=statement,
            predicts=call.predicts,
            support=call.evidence,
        )
        self._say(number, "new", statement, call.evidence, at)
        return f"{number} opened"

    def _change(self, call: HypothesisInput, at: datetime) -> str:
        held = self._all.get(call.id)
        if held is None:
            raise Refused(f"there is no hypothesis {call.id!r}; open are {', '.join(self._all) or 'none'}")
        if not call.evidence and not call.reason:
            raise Refused("a change of belief needs evidence or a reason")
        support, against = held.support, held.against
        if call.action == "strengthen":
            state: Literal["strengthened", "weakened", "discarded"] = "strengthened"
            support = tuple(dict.fromkeys((*support, *call.evidence)))
        else:
            state = "weakened" if call.action == "weaken" else "discarded"
            against = tuple(dict.fromkeys((*against, *call.evidence)))
        self._all[held.id] = held.model_copy(
            update={"state": state, "support": support, "against": against, "reason": call.reason or held.reason}
        )
        self._say(
            held.id, state, f"{held.statement} — {call.reason}" if call.reason else held.statement, call.evidence, at
        )
        return f"{held.id} {state}"

    def _say(
        self,
        number: str,
        change: Literal["new", "strengthened", "weakened", "discarded"],
        text: str,
        evidence: tuple[str, ...],
        at: datetime,
    ) -> None:
        self.changes.append(BeliefChange(hypothesis=number, change=change, text=text, evidence=evidence, at=at))
