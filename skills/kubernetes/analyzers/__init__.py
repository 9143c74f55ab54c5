"""Analyzers: pure functions from a snapshot to symptoms, one kind of trouble a file, discovered by folder.

    def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]

An analyzer names the culprit object, candidate faults, how rarely such a picture is seen in health (`specificity`),
and the words of the cluster that say so. It reports nothing about what is well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from skills.contract import Entity, Focus, Symptom, Window
from skills.kubernetes.objects import text
from skills.kubernetes.snapshot import Snapshot

Analyze = Callable[[Snapshot, Focus, Window, datetime], list[Symptom]]


@cache
def every() -> tuple[tuple[str, Analyze], ...]:
    """(name, function) of each module in this folder."""
    names = sorted(m.name for m in iter_modules(__path__))
    return tuple((name, import_module(f"{__name__}.{name}").analyze) for name in names)


def run(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    """What all analyzers see, the most specific first; the same trouble of the same object is told once."""
    found = [s for _, analyze in every() for s in analyze(snapshot, focus, window, now)]
    return ordered(_explained(snapshot, found))


def _explained(snapshot: Snapshot, found: list[Symptom]) -> list[Symptom]:
    """A node that one neighbour starves is that neighbour's victim, and no cause by itself."""
    hosts: dict[str, Entity] = {}
    for symptom in found:
        if symptom.faults[:1] == ("unlimited_neighbour",) and symptom.specificity >= 0.9:
            places = [text(p, "spec", "nodeName") for p in snapshot.pods_of(symptom.entity)]
            hosts |= dict.fromkeys(places, symptom.entity)
    return [
        replace(s, role="effect", specificity=min(s.specificity, 0.5), points_at=(hosts[s.entity.name],))
        if s.entity.kind == "Node" and s.entity.name in hosts and s.faults[:1] == ("node_cpu_or_memory_pressure",)
        else s
        for s in found
    ]


def ordered(symptoms: Iterable[Symptom]) -> list[Symptom]:
    best: dict[tuple[str, Entity, tuple[str, ...], str], Symptom] = {}
    for symptom in symptoms:
        key = (symptom.role, symptom.entity, symptom.faults[:1], symptom.analyzer)
        if key not in best or symptom.specificity > best[key].specificity:
            best[key] = symptom
    return sorted(best.values(), key=lambda s: (s.role != "cause", -s.specificity, str(s.entity), s.analyzer))
