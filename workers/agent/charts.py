"""Which of the series that skills handed over decides the question: the one that people should see."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from skills.contract import Chart, Entity
from workers.agent.steps import Outcome, Step, Steps
from workers.domain import Finding
from workers.pictures import shift

NAME = "chart"
"""Of the step that keeps it."""
_SAYS_LITTLE = ("not", "too", "low", "limit", "wrong", "missing", "exhausted", "service", "failing", "release")
"""Words of faults' names that say nothing of what would be measured."""


def decisive(charts: Iterable[Chart], finding: Finding, alerted: Iterable[Entity]) -> Chart | None:
    """The first that is about what is blamed, else about what it made suffer; before its place counts that it shows a
    change, then that it measures what the fault is named for. None when nothing is about either."""
    ranked = []
    blamed = [c.entity.name for c in finding.causes[:1]]
    telling = [w for c in finding.causes[:1] for w in c.fault.split("_") if len(w) > 2 and w not in _SAYS_LITTLE]
    suffering = [e.name for link in finding.chain for e in (link.source, link.target)] + [e.name for e in alerted]
    for place, chart in enumerate(charts):
        words = f"{chart.title} {chart.query}"
        near = 0 if any(n in words for n in blamed) else 1 if any(n in words for n in suffering) else None
        shows = any(word in words.lower() for word in telling)
        if near is not None and len(chart.points) > 1:
            ranked.append(((near, shift(chart) is None, not shows, chart.threshold is None, place), chart))
    return min(ranked, key=lambda r: r[0])[1] if ranked else None


def keep(steps: Steps, charts: Iterable[Chart], finding: Finding, alerted: Iterable[Entity]) -> None:
    """A step of its own, for whoever draws it; none where nothing decides."""
    chart = decisive(charts, finding, alerted)
    if chart is not None:
        kept = Outcome(written(chart))
        steps.take(Step("evaluate", NAME, "report", {"title": chart.title}, lambda: kept))


def written(chart: Chart) -> dict[str, Any]:
    """As the step's output; `text` is what the evidence page shows of it."""
    return {"text": chart.title, "chart": _charts().dump_python(chart, mode="json")}


def read(recorded: Any) -> Chart:
    chart: Chart = _charts().validate_python(recorded["chart"])
    return chart


@cache
def _charts() -> TypeAdapter[Any]:
    return TypeAdapter(Chart)
