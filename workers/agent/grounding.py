"""What a finding may say. Every sentence cites evidence that exists; its figures and quotes stand in that evidence;
what it blames is known and is the kind of thing that can have the fault. Code decides, whatever the model says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from skills.contract import Entity
from skills.faults import UnknownFault, fault
from workers.agent import figures, vocabulary
from workers.agent.alerts import shown_alerts
from workers.agent.conclude import CauseDraft, Draft, EntityRef
from workers.agent.evidence import Ledger
from workers.domain import Alert
from workers.llm.entities import is_culprit_kind, owning_workload, same_thing


@dataclass(frozen=True)
class Problem:
    where: str
    """headline, impact, causes[0], chain[2], ruled_out[1]"""
    what: str
    blames: bool = False
    """It is about what is blamed, not about the words that say so."""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


class Grounds:
    """What claims may rest on."""

    def __init__(self, ledger: Ledger, alerts: Sequence[Alert]) -> None:
        self.ledger = ledger
        shown = shown_alerts(alerts)
        self._alert = [str(row[key] or "") for row in shown for key in ("title", "summary", "started_at")]
        self._alert += [value for row in shown for value in row["labels"].values()]
        self.known = (
            *ledger.entities(),
            *(Entity(kind="Service", name=a.service) for a in alerts if a.service),
        )

    def texts(self, numbers: Iterable[str]) -> list[str]:
        """The words behind evidence numbers: the excerpts, and what analyzers computed from them."""
        wanted = set(numbers)
        texts = []
        for number in wanted:
            excerpt = self.ledger.excerpt(number)
            texts.append(excerpt.text)
            texts.append(excerpt.entity.name if excerpt.entity else "")
            texts.append(excerpt.at.isoformat() if excerpt.at else "")
            # Which pod, namespace or route was asked is part of the observation; the question's figures are not.
        for numbered in self.ledger.symptoms:
            if wanted & set(numbered.evidence):
                symptom = numbered.symptom
                texts += [symptom.summary, symptom.entity.name, symptom.onset.isoformat() if symptom.onset else ""]
                change = self.ledger.changes.get(symptom.change or "")
                texts += [change.summary, change.at.isoformat()] if change else []
        for change in self.ledger.changes.values():
            if any(self.ledger.known(e) in wanted for e in change.evidence):
                texts += [change.summary, change.at.isoformat(), change.id, change.author or ""]
        return texts + self._alert


def problems(draft: Draft, grounds: Grounds) -> tuple[Problem, ...]:
    """Everything that may not be said, with the reason in words that a model can act on."""
    return tuple(_problems(draft, grounds))


def _problems(draft: Draft, grounds: Grounds) -> Iterator[Problem]:
    yield from _claim("headline", draft.headline.text, draft.headline.evidence, grounds)
    if draft.impact is not None:
        yield from _claim("impact", draft.impact.text, draft.impact.evidence, grounds)
    for i, cause in enumerate(draft.causes):
        yield from _claim(f"causes[{i}]", cause.summary, cause.evidence, grounds)
        yield from (Problem(f"causes[{i}]", what, blames=True) for what in _blame(cause, grounds))
    for i, link in enumerate(draft.chain):
        yield from _ids(f"chain[{i}]", link.evidence, grounds)
        for end in (link.source, link.target):
            if not _is_known(end, grounds.known):
                yield Problem(f"chain[{i}]", f"{end.kind} {end.name} was never seen")
    for i, out in enumerate(draft.ruled_out):
        yield from _claim(f"ruled_out[{i}]", out.why, out.evidence, grounds)
    if draft.verdict == "incident" and not draft.causes:
        yield Problem("causes", "an incident needs a cause; without one the verdict is inconclusive")
    if draft.verdict == "false_alarm" and draft.causes:
        yield Problem("causes", "a false alarm has no cause")


def _claim(where: str, text: str, numbers: Sequence[str], grounds: Grounds) -> Iterator[Problem]:
    missing = list(_ids(where, numbers, grounds))
    if missing:
        yield from missing
        return
    texts = grounds.texts(numbers)
    everything = figures.folded(" ".join(texts))
    names = {figures.folded(name) for e in grounds.known for name in (e.name, str(e), f"{e.namespace}/{e.name}")}
    for quote in figures.quotes(text):
        if figures.folded(quote) not in everything and figures.folded(quote) not in names and not _is_fault(quote):
            there = _elsewhere(grounds, partial(_quote_stands, quote))
            yield Problem(where, f"the quote {quote!r} does not stand in {', '.join(numbers)}{there}")
    for told in (*figures.times(text), *figures.versions(text)):
        if not _time_stands(told, everything):
            there = _elsewhere(grounds, partial(_moment_stands, told))
            yield Problem(where, f"{told} does not stand in {', '.join(numbers)}{there}")
    known = (*figures.pool(texts), (float(len(numbers)), None))
    for figure in figures.figures(_without_names(text, grounds.known)):
        if not figures.stands_in(figure, known):
            there = _elsewhere(grounds, partial(_figure_stands, figure))
            yield Problem(where, f"the figure {figure.text!r} does not stand in {', '.join(numbers)}{there}")


def _elsewhere(grounds: Grounds, stands: Callable[[str], bool]) -> str:
    """Where it does stand: a model that cites the wrong line is told the right one."""
    found = [n for n in grounds.ledger.numbers if stands(" ".join(grounds.texts([n])))][:3]
    return f"; it stands in {', '.join(found)}" if found else ""


def _quote_stands(quote: str, text: str) -> bool:
    return figures.folded(quote) in figures.folded(text)


def _moment_stands(told: str, text: str) -> bool:
    return _time_stands(told, figures.folded(text))


def _figure_stands(figure: figures.Figure, text: str) -> bool:
    return figures.stands_in(figure, figures.pool([text]))


def _ids(where: str, numbers: Sequence[str], grounds: Grounds) -> Iterator[Problem]:
    if not numbers:
        yield Problem(where, "cites no evidence")
    unknown = [n for n in numbers if n not in grounds.ledger]
    if unknown:
        yield Problem(where, f"there is no evidence {', '.join(unknown)}")


def _blame(cause: CauseDraft, grounds: Grounds) -> Iterator[str]:
    try:
        known = fault(cause.fault)
    except UnknownFault:
        yield vocabulary.unknown(cause.fault)
        return
    if not known.is_cause:
        yield f"{known.name} is a verdict or a kind of situation, never a fault"
        return
    entity = culprit(cause.entity, cause.fault, grounds.known)
    if not _is_known(EntityRef(kind=entity.kind, namespace=entity.namespace, name=entity.name), grounds.known):
        yield f"{entity} was never seen in any result"
    elif not is_culprit_kind(entity.kind, known.culprit):
        yield f"the culprit of {known.name} is a {' or '.join(known.culprit)}, not a {entity.kind}"


def culprit(ref: EntityRef, fault_name: str, known: Sequence[Entity]) -> Entity:
    """The object to blame: a pod's owner, or the known namesake whose kind the fault allows (Service for workload)."""
    entity = owning_workload(Entity(kind=ref.kind, namespace=ref.namespace, name=ref.name), known)
    entity = _with_namespace(entity, known)
    try:
        kinds = fault(fault_name).culprit
    except UnknownFault:
        return entity
    if is_culprit_kind(entity.kind, kinds):
        return entity
    namesakes = [e for e in known if e.name == entity.name and same_thing(e, entity) and is_culprit_kind(e.kind, kinds)]
    return min(namesakes, key=str) if namesakes else entity


