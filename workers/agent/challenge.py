"""The attack on the leading cause before it is concluded. Four questions; code checks that each was answered."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from skills.contract import ToolInput
from workers.agent.conclude import Ids
from workers.agent.evidence import Ledger
from workers.agent.hypotheses import Beliefs, Refused
from workers.domain import Hypothesis

NAME = "challenge"
DESCRIPTION = (
    "Attack the leading hypothesis before you conclude. victim: is the entity suffering from something it depends on? "
    "rival: does the strongest rival predict the same? timing: did it begin before the suspected change? peer: is a "
    "healthy peer like it in this respect? Answer each in a sentence with its evidence ids, or say what was not seen."
)


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    answer: str = Field(max_length=800)
    evidence: Ids = ()


def _spelt(value: Any) -> Any:
    """A sentence that names its evidence: `No, its own limit changed [E3, E5].`"""
    return {"answer": value, "evidence": _NUMBER.findall(value)} if isinstance(value, str) else value


_NUMBER = re.compile(r"\bE\d+\b")
Answered = Annotated[Answer, BeforeValidator(_spelt), WithJsonSchema({"type": "string"})]


class ChallengeInput(ToolInput):
    hypothesis: str
    """H1 ..."""
    victim: Answered
    rival: Answered
    timing: Answered
    peer: Answered
    holds: bool
    """Whether the hypothesis survives."""


@dataclass(frozen=True)
class Challenged:
    """A challenge that was made."""

    hypothesis: Hypothesis
    holds: bool
    answered: int
    """How many of the four questions were answered with evidence."""


class Challenges:
    def __init__(self, ledger: Ledger, beliefs: Beliefs) -> None:
        self._ledger = ledger
        self._beliefs = beliefs
        self.made: dict[str, Challenged] = {}

    def note(self, call: ChallengeInput) -> str:
        """Records a challenge. Raises Refused when it answers nothing with evidence or cites what is not there."""
        hypothesis = self._beliefs.get(call.hypothesis)
        if hypothesis is None:
            raise Refused(f"there is no hypothesis {call.hypothesis!r}; open it first")
        answers = {"victim": call.victim, "rival": call.rival, "timing": call.timing, "peer": call.peer}
        unknown = [n for a in answers.values() for n in a.evidence if n not in self._ledger]
        if unknown:
            raise Refused(f"there is no evidence {', '.join(unknown)}")
        empty = [question for question, a in answers.items() if not a.answer.strip()]
        if empty:
            raise Refused(f"not answered: {', '.join(empty)}")
        answered = sum(bool(a.evidence) for a in answers.values())
        if not answered:
            raise Refused("no question was answered with evidence: look first, then challenge")
        self.made[hypothesis.id] = Challenged(hypothesis, call.holds, answered)
        verdict = "survives" if call.holds else "does not survive: discard it, or say what is left"
        return f"{hypothesis.id} {verdict}; {answered} of 4 questions answered with evidence"
