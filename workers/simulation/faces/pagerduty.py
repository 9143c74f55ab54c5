"""The PagerDuty REST API of the world: incidents with notes, alerts and log, who is on call, change events.

Shapes: PagerDuty/api-schema reference/REST/openapiv3.json, version 2. What is not done is answered 404 with PagerDuty's
error object, and counted; what would change something 403, as it is for a key that may only read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from workers.simulation import clock, dice
from workers.simulation.alerts import Rules
from workers.simulation.deliveries import Delivery, Person
from workers.simulation.faces.exchange import Ask, Reply, as_json
from workers.simulation.pages import Page, Pages
from workers.simulation.scene import Scene
from workers.simulation.world import DAY

Json = dict[str, Any]
API = "https://api.pagerduty.com"
LONGEST_DAYS = 183
"""A range of dates above six months is refused."""
_SCHEDULES = ((1, "primary"), (2, "secondary"))


class Refused(Exception):
    def __init__(self, status: int, message: str, code: int, *errors: str) -> None:
        super().__init__(message)
        self.status = status
        self.body: Json = {"error": {"message": message, "code": code, **({"errors": list(errors)} if errors else {})}}


class PagerDuty:
    def __init__(self, scene: Scene, rules: Rules) -> None:
        self._world = scene.world
        self._pages = Pages(scene, rules)
        self._web = f"https://{scene.world.company.domain.partition('.')[0]}.pagerduty.com"
        self.refused: Counter[str] = Counter()

    def answer(self, ask: Ask) -> Reply:
        try:
            if ask.method == "GET":
                for pattern, answer in self._routes:
                    if match := pattern.fullmatch(ask.path):
                        return as_json(answer(ask, *match.groups()))
            self.refused[f"{ask.method} {re.sub(r'/[A-Z0-9]{7,}', '/…', ask.path)}"] += 1
            if ask.path == "/users/me":
                # In words by which PagerDuty's own client tells the keys of an account from those of a person.
                return as_json({"error": "An account-level access token belongs to no user."}, 400)
            if ask.method != "GET":
                raise Refused(403, "Access Denied", 2010)
            raise Refused(404, "Not Found", 2100)
        except Refused as refused:
            return as_json(refused.body, refused.status)

    @cached_property
    def _routes(self) -> Sequence[tuple[re.Pattern[str], Callable[..., Json]]]:
        one = r"/incidents/([A-Z0-9]+)"
        return tuple(
            (re.compile(path), answer)
            for path, answer in (
                ("/abilities", lambda _: {"abilities": ["teams", "advanced_permissions", "urgencies"]}),
                ("/incidents", self._incidents),
                (one, lambda ask, id_: {"incident": self._shown(self._page(id_))}),
                (f"{one}/notes", self._notes),
                (f"{one}/alerts", self._alerts),
                (f"{one}/log_entries", self._log),
                (f"{one}/past_incidents", self._past),
                (f"{one}/related_change_events", self._related),
                (f"{one}/related_incidents", self._alike),
                ("/users", self._users),
                (r"/users/(P[A-Z0-9]+)", lambda ask, id_: {"user": self._one(self._people, id_)}),
                ("/teams", lambda ask: self._listed(ask, "teams", self._teams)),
                (r"/teams/(P[A-Z0-9]+)", lambda ask, id_: {"team": self._one(self._teams, id_)}),
                ("/escalation_policies", lambda ask: self._listed(ask, "escalation_policies", self._policies)),
                (
                    r"/escalation_policies/(P[A-Z0-9]+)",
                    lambda ask, id_: {"escalation_policy": self._one(self._policies, id_)},
                ),
                ("/schedules", lambda ask: self._listed(ask, "schedules", self._schedules)),
                ("/oncalls", self._oncalls),
                ("/services", self._services),
                (r"/services/([A-Z0-9]+)", self._service),
                ("/change_events", lambda ask: self._listed(ask, "change_events", self._events("", 30))),
            )
        )

    def _listed(self, ask: Ask, field: str, rows: Sequence[Json]) -> Json:
        """Classic pagination."""
        limit, offset = min(100, _number(ask, "limit", 25)), _number(ask, "offset", 0)
        total = len(rows) if ask.get("total") == "true" else None
        more = offset + limit < len(rows)
        return {
            field: list(rows[offset : offset + limit]),
            "limit": limit,
            "offset": offset,
            "total": total,
            "more": more,
        }

    # Incidents

    def _page(self, id_: str) -> Page:
        found = next((p for p in self._pages.all if p.id == id_), None)
        if found is None:
            raise Refused(404, "Not Found", 2100)
        return found

    def _incidents(self, ask: Ask) -> Json:
        until = clock.moment(ask.get("until")) if ask.get("until") else self._world.now
        since = clock.moment(ask.get("since")) if ask.get("since") else until - 30 * DAY
        if until - since > LONGEST_DAYS * DAY:
            raise Refused(400, "Invalid Input Provided", 2001, "The date range is greater than 6 months.")
        states, services = ask.all("statuses[]"), ask.all("service_ids[]")
        found = [p for p in self._pages.all if since <= p.started <= until]
        found = [p for p in found if not states or _status(p) in states]
        found = [p for p in found if not services or self._service_id(p.service) in services]
        if ask.get("sort_by", "created_at:asc").startswith("created_at:desc"):
            found.reverse()
        return self._listed(ask, "incidents", [self._shown(p) for p in found])

    def _shown(self, it: Page) -> Json:
        last = it.resolved or it.acknowledged or it.started
        return {
            "id": it.id,
            "type": "incident",
            "summary": f"[#{it.number}] {it.title}",
            "self": f"{API}/incidents/{it.id}",
            "html_url": f"{self._web}/incidents/{it.id}",
            "incident_number": it.number,
            "title": it.title,
            "created_at": clock.seconds(it.started),
            "updated_at": clock.seconds(last),
            "status": _status(it),
            "incident_key": dice.hexadecimal(32, "key", it.id),
            "service": self._reference("service", self._service_id(it.service), it.service),
            "assignments": [] if it.resolved else [{"at": clock.seconds(it.started), "assignee": self._person(it.by)}],
            "acknowledgements": [{"at": clock.seconds(it.acknowledged), "acknowledger": self._person(it.by)}]
            if it.acknowledged and not it.resolved
            else [],
            "last_status_change_at": clock.seconds(last),
            "resolved_at": clock.seconds(it.resolved) if it.resolved else None,
            "alert_counts": {
                "all": max(1, len(it.alerts)),
                "triggered": len(it.alerts),
                "resolved": 0 if it.alerts else 1,
            },
            "escalation_policy": self._reference("escalation_policy", self._id("policy", it.team), it.team.title()),
            "teams": [self._reference("team", self._id("team", it.team), it.team.title())],
            "pending_actions": [],
            "urgency": "high",
            "priority": None,
        }

    def _notes(self, ask: Ask, id_: str) -> Json:
        """Newest first, as the real one lists them."""
        notes = sorted(self._page(id_).notes, key=lambda n: -n.at)
        return {
            "notes": [
                {
                    "id": self._id("note", id_, n.at),
                    "user": self._person(n.author),
                    "channel": {"summary": "The PagerDuty website or APIs"},
                    "content": n.words,
                    "created_at": clock.seconds(n.at),
                }
                for n in notes
            ]
        }

    def _alerts(self, ask: Ask, id_: str) -> Json:
        it = self._page(id_)
        rows = []
        for i, alert in enumerate(it.alerts):
            details = {
                "firing": "\n".join(f" - {k} = {v}" for k, v in alert.labels),
                "num_firing": str(len(it.alerts)),
                "num_resolved": "0",
                "resolved": "",
            }
            number = self._id("alert", id_, i)
            rows.append(
                {
                    "id": number,
                    "type": "alert",
                    "summary": it.title,
                    "self": f"{API}/incidents/{id_}/alerts/{number}",
                    "html_url": f"{self._web}/alerts/{number}",
                    "created_at": clock.seconds(it.started),
                    "status": "triggered",
                    "alert_key": dice.hexadecimal(32, "alert key", id_, i),
                    "service": self._reference("service", self._service_id(it.service), it.service),
                    "body": {"type": "alert_body", "contexts": [], "details": details},
                    "incident": {"id": id_, "type": "incident_reference"},
                    "suppressed": False,
                    "severity": dict(alert.labels).get("severity", "critical"),
                }
            )
        return self._listed(ask, "alerts", rows)

    def _log(self, ask: Ask, id_: str) -> Json:
        it = self._page(id_)
        entries = [("trigger_log_entry", it.started, "Triggered through the API.")]
        if it.acknowledged:
            entries.append(("acknowledge_log_entry", it.acknowledged, f"Acknowledged by {it.by.name}."))
        if it.resolved:
            entries.append(("resolve_log_entry", it.resolved, "Resolved through the API."))
        rows = [
            {
                "id": self._id("R", id_, kind),
                "type": kind,
                "summary": words,
                "created_at": clock.seconds(at),
                "agent": self._person(it.by)
                if kind.startswith("ack")
                else self._reference("service", self._service_id(it.service), it.service),
                "channel": {"type": "api" if not kind.startswith("ack") else "website"},
            }
            for kind, at, words in entries
        ]
        return self._listed(ask, "log_entries", rows[::-1])

    def _past(self, ask: Ask, id_: str) -> Json:
        it = self._page(id_)
        limit = min(999, _number(ask, "limit", 5))
        same = [p for p in self._pages.all if p.service == it.service and p.resolved]
        words = set(it.title.split())
        scored = [(round(20 * len(words & set(p.title.split())) / len(words) + 31, 4), p) for p in same]
        rows = [
            {
                "incident": {
                    "id": p.id,
                    "created_at": clock.seconds(p.started),
                    "self": f"{API}/incidents/{p.id}",
                    "title": p.title,
                },
                "score": score,
            }
            for score, p in sorted(scored, key=lambda s: (-s[0], -s[1].started))
        ]
        return {"past_incidents": rows[:limit], "total": len(rows), "limit": limit}

    def _alike(self, ask: Ask, id_: str) -> Json:
        """Open ones of other services that began within the quarter of an hour."""
        it = self._page(id_)
        near = [p for p in self._pages.all if p.resolved is None and abs(p.started - it.started) <= 900]
        rows = [
            {
                "incident": {
                    "id": p.id,
                    "created_at": clock.seconds(p.started),
                    "self": f"{API}/incidents/{p.id}",
                    "title": p.title,
                },
                "relationships": [
                    {
                        "type": "machine_learning_inferred",
                        "metadata": {
                            "grouping_classification": "similar_contents",
                            "user_feedback": {"positive_feedback_count": 0, "negative_feedback_count": 0},
                        },
                    }
                ],
            }
            for p in near
            if p.service != it.service
        ]
        return {"related_incidents": rows[:20]}

    # Changes

    def _related(self, ask: Ask, id_: str) -> Json:
        it = self._page(id_)
        rows = [r for r in self._events(it.service, 3) if clock.moment(r["timestamp"]) <= it.started]
        for i, row in enumerate(rows):
            row["correlation_reason"] = {"reason": "related_service" if i else "most_recent"}
        return self._listed(ask, "change_events", rows)

    def _events(self, service: str, days: float) -> list[Json]:
        """What the pipelines send when a deployment has begun, newest first."""
        found = [
            d
            for d in reversed(self._pages.made.all)
            if service in ("", d.service) and d.deployed_at >= self._world.now - days * DAY
        ]
        return [self._event(d) for d in found]

    def _event(self, it: Delivery) -> Json:
        return {
            "summary": f"Deploy {it.service} {it.tag} to {self._world.company.environment}",
            "id": f"01{dice.hexadecimal(24, 'event', it.service, it.revision).upper()}",
            "timestamp": clock.seconds(it.deployed_at + 2),
            "type": "change_event",
            "source": "github-actions",
            "integration": {"id": self._id("integration", it.service), "type": "inbound_integration_reference"},
            "services": [{"id": self._service_id(it.service), "type": "service_reference"}],
            "custom_details": {"sha": it.merge.sha[:12], "version": it.tag},
            "links": [{"href": f"https://github.com/{it.merge.repository}/releases/tag/{it.tag}", "text": it.tag}],
        }

    # People and services

    def _oncalls(self, ask: Ask) -> Json:
        wanted = ask.all("escalation_policy_ids[]")
        week = self._world.now // (7 * DAY) * 7 * DAY
        rows = []
        for team in dict.fromkeys(self._pages.services.values()):
            policy = self._id("policy", team)
            if wanted and policy not in wanted:
                continue
            for level, schedule in _SCHEDULES:
                rows.append(
                    {
                        "user": self._person(self._pages.on_call(team, level)),
                        "schedule": self._reference(
                            "schedule", self._id("schedule", team, level), f"{team} {schedule}"
                        ),
                        "escalation_policy": self._reference("escalation_policy", policy, team.title()),
                        "escalation_level": level,
                        "start": clock.seconds(week),
                        "end": clock.seconds(week + 7 * DAY),
                    }
                )
        return self._listed(ask, "oncalls", rows)

    def _services(self, ask: Ask) -> Json:
        query = ask.get("query").casefold()
        return self._listed(ask, "services", [self._described(n) for n in sorted(self._pages.services) if query in n])

    def _service(self, ask: Ask, id_: str) -> Json:
        found = next((n for n in self._pages.services if self._service_id(n) == id_), None)
        if found is None:
            raise Refused(404, "Not Found", 2100)
        return {"service": self._described(found)}

    def _one(self, rows: Sequence[Json], id_: str) -> Json:
        found = next((r for r in rows if r["id"] == id_), None)
        if found is None:
            raise Refused(404, "Not Found", 2100)
        return found

    def _users(self, ask: Ask) -> Json:
        query = ask.get("query").casefold()
        return self._listed(ask, "users", [u for u in self._people if query in f"{u['name']} {u['email']}".casefold()])

    @cached_property
    def _people(self) -> list[Json]:
        domain = self._world.company.domain
        found: dict[str, Json] = {}
        for team in dict.fromkeys(self._pages.services.values()):
            for i in range(3):
                person = self._pages.made.person(team, i)
                row = {
                    **self._person(person),
                    "type": "user",
                    "name": person.name,
                    "email": f"{person.login}@{domain}",
                    "time_zone": "Etc/UTC",
                    "color": ("purple", "teal", "orange")[i],
                    "role": "limited_user",
                    "job_title": None,
                    "description": None,
                    "invitation_sent": False,
                    "teams": [self._reference("team", self._id("team", team), team.title())],
                }
                found.setdefault(row["id"], row)
        return sorted(found.values(), key=lambda u: str(u["name"]))

    @cached_property
    def _teams(self) -> list[Json]:
        return [
            {
                **self._reference("team", self._id("team", team), team.title()),
                "type": "team",
                "name": team.title(),
                "description": None,
                "default_role": "manager",
                "parent": None,
            }
            for team in sorted(set(self._pages.services.values()))
        ]

    @cached_property
    def _policies(self) -> list[Json]:
        rows = []
        for team in sorted(set(self._pages.services.values())):
            owned = sorted(n for n, t in self._pages.services.items() if t == team)
            steps = (
                {
                    "id": self._id("rule", team, level),
                    "escalation_delay_in_minutes": 15,
                    "targets": [
                        self._reference("schedule", self._id("schedule", team, level), f"{team} {schedule}"),
                    ],
                }
                for level, schedule in _SCHEDULES
            )
            rows.append(
                {
                    **self._reference("escalation_policy", self._id("policy", team), team.title()),
                    "type": "escalation_policy",
                    "name": team.title(),
                    "description": None,
                    "num_loops": 2,
                    "on_call_handoff_notifications": "if_has_services",
                    "escalation_rules": list(steps),
                    "services": [self._reference("service", self._service_id(n), n) for n in owned],
                    "teams": [self._reference("team", self._id("team", team), team.title())],
                }
            )
        return rows

    @cached_property
    def _schedules(self) -> list[Json]:
        return [
            {
                **self._reference("schedule", self._id("schedule", team, level), f"{team} {schedule}"),
                "type": "schedule",
                "name": f"{team} {schedule}",
                "time_zone": "Etc/UTC",
                "description": None,
                "users": [self._person(self._pages.made.person(team, i)) for i in range(3)],
                "escalation_policies": [self._reference("escalation_policy", self._id("policy", team), team.title())],
                "teams": [self._reference("team", self._id("team", team), team.title())],
            }
            for team in sorted(set(self._pages.services.values()))
            for level, schedule in _SCHEDULES
        ]

    def _described(self, name: str) -> Json:
        team = self._pages.services[name]
        return {
            **self._reference("service", self._service_id(name), name),
            "type": "service",
            "name": name,
            "status": "active",
            "created_at": clock.seconds(self._world.founded + 40 * DAY),
            "escalation_policy": self._reference("escalation_policy", self._id("policy", team), team.title()),
            "teams": [self._reference("team", self._id("team", team), team.title())],
        }

    def _person(self, it: Person) -> Json:
        return self._reference("user", self._id("user", it.login), it.name)

    def _reference(self, kind: str, id_: str, summary: str) -> Json:
        plural = "escalation_policies" if kind == "escalation_policy" else f"{kind}s"
        return {
            "id": id_,
            "type": f"{kind}_reference",
            "summary": summary,
            "self": f"{API}/{plural}/{id_}",
            "html_url": f"{self._web}/{plural}/{id_}",
        }

    def _service_id(self, name: str) -> str:
        return self._id("service", name)

    def _id(self, *key: object) -> str:
        """P and six characters, as everything but incidents has it."""
        n, out = dice.number(self._world.company.name, *key), "P"
        for _ in range(6):
            n, digit = divmod(n, 36)
            out += "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[digit]
        return out


def _status(it: Page) -> str:
    return "resolved" if it.resolved else "acknowledged" if it.acknowledged else "triggered"


def _number(ask: Ask, name: str, default: int) -> int:
    """Raises Refused."""
    value = ask.get(name)
    if not value:
        return default
    if not value.isdigit():
        raise Refused(400, "Invalid Input Provided", 2001, f"{name} must be a number.")
    return int(value)
