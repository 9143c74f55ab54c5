"""Ranks suspects: how specific their symptoms are, how close to the alert, whether the time fits, what they explain.

A suspect is an entity with a fault. Its score is a product of factors between 0 and about 1, so that a suspect that
fails one test badly (far away, weeks old, itself a victim) cannot be saved by the others.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from skills.contract import Entity
from skills.faults import fault
from workers.llm.entities import akin, family, is_claim_of, is_culprit_kind, same_thing, scaled_by
from workers.llm.graph import Graph, Vertex, vertex
from workers.llm.offline import guidance, twins
from workers.llm.offline.closeness import alerted, closeness
from workers.llm.offline.culprits import Scene, blamed_by, by_lines, culprit, is_cause, scene
from workers.llm.offline.leads import leads
from workers.llm.offline.notes import Notes, Sign
from workers.llm.offline.suspects import Ranking, Suspect

Groups = dict[tuple[Vertex, str], list[Sign]]
"""Symptoms by the thing that they blame and the fault."""


def rank(notes: Notes) -> Ranking:
    graph = Graph((*notes.graph.edges, *guidance.edges(notes)))
    unheeded = tuple(s for s in notes.signs if guidance.ignored(notes, s))
    heeded = [s for s in notes.signs if s not in unheeded]
    signs = [dated(s, notes) for s in over_with_the_run(over_where_seen(heeded))]
    about = alerted(notes, signs)
    edges = (*notes.edges, *guidance.edges(notes))
    seen = scene(signs, edges, graph, (c.entity for c in notes.changes))
    signs += leads(notes, about, signs, seen)
    effects = tuple(s for s in signs if s.role == "effect")
    groups: Groups = defaultdict(list)
    misfits: dict[str, list[Sign]] = defaultdict(list)
    for sign in signs:
        if sign.role in ("cause", "change"):
            for name in filter(is_cause, sign.faults):
                entity = culprit(sign.entity, name, seen, sign.victims)
                fits = is_culprit_kind(entity.kind, fault(name).culprit) or not _complains(sign)
                (groups[(vertex(entity), name)] if fits else misfits[name]).append(replace(sign, entity=entity))
    _place(misfits, groups)
    _believe_the_measured(groups)
    for sign in effects:
        for name in sign.faults:
            for entity in blamed_by(sign, name, seen):
                groups[(vertex(entity), name)].append(replace(sign, entity=entity))
    drafts = [_draft(name, group, notes, about, graph, effects, seen) for (_, name), group in groups.items()]
    suspects = [_weighed(s, drafts, effects, about, notes, graph) for s in drafts]
    # What cannot have a fault cannot be concluded to have it: it would be refused, and the rest with it.
    suspects = [s for s in suspects if is_culprit_kind(s.entity.kind, fault(s.fault).culprit)] or suspects
    return Ranking(
        suspects=tuple(
            sorted(suspects, key=lambda s: (-round(s.score, 4), -s.signs[0].specificity, str(s.entity), s.fault))
        ),
        effects=effects,
        healthy=tuple(s for s in signs if s.role == "healthy"),
        ignored=unheeded,
        graph=graph,
        alerted=about,
    )


def _draft(
    name: str,
    signs: Sequence[Sign],
    notes: Notes,
    about: Sequence[Entity],
    graph: Graph,
    effects: Sequence[Sign],
    seen: Scene,
) -> Suspect:
    ordered = tuple(sorted(signs, key=lambda s: -_weight(s, name)))
    entity = culprit(ordered[0].entity, name, seen, ordered[0].victims)
    pointing = {vertex(s.entity) for s in effects if s.ongoing and any(same_thing(p, entity) for p in s.points_at)}
    voices = [*_best_of_each(ordered, name), *([0.2] * min(2, len(pointing)))]
    if agreeing := [_weight(s, name) for s in effects if name in s.faults and s not in signs]:
        voices.append(max(agreeing) * 0.5)
    strength = _together(voices)
    return Suspect(
        entity=entity,
        fault=name,
        signs=ordered,
        strength=strength,
        closeness=closeness(entity, ordered, notes, about, graph, effects, name),
        timing=_timing(ordered, notes),
        own=1.0,
        coverage=1.0,
        score=0.0,
    )


def _weighed(
    suspect: Suspect,
    all_of_them: Sequence[Suspect],
    effects: Sequence[Sign],
    about: Sequence[Entity],
    notes: Notes,
    graph: Graph,
) -> Suspect:
    own = _own(suspect, all_of_them, effects, graph)
    coverage = _coverage(suspect, effects, about, graph)
    first = 1.1 if any(same_thing(suspect.entity, e) for e in guidance.look_first(notes)) else 1.0
    own *= 0.6 if _is_refuted(suspect, notes) else 1.0
    score = suspect.strength * suspect.closeness * suspect.timing * own * (0.75 + 0.25 * coverage) * first
    score *= twins.doubt(suspect, all_of_them, notes)
    return Suspect(
        suspect.entity,
        suspect.fault,
        suspect.signs,
        suspect.strength,
        suspect.closeness,
        suspect.timing,
        own,
        coverage,
        min(score, 1.0),
    )


def _is_refuted(suspect: Suspect, notes: Notes) -> bool:
    """A guess at a fault that would keep pods from running, on a workload that was looked at and runs well."""
    stops_pods = fault(suspect.fault).id[0] in "BCD" or fault(suspect.fault).id in (
        "E1",
        "E2",
        "E5",
        "E6",
        "E7",
        "E8",
        "E10",
    )
    well = any(s.role == "healthy" and same_thing(s.entity, suspect.entity) for s in notes.signs)
    if suspect.fault == "memory_leak" and any(s.role == "cause" and by_lines(s) for s in suspect.signs):
        return False  # a runtime that says its heap is used up lives on in a pod that is ready
    # What two systems saw on their own goes on between two restarts of a pod that is ready in the meantime.
    plain = (s for s in suspect.signs if s.role == "cause" and s.ongoing and s.specificity >= PLAIN)
    seen_by = {s.analyzer.partition(".")[0] for s in plain}
    return stops_pods and well and not suspect.decisive and len(seen_by) < 2


PLAIN = 0.7
"""Specificity of a symptom that speaks for its fault by itself."""


def _weight(sign: Sign, name: str) -> float:
    """What one symptom says for a fault: less for its second guess, less for a mere change."""
    order = (1.0, 0.75, 0.6)[min(sign.faults.index(name), 2)]
    return sign.specificity * order * {"change": 0.5, "effect": 0.65}.get(sign.role, 1.0)


def _best_of_each(signs: Iterable[Sign], name: str) -> list[float]:
    """Symptoms of one analyzer are one voice, however many pods it saw them on; so are log lines, whoever read them."""
    best: dict[str, float] = {}
    for sign in signs:
        voice = "lines" if by_lines(sign) else sign.analyzer
        best[voice] = max(best.get(voice, 0.0), _weight(sign, name))
    return sorted(best.values(), reverse=True)


def _together(weights: Iterable[float]) -> float:
    """Independent voices: the chance that not all of them are wrong."""
    doubt = 1.0
    for weight in weights:
        doubt *= 1.0 - min(weight, 0.98)
    return 1.0 - doubt


def _complains(sign: Sign) -> bool:
    return sign.role == "cause" and family(sign.entity.kind) == "app"


def _place(misfits: dict[str, list[Sign]], groups: Groups) -> None:
    """A complaint by something that cannot have the fault (a program finds the time wrong) speaks for the one that is
    seen to have it, as its victim; alone it stays what it is."""
    for name, signs in misfits.items():
        having = [group for (_, of), group in groups.items() if of == name]
        for sign in signs:
            if len(having) == 1 and _may_concern(having[0][0].entity, sign.entity):
                victims = (*sign.victims, sign.entity)
                having[0].append(replace(sign, entity=having[0][0].entity, victims=victims, role="effect"))
            else:
                groups[(vertex(sign.entity), name)].append(sign)


def _may_concern(having: Entity, complaining: Entity) -> bool:
    """A certificate of another namespace is seldom the one of which nothing more is said."""
    return not having.namespace or not complaining.namespace or having.namespace == complaining.namespace


def _believe_the_measured(groups: Groups) -> None:
    """A certificate that is seen to be invalid is the one of which programs complain without saying whose it was."""
    of_all = {key: signs for key, signs in groups.items() if key[1] == "tls_certificate_invalid"}
    measured = [key for key, signs in of_all.items() if not all(by_lines(s) for s in signs)]
    if len(measured) != 1:
        return
    for key, signs in of_all.items():
        certificate = groups[measured[0]][0].entity
        if key == measured[0] or any(s.victims or s.points_at for s in signs):
            continue
        if not all(_may_concern(certificate, s.entity) for s in signs):
            continue
        groups[measured[0]] += [
            replace(s, entity=certificate, victims=(*s.victims, s.entity), role="effect") for s in signs
        ]
        del groups[key]


def over_where_seen(signs: Sequence[Sign]) -> list[Sign]:
    """That something is over is only said of a writer that was seen to go on without it. Who read its errors alone
    cannot know, and says nothing: the one who knows is believed."""
    over = {_told_by_lines(s) for s in signs if not s.ongoing} - {None}
    return [replace(s, ongoing=s.ongoing and _told_by_lines(s) not in over) for s in signs]


def over_with_the_run(signs: Sequence[Sign]) -> list[Sign]:
    """A run that is complete suffers no more: what was seen of it before is past, even where it is still counted."""
    done = [s for s in signs if s.role == "healthy" and s.entity.kind in ("Job", "CronJob") and s.onset]

    def past(sign: Sign) -> bool:
        return sign.role in ("cause", "effect") and any(
            same_thing(d.entity, sign.entity) and d.onset and (sign.onset or d.onset) <= d.onset + COUNTED for d in done
        )

    return [replace(s, ongoing=False) if past(s) else s for s in signs]


COUNTED = timedelta(minutes=2)
"""Until a scrape counts what has happened."""


def _told_by_lines(sign: Sign) -> tuple[object, ...] | None:
    return (sign.entity, sign.role, sign.faults, sign.points_at) if by_lines(sign) else None


_NEW_VALUE = re.compile(r"-> ([^;,\s]{6,})")


def dated(sign: Sign, notes: Notes) -> Sign:
    """What is wrong with an object began with the change that wrote the very value, not with the object."""
    if sign.role != "cause" or sign.change or by_lines(sign):
        return sign
    for change in reversed(notes.changes):
        if not same_thing(change.entity, sign.entity) or (sign.onset and sign.onset >= change.at):
            continue
        if any(value in sign.says for value in _NEW_VALUE.findall(change.what)):
            return replace(sign, onset=change.at, change=change.id)
    return sign


def _timing(signs: Sequence[Sign], notes: Notes) -> float:
    """Near or before the alert is best; long before is a leftover, after it a consequence."""
    # Where the alert's own measure is well again, its cause is over as well.
    over = 1.0 if notes.resolved or notes.holds is False or any(s.ongoing for s in signs) else 0.7
    onset = next((s.onset for s in signs if s.onset is not None), None)
    if onset is None or notes.onset is None:
        return 0.88 * over
    # A setting that was wrong all the time, as far as objects tell, is as new as the complaint that it causes.
    complaints = [s.onset for s in signs if s.role == "effect" and by_lines(s) and s.onset is not None]
    return max(_fit(notes.onset - at) for at in (onset, *complaints)) * over


def _fit(before: timedelta) -> float:
    # Of a thing that happens again and again only the last time may be known, so "after" is weaker than it sounds.
    if before < -timedelta(minutes=15):
        return 0.65
    if before < -timedelta(minutes=5):
        return 0.8
    if before <= timedelta(hours=1):
        return 1.0
    if before <= timedelta(hours=12):
        return 0.9
    if before <= timedelta(days=2):
        return 0.7
    return 0.5 if before <= timedelta(days=7) else 0.3


_OTHER_WAY_ROUND = (("node_cpu_or_memory_pressure", "unlimited_neighbour"),)
"""The node's pressure is what a workload without limits makes, though it lives on the node as its victims do."""