def _with_namespace(entity: Entity, known: Sequence[Entity]) -> Entity:
    """Models drop the namespace, or give one to a node."""
    exact = [e for e in known if e.kind == entity.kind and e.name == entity.name]
    if entity in exact or len(exact) != 1:
        return entity
    if entity.namespace and exact[0].namespace and entity.namespace != exact[0].namespace:
        return entity
    return exact[0]


def restated(draft: Draft, found: Sequence[Problem], grounds: Grounds) -> Draft:
    """The draft with causes in the analyzers' words where its own do not stand in the evidence, but an analyzer saw
    this fault at this object. What a model miscites is its sentence, not the cause."""
    wrong = {p.where for p in found} - {p.where for p in found if p.blames}
    causes = tuple(
        _in_their_words(cause, grounds) if f"causes[{i}]" in wrong else cause for i, cause in enumerate(draft.causes)
    )
    return draft.model_copy(update={"causes": causes})


def _in_their_words(cause: CauseDraft, grounds: Grounds) -> CauseDraft:
    entity = culprit(cause.entity, cause.fault, grounds.known)
    seen = [
        n
        for n in grounds.ledger.symptoms
        if n.symptom.role == "cause"
        and n.evidence
        and fault(cause.fault).name in n.symptom.faults
        and same_thing(n.symptom.entity, entity)
    ]
    if not seen:
        return cause
    best = max(seen, key=lambda n: n.symptom.specificity)
    said: dict[str, object] = {"summary": best.symptom.summary, "evidence": best.evidence}
    return cause.model_copy(update={**said, "onset": best.symptom.onset or cause.onset})


def drop(draft: Draft, found: Sequence[Problem], replacement: str) -> Draft:
    """The draft without what has a problem. A headline that has one is replaced by words that claim nothing new."""
    bad = {problem.where for problem in found}
    causes = tuple(c for i, c in enumerate(draft.causes) if f"causes[{i}]" not in bad)
    headline = draft.headline
    if "headline" in bad:
        first = causes[0] if causes else None
        headline = draft.headline.model_copy(
            update={"text": first.summary if first else replacement, "evidence": first.evidence if first else ()}
        )
    return draft.model_copy(
        update={
            "headline": headline,
            "impact": None if "impact" in bad else draft.impact,
            "causes": () if draft.verdict == "false_alarm" else causes,
            "chain": tuple(link for i, link in enumerate(draft.chain) if f"chain[{i}]" not in bad),
            "ruled_out": tuple(r for i, r in enumerate(draft.ruled_out) if f"ruled_out[{i}]" not in bad),
        }
    )


def _is_known(ref: EntityRef, known: Sequence[Entity]) -> bool:
    entity = Entity(kind=ref.kind, namespace=ref.namespace, name=ref.name)
    return any(e.name == entity.name or same_thing(e, entity) for e in known)


def _without_names(text: str, known: Iterable[Entity]) -> str:
    for name in sorted({e.name for e in known if any(c.isdigit() for c in e.name)}, key=len, reverse=True):
        text = text.replace(name, "")
    return text


def _time_stands(told: str, everything: str) -> bool:
    told = figures.folded(told)
    spellings = {told, told.removesuffix("z"), told.replace("t", " "), told.removesuffix("z").replace("t", " ")}
    if len(told) == 4 and told[1] == ":":
        spellings.add("0" + told)
    if len(told) >= 16 and told[10:11] in ("t", " "):
        # A full instant may be told to the minute: 2026-01-05T14:03:10Z for what the evidence dates 14:03.
        spellings.add(told[:16])
    return any(s in everything for s in spellings)


def _is_fault(text: str) -> bool:
    try:
        fault(text)
    except UnknownFault:
        return False
    return True
