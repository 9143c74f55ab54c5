"""Which alerts belong together, what is said about them, and what is not investigated."""

from __future__ import annotations

import pytest

from tests.store.samples import CHANNEL, NOON, alert, finding, kinds, minutes, opened
from workers.domain import Place
from workers.store import NoSuchRecord, Store


def test_an_alert_opens_an_incident_with_a_queued_investigation_and_its_posts(store: Store) -> None:
    came = opened(store)
    assert came.new
    assert not came.joined
    assert came.incident is not None
    assert came.investigation is not None
    assert came.investigation.state == "queued"
    assert len(came.investigation.trace_id) == 32
    assert came.incident.place == Place(team_id="T0ACME", channel="C0ALERTS", thread_ts="100.1")
    eyes, status = store.outbox.of_incident(came.incident.id)
    assert (eyes.kind, eyes.body) == ("reaction", {"name": "eyes", "ts": "100.1"})
    assert (status.kind, status.place, status.investigation_id) == (
        "status",
        came.incident.place,
        came.investigation.id,
    )
    assert store.incidents.alerts(came.incident.id) == (alert(),)


def test_the_same_event_twice_gives_the_same_answer_once(store: Store) -> None:
    first = opened(store, event_key="Ev1")
    second = opened(store, event_key="Ev1", at=minutes(1))
    assert second == first
    assert len(store.incidents.recent("acme")) == 1
    assert kinds(store, first.incident.id) == ["reaction", "status"]


def test_an_alert_joins_by_fingerprint_and_its_message_gets_one_pointer(store: Store) -> None:
    first = opened(store)
    again = opened(store, at=minutes(200), ts="200.2")
    assert (again.joined, again.new, again.investigation) == (True, False, None)
    assert again.incident.id == first.incident.id
    pointer = store.outbox.of_incident(first.incident.id)[-1]
    assert (pointer.kind, pointer.place.thread_ts) == ("pointer", "200.2")
    assert again.incident.alert_count == 1


def test_an_alert_joins_by_group_key(store: Store) -> None:
    first = opened(store, alert("f1", group_key="g", service=""))
    other = opened(store, alert("f2", group_key="g", service="", severity="critical"), at=minutes(60), ts="200.2")
    assert other.incident.id == first.incident.id
    assert (other.incident.alert_count, other.incident.severity) == (2, "critical")


def test_empty_group_keys_and_services_join_nothing(store: Store) -> None:
    first = opened(store, alert("f1", service="", group_key=""))
    other = opened(store, alert("f2", service="", group_key=""), at=minutes(1), ts="200.2")
    assert other.new
    assert other.incident.id != first.incident.id


@pytest.mark.parametrize(
    ("changes", "after", "joins"),
    [
        ({}, 9.9, True),
        ({}, 10, False),
        ({"environment": "staging"}, 1, False),
        ({"service": "checkout"}, 1, False),
        ({"asked": "is it the deploy?"}, 1, False),
    ],
)
def test_an_alert_joins_by_service_and_environment_within_ten_minutes(
    store: Store, changes: dict[str, str], after: float, joins: bool
) -> None:
    opened(store)
    other = opened(store, alert("f2", alert_type="HighErrorRate", **changes), at=minutes(after), ts="200.2")
    assert other.joined is joins


def test_what_a_person_asks_always_gets_its_own_answer(store: Store) -> None:
    question = alert("look-at-cart", source="person", asked="look at cart")
    opened(store, question)
    again = opened(store, question, at=minutes(1), ts="200.2")
    assert again.new
    assert again.investigation.question == "look at cart"
    assert opened(store, alert("f9"), at=minutes(2), ts="300.3").new, "a question is no sign of trouble to join"


def test_nothing_is_joined_across_customers(store: Store) -> None:
    opened(store)
    args = {"place": Place(channel="C0OTHER"), "message_ts": "100.1", "event_key": None}
    other = store.incidents.open("globex", [alert(group_key="g")], NOON, **args)
    assert other.new
    assert [i.customer for i in store.incidents.recent("acme")] == ["acme"]


def test_event_keys_of_two_customers_do_not_meet(store: Store) -> None:
    opened(store, event_key="same")
    args = {"place": CHANNEL, "message_ts": "100.1", "event_key": "same"}
    assert store.incidents.open("globex", [alert()], NOON, **args).incident.customer == "globex"