def _own(suspect: Suspect, others: Sequence[Suspect], effects: Sequence[Sign], graph: Graph) -> float:
    """Less than 1 for a victim: its symptoms are explained by something that fails further down."""
    factor = 1.0
    for other in others:
        if same_thing(other.entity, suspect.entity) or other.strength * other.timing < 0.4:
            continue
        if (other.fault, suspect.fault) in _OTHER_WAY_ROUND or twins.never_was(other, others):
            continue
        pointed = any(
            same_thing(e.entity, suspect.entity) and any(same_thing(p, other.entity) for p in e.points_at)
            for e in effects
        )
        named = any(same_thing(v, suspect.entity) for s in other.signs for v in s.victims)
        below = bool(graph.distance(suspect.entity, other.entity))
        if not (pointed or named or below):
            continue
        if suspect.strength < other.strength + 0.05:
            doubt = 0.5 if pointed or named else 0.75
            factor = min(factor, max(doubt, 0.85) if suspect.decisive and not named else doubt)
    return factor


def _coverage(suspect: Suspect, effects: Sequence[Sign], about: Sequence[Entity], graph: Graph) -> float:
    """The share of those who suffer near the alert whose suffering this explains."""
    sufferers = {vertex(s.entity): s.entity for s in effects if s.ongoing} | {vertex(a): a for a in about}
    if not sufferers:
        return 1.0
    stand_in = scaled_by(suspect.entity) or suspect.entity
    owners = {e for edge in graph.edges for e in (edge.source, edge.target) if is_claim_of(suspect.entity, e)}
    explained = sum(
        same_thing(e, suspect.entity)
        or akin(suspect.entity, e)
        or any(graph.distance(e, place) is not None for place in (stand_in, *owners))
        or any(same_thing(v, e) for s in suspect.signs for v in s.victims)
        or any(graph.distance(e, v) is not None for s in suspect.signs if s.role == "cause" for v in s.victims)
        or any(same_thing(s.entity, e) and any(same_thing(p, suspect.entity) for p in s.points_at) for s in effects)
        or (suspect.entity.kind in ("Namespace",) and e.namespace == suspect.entity.name)
        for e in sufferers.values()
    )
    return explained / len(sufferers)
