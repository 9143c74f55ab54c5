"""Flag events become what an investigation needs to know, from LaunchDarkly's audit entries and from our own JSON."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.intake import flags, signatures
from workers.flags import as_changes

NOW = datetime(2026, 11, 25, 14, 5, tzinfo=UTC)

# Shape: LaunchDarkly documentation, "Webhooks" and "Get audit log entry"; names and ids are made up.
AUDIT_ENTRY: dict[str, Any] = {
    "_links": {
        "canonical": {"href": "/api/v2/flags/default/bundle-pricing", "type": "application/json"},
        "site": {
            "href": "https://app.launchdarkly.com/default/production/features/bundle-pricing",
            "type": "text/html",
        },
    },
    "_id": "made-up-entry-id",
    "_accountId": "made-up-account",
    "date": 1764079380000,
    "accesses": [{"action": "updateOn", "resource": "proj/default:env/production:flag/bundle-pricing"}],
    "kind": "flag",
    "name": "Bundle pricing",
    "description": "",
    "shortDescription": "",
    "comment": "rollout agreed in the weekly",
    "member": {"_id": "m1", "email": "mara@acme.example.com", "firstName": "Mara", "lastName": "Lind"},
    "titleVerb": "turned on the flag",
    "title": "[Mara Lind](mailto:mara@acme.example.com) turned on the flag [Bundle pricing](https://app)",
    "target": {
        "_links": {},
        "name": "Bundle pricing",
        "resources": ["proj/default:env/production:flag/bundle-pricing"],
    },
    "currentVersion": {
        "key": "bundle-pricing",
        "tags": ["service:pricing"],
        "environments": {"production": {"on": True}},
    },
    "previousVersion": {"key": "bundle-pricing", "environments": {"production": {"on": False}}},
}


def test_launchdarkly_entry_says_which_flag_was_switched_where_when_by_whom_and_whom_it_touches() -> None:
    event, _ = flags.read(AUDIT_ENTRY, "acme", NOW)
    assert event is not None
    assert (event.flag, event.environment, event.author) == ("bundle-pricing", "production", "Mara Lind")
    assert event.at == datetime(2025, 11, 25, 14, 3, tzinfo=UTC)
    assert event.summary == "turned on the flag; on: false -> true; rollout agreed in the weekly"
    assert event.services == ("pricing",)
    assert event.link.startswith("https://app.launchdarkly.com/")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"kind": "member", "accesses": [{"action": "createMember", "resource": "member/1"}]}, "no flag"),
        ({"accesses": [{"action": "updateDescription", "resource": "proj/p:env/*:flag/f"}]}, "nothing of what"),
        ({"accesses": "nonsense", "_accountId": 1}, "no flag"),
    ],
)
def test_what_changes_no_answer_of_a_flag_is_left_alone_with_the_reason(change: dict[str, Any], reason: str) -> None:
    event, why = flags.read(AUDIT_ENTRY | change, "acme", NOW)
    assert event is None
    assert reason in why


def test_plain_event_needs_only_the_flag() -> None:
    event, _ = flags.read({"flag": "bundle-pricing"}, "acme", NOW)
    assert event is not None
    assert (event.at, event.summary) == (NOW, "changed")
    again, _ = flags.read({"flag": "bundle-pricing"}, "acme", NOW)
    assert again is not None
    assert again.id == event.id


def test_plain_event_says_from_what_to_what_and_refuses_no_odd_types() -> None:
    sent = {"flag": "limit", "from": 10, "to": {"eu": 50}, "service": "pricing", "at": "2026-11-25T14:03:00Z", "url": 7}
    event, _ = flags.read(sent, "acme", NOW)
    assert event is not None
    assert (event.summary, event.services, event.link) == ('10 -> {"eu": 50}', ("pricing",), "")


@pytest.mark.parametrize("payload", [{}, {"flag": 3}, {"flag": " "}, {"accesses": []}, {"alerts": []}])
def test_what_is_no_flag_event_is_refused_with_a_reason(payload: dict[str, Any]) -> None:
    event, why = flags.read(payload, "acme", NOW)
    assert event is None
    assert why


def test_change_is_of_the_customers_environment_and_names_who_is_touched() -> None:
    event, _ = flags.read(AUDIT_ENTRY, "acme", NOW)
    assert event is not None
    (change,) = as_changes([event], "prod")
    assert change.kind == "flag"
    assert [e.entity.name for e in change.evidence if e.entity] == ["pricing"]
    assert as_changes([event], "staging") == ()
    assert len(as_changes([event], "")) == 1


def test_launchdarkly_signs_the_raw_body() -> None:
    right = hmac.new(b"made-up-key", b"{}", hashlib.sha256).hexdigest()
    assert signatures.launchdarkly({"X-LD-Signature": right}, b"{}", "made-up-key")
    assert not signatures.launchdarkly({"X-LD-Signature": right}, b"{ }", "made-up-key")
    assert not signatures.launchdarkly({}, b"{}", "made-up-key")
    assert not signatures.launchdarkly({"X-LD-Signature": right}, b"{}", None)
