"""Somebody else changed: what it calls, a flag that it reads, the number of replicas behind a name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from skills.contract import Entity
from skills.logfaults.places import hosts_in
from workers.llm.entities import same_thing
from workers.llm.offline.culprits import Scene
from workers.llm.offline.leads.reading import (
    ANALYZER,
    BREAKING,
    RELEASE,
    SLACK,
    SOON,
    crashes,
    is_release,
    lead,
    numbers,
    released,
    words_of,
)
from workers.llm.offline.notes import Alteration, Notes, Sign


def contract(notes: Notes, about: Sequence[Entity], signs: Sequence[Sign], seen: Scene) -> Iterator[Sign]:
    """A caller that was not released trips over an answer since something that it calls was: two versions disagree.

    A program that nobody touched does not break by itself; the last release of what it calls is what is new.
    """
    for crash in crashes(signs):
        if crash.onset is None or released(crash.entity, crash.onset, notes):
            continue
        candidates = [
            (change, hops)
            for change in notes.changes
            if is_release(change)
            and -SLACK <= crash.onset - change.at <= SOON
            and (hops := seen.graph.distance(crash.entity, change.entity) or _is_called(crash, change.entity, notes))
            and hops <= 2
        ]
        for change, hops in candidates:
            told = change.entity.name in words_of(crash, notes)
            shape = any(word.casefold() in words_of(crash, notes).casefold() for word in BREAKING)
            says = (
                f"{crash.says.rstrip('.')}; {crash.entity.name} itself was not released,"
                f" {change.entity.name}, which it calls, was: {change.what}"
            )
            weight = 0.6 + 0.2 * told + 0.08 * shape - 0.1 * (hops - 1)
            yield lead(
                change.entity, ("contract_broken_between_services", "code_defect_in_release"), says, weight, change,
                crash, role="cause", onset=crash.onset, victims=(crash.entity,),
            )  # fmt: skip


def _is_called(crash: Sign, entity: Entity, notes: Notes) -> int:
    """1 where the trace itself names the other as the host of a call, though no setting does; else 0."""
    hosts = {h.name.partition(".")[0] for h in hosts_in(words_of(crash, notes))}
    return int(entity.name in hosts and not same_thing(entity, crash.entity))


_FLAGS = re.compile(r"flag|toggle|feature|experiment|rollout-config|unleash|launchdarkly", re.IGNORECASE)


def refused_by_policy(notes: Notes, about: Sequence[Entity], signs: Sequence[Sign], seen: Scene) -> Iterator[Sign]:
    """Callers are told that a policy forbids them since the one policy over what they call was made or altered."""
    for told in signs:
        if told.role != "effect" or told.faults != ("mesh_policy_blocks",) or not told.ongoing or told.onset is None:
            continue
        for policy in signs:
            place = {p.namespace for p in told.points_at}
            over = policy.role == "cause" and policy.faults[:1] == told.faults and policy.entity.namespace in place
            if over and policy.onset and -SLACK <= told.onset - policy.onset <= SOON:
                yield replace(
                    policy, says=f"{policy.says.rstrip('.')}; {told.says}"[:480], specificity=0.88, analyzer=ANALYZER,
                    victims=(told.entity, *told.points_at), evidence=numbers(policy.evidence[:3], told.evidence[:2]),
                )  # fmt: skip


def refused_by_quota(notes: Notes, about: Sequence[Entity], signs: Sequence[Sign], seen: Scene) -> Iterator[Sign]:
    """A Service that is called and is not there, in a namespace whose quota of Services is used up: it was refused,
    and a refused object leaves no event."""
    for full in signs:
        if full.role != "cause" or full.faults[:1] != ("service_object_quota_exhausted",) or not full.ongoing:
            continue
        for missed in signs:
            unknown = missed.role == "effect" and missed.ongoing and missed.faults[:1] == ("service_deleted",)
            if unknown and any(p.namespace == full.entity.name for p in missed.points_at):
                yield replace(
                    full, says=f"{full.says.rstrip('.')}; {missed.says}"[:480], specificity=0.85, analyzer=ANALYZER,
                    onset=missed.onset, victims=(missed.entity,),
                    evidence=numbers(full.evidence[:2], missed.evidence[:2]),
                )  # fmt: skip
                break


def flag(notes: Notes, about: Sequence[Entity], signs: Sequence[Sign], seen: Scene) -> Iterator[Sign]:
    """A flag was flipped, and minutes later something that nobody released begins to throw."""
    for crash in crashes(signs):
        if crash.onset is None or released(crash.entity, crash.onset, notes):
            continue
        for change in notes.changes:
            is_flag = change.kind == "flag" or change.entity.kind == "feature_flag" or _names_flags(change)
            if not is_flag or not -SLACK <= crash.onset - change.at <= SOON:
                continue
            flipped = _flag_of(change, signs)
            told = flipped.kind == "feature_flag" and flipped.name in words_of(crash, notes)
            says = (
                f"{crash.says.rstrip('.')}, without a release, since {flipped.name} was changed at"
                f" {change.at:%H:%M}: {change.what}"
            )
            yield lead(
                flipped, ("feature_flag_harmful",), says, 0.9 if told else 0.8, change, crash, role="cause",
                onset=crash.onset, victims=(crash.entity,),
            )  # fmt: skip


def _flag_of(change: Alteration, signs: Sequence[Sign]) -> Entity:
    """The flag by its name, where somebody who read the configuration could tell it."""
    named = (s for s in signs if s.entity.kind == "feature_flag" and (s.change == change.id or s.onset == change.at))
    return next((s.entity for s in named), change.entity)


def _names_flags(change: Alteration) -> bool:
    return change.entity.kind == "ConfigMap" and _FLAGS.search(change.entity.name) is not None


_TO_ZERO = re.compile(r"Scaled down replica set (?P<set>\S+) (?:from \d+ )?to 0|replicas \d+ -> 0\b")
_UP = re.compile(r"Scaled up replica set (?P<set>\S+)|replicas 0 -> [1-9]")


def scaled_away(notes: Notes, about: Sequence[Entity], signs: Sequence[Sign], seen: Scene) -> Iterator[Sign]:
    """Something was scaled to nothing when its callers began to be refused; it is over where it was scaled up again.

    A rollout also takes its old ReplicaSet to 0, but has just brought up another one.
    """
    for change in notes.changes:
        if not (match := _TO_ZERO.search(change.what)):
            continue
        others = [c for c in notes.changes if same_thing(c.entity, change.entity) and _UP.search(c.what)]
        if any(_set_of(c.what) != match["set"] and abs(c.at - change.at) <= RELEASE for c in others):
            continue
        again = next((c for c in others if c.at > change.at), None)
        suffering = [
            s
            for s in signs
            if s.role == "effect" and s.onset and -SLACK <= s.onset - change.at <= SOON
            and any(same_thing(p, change.entity) for p in s.points_at)
        ]  # fmt: skip
        if not suffering:
            continue
        back = f", and up again at {again.at:%H:%M}" if again else ""
        says = f"{change.entity.name} was scaled to 0 at {change.at:%H:%M}{back}; {suffering[0].says}"
        evidence = numbers(change.evidence, *(s.evidence for s in suffering[:1]), again.evidence if again else ())
        yield Sign(
            entity=change.entity, faults=("scaled_to_zero",), says=says[:480], specificity=0.9, onset=change.at,
            role="cause", points_at=(), victims=tuple(dict.fromkeys(s.entity for s in suffering)), evidence=evidence,
            change=change.id, ongoing=again is None, analyzer=ANALYZER,
        )  # fmt: skip


def _set_of(what: str) -> str | None:
    found = _UP.search(what)
    return found["set"] if found else None
