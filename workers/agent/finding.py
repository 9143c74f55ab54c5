"""Makes the finding out of what a model proposed: grounded, weighed, and honest about what was not seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from skills.contract import Entity, Gap
from skills.faults import fault
from workers.agent.conclude import CauseDraft, Draft, EntityRef
from workers.agent.confidence import MEDIUM, Case, rate
from workers.agent.grounding import Grounds, culprit, drop, problems, restated
from workers.agent.next_checks import all_of
from workers.domain import (
    Cause,
    ChainLink,
    Claim,
    Confidence,
    Finding,
    GapRecord,
    Guidance,
    RuledOut,
    Used,
    Verdict,
)
from workers.llm.entities import owning_workload

NOTHING = "The cause was not found."
_NAMED = 4
"""Of what was not seen for one reason."""


@dataclass(frozen=True)
class Frame:
    """What stands around a draft when it becomes a finding."""

    grounds: Grounds
    case: Case
    guidance: tuple[Guidance, ...]
    used: Used
    gaps: tuple[Gap, ...]


def assemble(draft: Draft, frame: Frame) -> Finding:
    """Drops what is not grounded, weighs the rest by rule, and turns an ungrounded conclusion into leads."""
    draft = restated(draft, problems(draft, frame.grounds), frame.grounds)
    draft = drop(draft, problems(draft, frame.grounds), NOTHING)
    causes = _causes(draft, frame)
    verdict = _verdict(draft, causes)
    if verdict == "inconclusive":
        causes = tuple(c.model_copy(update={"confidence": _at_most_low(c.confidence)}) for c in causes)
    headline = Claim(text=draft.headline.text, evidence=draft.headline.evidence)
    if verdict == "inconclusive" and draft.verdict != "inconclusive":
        headline = _lead(causes)
    finding = Finding(
        verdict=verdict,
        headline=headline,
        impact=Claim(text=draft.impact.text, evidence=draft.impact.evidence) if draft.impact else None,
        causes=causes,
        chain=tuple(
            ChainLink.model_validate(
                {
                    "from": _entity(link.source, frame.grounds.known),
                    "to": _entity(link.target, frame.grounds.known),
                    "evidence": link.evidence,
                }
            )
            for link in draft.chain
        ),
        ruled_out=_ruled_out(draft),
        gaps=_gaps(draft, frame.gaps),
        next=all_of(draft, causes, frame.guidance, frame.grounds.ledger.owner),
        used=frame.used,
    )
    return finding.model_copy(update={"evidence": frame.grounds.ledger.records(_cited(finding))})


def _causes(draft: Draft, frame: Frame) -> tuple[Cause, ...]:
    named = [(c, culprit(c.entity, c.fault, frame.grounds.known)) for c in draft.causes]
    causes = [_cause(c, entity, [e for o, e in named if o is not c], frame) for c, entity in named]
    ranked = sorted(causes, key=lambda c: -c.confidence.value)
    # A model's order stands unless the rules say that its first is clearly weaker.
    if causes and ranked[0].confidence.value > causes[0].confidence.value + 0.15:
        return tuple(ranked)
    return tuple(causes)


def _cause(drafted: CauseDraft, entity: Entity, others: Sequence[Entity], frame: Frame) -> Cause:
    known = fault(drafted.fault)
    return Cause(
        entity=entity,
        fault=known.name,
        fault_id=known.id,
        summary=drafted.summary,
        onset=drafted.onset,
        change=_change(drafted, frame),
        confidence=rate(drafted, entity, frame.case, others),
        evidence=drafted.evidence,
    )


def _change(drafted: CauseDraft, frame: Frame) -> str:
    """A change is only named when it is known and came before what it is said to have caused."""
    if drafted.change in ("none", "unknown"):
        return drafted.change
    change = frame.grounds.ledger.changes.get(drafted.change)
    if change is None:
        named = any(n.symptom.change == drafted.change for n in frame.grounds.ledger.symptoms)
        return drafted.change if named else "unknown"
    began = drafted.onset or frame.case.onset
    return "unknown" if began is not None and change.at > began.replace(microsecond=999999) else drafted.change


def _verdict(draft: Draft, causes: Sequence[Cause]) -> Verdict:
    if draft.verdict in ("incident", "recovered") and not causes:
        return "inconclusive"
    if draft.verdict == "incident" and causes[0].confidence.value < MEDIUM:
        return "inconclusive"
    return draft.verdict


def _lead(causes: Sequence[Cause]) -> Claim:
    if not causes:
        return Claim(text=f"Inconclusive: {NOTHING[0].lower()}{NOTHING[1:]}")
    return Claim(text=f"Inconclusive, strongest lead: {causes[0].summary}", evidence=causes[0].evidence)


def _at_most_low(confidence: Confidence) -> Confidence:
    if confidence.band == "low":
        return confidence
    return Confidence(
        band="low",
        value=min(confidence.value, round(MEDIUM - 0.01, 2)),
        capped_by=confidence.capped_by or "the investigation was inconclusive",
    )


def _ruled_out(draft: Draft) -> tuple[RuledOut, ...]:
    """Each once: the same sentence, or the same suspect by the same evidence, is told once."""
    kept: dict[tuple[object, ...], RuledOut] = {}
    for out in draft.ruled_out:
        same_words = (" ".join(out.why.casefold().split()),)
        same_grounds = (out.fault, out.change, out.evidence)
        if same_words not in kept and same_grounds not in kept:
            told = RuledOut(fault=out.fault, change=out.change, why=out.why, evidence=out.evidence)
            kept[same_words] = kept[same_grounds] = told
    return tuple(dict.fromkeys(kept.values()))


def _entity(ref: EntityRef, known: Sequence[Entity]) -> Entity:
    return owning_workload(Entity(kind=ref.kind, namespace=ref.namespace, name=ref.name), known)


def _gaps(draft: Draft, more: Sequence[Gap]) -> tuple[GapRecord, ...]:
    said = [
        *(GapRecord(what=g.what, why=g.why) for g in more),
        *(GapRecord(what=g.what, why=g.why) for g in draft.gaps),
    ]
    kept: dict[str, GapRecord] = {}
    for gap in said:
        kept.setdefault(gap.what.casefold(), gap)
    return tuple(_told_once(kept.values()))[:12]


def _told_once(gaps: Iterable[GapRecord]) -> Iterator[GapRecord]:
    """What fell for one and the same reason shares it, whatever was asked: a log system that is down blinds all that
    read its logs."""
    by_reason: dict[str, list[GapRecord]] = {}
    for gap in gaps:
        by_reason.setdefault(gap.why.partition("; asked: ")[0], []).append(gap)
    for same in by_reason.values():
        what = [gap.what for gap in same]
        more = f" and {len(what) - _NAMED} more" if len(what) > _NAMED else ""
        yield GapRecord(what=", ".join(what[:_NAMED]) + more, why=same[0].why)


def _cited(finding: Finding) -> list[str]:
    claims = [finding.headline, finding.impact, *finding.causes, *finding.chain, *finding.ruled_out]
    return [number for claim in claims if claim is not None for number in claim.evidence]