def test_an_incident_resolves_when_all_its_alerts_did(store: Store) -> None:
    came = opened(store, alert("f1"), alert("f2"))
    before = store.outbox.by_key(f"status:{came.incident.id}").version
    half = opened(store, alert("f1", status="resolved"), at=minutes(5), ts="200.2")
    assert (half.incident.id, half.incident.state, half.investigation) == (came.incident.id, "open", None)
    whole = opened(store, alert("f2", status="resolved"), at=minutes(6), ts="300.3")
    assert (whole.incident.state, whole.incident.resolved_at) == ("resolved", minutes(6))
    assert [a.status for a in store.incidents.alerts(came.incident.id)] == ["resolved", "resolved"]
    assert store.outbox.by_key(f"status:{came.incident.id}").version == before + 2
    assert "pointer" not in kinds(store, came.incident.id), "a recovery needs no pointer"


def test_a_recovery_of_nothing_known_opens_nothing(store: Store) -> None:
    came = opened(store, alert(status="resolved"))
    assert (came.incident, came.investigation, came.joined, came.new, came.ignored) == (None, None, False, False, None)
    assert store.incidents.recent("acme") == ()


def test_an_acknowledgement_is_news_of_a_known_alert_and_opens_nothing(store: Store) -> None:
    assert opened(store, alert(status="acknowledged")).incident is None
    came = opened(store, ts="200.2")
    known = opened(store, alert(status="acknowledged"), at=minutes(1), ts="300.3")
    assert (known.incident.id, known.incident.state) == (came.incident.id, "open")
    assert store.incidents.alerts(came.incident.id)[0].status == "acknowledged"


def test_within_thirty_minutes_a_firing_alert_opens_its_incident_again(store: Store) -> None:
    came = opened(store)
    opened(store, alert(status="resolved"), at=minutes(10), ts="200.2")
    again = opened(store, at=minutes(39), ts="300.3")
    assert again.joined
    assert (again.incident.id, again.incident.state, again.incident.resolved_at) == (came.incident.id, "open", None)


def test_thirty_minutes_after_it_resolved_a_firing_alert_is_a_new_incident_linked_to_the_old(store: Store) -> None:
    old = opened(store)
    opened(store, alert(status="resolved"), at=minutes(10), ts="200.2")
    new = opened(store, at=minutes(40), ts="300.3")
    assert new.new
    assert new.incident.previous_id == old.incident.id
    assert store.incidents.get(old.incident.id).state == "closed"


def test_the_clock_closes_what_is_due_and_nothing_else(store: Store) -> None:
    opened(store)
    forgotten = opened(store, alert("f2", service="search"), ts="200.2")
    opened(store, alert(status="resolved"), at=minutes(10), ts="300.3")
    assert store.incidents.close_due(minutes(39)) == 0
    assert store.incidents.close_due(minutes(40)) == 1
    assert store.incidents.get(forgotten.incident.id).state == "open"
    assert store.incidents.close_due(minutes(24 * 60)) == 1
    assert store.incidents.get(forgotten.incident.id).closed_at == minutes(24 * 60)


def test_above_the_hourly_limit_an_incident_is_recorded_with_the_reason_and_not_investigated(store: Store) -> None:
    for number in range(2):
        assert opened(store, alert(f"f{number}", service=f"s{number}"), per_hour=2, ts=f"{number}.0").investigation
    third = opened(store, alert("f3", service="s3"), per_hour=2, ts="3.0")
    assert third.investigation is None
    assert (third.ignored.reason, third.ignored.incident_id) == ("limit", third.incident.id)
    assert "2" in third.ignored.detail
    assert kinds(store, third.incident.id) == []
    assert store.ignored.recent("acme") == (third.ignored,)
    later = opened(store, alert("f3", service="s3"), per_hour=2, at=minutes(61), ts="4.0")
    assert later.joined
    assert later.investigation is not None, "it came again when there was room"
    assert later.incident.place.thread_ts == "4.0"


def test_the_limit_of_one_customer_is_not_that_of_another(store: Store) -> None:
    opened(store, per_hour=1)
    args = {"place": CHANNEL, "message_ts": "1.0", "event_key": None, "per_hour": 1}
    assert store.incidents.open("globex", [alert()], NOON, **args).investigation


def test_a_muted_alert_is_recorded_once_and_says_nothing(store: Store) -> None:
    came = opened(store, muted=True)
    opened(store, muted=True, at=minutes(5), ts="200.2")
    assert (came.investigation, came.ignored.reason, came.ignored.channel) == (None, "muted", "C0ALERTS")
    assert kinds(store, came.incident.id) == []
    assert [row.reason for row in store.ignored.recent("acme")] == ["muted"]


def test_an_alert_that_was_muted_and_comes_again_by_webhook_begins_a_thread_of_its_own(store: Store) -> None:
    opened(store, muted=True)
    came = opened(store, place=None, ts=None, webhook_place=CHANNEL, at=minutes(5))
    assert came.incident.place is None
    (own,) = store.outbox.claim(NOON)
    store.outbox.sent(own.id, "500.5")
    (status,) = store.outbox.claim(NOON)
    assert status.place.thread_ts == "500.5"
    assert store.incidents.by_message("C0ALERTS", "100.1").id == came.incident.id


