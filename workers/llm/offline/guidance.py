"""Obeys typed readings of guidance: what is expected when, what to ignore, where to look first, what depends on what.

Guidance directs the search and excuses what is expected; it is never evidence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from skills.contract import Edge, Entity
from skills.faults import UnknownFault, fault
from workers.llm.entities import same_thing
from workers.llm.offline.notes import Notes, Sign, Told

_SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*(?:-|–|to|until)\s*(\d{1,2}):(\d{2})")
_ZONE = re.compile(r"\b([A-Z][A-Za-z]+/[A-Z][A-Za-z_]+)\b")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def expected(notes: Notes, entity: Entity, fault_name: str) -> Told | None:
    """The reading that says this fault of this entity is normal at this time."""
    at = notes.onset or notes.now
    for told in _of(notes, "expected"):
        if at is not None and _speaks_of(told, notes, entity, fault_name) and in_window(told.window, at):
            return told
    return None


def ignored(notes: Notes, sign: Sign) -> Told | None:
    """The reading that says this symptom means nothing."""
    for told in _of(notes, "ignore"):
        by_words = bool(told.text) and told.text.casefold() in sign.says.casefold()
        by_what = (told.entity or told.fault) and any(
            _speaks_of(told, notes, sign.entity, f) for f in sign.faults or ("",)
        )
        if by_words or by_what:
            return told
    return None


def look_first(notes: Notes) -> tuple[Entity, ...]:
    """What people say to look at first, as entities to ask about."""
    return tuple(
        Entity(kind=t.target.get("kind") or "", namespace=t.target.get("namespace"), name=t.target["name"])
        for t in _of(notes, "look_first")
        if t.target.get("name")
    )


def edges(notes: Notes) -> Iterator[Edge]:
    """Dependencies that people told of, over the entities that are known."""
    known = {e: None for s in notes.signs for e in (s.entity, *s.points_at, *s.victims)} | dict.fromkeys(notes.alerted)
    for told in _of(notes, "depends_on"):
        sources = [e for e in known if told.entity and _matches(told.entity, e)] or (
            () if told.entity else notes.alerted
        )
        targets = [e for e in known if told.target and _matches(told.target, e)]
        yield from (Edge(s, t, "guidance") for s in sources for t in targets)


def in_window(window: str, at: datetime) -> bool:
    """Whether a moment lies in "02:00-04:00 UTC", "weekends", "Mon-Fri 09:00-17:00"; no window means always."""
    text = window.strip()
    if not text:
        return True
    here = at.astimezone(_zone(text))
    days, span = _days(text.casefold()), _SPAN.search(text)
    if days is None and span is None:
        return False  # words that are not understood excuse nothing
    if days is not None and here.weekday() not in days:
        return False
    if span is None:
        return True
    start, end = (int(span[1]) * 60 + int(span[2]), int(span[3]) * 60 + int(span[4]))
    minute = here.hour * 60 + here.minute
    return start <= minute < end if start <= end else (minute >= start or minute < end)


def _of(notes: Notes, kind: str) -> Iterable[Told]:
    return (t for t in notes.guidance if t.kind == kind)


def _speaks_of(told: Told, notes: Notes, entity: Entity, fault_name: str) -> bool:
    if told.fault and not _same_fault(told.fault, fault_name):
        return False
    if told.entity:
        return _matches(told.entity, entity)
    return not notes.alerted or any(same_thing(entity, a) for a in notes.alerted)


def _matches(pattern: Mapping[str, str], entity: Entity) -> bool:
    name = pattern.get("name") or "*"
    if not (fnmatchcase(entity.name, name) or entity.name.startswith(name + "-")):
        return False
    place = pattern.get("namespace")
    return not place or not entity.namespace or fnmatchcase(entity.namespace, place)


def _same_fault(a: str, b: str) -> bool:
    try:
        return fault(a) == fault(b)
    except UnknownFault:
        return False


def _zone(text: str) -> tzinfo:
    if match := _ZONE.search(text):
        try:
            return ZoneInfo(match[1])
        except (ZoneInfoNotFoundError, ValueError):
            return UTC
    return UTC


def _days(text: str) -> frozenset[int] | None:
    if "weekend" in text:
        return frozenset({5, 6})
    if "weekday" in text or "workday" in text or "working day" in text:
        return frozenset(range(5))
    named = [_DAYS.index(m) for m in re.findall(r"\b(" + "|".join(_DAYS) + r")[a-z]*", text)]
    if re.search(r"\b(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\s*(?:-|–|to)\s*(?:mon|tue|wed|thu|fri|sat|sun)", text):
        first, last = named[0], named[1]
        return frozenset((first + i) % 7 for i in range((last - first) % 7 + 1))
    return frozenset(named) if named else None
