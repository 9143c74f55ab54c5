"""Writes the conclusion: headline, impact, chain, what was ruled out. Every sentence is an analyzer's own, with its
evidence; nothing is computed here that the evidence does not say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from skills.contract import Entity
from workers.llm.entities import same_thing
from workers.llm.offline import propagation
from workers.llm.offline.attribution import SLACK, began, change_of, id_of_change
from workers.llm.offline.leads.reading import ANALYZER as TIMELINE
from workers.llm.offline.notes import Alteration, Notes, Sign
from workers.llm.offline.suspects import Ranking, Suspect

WORTH_A_WORD = 0.15
"""Score of a rival that a reader would ask about."""
SUSPICIOUS = timedelta(hours=2)
LONG = 120
"""Characters of a change that a headline can still carry."""
MOST = 6
"""Evidence numbers of one claim: more do not make it easier to check."""


def conclusion(verdict: str, headline: tuple[str, Sequence[str]], **parts: Any) -> dict[str, Any]:
    """A finding's draft as `conclude` takes it."""
    text, evidence = headline
    return {"verdict": verdict, "headline": {"text": text, "evidence": list(evidence)[:MOST]}, **parts}


def incident(
    verdict: str,
    suspects: Sequence[Suspect],
    notes: Notes,
    ranking: Ranking,
    sure: str,
    plain: bool,
    second: Suspect | None = None,
) -> dict[str, Any]:
    """One or two faults, and everything that stands around them. `second`: a fault besides the first, not a rival."""
    lead = suspects[0]
    change = change_of(lead, notes)
    text, evidence = says(lead, notes, None if plain else change)
    return conclusion(
        verdict,
        (text, evidence),
        impact=impact(lead, notes, ranking),
        causes=[
            cause(s, notes, ranking, sure if i == 0 else _lower(sure, s, lead, second)) for i, s in enumerate(suspects)
        ],
        chain=[] if plain else chain([lead, *([second] if second else [])], notes, ranking),
        ruled_out=[] if plain else ruled_out(suspects, notes, ranking),
        gaps=[],
        next=[],
    )


def inconclusive(leads: Sequence[Suspect], notes: Notes, ranking: Ranking) -> dict[str, Any]:
    if not leads:
        effect = next(iter(ranking.effects), None)
        said = (
            f"Inconclusive: {lowered(effect.says)}"
            if effect
            else "Inconclusive: nothing that was seen explains the alert."
        )
        return conclusion("inconclusive", (said, effect.evidence if effect else _anything(notes)), causes=[], chain=[])
    text, evidence = says(leads[0], notes, None)
    return conclusion(
        "inconclusive",
        (f"Inconclusive, strongest lead: {text}", evidence),
        impact=impact(leads[0], notes, ranking),
        causes=[cause(s, notes, ranking, "low") for s in leads],
        chain=[],
        ruled_out=ruled_out(leads, notes, ranking),
    )


def healthy(signs: Sequence[Sign], notes: Notes, ranking: Ranking, prefix: str) -> dict[str, Any]:
    """A false alarm: what was looked at, and found well."""
    evidence = list(dict.fromkeys(n for s in signs for n in s.evidence))
    return conclusion(
        "false_alarm",
        (f"{prefix}{lowered(signs[0].says) if prefix.endswith(': ') else signs[0].says}", evidence),
        impact=None,
        causes=[],
        chain=[],
        ruled_out=ruled_out((), notes, ranking),
    )


def says(suspect: Suspect, notes: Notes, change: Alteration | None) -> tuple[str, list[str]]:
    """The analyzer's sentence, with the change that brought it about when that is known and not yet in it."""
    sign = suspect.signs[0]
    text, evidence = _named(sign.says, suspect.entity), list(sign.evidence)
    told = sign.analyzer == TIMELINE or (change is not None and _tells_of(text, change))
    if change is not None and change.evidence and change.what and not told:
        text = f"{text.rstrip('.')}, since {_whose(change, suspect)} at {change.at:%H:%M}"
        evidence = list(dict.fromkeys((*evidence[: MOST - 1], *change.evidence)))
    return text, evidence[:MOST]


