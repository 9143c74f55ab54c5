"""Which of the series that skills handed over decides the question: the one that people should see."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from skills.contract import Chart, Entity
from workers.domain import Finding

NAME = "chart"
"""Of the step that keeps it."""


def decisive(charts: Iterable[Chart], finding: Finding, alerted: Iterable[Entity]) -> Chart | None:
    """The first that is about what is blamed, else about what it made suffer; a change or a limit in it counts before
    its place. None when nothing is known to be about either."""
    ranked = []
    blamed = [c.entity.name for c in finding.causes[:1]]
    suffering = [e.name for link in finding.chain for e in (link.source, link.target)] + [e.name for e in alerted]
    for place, chart in enumerate(charts):
        words = f"{chart.title} {chart.query}"
        near = 0 if any(n in words for n in blamed) else 1 if any(n in words for n in suffering) else None
        if near is not None and len(chart.points) > 1:
            ranked.append(((near, chart.onset is None and chart.threshold is None, place), chart))
    return min(ranked, key=lambda r: r[0])[1] if ranked else None


def written(chart: Chart) -> dict[str, Any]:
    """As the step's output; `text` is what the evidence page shows of it."""
    return {"text": chart.title, "chart": _charts().dump_python(chart, mode="json")}


def read(recorded: Any) -> Chart:
    chart: Chart = _charts().validate_python(recorded["chart"])
    return chart


@cache
def _charts() -> TypeAdapter[Any]:
    return TypeAdapter(Chart)
