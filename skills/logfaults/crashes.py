"""Stack traces that are new: the type, and the frame that is ours (J1).

A trace that a pattern explains (a refused connection, rejected credentials) is that pattern's; what is left is a
program that throws. Its type says how likely the program itself is at fault.
"""

from __future__ import annotations

import re
from collections import defaultdict

from skills.contract import Entity, Symptom
from skills.logfaults.citing import Source
from skills.logfaults.novelty import is_over, novelty, times
from skills.logfaults.sightings import CrashSighting, Seen, is_of_others

_DEFECT = re.compile(
    r"KeyError|TypeError|AttributeError|IndexError|NameError|UnboundLocalError|ZeroDivisionError|AssertionError|ValueError"
    r"|RecursionError|NotImplementedError|UnicodeError|NullPointerException|ClassCastException|IndexOutOfBounds"
    r"|IllegalArgumentException|IllegalStateException|ArithmeticException|NumberFormatException|StackOverflowError"
    r"|NoSuchMethodError|NoSuchElementException|ConcurrentModification|ReferenceError|RangeError|SyntaxError"
    r"|NullReferenceException|KeyNotFoundException|InvalidOperationException|InvalidCastException"
)
"""Types that a program raises by its own doing."""
_GO_DEFECT = re.compile(
    r"runtime error|nil map|closed channel|interface conversion|concurrent map|negative WaitGroup"
    r"|all goroutines are asleep|unlock of unlocked|reflect:|out of range"
)
"""Panics of the runtime; panic(err) says only that a start or a call failed."""
_FAULTS = ("code_defect_in_release", "contract_broken_between_services", "feature_flag_harmful")


def crash_symptoms(seen: Seen, before: Seen, source: Source, scale: float = 1.0) -> list[Symptom]:
    """One a writer, type and frame. `scale`: see recognise."""
    known = _grouped(before)
    symptoms = []
    for key, crashes in _grouped(seen).items():
        count_before = round(len(known.get(key, ())) * scale)
        factor = novelty(len(crashes), seen, count_before, before)
        if factor is not None:
            symptoms.append(_symptom(crashes, factor, count_before, seen, source))
    return symptoms


def _grouped(seen: Seen) -> dict[tuple[Entity, str, str], list[CrashSighting]]:
    groups: dict[tuple[Entity, str, str], list[CrashSighting]] = defaultdict(list)
    for sighting in seen.crashes:
        frame = sighting.crash.frame
        where = f"{frame.function} {frame.file}" if frame else ""
        groups[(sighting.writer, sighting.crash.kind, where)].append(sighting)
    return groups


def _symptom(crashes: list[CrashSighting], factor: float, count_before: int, seen: Seen, source: Source) -> Symptom:
    first, last = crashes[0], crashes[-1]
    crash = first.crash
    over = is_over(first.writer, last.record.at, seen)
    outside = is_of_others(crash)
    own = _GO_DEFECT.search(crash.message) if crash.language == "go" else _DEFECT.search(crash.kind)
    base = 0.3 if outside else 0.78 if own else 0.5
    when = times(len(crashes), first.record.at, last.record.at, count_before, factor, over=over)
    return Symptom(
        analyzer="logs.crashes",
        entity=first.writer,
        faults=() if outside else _FAULTS,
        summary=f"{first.writer.name} throws {_named(crash.kind, crash.message)}{_at(first)} ({when})",
        specificity=round(base * factor * (0.5 if over else 1.0), 3),
        evidence=source.cite([c.record for c in crashes], first.writer),
        onset=first.record.at,
        role="effect" if outside else "cause",
        ongoing=not over,
    )


def _named(kind: str, message: str) -> str:
    text = f"{kind}: {message}" if message else kind
    return text if len(text) <= 120 else text[:119] + "…"


def _at(sighting: CrashSighting) -> str:
    frame = sighting.crash.frame
    return f" in {frame}" if frame else ", in no frame of its own"
