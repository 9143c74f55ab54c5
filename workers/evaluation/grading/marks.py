"""All marks of one finding."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from workers.domain import Finding
from workers.evaluation.grading import causes, chains, moments, proof, verdicts
from workers.evaluation.grading.firstfailure import first_failure
from workers.evaluation.grading.process import Process, process
from workers.simulation import Truth
from workers.trace import Span

SCORES: dict[str, str] = {
    "passed": "entity and leaf right at rank 1, verdict right (headline 2)",
    "precision": "average precision at full recall over the root-cause set (headline 1)",
    "entity": "first cause's entity is a true one",
    "hit3": "a true entity within the first three causes",
    "proximity": "1/(1+hops) of the first cause to the truth along the chain",
    "leaf": "fault leaf or accepted twin 1, same group 0.5",
    "lead": "entity and leaf right at rank 1, whatever the verdict",
    "verdict": "verdict right",
    "onset": "within a minute 1, within five 0.5 (where the entity is right)",
    "change": "the true change, or none where nothing changed (where the entity is right)",
    "convicted": "an innocent change named as a cause, of those that name one",
    "decoy": "the planted decoy named as a cause",
    "chain": "F1 of the chain's edges",
    "grounded": "root right and a path of the truth to what alerted",
    "evidence": "required evidence shown by what is cited",
    "on_point": "cited evidence of the first cause that shows required evidence",
    "grounding": "cited evidence that exists in the trace",
    "restraint": "no present cause where there is none",
    "credit": "passed, or 0.3 for inconclusive where telemetry was removed",
}
"""Name -> what it says. The marks that are numbers, in the order in which they are shown."""
WORSE_WHEN_HIGHER = frozenset({"convicted", "decoy"})


class Marks(BaseModel):
    """None: the question does not arise for this case."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    passed: float
    precision: float | None = None
    entity: float | None = None
    hit3: float | None = None
    proximity: float | None = None
    leaf: float | None = None
    lead: float | None = None
    verdict: float
    onset: float | None = None
    change: float | None = None
    convicted: float | None = None
    decoy: float | None = None
    chain: float | None = None
    grounded: float | None = None
    evidence: float | None = None
    on_point: float | None = None
    grounding: float | None = None
    restraint: float | None = None
    credit: float
    high_and_wrong: bool
    band: str | None = None
    """Of the first cause."""
    value: float | None = None
    failure: tuple[str, str] | None = None
    """(last good, first failed step state); None when it passed."""
    process: Process

    def score(self, name: str) -> float | None:
        value: float | None = getattr(self, name)
        return value


def grade(finding: Finding, spans: Sequence[Span], truth: Truth, *, blind: bool = False) -> Marks:
    """`blind`: telemetry was removed from the case."""
    reported = proof.changes(spans)
    first = finding.causes[0] if finding.causes else None
    return Marks(
        passed=float(causes.passed(finding, truth)),
        precision=causes.precision_at_full_recall(finding, truth),
        entity=causes.entity_exact(finding, truth),
        hit3=causes.entity_hit(finding, truth),
        proximity=causes.proximity(finding, truth),
        leaf=causes.leaf(finding, truth),
        lead=causes.lead(finding, truth),
        verdict=float(finding.verdict == truth.verdict),
        onset=moments.onset(finding, truth),
        change=moments.change(finding, truth, reported),
        convicted=moments.convicted(finding, truth, reported),
        decoy=moments.convicted_a_decoy(finding, truth, reported),
        chain=chains.edge_f1(finding, truth),
        grounded=chains.grounded(finding, truth),
        evidence=proof.coverage(finding, truth),
        on_point=proof.on_point(finding, truth),
        grounding=proof.grounding(finding, spans),
        restraint=verdicts.restraint(finding, truth, blind),
        credit=verdicts.credit(finding, truth, blind),
        high_and_wrong=verdicts.high_and_wrong(finding, truth),
        band=first.confidence.band if first else None,
        value=first.confidence.value if first else None,
        failure=first_failure(finding, spans, truth),
        process=process(finding, spans),
    )