def test_a_dry_run_answers_in_the_shadow_channel_alone(store: Store) -> None:
    shadow = Place(team_id="T0ACME", channel="C0SHADOW")
    came = opened(store, dry_run=True, shadow=shadow)
    assert came.investigation.dry_run
    assert came.ignored.reason == "dry_run"
    posts = store.outbox.of_incident(came.incident.id)
    assert [(p.kind, p.place.channel) for p in posts] == [("alert", "C0SHADOW"), ("status", "C0SHADOW")]
    opened(store, dry_run=True, shadow=shadow, at=minutes(1), ts="200.2")
    assert len(store.outbox.of_incident(came.incident.id)) == 2, "no pointer where people would see it"


def test_a_dry_run_without_a_shadow_channel_says_nothing_and_is_investigated(store: Store) -> None:
    came = opened(store, dry_run=True)
    assert came.investigation is not None
    assert kinds(store, came.incident.id) == []
    store.investigations.claim(came.investigation.id, "offline", NOON)
    store.investigations.finish(came.investigation.id, 1, finding(), NOON)
    assert store.findings.get(came.investigation.id) == finding()
    assert kinds(store, came.incident.id) == []


def test_a_webhook_alert_gets_a_message_whose_thread_becomes_the_incidents(store: Store) -> None:
    came = opened(store, place=None, ts=None, webhook_place=CHANNEL)
    assert came.incident.place is None
    (first,) = store.outbox.claim(NOON)
    assert first.kind == "alert"
    store.outbox.sent(first.id, "500.5")
    assert store.incidents.get(came.incident.id).place.thread_ts == "500.5"
    (status,) = store.outbox.claim(NOON)
    assert (status.kind, status.place.thread_ts) == ("status", "500.5")
    assert store.incidents.by_thread("T0ACME", "C0ALERTS", "500.5").id == came.incident.id


def test_an_incident_is_found_by_its_thread_and_by_any_message_of_it(store: Store) -> None:
    came = opened(store)
    opened(store, at=minutes(5), ts="200.2")
    for number, post in enumerate(store.outbox.of_incident(came.incident.id)):
        store.outbox.claim(NOON)
        store.outbox.sent(post.id, None if post.kind == "reaction" else f"30{number}.0")
    assert store.incidents.by_thread("T0ACME", "C0ALERTS", "100.1").id == came.incident.id
    assert store.incidents.by_thread("T0OTHER", "C0ALERTS", "100.1") is None
    for ts in ("100.1", "200.2", "301.0", "302.0"):
        assert store.incidents.by_message("C0ALERTS", ts).id == came.incident.id
    assert store.incidents.by_message("C0ALERTS", "999.9") is None


def test_similar_incidents_put_the_same_type_first(store: Store) -> None:
    ids = {}
    for number, (kind, service) in enumerate([("A", "cart"), ("B", "cart"), ("A", "search"), ("C", "pay")]):
        name = f"{kind} {service}"
        made = opened(store, alert(name, alert_type=kind, service=service), at=minutes(number * 20), ts=f"{number}.0")
        ids[name] = made.incident.id
    found = [i.id for i in store.incidents.similar("acme", "A", "cart", minutes(100))]
    assert found == [ids["A search"], ids["A cart"], ids["B cart"]]
    assert store.incidents.similar("globex", "A", "cart", minutes(100)) == ()
    assert [i.id for i in store.incidents.recent("acme", 1)] == [ids["C pay"]]


def test_a_huge_group_is_kept_up_to_the_limit(store: Store) -> None:
    came = opened(store, *(alert(f"f{n}") for n in range(10_000)), alerts_per_incident=500)
    assert came.incident.alert_count == 500
    over = opened(store, *(alert(f"f{n}", status="resolved") for n in range(10_000)), at=minutes(1), ts="2.0")
    assert over.incident.state == "resolved"


def test_what_a_database_refuses_in_a_text_does_not_stop_an_alert(store: Store) -> None:
    long, odd = "x" * 1_000_000, "nul \x00 half \ud800"
    came = opened(store, alert(long, alert_type=long, service=long, group_key=long, title=odd, summary=odd))
    again = opened(store, alert(long, service=""), at=minutes(60), ts="200.2")
    assert again.incident.id == came.incident.id
    assert store.incidents.alerts(came.incident.id)[0].fingerprint == long
    "".join(store.incidents.get(came.incident.id).title).encode()


def test_a_thread_of_an_unknown_incident_is_an_error(store: Store) -> None:
    with pytest.raises(NoSuchRecord):
        store.incidents.set_thread("nobody", CHANNEL)
