"""Whether what is about to be concluded was put to the test: opened with what it predicts, challenged, and set against
its strongest rival. A conclusion that was not is sent back once; afterwards the confidence pays for it."""

from __future__ import annotations

from collections.abc import Iterator

from skills.contract import Entity
from skills.faults import UnknownFault, fault
from workers.agent.challenge import Challenged
from workers.agent.conclude import Draft
from workers.agent.evidence import Ledger, NumberedSymptom
from workers.domain import Hypothesis
from workers.llm.entities import may_mean

WORTH_A_TEST = 0.6
"""Specificity from which another suspect has to be considered."""


def untested(
    draft: Draft, hypotheses: tuple[Hypothesis, ...], challenges: tuple[Challenged, ...], ledger: Ledger
) -> Iterator[str]:
    """What is missing, in words that a model can act on."""
    if draft.verdict not in ("incident", "recovered") or not draft.causes:
        return
    lead = draft.causes[0]
    believed = [h for h in hypotheses if h.fault == _name(lead.fault)]
    if not believed:
        yield f"causes[0]: first open {lead.fault} as a hypothesis with what it predicts, and challenge it"
    elif not {h.id for h in believed} & {c.hypothesis.id for c in challenges}:
        yield f"causes[0]: first challenge {believed[-1].id}"
    if any(h not in believed for h in hypotheses) or any(r.fault and r.evidence for r in draft.ruled_out):
        return
    named = [Entity(kind=c.entity.kind, namespace=c.entity.namespace, name=c.entity.name) for c in draft.causes]
    if rival := _rival(named, ledger):
        symptom, numbers = rival.symptom, ", ".join(rival.evidence[:3])
        yield (
            f"causes: the strongest rival, {symptom.faults[0]} of {symptom.entity} [{numbers}], was not tested: "
            "open it and weaken or discard it with evidence, or rule it out"
        )


def _rival(named: list[Entity], ledger: Ledger) -> NumberedSymptom | None:
    """The most specific sign of another cause, at an object that is not blamed."""
    others = [
        n
        for n in ledger.symptoms
        if n.symptom.role == "cause"
        and n.symptom.faults
        and n.symptom.ongoing
        and n.symptom.specificity >= WORTH_A_TEST
        and not any(may_mean(n.symptom.entity, e) for e in named)
    ]
    return max(others, key=lambda n: n.symptom.specificity, default=None)


def _name(said: str) -> str:
    """Models may give a fault's id."""
    try:
        return fault(said).name
    except UnknownFault:
        return said
