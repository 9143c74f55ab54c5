"""Alerting rules over the world's series, and the Alertmanager webhook in which their alerts leave it.

An alert is found by evaluating its rule: what does not follow from the world does not fire. Shape: Alertmanager 0.27
webhook version 4; fingerprint: FNV-1a over the sorted labels, as github.com/prometheus/common computes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import takewhile
from math import inf
from typing import Any
from urllib.parse import quote_plus

import yaml

from workers.simulation import clock, dice
from workers.simulation.metrics.series import Series, gauge
from workers.simulation.promql.evaluate import Evaluator, Source
from workers.simulation.promql.syntax import Matcher, Node, duration, parse
from workers.simulation.promql.text import number
from workers.simulation.promql.values import Value
from workers.simulation.scene import Scene

STEP_SECONDS = 60.0
_PIECES = (5, 10, 20, 40, 80, 205)
"""Steps that are looked back, a piece at a time: six hours, and most alerts are younger than one."""


@dataclass(frozen=True)
class Rule:
    name: str
    expression: str
    tree: Node
    hold_seconds: float
    severity: str
    summary: str
    description: str


@dataclass(frozen=True)
class Alert:
    rule: Rule
    labels: tuple[tuple[str, str], ...]
    """With alertname and severity."""
    value: float
    active_at: float
    now: float

    @property
    def fired_at(self) -> float:
        return self.active_at + self.rule.hold_seconds

    @property
    def firing(self) -> bool:
        return self.fired_at <= self.now

    def described(self) -> dict[str, Any]:
        """As /api/v1/alerts shows it."""
        return {
            "labels": dict(self.labels),
            "annotations": self.annotations(),
            "state": "firing" if self.firing else "pending",
            "activeAt": clock.millis(self.active_at),
            "value": number(self.value),
        }

    def annotations(self) -> dict[str, str]:
        fill = {"summary": self.rule.summary, "description": self.rule.description}
        return {k: rendered(v, dict(self.labels), self.value) for k, v in fill.items()}


@cache
def rules() -> tuple[Rule, ...]:
    text = files("workers.simulation").joinpath("rules.yaml").read_text(encoding="utf-8")
    rows = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return tuple(
        Rule(r["alert"], r["expr"], parse(r["expr"]), duration(r["for"]), r["severity"], r["summary"], r["description"])
        for r in rows
    )


def rule(name: str) -> Rule | None:
    return next((r for r in rules() if r.name == name), None)


class Rules:
    """The rules of one world."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._evaluator = Evaluator(_Reading(scene), scene.world.now)
        self._made: dict[tuple[str, float], list[Alert]] = {}

    def alerts(self, it: Rule, at: float | None = None) -> list[Alert]:
        """Alerts of a rule at a moment (default: now), pending and firing."""
        key = (it.name, self._scene.world.now if at is None else at)
        if key not in self._made:
            self._made[key] = self._found(it, key[1])
        return self._made[key]

    def _found(self, it: Rule, now: float) -> list[Alert]:
        """By walking back to where they began."""
        active = _elements(self._evaluator.at(it.tree, now))
        began = dict.fromkeys(active, now)
        going, t = set(active), now + STEP_SECONDS * (1 - dice.between(0.1, 0.95, self._scene.world.seed, it.name))
        for count in _PIECES:
            if not going:
                break
            back = [t - STEP_SECONDS * k for k in range(1, count + 1)]
            t = back[-1]
            rows = self._evaluator.over(it.tree, back[::-1])
            for key in list(going):
                column = rows.get(key, []) if isinstance(rows, dict) else []
                held = [*takewhile(lambda row: row[1] is not None, zip(back, reversed(column), strict=False))]
                if held:
                    began[key] = held[-1][0]
                if len(held) < count:
                    going.discard(key)
        made = [
            Alert(
                it,
                tuple(
                    sorted(
                        [
                            *((k, v) for k, v in key if k != "__name__"),
                            ("alertname", it.name),
                            ("severity", it.severity),
                        ]
                    )
                ),
                value,
                began[key],
                now,
            )
            for key, value in active.items()
        ]
        return sorted(made, key=lambda a: a.labels)

    def all_alerts(self) -> list[Alert]:
        return [a for r in rules() for a in self.alerts(r)]

    @property
    def firing(self) -> bool:
        return any(a.firing for a in self.all_alerts())

    def series(self, name: str) -> list[Series]:
        """ALERTS and ALERTS_FOR_STATE."""
        out: list[Series] = []
        for alert in self.all_alerts():
            labels = dict(alert.labels)
            if name == "ALERTS_FOR_STATE":
                out.append(gauge(name, labels, alert.active_at, [(alert.active_at, inf)]))
                continue
            out.append(
                gauge(name, {**labels, "alertstate": "pending"}, 1.0, [(alert.active_at, min(alert.fired_at, inf))])
            )
            if alert.firing:
                out.append(gauge(name, {**labels, "alertstate": "firing"}, 1.0, [(alert.fired_at, inf)]))
        return out

    def described(self, names: frozenset[str] = frozenset()) -> list[dict[str, Any]]:
        """As /api/v1/rules lists them: all, or those of these names."""
        out = []
        for each in rules():
            if names and each.name not in names:
                continue
            mine = self.alerts(each)
            state = "firing" if any(a.firing for a in mine) else "pending" if mine else "inactive"
            out.append(
                {
                    "state": state,
                    "name": each.name,
                    "query": each.expression,
                    "duration": int(each.hold_seconds),
                    "keepFiringFor": 0,
                    "labels": {"severity": each.severity},
                    "annotations": {"summary": each.summary, "description": each.description},
                    "alerts": [a.described() for a in mine],
                    "health": "ok",
                    "type": "alerting",
                    "evaluationTime": 0.0003,
                    "lastEvaluation": clock.millis(self._scene.world.now - 11),
                }
            )
        return out


