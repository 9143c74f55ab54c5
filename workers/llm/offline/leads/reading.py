"""What the rules that join a change with trouble have in common: what is a release, what throws, what follows what."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from skills.contract import Entity
from workers.llm.entities import same_thing
from workers.llm.offline.notes import Alteration, Notes, Sign

ANALYZER = "timeline"
SOON = timedelta(minutes=15)
"""From a change to trouble that it explains: a rolling update, the kubelet's refresh of a mounted ConfigMap (a minute
or two) and the caches before it lie within."""
RELEASE = timedelta(minutes=30)
SLACK = timedelta(minutes=2)
"""Clocks, scrape intervals and lines that were read late."""
CRASHES = ("code_defect_in_release", "contract_broken_between_services", "feature_flag_harmful")
BREAKING = ("KeyError", "422", "400", "json", "schema", "field", "parse", "decod", "unmarshal", "UNIMPLEMENTED")


def is_release(change: Alteration) -> bool:
    """A new version of a program, as ReplicaSets, deploy tools or forges tell it."""
    image = "image" in change.what and "->" in change.what
    return image or change.kind in ("deployment", "release", "sync")


def released(entity: Entity, onset: datetime | None, notes: Notes) -> bool:
    """Whether a thing got a new version or template shortly before; True as well when changes could not be seen."""
    if onset is None or not looked_for_changes(notes):
        return True
    own = [c for c in notes.changes if same_thing(c.entity, entity) and (is_release(c) or c.kind == "rollout")]
    return any(-SLACK <= onset - c.at <= 2 * RELEASE for c in own)


def looked_for_changes(notes: Notes) -> bool:
    return bool(notes.changes) or any(s.analyzer.startswith(("kubernetes.releases", "changes")) for s in notes.signs)


def crashes(signs: Sequence[Sign]) -> list[Sign]:
    """Programs that throw by their own code, one for each workload: the strongest."""
    best: dict[str, Sign] = {}
    for sign in signs:
        thrown = sign.role == "cause" and sign.ongoing and sign.faults[:1] and sign.faults[0] in CRASHES
        if thrown and sign.analyzer != ANALYZER:
            kept = best.get(str(sign.entity))
            if kept is None or sign.specificity > kept.specificity:
                best[str(sign.entity)] = sign
    return list(best.values())


def words_of(sign: Sign, notes: Notes) -> str:
    return " ".join((sign.says, *(notes.evidence.get(n, "") for n in sign.evidence)))


def suffers(entity: Entity, signs: Sequence[Sign]) -> bool:
    return any(is_suffering(s) and same_thing(s.entity, entity) for s in signs)


def is_suffering(sign: Sign) -> bool:
    """More than the odd reset and retry that every healthy program writes of."""
    least = 0.25 if sign.analyzer.startswith("prometheus") else 0.3
    return sign.role == "effect" and sign.ongoing and sign.specificity >= least


def follows(sign: Sign, change: Alteration) -> bool:
    return sign.onset is not None and -SLACK <= sign.onset - change.at <= RELEASE


def lead(
    entity: Entity,
    faults: tuple[str, ...],
    says: str,
    specificity: float,
    change: Alteration,
    sign: Sign | None = None,
    *,
    role: Literal["cause", "change"],
    onset: datetime | None = None,
    victims: tuple[Entity, ...] = (),
) -> Sign:
    return Sign(
        entity=entity,
        faults=faults,
        says=says[:480],
        specificity=specificity,
        onset=onset or change.at,
        role=role,
        points_at=(),
        victims=victims,
        evidence=numbers(sign.evidence[:3] if sign else (), change.evidence),
        change=change.id,
        ongoing=True,
        analyzer=ANALYZER,
    )


def both(one: Sign, other: Sign) -> tuple[str, ...]:
    return numbers(one.evidence[:3], other.evidence[:3])


def numbers(*groups: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(n for group in groups for n in group))[:6]
