"""The series that decide: one of the alert's own expression, and those behind the most telling symptoms."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import datetime

from skills.contract import Chart, Excerpt, Series, Symptom
from skills.prometheus.look import Look, Question
from skills.series import last

FEWEST_POINTS = 4
"""Fewer make no picture."""


def chart(
    series: Series,
    title: str,
    unit: str,
    query: str,
    link: str | None,
    threshold: float | None = None,
    onset: datetime | None = None,
) -> Chart | None:
    """A series ready to be drawn; None when it has too few finite points, or tells nothing by standing still."""
    points = tuple((at, v) for at, v in series.points if math.isfinite(v))
    if len(points) < FEWEST_POINTS or len({v for _, v in points}) == 1:
        return None
    return Chart(title, unit, points, onset, threshold, query, link)


def of_symptoms(symptoms: Iterable[Symptom], look: Look, questions: Mapping[str, Question]) -> list[Chart]:
    """A chart for each symptom that a series shows, in the order of the symptoms; each series once."""
    asked = {expression: name for name, expression in look.expressions.items()}
    found: dict[tuple[str, tuple[tuple[str, str], ...]], Chart] = {}
    for symptom in symptoms:
        for excerpt in symptom.evidence:
            name = asked.get(excerpt.query, "")
            series = cited(excerpt, look.ask(name))
            if series is None or symptom.role == "healthy":
                continue
            question = questions[name]
            drawn = chart(
                series,
                f"{question.shows or name.replace('_', ' ')} of {_whose(series)}",
                question.unit,
                excerpt.query,
                excerpt.link,
                _limit(look, name, series) or question.level,
                symptom.onset,
            )
            if drawn:
                found.setdefault((name, tuple(sorted(series.labels.items()))), drawn)
    return [*found.values()]


def cited(excerpt: Excerpt, series: Iterable[Series]) -> Series | None:
    """The series that a line is about: the one whose labels it names most of."""

    def named(one: Series) -> int:
        return sum(len(value) for value in set(one.labels.values()) if value and value in excerpt.text)

    rows = [*series]
    best = max(rows, key=named, default=None)
    return best if best is not None and (named(best) > 0 or len(rows) == 1) else None


_LIMITS = {"working_set": "memory_limit", "cpu_usage": "cpu_limit"}


def _limit(look: Look, name: str, series: Series) -> float | None:
    """The container's own limit, where there is one to be drawn against."""
    if name not in _LIMITS:
        return None
    key = tuple(series.labels.get(k, "") for k in ("namespace", "pod", "container"))
    limit = look.by_container(_LIMITS[name]).get(key)  # type: ignore[arg-type]  # three labels, three parts
    return last(limit) if limit else None


def _whose(series: Series) -> str:
    labels = series.labels
    names = ("pod", "persistentvolumeclaim", "service", "deployment", "node", "instance", "horizontalpodautoscaler")
    own = next((labels[k] for k in (*names, "job_name", "job", "name") if labels.get(k)), "all")
    return f"{labels['namespace']}/{own}" if labels.get("namespace") else own