def _whose(change: Alteration, suspect: Suspect) -> str:
    """What was changed, with its object's name where that is another than the culprit."""
    thing = change.entity
    if same_thing(thing, suspect.entity) or thing.name in change.what:
        return change.what
    if change.what.startswith(f"{thing.kind} "):
        return f"{thing.kind} {thing.name}{change.what.removeprefix(thing.kind)}"
    return f"{thing.kind} {thing.name}: {change.what}"


def _tells_of(text: str, change: Alteration) -> bool:
    """Whether a sentence says already what was changed: the new value of any part of the change stands in it."""
    values = [part.rsplit("->", 1)[-1].strip() for part in change.what.split(";") if "->" in part]
    return "revision" in text or len(change.what) > LONG or any(value and value in text for value in values)


def cause(suspect: Suspect, notes: Notes, ranking: Ranking, sure: str) -> dict[str, Any]:
    change = change_of(suspect, notes)
    text, evidence = says(suspect, notes, None)
    evidence = list(_telling(evidence, notes))
    more = [*_of_other_eyes(suspect), *_of_sufferers(suspect, ranking)]
    return {
        "entity": ref(suspect.entity),
        "fault": suspect.fault,
        "summary": text,
        "onset": _iso(onset_of(suspect, change)),
        "change": id_of_change(suspect, notes),
        "confidence": sure,
        "evidence": list(dict.fromkeys((*evidence[:3], *more, *(change.evidence if change else ()), *evidence)))[:MOST],
    }


_VARIES = re.compile(r"\b[0-9a-f]{8,}\b|\d+")


def _telling(numbers: Sequence[str], notes: Notes) -> Iterator[str]:
    """Without lines that say the same as one before: three times the same error is one piece of evidence."""
    known = set()
    for number in numbers:
        shape = _VARIES.sub("#", notes.evidence.get(number, number).partition("\n")[0])
        if shape not in known:
            known.add(shape)
            yield number


def _of_other_eyes(suspect: Suspect) -> list[str]:
    """The first line of each other analyzer that speaks for it: independent evidence, the strongest first."""
    first = suspect.signs[0]
    seen = {first.analyzer: first}
    for sign in suspect.signs:
        seen.setdefault(sign.analyzer, sign)
    return [n for sign in list(seen.values())[1:] for n in sign.evidence[:1]]


def _of_sufferers(suspect: Suspect, ranking: Ranking) -> list[str]:
    """A line of a victim that suffers in just the way in which this fault makes suffer."""
    victims = [v for s in suspect.signs for v in s.victims]
    for effect in sorted(ranking.effects, key=lambda e: -e.specificity):
        near = any(same_thing(v, e) for v in victims for e in (effect.entity, *effect.points_at))
        if effect.ongoing and suspect.fault in effect.faults and near:
            return list(effect.evidence[:1])
    return []


def onset_of(suspect: Suspect, change: Alteration | None) -> datetime | None:
    """When it was first seen, but not before the change that brought it about: clocks and scrapes differ by seconds."""
    first = began(suspect)
    return max(first, change.at) if first and change and change.at - first <= SLACK else first


def impact(lead: Suspect, notes: Notes, ranking: Ranking) -> dict[str, Any] | None:
    """Who suffers: what alerted if that is not the cause itself, then whoever points at the cause or depends on it."""
    suffering = [e for e in ranking.effects if e.ongoing or notes.resolved]
    about = [e for e in suffering if any(same_thing(e.entity, a) for a in ranking.alerted)]
    pointing = [e for e in suffering if any(same_thing(p, lead.entity) for p in e.points_at)]
    caused = [e for e in suffering if ranking.graph.distance(e.entity, lead.entity) is not None]
    others = [e for e in (*about, *pointing, *caused) if not same_thing(e.entity, lead.entity)]
    best = next(iter((*others, *about)), None)
    if best is None or best.says == lead.signs[0].says:
        return None
    return {"text": _named(best.says, best.entity), "evidence": list(best.evidence)[:MOST]}


