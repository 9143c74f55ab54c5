"""How sure a finding may be. Computed from the evidence by rule; a model's own opinion can only lower it.

What raises it: evidence that names the culprit itself (direct), from more than one question (independent), of a kind
that is rarely seen without the fault (specific). What caps it is named in plain words beside the number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from skills.contract import Edge, Entity, Gap, Symptom
from skills.faults import fault
from workers.agent.challenge import Challenged
from workers.agent.conclude import CauseDraft
from workers.agent.evidence import Ledger, NumberedSymptom
from workers.domain import Band, Confidence, Hypothesis
from workers.llm.entities import akin, family, is_claim_of, same_thing, scaled_by
from workers.llm.graph import Graph

HIGH, MEDIUM = 0.75, 0.45
DECISIVE = 0.9
TOP_OF = {"high": 0.97, "medium": HIGH - 0.01, "low": MEDIUM - 0.01}
LATE = timedelta(minutes=5)
"""What is first seen this long after the alert may be its consequence, or an older thing that happened again."""

EARLY = timedelta(hours=24)
"""What was there a day before the alert is more likely a leftover than its cause."""
_SLOW = ("C6", "E2", "G5")
"""Faults that begin long before they hurt: a volume fills, memory leaks, a certificate runs out."""

# What a fault shows itself in, where its own symptom is not decisive: without it the cause is only likely.
_SHOWN_BY = {
    "metrics": ("E2", "E3", "E4", "G1", "G2", "G4", "K1", "K2", "K3", "K4"),
    "logs": ("I", "J1", "J3", "J4", "E9", "D9"),
}
_SEEN_BY = {"metrics": ("prometheus", "metric", "series"), "logs": ("elasticsearch", "loki", "log")}


@dataclass(frozen=True)
class Case:
    """What is known when a cause is weighed."""

    ledger: Ledger
    graph: Graph
    alerted: tuple[Entity, ...]
    """What the alert is about; empty when it names nothing."""
    onset: datetime | None
    hypotheses: tuple[Hypothesis, ...]
    challenges: tuple[Challenged, ...]
    gaps: tuple[Gap, ...]
    cut_short: str | None = None
    """The budget, the person or the failure that ended it before it was settled."""


@dataclass(frozen=True)
class _Cap:
    at: Band
    why: str


def rate(cause: CauseDraft, entity: Entity, case: Case, others: Sequence[Entity]) -> Confidence:
    """The confidence in one cause; `others` are the entities of the finding's other causes."""
    support = _support(cause, entity, case)
    specificity = max((_specificity(s, cause.fault) for s in support), default=0.4)
    direct = _is_direct(cause, entity, case)
    questions = {(r.skill, r.query) for r in case.ledger.records(cause.evidence)}
    systems = {skill for skill, _ in questions}
    value = 0.25 + 0.5 * specificity + 0.1 * direct + 0.06 * (len(systems) > 1) + 0.04 * (len(questions) > 1)
    caps = sorted(
        _caps(cause, entity, case, support, specificity, direct, questions, others), key=lambda c: TOP_OF[c.at]
    )
    if caps and value > TOP_OF[caps[0].at]:
        return Confidence(band=caps[0].at, value=TOP_OF[caps[0].at], capped_by=caps[0].why)
    value = round(min(value, TOP_OF["high"]), 2)
    return Confidence(band=band(value), value=value)


def band(value: float) -> Band:
    return "high" if value >= HIGH else "medium" if value >= MEDIUM else "low"


def _caps(
    cause: CauseDraft,
    entity: Entity,
    case: Case,
    support: Sequence[NumberedSymptom],
    specificity: float,
    direct: bool,
    questions: set[tuple[str, str]],
    others: Sequence[Entity],
) -> Iterator[_Cap]:
    decisive = direct and specificity >= DECISIVE
    if case.cut_short and not decisive:
        yield _Cap("medium", f"{case.cut_short} ended the investigation before it was settled")
    if not support:
        yield _Cap("medium", "no analyzer recognised this fault; it rests on reading alone")
    if not direct:
        yield _Cap("medium", f"no evidence names {entity.name} itself")
    if direct and _is_hearsay(entity, support, case):
        yield _Cap("medium", f"{entity} was not seen itself: its name comes from the log lines of others")
    if len(questions) < 2 and not decisive:
        yield _Cap("medium", "a single source")
    if (began := _began(cause, support)) and case.onset and began > case.onset + LATE:
        yield _Cap("medium", f"it is first seen at {began:%H:%M}, after the alert at {case.onset:%H:%M}")
    if began and case.onset and case.onset - began > EARLY and fault(cause.fault).id not in _SLOW:
        yield _Cap("medium", f"it was there at {began:%d %b %H:%M}, long before the alert")
    if fault(cause.fault).id == "J1" and not _released(entity, began or case.onset, case):
        yield _Cap("medium", f"no release of {entity.name} was seen before it began: a flag may do it")
    if _sufferers(case) and not _is_on_the_way(entity, support, case):
        yield _Cap("medium", f"no known way leads from {entity.name} to what alerted")
    if rival := _rival(cause, entity, case, specificity, others):
        yield _Cap("medium", f"a rival is not excluded: {rival}")
    if not decisive and (gap := _blind_spot(cause.fault, support, case)):
        yield _Cap("medium", f"what would show it could not be seen: {gap.what}")
    if not decisive and not any(c.hypothesis.fault == cause.fault and c.holds for c in case.challenges):
        yield _Cap("medium", "it was not challenged")
    if any(
        c.hypothesis.fault == cause.fault and same_thing(c.hypothesis.entity, entity) and not c.holds
        for c in case.challenges
    ):
        yield _Cap("low", "it did not survive its own challenge")
    if cause.confidence != "high":
        yield _Cap(cause.confidence, f"the investigator itself is only {cause.confidence} on it")


