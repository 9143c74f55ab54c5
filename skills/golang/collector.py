"""Lines of the garbage collector (GODEBUG=gctrace=1): a live heap that only grows, and a share of CPU that is too high.

Format: package runtime, "Environment Variables": `gc # @#s #%: … ms clock, … ms cpu, #->#-># MB, # MB goal, …`. The
percentage is of the time since the program began; the third size is what was alive after the collection.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass

from skills.contract import Entity, Excerpt, Symptom
from skills.logfaults.citing import bounded
from skills.runtimes.hearing import Heard, Record
from skills.runtimes.skill import Said

_LINE = re.compile(r"\bgc (\d+) @([\d.]+)s (\d+)%: .{0,160}? (\d+)->(\d+)->(\d+) MB, (\d+) MB goal")
ENOUGH = 6
BUSY_PERCENT = 20
GROWN = 2.0


@dataclass(frozen=True)
class Collection:
    record: Record
    seconds: float
    percent: int
    live: int
    """MB"""


def collections_of(heard: Heard) -> dict[tuple[Entity, object], list[Collection]]:
    """By writer and pod, oldest first; a program that began anew leaves what was before behind."""
    found: dict[tuple[Entity, object], list[Collection]] = defaultdict(list)
    for record in heard.records:
        if "gc " not in record.line.text:
            continue
        for match in _LINE.finditer(record.line.text):
            key = (record.writer, record.line.entity)
            one = Collection(record, float(match[2]), int(match[3]), int(match[6]))
            if found[key] and one.seconds < found[key][-1].seconds:
                found[key].clear()
            found[key].append(one)
    return found


def read_collections(heard: Heard) -> Said:
    rows: list[str] = []
    symptoms: list[Symptom] = []
    evidence: list[Excerpt] = []
    for (writer, _), made in collections_of(heard).items():
        first, last = made[0], made[-1]
        said = (
            f"{writer.name}: {len(made)} collections, live heap {first.live} -> {last.live} MB, {last.percent}% of CPU"
        )
        cited = tuple(_cited(each, heard) for each in (first, last))
        rows.append(said)
        evidence += cited
        if len(made) < ENOUGH:
            continue
        if last.live >= 32 and last.live >= GROWN * max(1, first.live) and _only_grows(made):
            minutes = (last.seconds - first.seconds) / 60
            summary = (
                f"the live heap of {writer.name} only grows: {first.live} to {last.live} MB in {minutes:.0f} min, "
                f"over {len(made)} collections"
            )
            symptoms.append(
                Symptom("logs.faults", writer, ("memory_leak", "memory_limit_too_low"), summary, 0.68, cited)
            )
        if last.percent >= BUSY_PERCENT:
            summary = f"{writer.name} spends {last.percent}% of its CPU on garbage collection since it began"
            faults = ("garbage_collection_stalls", "memory_leak")
            symptoms.append(Symptom("logs.faults", writer, faults, summary, 0.7, cited))
    return Said(tuple(rows), tuple(symptoms), tuple(evidence))


def _only_grows(made: list[Collection]) -> bool:
    """Each third is above the one before: a sawtooth is no leak."""
    third = len(made) // 3
    lows = [min(c.live for c in made[i : i + third]) for i in (0, third, len(made) - third)]
    return lows[0] < lows[1] < lows[2]


def _cited(one: Collection, heard: Heard) -> Excerpt:
    line = one.record.line
    return Excerpt(bounded(line.text), heard.source.query, heard.window, heard.source.link, one.record.writer, line.at)
