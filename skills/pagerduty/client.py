"""Questions to PagerDuty's REST API v2, and the answers as records.

API: PagerDuty/api-schema reference/REST/openapiv3.json (incidents, notes, alerts, log_entries, past_incidents,
related_change_events, oncalls, services, change_events; offset pagination with `more`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from skills.contract import Access, ToolError
from skills.pagerduty.settings import Settings
from skills.rest import Door, Rest, at, moment, rows, text
from skills.trouble import Key, Party, secrets_of

PAGE = 100
PAGES = 3


def connect(access: Access) -> PagerDuty:
    settings: Settings = access.settings
    headers = {"Accept": "application/vnd.pagerduty+json;version=2", "Content-Type": "application/json"}
    if token := access.secret(settings.token_env):
        headers["Authorization"] = f"Token token={token}" if settings.scheme == "token" else f"Bearer {token}"
    party = Party(
        "PagerDuty",
        "skills.pagerduty",
        settings.url,
        (Key("token_env", settings.token_env, bool(token)),),
        needs="read incidents, services and on-calls",
        also="skills.pagerduty.scheme",
        secrets=secrets_of(token),
    )
    door = Door(party, headers, settings.verify_tls, settings.ca_file)
    return PagerDuty(Rest(door, access.meter, access.timeout_seconds))


@dataclass(frozen=True)
class Incident:
    id: str
    number: str
    title: str
    status: str
    created_at: datetime | None
    resolved_at: datetime | None
    service_id: str
    service: str
    policy_id: str
    policy: str
    assigned: tuple[str, ...]
    link: str | None
    urgency: str
    key: str

    @property
    def told(self) -> str:
        since = f" since {self.created_at:%Y-%m-%dT%H:%M:%SZ}" if self.created_at else ""
        to = f", assigned to {', '.join(self.assigned)}" if self.assigned else ""
        return f'incident #{self.number} "{self.title}" of {self.service}: {self.status}{since}, {self.urgency}{to}'


@dataclass(frozen=True)
class Note:
    at: datetime | None
    author: str
    words: str

    @property
    def told(self) -> str:
        when = f"{self.at:%Y-%m-%dT%H:%M:%SZ} " if self.at else ""
        return f"{when}{self.author or 'somebody'} wrote: {self.words}"


@dataclass(frozen=True)
class OnCall:
    level: int
    person: str
    schedule: str
    until: datetime | None


@dataclass(frozen=True)
class Past:
    """An earlier incident, with PagerDuty's own measure of likeness where it gave one."""

    id: str
    title: str
    created_at: datetime | None
    resolved_at: datetime | None = None
    score: float | None = None


