"""The Alertmanager API of the world: what fires now, in groups, and what somebody silenced.

Shapes: prometheus/alertmanager api/v2/openapi.yaml (0.27). Errors: a JSON string for a bad request, go-openapi's object
for an unknown path, and the farewell of API v1.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from workers.simulation import clock
from workers.simulation.alerts import Rules, webhook
from workers.simulation.deliveries import Deliveries
from workers.simulation.faces.exchange import Ask, Reply, as_json
from workers.simulation.scene import Scene
from workers.simulation.world import DAY

Json = dict[str, Any]
RECEIVER = "slack-oncall"
GROUP_BY = ("alertname", "namespace")
_MATCHER = re.compile(r'^\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^"]*?))\s*$')
_GONE = (
    "The Alertmanager v1 API was deprecated in version 0.16.0 and is removed as of version 0.27.0 - "
    "please use the equivalent route in the v2 API"
)


class BadFilter(Exception):
    pass


@dataclass(frozen=True)
class Matcher:
    name: str
    op: str
    value: str

    def matches(self, labels: Json) -> bool:
        found = labels.get(self.name, "")
        same = re.fullmatch(self.value, found) is not None if "~" in self.op else found == self.value
        return same is not self.op.startswith("!")

    @property
    def described(self) -> Json:
        equal = not self.op.startswith("!")
        return {"name": self.name, "value": self.value, "isRegex": "~" in self.op, "isEqual": equal}


@dataclass(frozen=True)
class Silence:
    id: str
    matchers: tuple[Matcher, ...]
    starts: float
    ends: float
    author: str
    comment: str


class Alertmanager:
    def __init__(self, scene: Scene, rules: Rules) -> None:
        self._world = scene.world
        self._rules = rules
        self.refused: Counter[str] = Counter()

    def answer(self, ask: Ask) -> Reply:
        if ask.path in ("/-/healthy", "/-/ready"):
            return Reply(200, b"OK", "text/plain; charset=utf-8")
        if ask.method == "GET":
            try:
                answers: dict[str, Callable[[Ask], Any]] = {
                    "/api/v2/status": self._status,
                    "/api/v2/alerts": self._alerts,
                    "/api/v2/alerts/groups": self._groups,
                    "/api/v2/silences": self._silenced,
                    "/api/v2/receivers": lambda _: [{"name": RECEIVER}],
                }
                if ask.path in answers:
                    return as_json(answers[ask.path](ask))
            except BadFilter as bad:
                return as_json(str(bad), 400)
            if found := re.fullmatch(r"/api/v2/silence/([0-9a-f-]{36})", ask.path):
                one = next((s for s in self._silences if s.id == found[1]), None)
                return as_json(self._shown(one)) if one else Reply(404, b"")
        self.refused[f"{ask.method} {ask.path}"] += 1
        if ask.path.startswith("/api/v1/"):
            return as_json({"status": "deprecated", "error": _GONE}, 410)
        if ask.path.startswith("/api/v2/"):
            return as_json({"code": 404, "message": f"path {ask.path} was not found"}, 404)
        return Reply(404, b"404 page not found\n", "text/plain; charset=utf-8")

    def _status(self, ask: Ask) -> Json:
        name = f"01{self._world.uid('alertmanager')[:24].replace('-', '').upper()}"
        return {
            "cluster": {"name": name, "peers": [{"address": "10.0.41.17:9094", "name": name}], "status": "ready"},
            "config": {"original": f"route:\n  receiver: {RECEIVER}\n  group_by: [{', '.join(GROUP_BY)}]\n"},
            "uptime": clock.millis(self._world.now - 11.3 * DAY),
            "versionInfo": {
                "branch": "HEAD",
                "buildDate": "20240228-11:51:20",
                "buildUser": "root@22cd11f671e9",
                "goVersion": "go1.21.7",
                "revision": "0aa3c2aad14cff039931923ab16b26b7481783b5",
                "version": "0.27.0",
            },
        }

    # Alerts

    @cached_property
    def _firing(self) -> list[Json]:
        """In the order of their fingerprints, as the real one sorts them."""
        firing = [a for a in self._rules.all_alerts() if a.firing]
        entries = webhook(firing, self._world.company)["alerts"] if firing else []
        return sorted((self._alert(e) for e in entries), key=lambda a: str(a["fingerprint"]))

    def _alert(self, entry: Json) -> Json:
        silencing = [s.id for s in self._silences if s.ends > self._world.now and _all(s.matchers, entry["labels"])]
        return {
            "annotations": entry["annotations"],
            "endsAt": clock.millis(self._world.now + 226),
            "fingerprint": entry["fingerprint"],
            "receivers": [{"name": RECEIVER}],
            "startsAt": entry["startsAt"],
            "status": {
                "inhibitedBy": [],
                "silencedBy": silencing,
                "state": "suppressed" if silencing else "active",
            },
            "updatedAt": clock.millis(self._world.now - 14),
            "generatorURL": entry["generatorURL"],
            "labels": entry["labels"],
        }

    def _alerts(self, ask: Ask) -> list[Json]:
        matchers = _matchers(ask)
        receiver = ask.get("receiver")
        if receiver and not re.fullmatch(receiver, RECEIVER):
            return []
        return [a for a in self._firing if _all(matchers, a["labels"]) and _wanted(ask, a["status"]["state"])]

    def _groups(self, ask: Ask) -> list[Json]:
        groups: dict[tuple[str, ...], list[Json]] = {}
        for alert in self._alerts(ask):
            groups.setdefault(tuple(alert["labels"].get(n, "") for n in GROUP_BY), []).append(alert)
        return [
            {
                "alerts": alerts,
                "labels": {n: v for n, v in zip(GROUP_BY, key, strict=True) if v},
                "receiver": {"name": RECEIVER},
            }
            for key, alerts in sorted(groups.items())
        ]

    # Silences

    @cached_property
    def _silences(self) -> tuple[Silence, ...]:
        """What is there on any day: one that ended, and one over something that nobody is paged for."""
        world, made = self._world, Deliveries(self._world)
        ended = world.now - world.between(2.2, 4.6, "silence ended") * DAY
        began = world.now - world.between(3, 9, "silence") * 3600
        space = world.company.application_namespaces[0]
        return (
            Silence(
                world.uid("silence", 1),
                (Matcher("alertname", "=", "KubePodNotReady"), Matcher("namespace", "=", space)),
                ended - 7200,
                ended,
                made.person("platform", 0).login,
                "node group is being replaced",
            ),
            Silence(
                world.uid("silence", 2),
                (Matcher("alertname", "=~", "KubeCPUOvercommit|KubeMemoryOvercommit"),),
                began,
                began + 30 * DAY,
                made.person("platform", 1).login,
                "known, capacity is ordered",
            ),
        )

    def _silenced(self, ask: Ask) -> list[Json]:
        matchers = _matchers(ask)
        found = [s for s in self._silences if all(_speaks_of(s, m) for m in matchers)]
        return [self._shown(s) for s in sorted(found, key=lambda s: (s.ends <= self._world.now, s.ends))]

    def _shown(self, it: Silence) -> Json:
        return {
            "id": it.id,
            "status": {"state": "expired" if it.ends <= self._world.now else "active"},
            "updatedAt": clock.millis(it.starts),
            "comment": it.comment,
            "createdBy": it.author,
            "endsAt": clock.millis(it.ends),
            "matchers": [m.described for m in it.matchers],
            "startsAt": clock.millis(it.starts),
        }


def _matchers(ask: Ask) -> list[Matcher]:
    """Raises BadFilter."""
    out = []
    for text in ask.all("filter"):
        found = _MATCHER.match(text)
        if found is None:
            raise BadFilter(f"bad matcher format: {text}")
        value = found[3].replace('\\"', '"').replace("\\\\", "\\") if found[3] is not None else found[4]
        out.append(Matcher(found[1], found[2], value))
    return out


def _all(matchers: tuple[Matcher, ...] | list[Matcher], labels: Json) -> bool:
    return all(m.matches(labels) for m in matchers)


def _wanted(ask: Ask, state: str) -> bool:
    return ask.get({"active": "active", "suppressed": "silenced"}.get(state, state), "true") != "false"


def _speaks_of(it: Silence, filter_: Matcher) -> bool:
    """Silences are filtered by their own matchers, of which each stands for a label."""
    return filter_.matches({m.name: m.value for m in it.matchers})
