"""Which change brought a cause about. Convicts only what touches the failing part, can bring the fault about
(mechanisms.py), and came before the trouble, soon enough; else says "none", or "unknown" where nobody could look.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from skills.contract import Entity
from workers.llm.entities import WORKLOADS, family, is_claim_of, owner_name, same_thing, scaled_by
from workers.llm.offline.mechanisms import NEVER_BY_ITSELF, WAYS, Way
from workers.llm.offline.notes import Alteration, Notes, Sign
from workers.llm.offline.suspects import Suspect

NONE, UNKNOWN = "none", "unknown"
SLACK = timedelta(seconds=90)
"""Clocks and scrape intervals: what was changed this much after the first sign still came before it."""
NEWS = ("sync", "deployment", "release")
"""Kinds of changes that tell of a new version and not of its parts."""


def change_of(suspect: Suspect, notes: Notes) -> Alteration | None:
    """The change that whoever saw the cause names; else the best that fits."""
    by_id = {c.id: c for c in notes.changes}
    first = began(suspect) or notes.onset
    for sign in suspect.signs:
        named = by_id.get(sign.change or "") if sign.role != "change" else None
        # What was written after the trouble began put it right, or tried to.
        if named and (first is None or named.at <= first + SLACK) and not _puts_back(named, suspect, notes):
            return named
    fitting = [f for f in _fitting(suspect, notes) if not _puts_back(f[1], suspect, notes)]
    if not fitting:
        return None
    return min(fitting, key=lambda f: (f[0], -f[1].at.timestamp(), f[1].id))[1]


def id_of_change(suspect: Suspect, notes: Notes) -> str:
    """For the finding."""
    if change := change_of(suspect, notes):
        return change.id
    known = {c.id for c in notes.changes}
    named = next((s.change for s in suspect.signs if s.change and s.role != "change" and s.change not in known), None)
    if named:
        return named
    if suspect.fault not in WAYS:
        return NONE
    return NONE if suspect.fault not in NEVER_BY_ITSELF and _looked(suspect.entity, notes) else UNKNOWN


def unread(suspect: Suspect, notes: Notes) -> str:
    """The namespace to ask about: one whose changes nobody has told yet, or in which somebody must have made the fault;
    empty where the change is known or none is to be found."""
    place = _place(suspect.entity)
    if not place or suspect.fault not in WAYS or change_of(suspect, notes) is not None:
        return ""
    return place if suspect.fault in NEVER_BY_ITSELF or not _looked(suspect.entity, notes) else ""


def began(suspect: Suspect) -> datetime | None:
    """When the cause was first seen; when it was changed, if nothing else is known."""
    seen = [s.onset for s in suspect.signs if s.onset is not None and s.role != "change"]
    changed = [s.onset for s in suspect.signs if s.onset is not None]
    return min(seen or changed, default=None)


def _fitting(suspect: Suspect, notes: Notes) -> Iterator[tuple[int, Alteration]]:
    onset = began(suspect) or notes.onset
    if onset is None:
        return
    for rank, way in enumerate(WAYS.get(suspect.fault, ())):
        for change in notes.changes:
            in_time = timedelta() <= onset - change.at + SLACK <= way.within + SLACK
            if in_time and _is_of(way, change, notes) and _touches(way, change, suspect, notes):
                # One that tells its parts says more than a delivery tool's word of a new version.
                yield 2 * rank + (change.kind in NEWS), change


def _puts_back(change: Alteration, suspect: Suspect, notes: Notes) -> bool:
    """One that came after the first sign, while another of the same thing had come shortly before it: the remedy."""
    onset = began(suspect) or notes.onset
    if onset is None or change.at <= onset:
        return False
    before = (c for c in notes.changes if same_thing(c.entity, change.entity) and c.kind == change.kind)
    return any(timedelta() <= onset - c.at <= REMEDIED for c in before)


REMEDIED = timedelta(minutes=15)


def _is_of(way: Way, change: Alteration, notes: Notes) -> bool:
    if change.entity.kind not in way.kinds:
        return False
    if change.kind in NEWS:
        return not _is_told_in_parts(change, notes)
    # A new workload is new in all its parts.
    made = change.id.startswith("created/") or change.what.startswith("created")
    return (made and way.made) or bool(way.what.search(change.what))


def _is_told_in_parts(news: Alteration, notes: Notes) -> bool:
    """Whether the rollout is known of which a delivery tool tells: its parts are judged then, and not the word."""
    told = (c for c in notes.changes if c.kind == "rollout" and "->" in c.what)
    return any(same_thing(c.entity, news.entity) and abs(c.at - news.at) <= DELIVERED for c in told)


DELIVERED = timedelta(minutes=30)


def _touches(way: Way, change: Alteration, suspect: Suspect, notes: Notes) -> bool:
    thing, culprit = change.entity, suspect.entity
    if way.whose == "own":
        return same_thing(thing, culprit)
    if way.whose == "place" and thing.kind == "Node":
        return _is_of_nodes(way, change, suspect, notes)
    if way.whose == "place":
        return (not thing.namespace and thing.kind != "Namespace") or _place(thing) == _place(culprit)
    if way.whose == "victim":
        return any(same_thing(thing, v) or is_claim_of(v, thing) for v in _served(suspect))
    if same_thing(thing, culprit):
        return False  # named is somebody else
    near = not thing.namespace or not culprit.namespace or thing.namespace == culprit.namespace
    if near and _is_its_own(thing, culprit):
        return True
    return any(same_thing(thing, e) for e in _linked(suspect)) or (near and _is_named(thing.name, suspect, notes))


_TAINT = re.compile(r"([\w./-]+)=[\w.-]*:(?:NoSchedule|NoExecute|PreferNoSchedule)")


def _is_of_nodes(way: Way, change: Alteration, suspect: Suspect, notes: Notes) -> bool:
    """Another node's cordon is another node's; a taint is one that the scheduler names, as `{key: value}`."""
    if suspect.entity.kind == "Node" and not same_thing(change.entity, suspect.entity):
        return suspect.entity.name in re.split(r"[\s,]+", change.what)
    said = " ".join(w for s in suspect.signs for w in _words(s, notes))
    taints = _TAINT.findall(change.what)
    return not taints or any(key in said for key in taints)


_PARTS = re.compile(r"-(?:configs?|conf|cm|settings|env|secrets?|credentials|properties)$")


def _is_its_own(thing: Entity, culprit: Entity) -> bool:
    """Configuration that is called after the workload, by the common habit of charts."""
    own = thing.kind in ("ConfigMap", "Secret", "ServiceAccount")
    return own and _PARTS.sub("", thing.name) == owner_name(culprit.kind, culprit.name)


def _place(entity: Entity) -> str | None:
    return entity.name if entity.kind == "Namespace" else entity.namespace


def _served(suspect: Suspect) -> Iterator[Entity]:
    """Workloads that the culprit is there for: those of a claim, of an autoscaler, those that a quota refused."""
    for sign in suspect.signs:
        yield from sign.victims
        if not same_thing(sign.entity, suspect.entity):
            yield sign.entity
    if scaled := scaled_by(suspect.entity):
        yield scaled
    if suspect.entity.kind in WORKLOADS:
        yield suspect.entity


def _linked(suspect: Suspect) -> Iterator[Entity]:
    for sign in suspect.signs:
        yield sign.entity
        yield from sign.points_at


def _is_named(name: str, suspect: Suspect, notes: Notes) -> bool:
    words = {w.strip(".,:;()[]`'\"").rpartition("/")[2] for s in suspect.signs for w in _words(s, notes)}
    ends = (e for edge in notes.edges for e in (edge.source, edge.target))
    # Where a program is called like it, the word means the program.
    another = any(e.name == name and not same_thing(e, suspect.entity) for e in ends if family(e.kind) == "app")
    return name in words and not another


def _words(sign: Sign, notes: Notes) -> Sequence[str]:
    return " ".join((sign.says, *(notes.evidence.get(n, "") for n in sign.evidence))).split()


def _looked(culprit: Entity, notes: Notes) -> bool:
    """Whether the objects around the culprit were read as a whole: somebody told of a change there, or of selectors.
    That one object of a place was looked at says nothing of the others."""
    place = _place(culprit)
    selected = (e.target for e in notes.edges if e.via == "selector")
    read = {_place(e) for e in (*selected, *(c.entity for c in notes.changes))}
    return bool(read) if place is None else place in read
