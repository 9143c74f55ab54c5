"""Ranks suspects: how specific their symptoms are, how close to the alert, whether the time fits, what they explain.

A suspect is an entity with a fault. Its score is a product of factors between 0 and about 1, so that a suspect that
fails one test badly (far away, weeks old, itself a victim) cannot be saved by the others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from skills.contract import Entity
from skills.faults import UnknownFault, fault
from workers.llm.entities import family, is_culprit_kind, owning_workload, same_thing, settled
from workers.llm.graph import Graph, vertex
from workers.llm.offline import guidance
from workers.llm.offline.notes import Notes, Sign

STRONG = 0.5
"""A suspect worth convicting."""
WEAK = 0.25
"""A suspect worth naming as a lead."""
DECISIVE = 0.9
"""Specificity of a symptom that is seldom seen without its fault."""

_OF_THE_CALLER = (
    "dependency_address_wrong",
    "datastore_credentials_rejected",
    "datastore_endpoint_wrong",
    "retry_storm",
)
"""Faults that sit in the reference to a thing, not in the thing."""

SYSTEM_NAMESPACES = ("kube-system", "kube-public", "kube-node-lease", "istio-system", "monitoring", "observability")


@dataclass(frozen=True)
class Suspect:
    entity: Entity
    fault: str
    signs: tuple[Sign, ...]
    """The symptoms that speak for it, the most specific first."""
    strength: float
    closeness: float
    timing: float
    own: float
    """1, less where its symptoms are explained by something it depends on."""
    coverage: float
    """The part of the suffering that it explains."""
    score: float

    @property
    def decisive(self) -> bool:
        return any(s.specificity >= DECISIVE and s.role == "cause" and s.faults[0] == self.fault for s in self.signs)

    @property
    def ongoing(self) -> bool:
        return any(s.ongoing for s in self.signs)


@dataclass(frozen=True)
class Ranking:
    suspects: tuple[Suspect, ...]
    """Best first."""
    effects: tuple[Sign, ...]
    healthy: tuple[Sign, ...]
    ignored: tuple[Sign, ...]
    graph: Graph
    alerted: tuple[Entity, ...]

    @property
    def lead(self) -> Suspect | None:
        return self.suspects[0] if self.suspects else None

    def rivals(self, lead: Suspect) -> tuple[Suspect, ...]:
        """Suspects that are a different explanation: not a twin fault of the same symptom, not a victim of the lead."""
        return tuple(
            s for s in self.suspects if s is not lead and not self.is_twin(lead, s) and not self.explains(lead, s)
        )

    def is_twin(self, a: Suspect, b: Suspect) -> bool:
        shared = {s.evidence for s in a.signs} & {s.evidence for s in b.signs}
        return same_thing(a.entity, b.entity) and (bool(shared) or fault(a.fault).id[0] == fault(b.fault).id[0])

    def explains(self, cause: Suspect, other: Suspect) -> bool:
        """Whether the other's trouble follows from the cause: it depends on it, is its victim, or lives on it."""
        if self.graph.distance(other.entity, cause.entity):
            return True
        return any(same_thing(v, other.entity) for s in cause.signs for v in s.victims)


def rank(notes: Notes) -> Ranking:
    graph = Graph((*notes.graph.edges, *guidance.edges(notes)))
    unheeded = tuple(s for s in notes.signs if guidance.ignored(notes, s))
    signs = [s for s in notes.signs if s not in unheeded]
    about = _alerted(notes, signs)
    effects = tuple(s for s in signs if s.role == "effect")
    signs += _recent_releases(notes, about, graph, effects)
    groups: dict[tuple[tuple[str, str, str], str], list[Sign]] = defaultdict(list)
    known = [e for s in signs for e in (s.entity, *s.victims, *s.points_at)]
    known += [e for edge in graph.edges for e in (edge.source, edge.target)]
    for sign in signs:
        if sign.role in ("cause", "change"):
            for name in sign.faults:
                if _is_cause(name):
                    groups[(vertex(_culprit(sign.entity, name, known)), name)].append(sign)
    for sign in effects:
        for name in sign.faults:
            for entity in _blamed_by(sign, name, known):
                groups[(vertex(entity), name)].append(replace(sign, entity=entity))
    drafts = [_draft(name, group, notes, about, graph, effects, known) for (_, name), group in groups.items()]
    suspects = [_weighed(s, drafts, effects, about, notes, graph) for s in drafts]
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
    known: Sequence[Entity],
) -> Suspect:
    ordered = tuple(sorted(signs, key=lambda s: -_weight(s, name)))
    entity = _culprit(ordered[0].entity, name, known)
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
        closeness=closeness(entity, ordered, notes, about, graph, effects),
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
    return stops_pods and well and not suspect.decisive


