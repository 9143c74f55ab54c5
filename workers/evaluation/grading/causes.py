"""Was the right thing blamed for the right fault: entities, leaves, and both at once."""

from __future__ import annotations

from collections.abc import Sequence

from skills.contract import Entity
from workers.domain import Cause, Finding
from workers.evaluation.sameness import is_entity, is_step, leaf_score, spelt, true_causes_of
from workers.simulation import Truth


def entity_exact(finding: Finding, truth: Truth) -> float | None:
    """1 when the first cause blames a true entity. None when nothing is to blame."""
    if not truth.causes:
        return None
    return float(bool(finding.causes and true_causes_of(finding.causes[0].entity, truth)))


def entity_hit(finding: Finding, truth: Truth, within: int = 3) -> float | None:
    """1 when any of the first causes blames a true entity."""
    if not truth.causes:
        return None
    return float(any(true_causes_of(cause.entity, truth) for cause in finding.causes[:within]))


def precision_at_full_recall(finding: Finding, truth: Truth) -> float | None:
    """Headline 1: the share of the named entities that are true, if every true entity is named; else 0."""
    if not truth.causes:
        return None
    named = list(dict.fromkeys(cause.entity for cause in finding.causes))
    if not all(any(is_entity(said, true.entity) for said in named) for true in truth.causes):
        return 0.0
    # Two spellings of one true thing are one name; a name that is nobody's counts against.
    met = {next((i for i, t in enumerate(truth.causes) if is_entity(said, t.entity)), str(said)) for said in named}
    return sum(isinstance(m, int) for m in met) / len(met)


def proximity(finding: Finding, truth: Truth) -> float | None:
    """1 / (1 + hops along the true chain) of the first cause's entity to the nearest true one; 0 off the path."""
    if not truth.causes:
        return None
    if not finding.causes:
        return 0.0
    said = finding.causes[0].entity
    hops = [h for true in truth.causes if (h := _hops(said, true.entity, true.chain)) is not None]
    return 1 / (1 + min(hops)) if hops else 0.0


def _hops(said: Entity, true: dict[str, object], chain: Sequence[tuple[str, str]]) -> int | None:
    if is_entity(said, true):
        return 0
    reached, hops = {spelt(true)}, 0
    while True:
        near = {b for a, b in chain if a in reached} | {a for a, b in chain if b in reached}
        if near <= reached:
            return None
        hops += 1
        if any(is_step(said, step) for step in near - reached):
            return hops
        reached |= near


def leaf(finding: Finding, truth: Truth) -> float | None:
    """The first cause's fault against the true one it is about (or, when it is about none, against the nearest)."""
    if not truth.causes:
        return None
    if not finding.causes:
        return 0.0
    first = finding.causes[0]
    return max(leaf_score(first.fault, true) for true in true_causes_of(first.entity, truth) or truth.causes)


def is_right(cause: Cause, truth: Truth) -> bool:
    """Entity and leaf, of one and the same true cause."""
    return any(leaf_score(cause.fault, true) == 1 for true in true_causes_of(cause.entity, truth))


def lead(finding: Finding, truth: Truth) -> float | None:
    """1 when the first cause is right, whatever the verdict says of it."""
    if not truth.causes:
        return None
    return float(bool(finding.causes) and is_right(finding.causes[0], truth))


def passed(finding: Finding, truth: Truth) -> bool:
    """Headline 2: entity and leaf right at rank 1 and the verdict right; without a true cause, none is named."""
    if finding.verdict != truth.verdict:
        return False
    if not truth.causes:
        return not finding.causes
    return bool(finding.causes) and is_right(finding.causes[0], truth)