class _Reading(Source):
    """Rules read the families; they never read each other's alerts here."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def select(self, name: str, matchers: tuple[Matcher, ...]) -> list[Series]:
        return [
            s for s in self._scene.metrics.named(name) if all(_matches(m, s.labels.get(m.label, "")) for m in matchers)
        ]


def _matches(matcher: Matcher, value: str) -> bool:
    if matcher.op in ("=", "!="):
        return (value == matcher.value) is (matcher.op == "=")
    return (re.fullmatch(matcher.value, value) is not None) is (matcher.op == "=~")


def _elements(value: Value) -> dict[tuple[tuple[str, str], ...], float]:
    return {e.labels: e.value for e in value} if isinstance(value, list) else {}


def rendered(text: str, labels: Mapping[str, str], value: float) -> str:
    """The templates that rules.yaml uses."""

    def fill(found: re.Match[str]) -> str:
        what = found[1].strip()
        if what.startswith("$labels."):
            return labels.get(what.removeprefix("$labels."), "")
        shown = what.partition("|")[2].strip()
        if shown == "humanizePercentage":
            return f"{value * 100:.4g}%"
        if shown == "humanizeDuration":
            return (
                f"{value:.4g}s"
                if value < 60
                else f"{int(value // 3600)}h {int(value % 3600 // 60)}m"
                if value >= 3600
                else f"{int(value // 60)}m {int(value % 60)}s"
            )
        return f"{value:.4g}"

    return re.sub(r"\{\{(.*?)\}\}", fill, text)


def webhook(
    alerts: list[Alert], company: Any, group_by: tuple[str, ...] = ("alertname", "namespace")
) -> dict[str, Any]:
    """One notification of Alertmanager for a group of alerts."""
    entries: list[dict[str, Any]] = []
    for alert in alerts:
        labels = dict(
            sorted(
                {
                    **dict(alert.labels),
                    "cluster": company.cluster,
                    "environment": company.environment,
                    "prometheus": "monitoring/k8s",
                }.items()
            )
        )
        url = f"https://prometheus.{company.domain}/graph?g0.expr={quote_plus(alert.rule.expression)}&g0.tab=1"
        annotations = {
            **alert.annotations(),
            "runbook_url": f"https://runbooks.{company.domain}/alerts/{alert.rule.name}",
        }
        entries.append(
            {
                "status": "firing",
                "labels": labels,
                "annotations": dict(sorted(annotations.items())),
                "startsAt": clock.millis(alert.fired_at),
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": url,
                "fingerprint": fingerprint(labels),
            }
        )
    group = {k: entries[0]["labels"][k] for k in group_by if k in entries[0]["labels"]}
    key = ", ".join(f'{k}="{v}"' for k, v in sorted(group.items()))
    return {
        "receiver": "slack-oncall",
        "status": "firing",
        "alerts": entries,
        "groupLabels": group,
        "commonLabels": _common([e["labels"] for e in entries]),
        "commonAnnotations": _common([e["annotations"] for e in entries]),
        "externalURL": f"https://alertmanager.{company.domain}",
        "version": "4",
        "groupKey": f"{{}}:{{{key}}}",
        "truncatedAlerts": 0,
    }


def _common(maps: list[dict[str, str]]) -> dict[str, str]:
    return {k: v for k, v in maps[0].items() if all(m.get(k) == v for m in maps)}


def fingerprint(labels: Mapping[str, str]) -> str:
    value = 0xCBF29CE484222325
    for name, text in sorted(labels.items()):
        for byte in name.encode() + b"\xff" + text.encode() + b"\xff":
            value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"
