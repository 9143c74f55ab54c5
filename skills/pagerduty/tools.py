"""What the model may ask of PagerDuty, and what it is told at first. Notes are told as words, never as evidence."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import Field

from skills.contract import (
    Access,
    Change,
    Check,
    Entity,
    Excerpt,
    FirstLook,
    Gap,
    Skill,
    SkillContext,
    Sources,
    Tool,
    ToolError,
    ToolInput,
    ToolResult,
    Window,
)
from skills.pagerduty.client import Incident, Note, OnCall, PagerDuty, Past
from skills.pagerduty.client import connect as dial
from skills.pagerduty.matching import alike, incident_id, likeliest, service_of
from skills.pagerduty.settings import Settings
from skills.rest import moment, rows, text
from skills.trouble import concerns_all, failed

FIRST_LOOK_SECONDS = 6.0
OPEN = timedelta(days=2)
MONTH = timedelta(days=30)
MOST_NOTES = 8
MOST_PAST_NOTES = 3


class IncidentInput(ToolInput):
    id: str = Field(default="", description="default: the alert's")


class HistoryInput(ToolInput):
    service: str = Field(default="", description="default: the incident's")
    days: int = Field(default=30, ge=1, le=180)


def connect(access: Access) -> Skill:
    return Skillful(access)


class Skillful:
    """One account, for one investigation."""

    name = "pagerduty"

    def __init__(self, access: Access) -> None:
        self._settings: Settings = access.settings
        self._pagerduty: PagerDuty = dial(access)
        self._found: Incident | None = None

    @property
    def tools(self) -> Sequence[Tool]:
        return (
            Tool(
                "pagerduty_incident",
                "The incident: state, alerts with details, what was done, notes of people.",
                IncidentInput,
                self._incident,
                ("incidents", "notes", "alerts", "log entries"),
            ),
            Tool(
                "pagerduty_history",
                "Earlier incidents of a service: how often, when, how long, notes of the likest.",
                HistoryInput,
                self._history,
                ("incidents", "notes"),
            ),
        )

    @property
    def sources(self) -> Sources:
        return Sources()

    def reach(self) -> None:
        # Not /abilities: an OAuth token that may read incidents need not have the scope for those.
        self._pagerduty.rest.get("/incidents", (("limit", "1"),))

    def first_look(self, context: SkillContext) -> FirstLook:
        end = time.monotonic() + _seconds(context)
        incident = self._of_alert(context, end)
        service_id, policy_id = self._service(context, incident, end)
        jobs: dict[str, Callable[[], Any]] = {}
        if incident is not None:
            jobs["notes"] = lambda: self._pagerduty.notes(incident.id, end)
            jobs["past incidents"] = lambda: self._pagerduty.past(incident.id, end)
            jobs["change events"] = lambda: self._pagerduty.change_events(incident.id, end)
        if service_id:
            jobs["history"] = lambda: self._pagerduty.of_service(service_id, context.now - MONTH, context.now, end)
        if policy_id:
            jobs["on call"] = lambda: self._pagerduty.on_call(policy_id, context.now, end)
        if not jobs:
            what = context.focus.service or context.focus.title or "this alert"
            return FirstLook(f"No open incident and no service of PagerDuty is about {what}.")
        answers = _together(jobs)
        gaps = [Gap(f"PagerDuty: {k}", str(v)) for k, v in answers.items() if isinstance(v, ToolError)]
        got = {k: v for k, v in answers.items() if not isinstance(v, ToolError)}
        if not got and incident is None:
            raise ToolError("; ".join(g.why for g in gaps))
        # Past incidents are an add-on of some plans; without them the history of the service says the same.
        gaps = [g for g in gaps if g.what != "PagerDuty: past incidents" or "history" not in got]
        told = _Told(context, incident, got)
        return FirstLook(
            "\n".join(told.lines()),
            changes=told.changes(),
            gaps=tuple(gaps),
            evidence=told.evidence(),
            owner=told.owner,
        )

    def checks(self) -> Sequence[Check]:
        found = []
        for what, path in (("incidents", "/incidents"), ("who is on call", "/oncalls"), ("services", "/services")):
            try:
                self._pagerduty.rest.get(path, (("limit", "1"),))
                found.append(Check(what, True, self._settings.url))
            except ToolError as error:
                found.append(failed(what, error, "check token_env, url and scheme of skills.pagerduty"))
                if concerns_all(error):
                    break
        return found

    # --- reading -------------------------------------------------------------------------------------------------

    def _of_alert(self, context: SkillContext, until: float | None) -> Incident | None:
        """Raises ToolError."""
        if self._found is None:
            if named := incident_id(context.focus):
                self._found = self._pagerduty.incident(named, until)
            else:
                found = self._pagerduty.open_incidents(context.window.start - OPEN, context.now, until)
                self._found = likeliest(found, context.focus)
        return self._found

    def _service(self, context: SkillContext, incident: Incident | None, until: float | None) -> tuple[str, str]:
        """Ids of service and escalation policy. Raises ToolError."""
        if incident is not None:
            return incident.service_id, incident.policy_id
        name = context.focus.service
        if not name:
            return "", ""
        known = self._settings.services.get(name, "")
        found = self._pagerduty.services(name, until) if not known else []
        one = service_of(found, name)
        return known or text(one, "id"), text(one, "escalation_policy", "id")

    # --- tools ---------------------------------------------------------------------------------------------------

    def _incident(self, asked: IncidentInput, context: SkillContext) -> ToolResult:
        incident = self._pagerduty.incident(asked.id) if asked.id else self._of_alert(context, None)
        if incident is None:
            return ToolResult("no_data", "no open incident is about this alert (GET /incidents)")
        answers = _together(
            {
                "notes": lambda: self._pagerduty.notes(incident.id),
                "alerts": lambda: self._pagerduty.alerts(incident.id),
                "log entries": lambda: self._pagerduty.log(incident.id),
            }
        )
        gaps = tuple(Gap(f"PagerDuty: {k}", str(v)) for k, v in answers.items() if isinstance(v, ToolError))
        got = {k: v for k, v in answers.items() if not isinstance(v, ToolError)}
        lines = [Excerpt(incident.told, f"GET /incidents/{incident.id}", link=incident.link, at=incident.created_at)]
        for row in got.get("alerts", ()):
            lines.append(_alert_line(row, incident))
        for row in reversed(got.get("log entries", ())):
            when = moment(row, "created_at")
            words = f"{text(row, 'summary')} at {text(row, 'created_at')}"
            lines.append(Excerpt(words, f"GET /incidents/{incident.id}/log_entries", link=incident.link, at=when))
        said = _notes_in_words(got.get("notes", ()))
        head = f"{incident.told}. {len(got.get('alerts', ()))} alerts, {len(got.get('notes', ()))} notes"
        return ToolResult("ok", "\n".join((head, *said)), tuple(lines), gaps=gaps)

    def _history(self, asked: HistoryInput, context: SkillContext) -> ToolResult:
        incident = None if asked.service else self._of_alert(context, None)
        named = asked.service or context.focus.service
        service_id = incident.service_id if incident else self._settings.services.get(named, "")
        if not service_id and named:
            service_id = text(service_of(self._pagerduty.services(named), named), "id")
        if not service_id:
            return ToolResult("no_data", f"PagerDuty has no service called {named or 'as the alert says'!r}")
        past, whole = self._pagerduty.of_service(service_id, context.now - timedelta(days=asked.days), context.now)
        earlier = [p for p in past if incident is None or p.id != incident.id]
        if not earlier:
            return ToolResult("no_data", f"no earlier incident of it in {asked.days} days (GET /incidents)")
        query = f"GET /incidents?service_ids[]={service_id}"
        span = Window(context.now - timedelta(days=asked.days), context.now)
        lines = [Excerpt(_past_line(p), query, span, at=p.created_at) for p in earlier[-25:]]
        said: list[str] = []
        likest = _likest(earlier, incident)
        for one in likest[:MOST_PAST_NOTES]:
            try:
                notes = self._pagerduty.notes(one.id)
            except ToolError:
                continue
            said += [f"about {one.title!r} of {_day(one.created_at)}, {n.told}" for n in notes[-3:]]
        head = f"{len(earlier)}{'' if whole else ' or more'} earlier incidents in {asked.days} days; {_counts(earlier)}"
        return ToolResult("ok", "\n".join((head, *said)), tuple(lines))


@dataclass(frozen=True)
class _Told:
    """What one look found, in words."""

    context: SkillContext
    incident: Incident | None
    got: dict[str, Any]

    @property
    def owner(self) -> str:
        calls: list[OnCall] = self.got.get("on call", [])
        first = [c for c in calls if c.level == (calls[0].level if calls else 0)]
        names = list(dict.fromkeys(f"{c.person} ({c.schedule})" if c.schedule else c.person for c in first))
        return f"on call: {', '.join(names[:3])}" if names else ""

    def lines(self) -> list[str]:
        said = [self.incident.told if self.incident else "No open incident is about this alert."]
        if self.owner:
            said.append(self.owner)
        if often := self._often():
            said.append(often)
        return said + _notes_in_words(self.got.get("notes", ()))

    def evidence(self) -> tuple[Excerpt, ...]:
        out = []
        if self.incident is not None:
            query = f"GET /incidents/{self.incident.id}"
            out.append(Excerpt(self.incident.told, query, link=self.incident.link, at=self.incident.created_at))
        if often := self._often():
            span = Window(self.context.now - MONTH, self.context.now)
            out.append(Excerpt(often, "GET /incidents?service_ids[]", span))
        return tuple(out)

    def _often(self) -> str:
        past, whole = self.got.get("history", ((), True))
        earlier = [p for p in past if self.incident is None or p.id != self.incident.id]
        if "history" not in self.got:
            return ""
        if not earlier:
            return "no earlier incident of this service in 30 days"
        same = [p for p in earlier if self._is_alike(p)]
        words = f"{len(earlier)}{'' if whole else ' or more'} earlier incidents of this service in 30 days"
        words += f", {len(same)} of them alike" if self.incident is not None else f"; {_counts(earlier)}"
        if same and same[-1].created_at:
            words += f", the last {_day(same[-1].created_at)}"
        return words

    def _is_alike(self, past: Past) -> bool:
        """The same alert by its name, or the same words."""
        name = self.context.focus.alert_type
        named = bool(name) and name.casefold() in past.title.casefold()
        return named or (self.incident is not None and _kind(past.title) == _kind(self.incident.title))

    def changes(self) -> tuple[Change, ...]:
        """Change events that PagerDuty relates to the incident, as somebody's pipeline sent them."""
        incident, focus = self.incident, self.context.focus
        if incident is None:
            return ()
        same = alike(incident.service, focus.service)
        place = focus.namespace if same and focus.namespace else None
        own = Entity(kind="Service", namespace=place, name=focus.service if same else incident.service)
        found = []
        for row in self.got.get("change events", ()):
            when = moment(row, "timestamp")
            if when is None or not text(row, "id"):
                continue
            words, source = text(row, "summary")[:200], text(row, "source")
            told = f"PagerDuty change event at {when:%Y-%m-%dT%H:%M:%SZ}: {words}" + (f" ({source})" if source else "")
            touched = [text(s, "id") for s in rows(row, "services")]
            thing = own if incident.service_id in touched else Entity(kind="external", name=source or "a pipeline")
            seen = Excerpt(told, f"GET /incidents/{incident.id}/related_change_events", at=when)
            found.append(Change(f"pagerduty/change/{text(row, 'id')}", when, thing, words, "other", None, (seen,)))
        return tuple(sorted(found, key=lambda c: (c.at, c.id)))


