"""Analyzers: pure functions from a snapshot to symptoms, one kind of trouble a file, discovered by folder.

    def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]

An analyzer names the culprit object, candidate faults, how rarely such a picture is seen in health (`specificity`),
and the words of the cluster that say so. It reports nothing about what is well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from skills.contract import Entity, Focus, Symptom, Window
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
    return ordered(found)


def ordered(symptoms: Iterable[Symptom]) -> list[Symptom]:
    best: dict[tuple[str, Entity, tuple[str, ...], str], Symptom] = {}
    for symptom in symptoms:
        key = (symptom.role, symptom.entity, symptom.faults[:1], symptom.analyzer)
        if key not in best or symptom.specificity > best[key].specificity:
            best[key] = symptom
    return sorted(best.values(), key=lambda s: (s.role != "cause", -s.specificity, str(s.entity), s.analyzer))