class PagerDuty:
    def __init__(self, rest: Rest) -> None:
        self.rest = rest

    # Each raises ToolError.

    def incident(self, id_: str, until: float | None = None) -> Incident:
        return _incident(at(self.rest.get(f"/incidents/{id_}", until=until).data, "incident"))

    def open_incidents(self, since: datetime, now: datetime, until: float | None = None) -> list[Incident]:
        """Triggered or acknowledged, newest first."""
        asked = (
            ("statuses[]", "triggered"),
            ("statuses[]", "acknowledged"),
            ("since", _iso(since)),
            ("until", _iso(now)),
            ("sort_by", "created_at:desc"),
            ("limit", str(PAGE)),
        )
        return [_incident(row) for row in self._rows("/incidents", "incidents", asked, until, pages=1)]

    def of_service(
        self, service_id: str, since: datetime, now: datetime, until: float | None = None
    ) -> tuple[list[Past], bool]:
        """Oldest first, and whether those are all."""
        asked = (
            ("service_ids[]", service_id),
            ("since", _iso(since)),
            ("until", _iso(now)),
            ("sort_by", "created_at:desc"),
            ("limit", str(PAGE)),
        )
        found = self._rows("/incidents", "incidents", asked, until)
        past = [Past(text(r, "id"), text(r, "title"), moment(r, "created_at"), moment(r, "resolved_at")) for r in found]
        return past[::-1], len(past) < PAGE * PAGES

    def notes(self, id_: str, until: float | None = None) -> list[Note]:
        """Oldest first."""
        found = rows(self.rest.get(f"/incidents/{id_}/notes", until=until).data, "notes")
        notes = [
            Note(moment(r, "created_at"), text(r, "user", "summary"), " ".join(text(r, "content").split()))
            for r in found
        ]
        return sorted(notes, key=lambda n: (n.at is None, n.at))

    def alerts(self, id_: str, until: float | None = None) -> list[Mapping[str, Any]]:
        asked = (("limit", "25"),)
        return rows(self.rest.get(f"/incidents/{id_}/alerts", asked, until=until).data, "alerts")

    def log(self, id_: str, until: float | None = None) -> list[Mapping[str, Any]]:
        """What happened to the incident, newest first, only the important entries."""
        asked = (("is_overview", "true"), ("limit", "30"))
        return rows(self.rest.get(f"/incidents/{id_}/log_entries", asked, until=until).data, "log_entries")

    def past(self, id_: str, until: float | None = None) -> tuple[list[Past], int]:
        """Like it within six months, the likest first, and how many there are; not in every plan of PagerDuty."""
        asked = (("limit", "10"), ("total", "true"))
        data = self.rest.get(f"/incidents/{id_}/past_incidents", asked, until=until).data
        found = []
        for row in rows(data, "past_incidents"):
            one, score = at(row, "incident"), at(row, "score")
            likeness = float(score) if isinstance(score, int | float) else None
            found.append(Past(text(one, "id"), text(one, "title"), moment(one, "created_at"), None, likeness))
        total = at(data, "total")
        return found, total if isinstance(total, int) else len(found)

    def change_events(self, id_: str, until: float | None = None) -> list[Mapping[str, Any]]:
        asked = (("limit", "25"),)
        return rows(self.rest.get(f"/incidents/{id_}/related_change_events", asked, until=until).data, "change_events")

    def on_call(self, policy_id: str, now: datetime, until: float | None = None) -> list[OnCall]:
        """Whom an escalation policy would call now, by level."""
        asked = (
            ("escalation_policy_ids[]", policy_id),
            ("since", _iso(now)),
            ("until", _iso(now + timedelta(minutes=1))),
            ("earliest", "true"),
            ("limit", "25"),
        )
        found = rows(self.rest.get("/oncalls", asked, until=until).data, "oncalls")
        calls = [
            OnCall(
                level if isinstance(level := at(r, "escalation_level"), int) else 0,
                text(r, "user", "summary"),
                text(r, "schedule", "summary"),
                moment(r, "end"),
            )
            for r in found
        ]
        return sorted((c for c in calls if c.person), key=lambda c: (c.level, c.person))

    def services(self, name: str, until: float | None = None) -> list[Mapping[str, Any]]:
        return rows(self.rest.get("/services", (("query", name), ("limit", "25")), until=until).data, "services")

    def _rows(
        self, path: str, field: str, asked: Iterable[tuple[str, str]], until: float | None, pages: int = PAGES
    ) -> list[Mapping[str, Any]]:
        out: list[Mapping[str, Any]] = []
        for page in range(pages):
            more = (("offset", str(page * PAGE)),) if page else ()
            data = self.rest.get(path, (*asked, *more), until=until).data
            if not isinstance(at(data, field), list):
                raise ToolError(f"PagerDuty answered GET {path} without {field}")
            out += rows(data, field)
            if at(data, "more") is not True:
                break
        return out


def _incident(row: Any) -> Incident:
    if not text(row, "id"):
        raise ToolError("PagerDuty answered with an incident that has no id")
    link = text(row, "html_url")
    return Incident(
        text(row, "id"),
        text(row, "incident_number"),
        text(row, "title") or text(row, "summary"),
        text(row, "status"),
        moment(row, "created_at"),
        moment(row, "resolved_at"),
        text(row, "service", "id"),
        text(row, "service", "summary"),
        text(row, "escalation_policy", "id"),
        text(row, "escalation_policy", "summary"),
        tuple(a for r in rows(row, "assignments") if (a := text(r, "assignee", "summary"))),
        link if link.startswith(("https://", "http://")) else None,
        f"urgency {text(row, 'urgency') or '?'}",
        text(row, "incident_key"),
    )


def _iso(at_: datetime) -> str:
    return at_.strftime("%Y-%m-%dT%H:%M:%SZ")