def _notes_in_words(notes: Sequence[Note]) -> list[str]:
    if not notes:
        return []
    more = f" ({len(notes) - MOST_NOTES} older)" if len(notes) > MOST_NOTES else ""
    return [f"Notes of people, to be checked and not evidence{more}:", *(n.told[:380] for n in notes[-MOST_NOTES:])]


def _alert_line(row: Any, incident: Incident) -> Excerpt:
    body = row.get("body")
    details = body.get("details") if isinstance(body, dict) else None
    words = f"alert {text(row, 'summary')!r} {text(row, 'status')}, severity {text(row, 'severity') or '?'}"
    if isinstance(details, dict):
        words += "; " + ", ".join(f"{k}={v}" for k, v in list(details.items())[:12] if isinstance(v, str | int | float))
    elif isinstance(details, str):
        words += f"; {details}"
    when = moment(row, "created_at")
    return Excerpt(words[:600], f"GET /incidents/{incident.id}/alerts", link=incident.link, at=when)


def _likest(past: Sequence[Past], incident: Incident | None) -> list[Past]:
    """Those of the same title, the newest first; else the newest."""
    newest = list(reversed(past))
    same = [p for p in newest if incident is not None and _kind(p.title) == _kind(incident.title)]
    return same or newest


def _kind(title: str) -> str:
    """A title without its figures and generated names: 6 pods and 7 pods are the same complaint."""
    return " ".join(w for w in title.casefold().split() if not any(c.isdigit() for c in w))