def _weight(sign: Sign, name: str) -> float:
    """What one symptom says for a fault: less for its second guess, less for a mere change."""
    order = (1.0, 0.75, 0.6)[min(sign.faults.index(name), 2)]
    return sign.specificity * order * {"change": 0.5, "effect": 0.65}.get(sign.role, 1.0)


def _best_of_each(signs: Iterable[Sign], name: str) -> list[float]:
    """Symptoms of one analyzer are one voice, however many pods it saw them on."""
    best: dict[str, float] = {}
    for sign in signs:
        best[sign.analyzer] = max(best.get(sign.analyzer, 0.0), _weight(sign, name))
    return sorted(best.values(), reverse=True)


def _together(weights: Iterable[float]) -> float:
    """Independent voices: the chance that not all of them are wrong."""
    doubt = 1.0
    for weight in weights:
        doubt *= 1.0 - min(weight, 0.98)
    return 1.0 - doubt


def closeness(
    entity: Entity, signs: Sequence[Sign], notes: Notes, about: Sequence[Entity], graph: Graph, effects: Sequence[Sign]
) -> float:
    """How near to the alert: the same thing, its victim, pointed at by it, a dependency of it, in its namespace."""
    if not about:
        return _by_place(entity, notes.namespace, known=0.95, other=0.6)
    best = _by_place(entity, about[0].namespace or notes.namespace, known=0.7, other=0.3)
    for alert in about:
        if same_thing(entity, alert) or (
            entity.kind == "Namespace" and entity.name == (alert.namespace or notes.namespace)
        ):
            return 1.0
        if any(same_thing(v, alert) for s in signs for v in s.victims):
            return 1.0
        if (hops := graph.distance(alert, entity)) is not None:
            best = max(best, 1.0 - 0.04 * hops)
        for effect in effects:
            if not any(same_thing(p, entity) for p in effect.points_at):
                continue
            away = graph.distance(alert, effect.entity)
            if same_thing(effect.entity, alert) or away is not None:
                best = max(best, 0.97 - 0.04 * (away or 0))
    # What depends on the alerted thing suffers from it or loads it; it is seldom its cause.
    return min(best, 0.6) if best <= 0.75 and any(graph.distance(entity, a) for a in about) else best


def _by_place(entity: Entity, namespace: str | None, *, known: float, other: float) -> float:
    if entity.kind in ("Node", "PersistentVolume") or entity.namespace in SYSTEM_NAMESPACES:
        return 0.75  # what everything stands on
    if entity.namespace is None:
        return 0.7 if entity.kind in ("external", "feature_flag", "certificate") else known
    if entity.kind == "Namespace":
        return known if entity.name == namespace else other
    return known if not namespace or entity.namespace == namespace else other


def _timing(signs: Sequence[Sign], notes: Notes) -> float:
    """Near or before the alert is best; long before is a leftover, after it a consequence."""
    over = 1.0 if notes.resolved or any(s.ongoing for s in signs) else 0.7
    onset = next((s.onset for s in signs if s.onset is not None), None)
    if onset is None or notes.onset is None:
        return 0.88 * over
    before = notes.onset - onset
    # Of a thing that happens again and again only the last time may be known, so "after" is weaker than it sounds.
    if before < -timedelta(minutes=15):
        return 0.65 * over
    if before < -timedelta(minutes=5):
        return 0.8 * over
    if before <= timedelta(hours=1):
        return 1.0 * over
    if before <= timedelta(hours=12):
        return 0.9 * over
    if before <= timedelta(days=2):
        return 0.7 * over
    return (0.5 if before <= timedelta(days=7) else 0.3) * over