def chain(faults: Sequence[Suspect], notes: Notes, ranking: Ranking) -> list[dict[str, Any]]:
    """From each fault to what alerted, each link with the evidence by which it is known."""
    ways = [propagation.links(f, notes, ranking, onward=f is faults[0]) for f in faults]
    told = {(str(k.source), str(k.target)): k for way in ways for k in way}
    return [
        {"from": ref(link.source), "to": ref(link.target), "evidence": list(link.evidence)[:MOST]}
        for link in told.values()
    ]


def ruled_out(suspects: Sequence[Suspect], notes: Notes, ranking: Ranking) -> list[dict[str, Any]]:
    """Rivals with the test that they failed, one for each thing, and changes that nothing connects with the alert."""
    out: list[dict[str, Any]] = []
    told = {(s.entity.namespace, s.entity.name) for s in suspects}
    for rival in (s for s in ranking.suspects if s.score >= WORTH_A_WORD):
        here = (rival.entity.namespace, rival.entity.name)
        if here in told or any(ranking.is_twin(s, rival) for s in suspects) or len(out) >= 3:
            continue
        if _is_second_guess(rival):
            continue
        told.add(here)
        out.append(
            {
                "fault": rival.fault,
                "why": _why_not(rival, suspects, ranking),
                "evidence": list(rival.signs[0].evidence)[:2],
            }
        )
    for change in _innocent(suspects, notes, ranking):
        why = f"{change.entity.name} changed shortly before, but nothing leads from it to what alerted"
        out.append({"change": change.id, "why": why, "evidence": list(change.evidence)[:2]})
    return out


def _is_second_guess(rival: Suspect) -> bool:
    """What no symptom names first was nobody's suspicion, and needs no ruling out."""
    return all(rival.fault not in s.faults[:1] for s in rival.signs)


def _innocent(suspects: Sequence[Suspect], notes: Notes, ranking: Ranking) -> list[Alteration]:
    """The last changes before the alert that a reader would suspect, and that touch nothing on its path."""
    if not suspects or notes.onset is None:
        return []
    path = [*(s.entity for s in suspects), *ranking.alerted]
    recent = [
        c
        for c in notes.changes
        if c.evidence
        and c.kind != "scale"
        and not any(c.id == s.change or set(c.evidence) & set(s.evidence) for x in suspects for s in x.signs)
        and timedelta() <= notes.onset - c.at <= SUSPICIOUS
        and not any(same_thing(c.entity, e) or ranking.graph.distance(e, c.entity) for e in path)
    ]
    return sorted(recent, key=lambda c: c.at, reverse=True)[:2]


def _why_not(rival: Suspect, suspects: Sequence[Suspect], ranking: Ranking) -> str:
    name = f"`{rival.entity.name}`"
    if any(ranking.explains(s, rival) for s in suspects):
        return f"{name} depends on the cause and suffers from it"
    if rival.own < 1.0:
        return f"{name} suffers from what it depends on"
    if rival.timing < 0.6:
        return f"{name} does not fit in time: it began long before the alert or after it"
    if rival.closeness < 0.7:
        return f"nothing leads from {name} to what alerted"
    return f"{name} fits less well: its symptom is less specific"


def ref(entity: Entity) -> dict[str, Any]:
    return {"kind": entity.kind, "namespace": entity.namespace, "name": entity.name}


def _named(text: str, entity: Entity) -> str:
    return text if entity.name in text else f"`{entity.name}`: {text}"


def lowered(text: str) -> str:
    """As it stands in the midst of a sentence; ResourceQuota and DNS keep their capitals."""
    return text[:1].lower() + text[1:] if text.partition(" ")[0][1:].islower() else text


def _lower(sure: str, suspect: Suspect, lead: Suspect, second: Suspect | None) -> str:
    if suspect.decisive and suspect.score >= lead.score - 0.15:
        return sure
    return "medium" if suspect is second else "low"


def _anything(notes: Notes) -> Sequence[str]:
    return list(notes.evidence)[:2]


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
