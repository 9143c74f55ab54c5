"""One kind of trouble a file: `QUESTIONS`, and `analyze(look) -> list[Symptom]`, a pure function of the answers.

Found by the folder: a new kind is a new file. Metric names are those of kube-state-metrics, cAdvisor, node_exporter
and the common exporters, as their documentation lists them.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from skills.contract import Symptom
from skills.prometheus.look import Look, Question


@cache
def names() -> tuple[str, ...]:
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


@cache
def questions() -> tuple[Question, ...]:
    """Every analyzer's questions, each once."""
    found: dict[str, Question] = {}
    for name in names():
        for question in import_module(f"{__name__}.{name}").QUESTIONS:
            found.setdefault(question.name, question)
    return tuple(found.values())


def by_name() -> dict[str, Question]:
    return {question.name: question for question in questions()}


def analyze(look: Look) -> list[Symptom]:
    """What all analyzers recognise, the most specific first."""
    found: list[Symptom] = []
    for name in names():
        found += import_module(f"{__name__}.{name}").analyze(look)
    return sorted(found, key=lambda s: (-s.specificity, str(s.entity)))