def _own(suspect: Suspect, others: Sequence[Suspect], effects: Sequence[Sign], graph: Graph) -> float:
    """Less than 1 for a victim: its symptoms are explained by something that fails further down."""
    factor = 1.0
    for other in others:
        if same_thing(other.entity, suspect.entity) or other.strength * other.timing < 0.4:
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
    explained = sum(
        same_thing(e, suspect.entity)
        or graph.distance(e, suspect.entity) is not None
        or any(same_thing(v, e) for s in suspect.signs for v in s.victims)
        or any(same_thing(s.entity, e) and any(same_thing(p, suspect.entity) for p in s.points_at) for s in effects)
        or (suspect.entity.kind in ("Namespace",) and e.namespace == suspect.entity.name)
        for e in sufferers.values()
    )
    return explained / len(sufferers)


def _alerted(notes: Notes, signs: Sequence[Sign]) -> tuple[Entity, ...]:
    """By label and service; the known things that the alert's words name, where those lead to nothing that is known."""
    known = dict.fromkeys(e for s in signs for e in (s.entity, *s.victims, *s.points_at))
    known.update(dict.fromkeys(e for edge in notes.graph.edges for e in (edge.source, edge.target)))
    about = settled(notes.alerted, known)
    if any(same_thing(a, e) for a in about for e in known):
        return about
    words = {w.strip(".,:;()[]`'\"").casefold() for w in notes.text.split()}
    named = tuple(e for e in known if e.name.casefold() in words and family(e.kind) in ("app", "Node"))
    return about + named


def _culprit(entity: Entity, name: str, known: Sequence[Entity]) -> Entity:
    """The object to blame: a pod's owner, or the namesake whose kind can have the fault."""
    entity = _as_deployed(owning_workload(entity, known), known)
    kinds = fault(name).culprit
    if is_culprit_kind(entity.kind, kinds):
        return entity
    namesakes = [e for e in known if same_thing(e, entity) and is_culprit_kind(e.kind, kinds)]
    return min(namesakes, key=str) if namesakes else entity


def _as_deployed(entity: Entity, known: Sequence[Entity]) -> Entity:
    """A log or a metric knows a store by its host name and guesses a Deployment; who sees the objects knows better."""
    if entity.kind != "Deployment":
        return entity
    named = {e for e in known if e.kind in ("StatefulSet", "DaemonSet") and e.name == entity.name}
    here = {e for e in named if same_thing(e, entity)} or named
    return next(iter(here)) if len(here) == 1 else entity


def _recent_releases(notes: Notes, about: Sequence[Entity], graph: Graph, effects: Sequence[Sign]) -> list[Sign]:
    """A new image of something on the alert's path that suffers since minutes later: a lead, never a conviction."""
    if notes.onset is None:
        return []
    found = []
    for change in notes.changes:
        near = -timedelta(minutes=2) <= notes.onset - change.at <= timedelta(minutes=30)
        suffers = any(e.ongoing and same_thing(e.entity, change.entity) for e in effects)
        on_path = any(graph.distance(a, change.entity) is not None for a in about)
        if change.evidence and near and suffers and on_path and "image" in change.what and "->" in change.what:
            says = f"{change.entity.name} suffers since shortly after its release: {change.what}"[:400]
            found.append(
                Sign(
                    entity=change.entity,
                    faults=("code_defect_in_release",),
                    says=says,
                    specificity=0.85,
                    onset=change.at,
                    role="change",
                    points_at=(),
                    victims=(),
                    evidence=change.evidence,
                    change=change.id,
                    ongoing=True,
                    analyzer="timeline",
                )
            )
    return found


def _blamed_by(sign: Sign, name: str, known: Sequence[Entity]) -> list[Entity]:
    """Whom a sufferer's symptom suspects: what it points at, if that can have the fault, else the sufferer itself."""
    if not _is_cause(name):
        return []
    kinds = fault(name).culprit
    if sign.points_at and name not in _OF_THE_CALLER:
        pointed = (_culprit(p, name, known) for p in sign.points_at)
        return [e for e in pointed if is_culprit_kind(e.kind, kinds)]
    own = _culprit(sign.entity, name, known)
    return [own] if is_culprit_kind(own.kind, kinds) else []


def _is_cause(name: str) -> bool:
    try:
        return fault(name).is_cause
    except UnknownFault:
        return False
