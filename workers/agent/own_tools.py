"""The agent's own tools besides the skills': beliefs, challenge, topology. Each only records or reads what is known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from pydantic import ValidationError

from workers.agent import challenge, conclude, hypotheses, topology
from workers.agent.calls import in_words
from workers.agent.conclude import Draft
from workers.agent.evidence import Ledger
from workers.agent.hypotheses import Beliefs, Refused
from workers.agent.schemas import schema
from workers.agent.topology import Topology
from workers.llm.base import Block, ToolSpec

STATES = {hypotheses.NAME: "hypothesise", challenge.NAME: "challenge", topology.NAME: "interpret"}

SPECS = (
    ToolSpec(hypotheses.NAME, hypotheses.DESCRIPTION, schema(hypotheses.HypothesisInput)),
    ToolSpec(challenge.NAME, challenge.DESCRIPTION, schema(challenge.ChallengeInput)),
    ToolSpec(topology.NAME, topology.DESCRIPTION, schema(topology.TopologyInput)),
    ToolSpec(conclude.NAME, conclude.DESCRIPTION, schema(Draft)),
)


class OwnTools:
    def __init__(self, ledger: Ledger, graph: Topology) -> None:
        self.beliefs = Beliefs(ledger)
        self.challenges = challenge.Challenges(ledger, self.beliefs)
        self._topology = graph

    def call(self, block: Block, at: datetime) -> tuple[str, bool]:
        """Text for the model, and whether it is an error."""
        try:
            return self._answer(block, at), False
        except Refused as problem:
            return f"error: {problem}", True
        except ValidationError as problem:
            return f"error: {in_words(problem)}", True

    def _answer(self, block: Block, at: datetime) -> str:
        answers: dict[str, Callable[[], str]] = {
            hypotheses.NAME: lambda: self.beliefs.note(hypotheses.HypothesisInput.model_validate(block["input"]), at),
            challenge.NAME: lambda: self.challenges.note(challenge.ChallengeInput.model_validate(block["input"])),
            topology.NAME: lambda: self._topology.tell(topology.TopologyInput.model_validate(block["input"])),
        }
        return answers[block["name"]]()
