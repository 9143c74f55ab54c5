"""PagerDuty over real HTTP: what people wrote is told and never evidence, how often it fired, who is on call.

Shapes: PagerDuty/api-schema reference/REST/openapiv3.json, the examples of each operation, with names made up.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from skills.contract import Access, FirstLook, Focus, QueryMeter, SkillContext, Window
from skills.pagerduty.settings import Settings
from skills.pagerduty.tools import HistoryInput, IncidentInput, Skillful, connect
from tests.skills.changes.server import Api, rest, serving

ONSET = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
NOW = ONSET + timedelta(minutes=12)
TITLE = "[FIRING:1] KubePodCrashLooping shop (cart-5d9f8-x2lqp)"


def at(minutes: float) -> str:
    """Minutes after the onset."""
    return (ONSET + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def incident(id_: str = "QCART1", title: str = TITLE, minutes: float = 1, **more: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "type": "incident",
        "summary": f"[#4711] {title}",
        "html_url": f"https://acme.pagerduty.example.com/incidents/{id_}",
        "incident_number": 4711,
        "title": title,
        "created_at": at(minutes),
        "updated_at": at(minutes + 2),
        "status": "acknowledged",
        "incident_key": "baf7cf21b1da41b4b0221008339ff357",
        "service": {"id": "PCART", "type": "service_reference", "summary": "Cart Service"},
        "assignments": [{"at": at(2), "assignee": {"id": "PU1", "type": "user_reference", "summary": "Mara Lind"}}],
        "escalation_policy": {"id": "PEP1", "type": "escalation_policy_reference", "summary": "Shop"},
        "urgency": "high",
        "resolved_at": None,
        **more,
    }


def note(words: str, minutes: float, author: str = "Mara Lind") -> dict[str, Any]:
    return {
        "id": f"N{minutes}",
        "user": {"id": "PU1", "type": "user_reference", "summary": author},
        "channel": {"summary": "The PagerDuty website or APIs"},
        "content": words,
        "created_at": at(minutes),
    }


def oncall(person: str, level: int) -> dict[str, Any]:
    return {
        "user": {"id": f"P{person}", "type": "user_reference", "summary": person},
        "schedule": {"id": "PS1", "type": "schedule_reference", "summary": "Shop rotation"},
        "escalation_policy": {"id": "PEP1", "type": "escalation_policy_reference", "summary": "Shop"},
        "escalation_level": level,
        "start": at(-600),
        "end": at(600),
    }


def _earlier(days: int) -> dict[str, Any]:
    minutes = -1440 * (days + 1)
    title = TITLE.replace("x2lqp", f"x{days}lqp")
    return incident(f"QOLD{days}", title, minutes, status="resolved", resolved_at=at(minutes + 30))


def history(count: int) -> list[dict[str, Any]]:
    """Newest first, the present one among them."""
    earlier = [_earlier(i) for i in range(count)]
    return [incident(), *earlier]


def routes(**more: Any) -> dict[str, Any]:
    def incidents(query: dict[str, list[str]]) -> dict[str, Any]:
        rows = history(3) if "service_ids[]" in query else [incident("QOTHER", "disk full on db-7", 1), incident()]
        return {"incidents": rows, "limit": 100, "offset": 0, "total": None, "more": False}

    change = {
        "summary": "Build Success - cart 1.34.0",
        "id": "01BBYA6PEVW6A852BUO6QYUE7O",
        "timestamp": at(-14),
        "type": "change_event",
        "source": "acme-build-pipeline",
        "services": [{"id": "PCART", "type": "service_reference"}],
        "correlation_reason": {"reason": "most_recent"},
    }
    past = [{"incident": {"id": "QOLD1", "created_at": at(-2880), "title": TITLE}, "score": 46.8249}]
    return {
        "/incidents": incidents,
        "/incidents/QCART1": {"incident": incident()},
        "/incidents/QCART1/notes": {"notes": [note("restarted it, no change", 9), note("I blame the database", 7)]},
        "/incidents/QCART1/past_incidents": {"past_incidents": past, "total": 1, "limit": 10},
        "/incidents/QCART1/related_change_events": {"change_events": [change], "more": False},
        "/incidents/QCART1/alerts": {
            "alerts": [
                {
                    "id": "QA1",
                    "type": "alert",
                    "summary": TITLE,
                    "created_at": at(1),
                    "status": "triggered",
                    "severity": "critical",
                    "body": {"type": "alert_body", "details": {"firing": "pod = cart-5d9f8-x2lqp", "num_firing": "1"}},
                }
            ]
        },
        "/incidents/QCART1/log_entries": {
            "log_entries": [
                {"id": "R2", "summary": "Acknowledged by Mara Lind.", "created_at": at(3)},
                {"id": "R1", "summary": "Triggered through the API", "created_at": at(1)},
            ]
        },
        "/incidents/QOLD0/notes": {"notes": [note("scaled up and waited", -1430, "Jo Park")]},
        "/oncalls": {"oncalls": [oncall("Jo Park", 2), oncall("Mara Lind", 1)], "more": False},
        "/services": {
            "services": [
                {
                    "id": "PCART",
                    "name": "Cart Service",
                    "type": "service",
                    "escalation_policy": {"id": "PEP1", "summary": "Shop"},
                }
            ]
        },
        **more,
    }  # fmt: skip


LOST = {"error": {"code": 2100, "message": "Not Found"}}


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as entered:
        yield entered


def served(stack: ExitStack, **more: Any) -> Api:
    return stack.enter_context(serving(rest(routes(**more), LOST)))


def skill(api: Api, timeout: float = 2.0, **settings: Any) -> Skillful:
    values = Settings.model_validate({"url": api.url, "token_env": "TOKEN", **settings})
    made = connect(Access(values, {"TOKEN": "made-up-token"}.get, QueryMeter("pagerduty"), timeout))
    assert isinstance(made, Skillful)
    return made


def context(**focus: Any) -> SkillContext:
    about = {"alert_type": "KubePodCrashLooping", "service": "cart", "namespace": "shop", "started_at": ONSET, **focus}
    window = Window(ONSET - timedelta(minutes=30), NOW)
    return SkillContext(Focus(**about), NOW, window, window.before())


def look(api: Api, **focus: Any) -> FirstLook:
    return skill(api).first_look(context(**focus))


def test_first_look_tells_state_owner_how_often_and_what_people_wrote(stack: ExitStack) -> None:
    seen = look(served(stack))
    assert f'incident #4711 "{TITLE}" of Cart Service: acknowledged since 2026-11-25T12:01:00Z' in seen.text
    assert seen.owner == "on call: Mara Lind (Shop rotation)"
    assert "3 earlier incidents of this service in 30 days, 3 of them alike, the last 2026-11-24T12:00Z" in seen.text
    assert seen.text.index("I blame the database") < seen.text.index("restarted it, no change")
    assert not seen.gaps


def test_notes_are_words_and_never_evidence_or_symptoms(stack: ExitStack) -> None:
    api = served(stack)
    seen = look(api)
    assert not any("database" in e.text for e in seen.evidence)
    assert seen.symptoms == ()
    result = skill(api)._incident(IncidentInput(), context())
    assert "not evidence" in result.text
    assert "I blame the database" in result.text
    assert not any("database" in e.text for e in result.evidence)


def test_related_change_events_are_changes_of_the_service(stack: ExitStack) -> None:
    (change,) = look(served(stack)).changes
    assert (change.id, change.entity.name) == ("pagerduty/change/01BBYA6PEVW6A852BUO6QYUE7O", "cart")
    assert "Build Success - cart 1.34.0 (acme-build-pipeline)" in change.evidence[0].text


def test_change_event_of_another_service_is_not_put_on_the_alerts(stack: ExitStack) -> None:
    (of_incident,) = look(served(stack), service="orders").changes
    assert of_incident.entity.name == "Cart Service"
    foreign = {
        "summary": "Deploy search", "id": "01F", "timestamp": at(-9), "source": "ci", "services": [{"id": "PSEARCH"}],
    }  # fmt: skip
    api = served(stack, **{"/incidents/QCART1/related_change_events": {"change_events": [foreign]}})
    (of_another,) = look(api).changes
    assert (of_another.entity.kind, of_another.entity.name) == ("external", "ci")


def test_alerts_own_link_says_which_incident_it_is(stack: ExitStack) -> None:
    api = served(stack)
    look(api, links=("https://acme.pagerduty.com/incidents/QCART1",), alert_type="", service="")
    assert api.requests[0] == "/incidents/QCART1"


def test_times_are_asked_for_in_the_investigations_time(stack: ExitStack) -> None:
    api = served(stack)
    look(api)
    asked = "".join(r for r in api.requests if r.startswith("/oncalls"))
    assert "since=2026-11-25T12%3A12%3A00Z" in asked
    assert any("until=2026-11-25T12%3A12%3A00Z" in r for r in api.requests if "service_ids" in r)


def test_key_and_version_are_sent(stack: ExitStack) -> None:
    api = served(stack)
    look(api)
    assert api.headers[0]["Authorization"] == "Token token=made-up-token"
    assert api.headers[0]["Accept"] == "application/vnd.pagerduty+json;version=2"


def test_oauth_tokens_are_sent_as_bearer(stack: ExitStack) -> None:
    api = served(stack)
    skill(api, scheme="bearer").reach()
    assert api.headers[0]["Authorization"] == "Bearer made-up-token"


def test_alert_that_pagerduty_does_not_know_still_has_its_services_owner_and_history(stack: ExitStack) -> None:
    seen = look(served(stack), alert_type="SomethingElse", started_at=ONSET - timedelta(hours=3))
    assert seen.text.startswith("No open incident is about this alert.")
    assert seen.owner.startswith("on call: Mara Lind")
    assert "4 earlier incidents" in seen.text


def test_nothing_of_the_alert_in_pagerduty_is_said_plainly(stack: ExitStack) -> None:
    seen = look(served(stack), alert_type="Other", service="ledger")
    assert seen.text == "No open incident and no service of PagerDuty is about ledger."
    assert seen.owner == ""


def test_incident_tool_shows_alert_details_and_what_was_done_in_order(stack: ExitStack) -> None:
    result = skill(served(stack))._incident(IncidentInput(), context())
    lines = [e.text for e in result.evidence]
    assert "firing=pod = cart-5d9f8-x2lqp" in lines[1]
    assert [line.split(" at ")[0] for line in lines[2:]] == ["Triggered through the API", "Acknowledged by Mara Lind."]


def test_history_tool_counts_alike_titles_and_tells_the_notes_of_the_likest(stack: ExitStack) -> None:
    result = skill(served(stack))._history(HistoryInput(), context())
    assert (
        result.text.startswith("3 earlier incidents in 30 days; 3 times '[firing:1]") is False
    )  # figures are left out
    assert "3 times 'kubepodcrashlooping shop'" in result.text
    assert "Jo Park wrote: scaled up and waited" in result.text
    assert result.evidence[-1].text.endswith("resolved after 30 min")


def test_history_is_paged_while_there_is_more(stack: ExitStack) -> None:
    def incidents(query: dict[str, list[str]]) -> dict[str, Any]:
        if "service_ids[]" not in query:
            return {"incidents": [incident()], "more": False}
        offset = int(query.get("offset", ["0"])[0])
        rows = [incident(f"Q{offset + i}", TITLE, -60 - offset - i) for i in range(100)]
        return {"incidents": rows, "limit": 100, "offset": offset, "more": True}

    api = served(stack, **{"/incidents": incidents})
    assert "300 or more earlier incidents" in look(api).text
    assert sum("service_ids" in r for r in api.requests) == 3


def test_plan_without_past_incidents_is_no_gap(stack: ExitStack) -> None:
    parts = routes()
    del parts["/incidents/QCART1/past_incidents"]
    api = stack.enter_context(serving(rest(parts, LOST)))
    assert look(api).gaps == ()


def test_part_that_fails_is_a_gap_and_hides_nothing_else(stack: ExitStack) -> None:
    parts = routes()
    del parts["/incidents/QCART1/notes"]
    api = stack.enter_context(serving(rest(parts, LOST)))
    seen = look(api)
    assert [g.what for g in seen.gaps] == ["PagerDuty: notes"]
    assert "Not Found" in seen.gaps[0].why
    assert seen.owner
