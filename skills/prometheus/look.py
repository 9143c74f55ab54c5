"""What an analyzer is given: the answers to its questions, and the means to cite them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from skills.contract import Entity, Excerpt, Focus, Series, Symptom, Window

POD = re.compile(
    r"^(?P<name>.+?)-(?:[a-f0-9]{7,10}|[bcdfghjklmnpqrstvwxz2456789]{8,10})-[bcdfghjklmnpqrstvwxz2456789]{5}$"
)
"""Pod of a ReplicaSet: template hash, then five characters of the alphabet of k8s.io/apimachinery util/rand."""
STATEFUL = re.compile(r"^(?P<name>.+)-\d{1,4}$")
DAEMON_OR_JOB = re.compile(r"^(?P<name>.+)-[bcdfghjklmnpqrstvwxz2456789]{5}$")


@dataclass(frozen=True)
class Question:
    """One range query over baseline and window. `{ns}` becomes a matcher of the namespaces: namespace=~"a|b"."""

    name: str
    expression: str
    shows: str = ""
    """What the series are, for the title of a chart: `memory working set`."""
    unit: str = ""
    level: float | None = None
    """Where the rule that reads it begins to object; the same for every series."""


@dataclass(frozen=True)
class Look:
    focus: Focus
    now: datetime
    window: Window
    baseline: Window
    answers: Mapping[str, tuple[Series, ...]]
    """By the question's name; empty where the metric does not exist."""
    expressions: Mapping[str, str]
    """By the question's name, as they were sent."""
    link_base: str | None = None

    def ask(self, name: str) -> tuple[Series, ...]:
        return self.answers.get(name, ())

    def by_container(self, name: str) -> dict[tuple[str, str, str], Series]:
        """(namespace, pod, container) -> series"""
        return {
            (s.labels.get("namespace", ""), s.labels.get("pod", ""), s.labels.get("container", "")): s
            for s in self.ask(name)
        }

    def excerpt(self, name: str, text: str, entity: Entity | None = None, at: datetime | None = None) -> Excerpt:
        query = self.expressions.get(name, name)
        whole = Window(self.baseline.start, self.window.end)
        return Excerpt(
            text=text, query=query, window=whole, link=link(self.link_base, query, whole), entity=entity, at=at
        )


Analyzer = Callable[[Look], list[Symptom]]


def workload(namespace: str, pod: str) -> Entity:
    """The owner of a pod as far as its name tells."""
    for pattern, kind in ((POD, "Deployment"), (STATEFUL, "StatefulSet"), (DAEMON_OR_JOB, "DaemonSet")):
        if match := pattern.match(pod):
            return Entity(kind=kind, namespace=namespace or None, name=match["name"])
    return Entity(kind="Pod", namespace=namespace or None, name=pod)


def link(base: str | None, expression: str, window: Window) -> str | None:
    """Grafana Explore when the base says so, else the expression browser of Prometheus."""
    if base is None:
        return None
    base = base.rstrip("/")
    if "grafana" in base:
        start, end = int(window.start.timestamp() * 1000), int(window.end.timestamp() * 1000)
        panes = (
            '{"g":{"datasource":"prometheus","queries":[{"refId":"A","expr":'
            + _json(expression)
            + '}],"range":{"from":"'
            + str(start)
            + '","to":"'
            + str(end)
            + '"}}}'
        )
        return f"{base}/explore?schemaVersion=1&panes={quote(panes)}"
    seconds = max(60, int(window.seconds))
    end_text = window.end.strftime("%Y-%m-%d %H:%M:%S")
    return f"{base}/graph?g0.expr={quote(expression)}&g0.tab=0&g0.range_input={seconds}s&g0.end_input={quote(end_text)}"


def _json(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