def _counts(past: Sequence[Past]) -> str:
    counted = Counter(_kind(p.title) for p in past)
    return ", ".join(f"{n} times {title!r}" for title, n in counted.most_common(3))


def _past_line(past: Past) -> str:
    took = ""
    if past.created_at and past.resolved_at:
        took = f", resolved after {(past.resolved_at - past.created_at).total_seconds() / 60:.0f} min"
    return f"{_day(past.created_at)}: {past.title}{took}"


def _day(when: datetime | None) -> str:
    return f"{when:%Y-%m-%dT%H:%MZ}" if when else "at an unknown time"


def _together(jobs: dict[str, Callable[[], Any]]) -> dict[str, Any]:
    """The answers by name; a ToolError in place of an answer that failed."""

    def run(job: Callable[[], Any]) -> Any:
        try:
            return job()
        except ToolError as error:
            return error

    with ThreadPoolExecutor(max(1, len(jobs))) as pool:
        return dict(zip(jobs, pool.map(run, jobs.values()), strict=True))


def _seconds(context: SkillContext) -> float:
    if context.deadline is None:
        return FIRST_LOOK_SECONDS
    left = (context.deadline - datetime.now(UTC)).total_seconds()
    return max(0.2, min(FIRST_LOOK_SECONDS, left - 1.0))
