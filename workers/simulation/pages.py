"""Who was paged for what: incidents of PagerDuty that follow from the alerts that fire, and those of the last month.

An incident stands for a group of Alertmanager; its title is that of the default template. Notes are what people write
who have just begun to look: they know nothing yet, and say nothing of the truth.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from workers.simulation import dice
from workers.simulation.alerts import Alert, Rules
from workers.simulation.company import Service
from workers.simulation.deliveries import Deliveries, Person
from workers.simulation.scene import Scene
from workers.simulation.world import DAY

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_GROUP_BY = ("alertname", "namespace")
_PAST = ("HighErrorRate", "HighLatency", "KubePodCrashLooping", "KubePodNotReady")
_BEGUN = ("Looking.", "On it, opening dashboards.", "Ack. Anybody else seeing this?", "Checking, more in a minute.")
_AFTERWARDS = (
    "Recovered before I was at the keyboard.",
    "Resolved by itself after some minutes, no cause found.",
    "Partner had a disturbance, see their status page.",
    "Went back to the release before, follow-up ticket is open.",
    "Node was drained and replaced.",
)


@dataclass(frozen=True)
class Note:
    at: float
    author: Person
    words: str


@dataclass(frozen=True)
class Page:
    """One incident."""

    id: str
    number: int
    title: str
    service: str
    team: str
    started: float
    resolved: float | None
    acknowledged: float | None
    by: Person
    alerts: tuple[Alert, ...]
    notes: tuple[Note, ...]


class Pages:
    def __init__(self, scene: Scene, rules: Rules) -> None:
        self._world, self._rules = scene.world, rules
        self.made = Deliveries(scene.world)

    @cached_property
    def services(self) -> dict[str, str]:
        """Name -> team: one for each service of the company, and one for what stands below."""
        return {**{s.name: s.team for s in self._world.company.services}, "platform": "platform"}

    def on_call(self, team: str, level: int = 1) -> Person:
        week = int(self._world.now // (7 * DAY))
        return self.made.person(team, (week + level - 1) % 3)

    @cached_property
    def all(self) -> tuple[Page, ...]:
        """Oldest first."""
        found = sorted([*self._past(), *self._present()], key=lambda p: (p.started, p.id))
        first = 900 + dice.number(self._world.company.name, "incidents") % 4000
        return tuple(Page(**{**vars(p), "number": first + i}) for i, p in enumerate(found))

    def _present(self) -> Iterator[Page]:
        groups: dict[tuple[str, ...], list[Alert]] = {}
        for alert in self._rules.all_alerts():
            if alert.firing:
                labels = dict(alert.labels)
                groups.setdefault(tuple(labels.get(n, "") for n in _GROUP_BY), []).append(alert)
        for key, alerts in groups.items():
            service = self._service(alerts)
            team = self.services[service]
            # Alertmanager waits 30 s for others of the group before it sends.
            began = min(a.fired_at for a in alerts) + 31
            if began > self._world.now:
                continue
            acknowledged = began + self._world.between(70, 260, "ack", *key)
            seen = acknowledged <= self._world.now
            person = self.on_call(team)
            noted = acknowledged + self._world.between(20, 190, "note", *key)
            words = _BEGUN[dice.number(self._world.seed, "words", *key) % len(_BEGUN)]
            yield Page(
                self._id("Q", *key),
                0,
                _title([dict(a.labels) for a in alerts]),
                service,
                team,
                began,
                None,
                acknowledged if seen else None,
                person,
                tuple(alerts),
                (Note(noted, person, words),) if noted <= self._world.now and len(alerts) < 4 else (),
            )

    def _past(self) -> Iterator[Page]:
        world = self._world
        for service, team in self.services.items():
            for i in range(int(world.between(0, 4.99, "past pages", service))):
                at = world.now - world.between(1.2, 29.5, "paged", service, i) * DAY
                lasted = world.between(240, 3100, "lasted", service, i)
                name = _PAST[dice.number(world.seed, "what", service, i) % len(_PAST)]
                space = self._namespace(service)
                person = self.made.person(team, dice.number(world.seed, "who", service, i) % 3)
                words = _AFTERWARDS[dice.number(world.seed, "after", service, i) % len(_AFTERWARDS)]
                told = world.chance("noted", service, i) < 0.6
                yield Page(
                    self._id("Q", "past", service, i),
                    0,
                    _title([{"alertname": name, "namespace": space, "service": service, "severity": "critical"}]),
                    service,
                    team,
                    at,
                    at + lasted,
                    at + min(lasted * 0.3, 200),
                    person,
                    (),
                    (Note(at + lasted + 340, person, words),) if told else (),
                )

    def _service(self, alerts: list[Alert]) -> str:
        names = sorted((n for n in self.services if n != "platform"), key=len, reverse=True)
        for alert in alerts:
            labels = dict(alert.labels)
            for label in ("service", "deployment", "pod", "horizontalpodautoscaler", "job_name"):
                value = labels.get(label, "")
                for name in names:
                    if value == name or value.startswith(f"{name}-"):
                        return name
        return "platform"

    def _namespace(self, service: str) -> str:
        part = self._world.company.parts.get(service)
        return part.namespace if isinstance(part, Service) else "kube-system"

    def _id(self, *key: object) -> str:
        """Fourteen characters, as incidents have them since 2021."""
        n = dice.number(self._world.seed, "page", *key) * 36**3 + dice.number("page", *key) % 36**3
        out = str(key[0])
        while len(out) < 14:
            n, digit = divmod(n, 36)
            out += _ALPHABET[digit]
        return out


def _title(labels: list[dict[str, Any]]) -> str:
    """Alertmanager's template __subject: state and count, values of the group, values that all have in common."""
    group = [labels[0][n] for n in _GROUP_BY if labels[0].get(n)]
    common = [v for k, v in sorted(labels[0].items()) if k not in _GROUP_BY and all(one.get(k) == v for one in labels)]
    return f"[FIRING:{len(labels)}] {' '.join(group)}" + (f" ({' '.join(common)})" if common else "")