def _support(cause: CauseDraft, entity: Entity, case: Case) -> tuple[NumberedSymptom, ...]:
    return tuple(
        n
        for n in case.ledger.symptoms
        if n.symptom.role in ("cause", "change") and cause.fault in n.symptom.faults and _means(n.symptom, entity, case)
    )


def _means(symptom: Symptom, entity: Entity, case: Case) -> bool:
    """Whether a symptom is about an entity, under whatever name: a client's log knows a store by its host name, guesses
    its own namespace, and speaks of a volume by the workload that mounts it."""
    said = symptom.entity
    if same_thing(said, entity) or is_claim_of(entity, said):
        return True
    if family(said.kind) != "app" or _is_deployed(said, case):
        return False
    # No such object was seen: the namesake that the complaining workload depends on is meant.
    namesake = said.model_copy(update={"namespace": entity.namespace})
    meant = same_thing(namesake, entity) or is_claim_of(entity, namesake)
    return meant and any(_path(v, entity, case) is not None for v in symptom.victims)


def _is_hearsay(entity: Entity, support: Sequence[NumberedSymptom], case: Case) -> bool:
    """Whether only other workloads' log lines speak of it. A host name tells neither kind nor namespace for certain."""
    if family(entity.kind) != "app" or not support or _is_seen_as(entity, case):
        return False
    if any(same_thing(a, entity) for a in case.alerted):
        return False
    writers = (e.entity for n in support for e in n.symptom.evidence if e.entity is not None)
    by_lines = all(n.symptom.analyzer.startswith("logs.") or n.symptom.analyzer.endswith(".logs") for n in support)
    return by_lines and not any(same_thing(w, entity) for w in writers)


def _is_seen_as(entity: Entity, case: Case) -> bool:
    """Whether it was seen as this very kind: that there is a Service of the name does not tell what stands behind."""
    ends = (e for edge in case.ledger.edges if edge.via != "log" for e in (edge.source, edge.target))
    objects = (n.symptom.entity for n in case.ledger.symptoms if _is_by_objects(n.symptom))
    everything = (*ends, *objects, *(c.entity for c in case.ledger.changes.values()))
    return any(e.kind == entity.kind and same_thing(e, entity) for e in everything)


def _is_deployed(said: Entity, case: Case) -> bool:
    ends = (e for edge in case.ledger.edges if edge.via != "log" for e in (edge.source, edge.target))
    objects = (n.symptom.entity for n in case.ledger.symptoms if _is_by_objects(n.symptom))
    return any(same_thing(e, said) for e in (*ends, *objects, *(c.entity for c in case.ledger.changes.values())))


def _is_by_objects(symptom: Symptom) -> bool:
    return symptom.analyzer.startswith(("kubernetes.", "changes.")) and not symptom.analyzer.endswith(".logs")


def _path(start: Entity, entity: Entity, case: Case) -> tuple[Edge, ...] | None:
    """The way to a thing, or to the workload whose volume it is."""
    if entity.kind != "PersistentVolumeClaim":
        return case.graph.path(start, scaled_by(entity) or entity)
    owners = {e for edge in case.graph.edges for e in (edge.source, edge.target) if is_claim_of(entity, e)}
    ways = (case.graph.path(start, owner) for owner in sorted(owners, key=str))
    return next((way for way in ways if way is not None), None)


def _specificity(numbered: NumberedSymptom, fault_name: str) -> float:
    """What an analyzer claims for its first candidate; the others are less likely by its own order."""
    symptom = numbered.symptom
    factor = (1.0, 0.75, 0.6)[min(symptom.faults.index(fault_name), 2)]
    return symptom.specificity * factor * (0.6 if symptom.role == "change" else 1.0)


