"""What lies back: the change after which trouble ended, and the switch that waited for somebody to come by."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta

from skills.contract import Entity
from workers.llm.entities import same_thing
from workers.llm.offline.culprits import Scene
from workers.llm.offline.leads.reading import ANALYZER, SLACK, crashes, numbers, released, words_of
from workers.llm.offline.notes import Alteration, Notes, Sign

_PART_OF_A_SERVICE = re.compile(r"^Service changed: (?P<part>ports|selector)$")
_UNTIL = re.compile(r"none after (?P<time>\d\d:\d\d:\d\d)")
_WRONG_PART = {"ports": "service_target_port_wrong", "selector": "service_selects_no_pods"}


def put_right(notes: Notes, about: Sequence[Entity], signs: Sequence[Sign], seen: Scene) -> Iterator[Sign]:
    """Callers of a Service were refused until the minute in which its ports, or its selector, were written: what was
    written then was wrong before."""
    for change in notes.changes:
        if change.entity.kind != "Service" or not (match := _PART_OF_A_SERVICE.match(change.what)):
            continue
        fault = _WRONG_PART[match["part"]]
        refused = [
            s for s in signs
            if s.role == "effect" and not s.ongoing and fault in s.faults and _ended_at(s, change)
            and (
                seen.graph.distance(s.entity, change.entity) == 1
                or any(same_thing(p, change.entity) for p in s.points_at)
            )
        ]  # fmt: skip
        if not refused:
            continue
        first = max(refused, key=lambda s: (bool(s.points_at), s.specificity))
        says = f"{first.says.rstrip('.')}; at {change.at:%H:%M:%S} the {match['part']} of Service {change.entity.name}"
        yield Sign(
            entity=change.entity, faults=(fault,), says=f"{says} were written, and it ended"[:480], specificity=0.78,
            onset=min((s.onset for s in refused if s.onset), default=None), role="cause", points_at=(),
            victims=tuple(dict.fromkeys(s.entity for s in refused)), change=change.id, ongoing=False,
            evidence=numbers(first.evidence[:3], change.evidence), analyzer=ANALYZER,
        )  # fmt: skip


def _ended_at(sign: Sign, change: Alteration) -> bool:
    until = _UNTIL.search(sign.says)
    if until is None:
        return False
    hours, minutes, seconds = map(int, until["time"].split(":"))
    end = change.at.replace(hour=hours, minute=minutes, second=seconds)
    end -= timedelta(days=round((end - change.at) / timedelta(days=1)))  # lines tell the hour alone
    lately = sign.onset is not None and timedelta() <= change.at - sign.onset <= LASTED
    return lately and abs(end - change.at) <= SLACK


LASTED = timedelta(hours=6)
"""Trouble that began longer ago than what is read of it may have ended on another day."""


_WORD = re.compile(r"[a-z]{5,}")
_NO_SUBJECT = frozenset(
    ("request", "requests", "error", "errors", "cache", "service", "logging", "enable", "enabled", "disable",
     "disabled", "feature", "handler", "handling", "client", "server", "value", "failed", "exception", "default",
     "timeout")
)  # fmt: skip
WAITS = timedelta(hours=12)


def flag_that_waited(notes: Notes, about: Sequence[Entity], signs: Sequence[Sign], seen: Scene) -> Iterator[Sign]:
    """A program that nobody released throws what it never threw, where it does what one flag is called after: the flag
    was switched hours ago, and the first request of that kind came only now."""
    flags = [s for s in signs if s.role == "change" and s.entity.kind == "feature_flag" and s.analyzer != ANALYZER]
    for crash in crashes(signs):
        if crash.onset is None or released(crash.entity, crash.onset, notes):
            continue
        said = set(_WORD.findall(words_of(crash, notes).casefold())) - set(_WORD.findall(crash.entity.name))
        said -= _NO_SUBJECT
        waited = [f for f in flags if f.onset and timedelta(0) <= crash.onset - f.onset <= WAITS]
        meant = {f.entity.name: f for f in waited if said & set(_WORD.findall(f.entity.name.casefold()))}
        if len(meant) != 1:
            continue
        ((_, flag),) = meant.items()
        says = f"{crash.says.rstrip('.')}, without a release; {flag.says}"
        yield Sign(
            entity=flag.entity, faults=("feature_flag_harmful",), specificity=0.62, onset=crash.onset, role="cause",
            says=says[:480], points_at=(), victims=(crash.entity,),
            evidence=numbers(crash.evidence[:3], flag.evidence), change=flag.change, ongoing=crash.ongoing,
            analyzer=ANALYZER,
        )  # fmt: skip
