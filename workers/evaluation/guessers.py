"""Guessers: what a hunch would say. They read through the same skills; an answer must be worth more than they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from skills.contract import Entity, LogQuery, SeriesSource, Sources, ToolError, Window
from workers.domain import Alert
from workers.evaluation.results import Guess
from workers.evaluation.sameness import true_causes_of
from workers.llm.entities import alerted, owning_workload
from workers.simulation import Truth
from workers.trace import Span

RECENT_SECONDS = 1800.0
LINES = 400
RESTARTS = "sum by (namespace, pod) (increase(kube_pod_container_status_restarts_total[30m]))"


@dataclass(frozen=True)
class Scene:
    """What a guesser may look at."""

    alerts: Sequence[Alert]
    changes: Sequence[Mapping[str, Any]]
    """What the skills' first look reported: at, id, entity."""
    sources: Mapping[str, Sources]
    now: datetime


Guesser = Callable[[Scene], Entity | None]


def alerting_service(scene: Scene) -> Entity | None:
    """Whatever the alert is about."""
    for alert in scene.alerts:
        space = alert.labels.get("namespace", "")
        if about := alerted(alert.service, space, alert.labels):
            return owning_workload(about[0], ())
    return None


def last_deploy(scene: Scene) -> Entity | None:
    """Whatever was changed last."""
    if not scene.changes:
        return None
    return Entity.model_validate(max(scene.changes, key=lambda c: (str(c["at"]), str(c["id"])))["entity"])


def most_restarts(scene: Scene) -> Entity | None:
    """Whatever restarted most in the last half hour."""
    source = next((s.series for s in scene.sources.values() if s.series is not None), None)
    if source is None:
        return None
    counts = [(value, labels) for labels, value in _latest(source, scene.now) if value > 0]
    if not counts:
        return None
    _, labels = max(counts, key=lambda c: (c[0], sorted(c[1].items())))
    return owning_workload(Entity(kind="Pod", namespace=labels.get("namespace"), name=labels.get("pod", "")), ())


def loudest_logs(scene: Scene) -> Entity | None:
    """Whoever wrote the most errors in the last minutes."""
    source = next((s.logs for name, s in sorted(scene.sources.items()) if s.logs is not None), None)
    if source is None:
        return None
    window = Window(scene.now - timedelta(seconds=RECENT_SECONDS / 6), scene.now)
    try:
        lines = source.read(LogQuery(window, errors_only=True, limit=LINES)).lines
    except ToolError:
        return None
    loud = Counter(owning_workload(line.entity, ()) for line in lines if line.entity is not None)
    return min(loud, key=lambda e: (-loud[e], str(e))) if loud else None


GUESSERS: Mapping[str, Guesser] = {
    "alerting service": alerting_service,
    "last deploy": last_deploy,
    "most restarts": most_restarts,
    "loudest logs": loudest_logs,
}


def guesses(scene: Scene, truth: Truth) -> dict[str, Guess]:
    """What each says, and whether it is a true entity. Where nothing is to blame every guess is wrong."""
    said = {name: guess(scene) for name, guess in GUESSERS.items()}
    return {
        name: Guess(entity=str(one or ""), right=one is not None and bool(true_causes_of(one, truth)))
        for name, one in said.items()
    }


def candidates(spans: Sequence[Span]) -> int:
    """How many entities the investigation met: one in that many is what blind chance hits."""
    met: set[str] = set()
    for span in spans:
        if span.op == "execute_tool" and isinstance(span.output, dict):
            met.update(_entities(span.output))
    return len(met)


def _entities(output: dict[str, Any]) -> set[str]:
    found = [each["entity"] for part in ("symptoms", "changes") for each in output.get(part) or ()]
    found += [edge[end] for edge in output.get("edges") or () for end in ("source", "target")]
    return {str(owning_workload(Entity.model_validate(e), ())).partition(" ")[2] for e in found if isinstance(e, dict)}


def _latest(source: SeriesSource, now: datetime) -> list[tuple[Mapping[str, str], float]]:
    try:
        series = source.range(RESTARTS, Window(now - timedelta(seconds=30), now), 30)
    except ToolError:
        return []
    return [(s.labels, s.points[-1][1]) for s in series if s.points]