def _is_direct(cause: CauseDraft, entity: Entity, case: Case) -> bool:
    for number in cause.evidence:
        if number not in case.ledger:
            continue
        excerpt = case.ledger.excerpt(number)
        about = excerpt.entity
        if entity.name in excerpt.text or (about is not None and same_thing(about, entity)):
            return True
        # A namespace is named by its quotas: their words leave it out.
        if entity.kind == "Namespace" and about is not None and (about.kind, about.namespace) in _limits_of(entity):
            return True
    return False


def _limits_of(namespace: Entity) -> tuple[tuple[str, str], ...]:
    return (("ResourceQuota", namespace.name), ("LimitRange", namespace.name))


def _began(cause: CauseDraft, support: Sequence[NumberedSymptom]) -> datetime | None:
    return cause.onset or min((n.symptom.onset for n in support if n.symptom.onset), default=None)


def _released(entity: Entity, began: datetime | None, case: Case) -> bool:
    """Whether a new version, or any new template, of a thing is known from the day before. Only that tells a defect of
    its own from a flag that was flipped or from an answer that another service changed."""
    changes = [c for c in case.ledger.changes.values() if same_thing(c.entity, entity) and c.kind in _RELEASES]
    return any(began is None or -LATE <= began - c.at <= EARLY for c in changes)


_RELEASES = ("rollout", "deployment", "release", "sync", "merge")


def _is_on_the_way(entity: Entity, support: Sequence[NumberedSymptom], case: Case) -> bool:
    """The alert is about it, depends on it or on a victim of it, is such a victim, or lies in the namespace that it
    is."""
    sufferers = _sufferers(case)
    for alerted in sufferers:
        if same_thing(alerted, entity) or akin(entity, alerted) or _path(alerted, entity, case) is not None:
            return True
        if entity.kind == "Namespace" and alerted.namespace == entity.name:
            return True
        victims = [v for n in support for v in n.symptom.victims]
        if any(same_thing(v, alerted) or _path(alerted, v, case) is not None for v in victims):
            return True
    pointing = (n.symptom for n in case.ledger.symptoms if n.symptom.role == "effect")
    return any(
        same_thing(p, entity) for s in pointing for p in s.points_at if any(same_thing(s.entity, a) for a in sufferers)
    )


def _sufferers(case: Case) -> tuple[Entity, ...]:
    """What alerted; where the alert names nothing, whatever is seen to suffer."""
    seen = (n.symptom.entity for n in case.ledger.symptoms if n.symptom.role == "effect" and n.symptom.ongoing)
    return case.alerted or tuple(dict.fromkeys(seen))


def _rival(cause: CauseDraft, entity: Entity, case: Case, specificity: float, others: Sequence[Entity]) -> str | None:
    """A standing suspect of similar strength that this cause does not explain."""
    discarded = [h for h in case.hypotheses if h.state in ("discarded", "weakened")]
    for numbered in case.ledger.symptoms:
        symptom = numbered.symptom
        if symptom.role != "cause" or not symptom.faults or not symptom.ongoing:
            continue
        if _means(symptom, entity, case) and _kin(symptom.faults, cause.fault):
            continue
        if any(_means(symptom, o, case) for o in others):
            continue
        if _specificity(numbered, symptom.faults[0]) < specificity - 0.1:
            continue
        if any(same_thing(h.entity, symptom.entity) and h.fault in symptom.faults for h in discarded):
            continue
        if case.graph.path(symptom.entity, entity) or any(
            same_thing(v, symptom.entity) for n in _support(cause, entity, case) for v in n.symptom.victims
        ):
            continue  # it depends on the cause: a victim
        if _sufferers(case) and not _is_on_the_way(symptom.entity, (numbered,), case):
            continue
        return f"{symptom.faults[0]} of {symptom.entity.name}"
    return None


def _kin(faults: Sequence[str], name: str) -> bool:
    """The same symptom may speak for several faults; those of one entity and group are twins, not rivals."""
    return name in faults or any(fault(f).id[0] == fault(name).id[0] for f in faults)


def _blind_spot(fault_name: str, support: Sequence[NumberedSymptom], case: Case) -> Gap | None:
    """A gap in the telemetry in which the fault would show itself."""
    known = fault(fault_name)
    for telemetry, shown in _SHOWN_BY.items():
        if not any(known.id == s or (len(s) == 1 and known.id.startswith(s)) for s in shown):
            continue
        if any(word in n.skill for n in support for word in _SEEN_BY[telemetry]):
            continue
        for gap in case.gaps:
            if any(word in gap.what.lower() for word in _SEEN_BY[telemetry]):
                return gap
    return None
