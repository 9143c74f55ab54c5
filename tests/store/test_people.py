"""What people say and set: feedback, guidance, toggles, mutes; and the small rows beside them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from tests.store.samples import NOON, alert, finding, minutes, opened
from workers.domain import Ignored, Reading
from workers.store import NoSuchRecord, Store

READING = Reading(kind="owner", text="team-cart")


@pytest.fixture
def judged(store: Store) -> str:
    made = opened(store).investigation
    store.investigations.claim(made.id, "offline", NOON)
    store.investigations.finish(made.id, 1, finding(), NOON)
    return made.id


def _votes(store: Store, judged: str) -> dict[str, str]:
    return {person: vote.vote for person, vote in store.feedback.current(judged).items()}


def test_the_last_reaction_of_a_person_counts(store: Store, judged: str) -> None:
    store.feedback.record(judged, "U1", "right", "reaction", NOON)
    store.feedback.record(judged, "U1", "wrong", "reaction", minutes(1))
    store.feedback.record(judged, "U2", "unsure", "button", minutes(2))
    assert _votes(store, judged) == {"U1": "wrong", "U2": "unsure"}
    assert len(store.feedback.history(judged)) == 3


def test_a_reaction_taken_back_takes_only_itself_back(store: Store, judged: str) -> None:
    store.feedback.record(judged, "U1", "wrong", "reaction", NOON)
    store.feedback.record(judged, "U1", "right", "reaction", minutes(1))
    store.feedback.withdraw(judged, "U1", "wrong", "reaction", minutes(2))
    assert _votes(store, judged) == {"U1": "right"}
    store.feedback.withdraw(judged, "U1", "right", "reaction", minutes(3))
    assert _votes(store, judged) == {}
    assert [row.withdrawn for row in store.feedback.history(judged)] == [False, False, True, True]


def test_the_reaction_that_still_stands_counts_again(store: Store, judged: str) -> None:
    store.feedback.record(judged, "U1", "right", "reaction", NOON)
    store.feedback.record(judged, "U1", "wrong", "reaction", minutes(1))
    store.feedback.withdraw(judged, "U1", "wrong", "reaction", minutes(2))
    assert _votes(store, judged) == {"U1": "right"}


def test_a_button_is_one_switch(store: Store, judged: str) -> None:
    store.feedback.record(judged, "U1", "right", "button", NOON)
    store.feedback.record(judged, "U1", "wrong", "button", minutes(1))
    store.feedback.withdraw(judged, "U1", "right", "button", minutes(2))
    assert _votes(store, judged) == {"U1": "wrong"}
    store.feedback.withdraw(judged, "U1", "wrong", "button", minutes(3))
    assert _votes(store, judged) == {}


def test_what_slack_tells_in_the_wrong_order_is_read_in_the_right_one(store: Store, judged: str) -> None:
    store.feedback.withdraw(judged, "U1", "wrong", "reaction", minutes(1))
    store.feedback.record(judged, "U1", "wrong", "reaction", NOON)
    assert _votes(store, judged) == {}


def test_the_drill_down_explains_the_vote_that_stands_and_goes_with_it(store: Store, judged: str) -> None:
    assert store.feedback.explain(judged, "U1", NOON, note="?") is None
    store.feedback.record(judged, "U1", "wrong", "reaction", NOON)
    told = store.feedback.explain(judged, "U1", minutes(1), parts=["cause"], true_cause="the node", note="see graph")
    assert store.feedback.current(judged)["U1"] == told
    assert (told.vote, told.parts, told.true_cause, told.note) == ("wrong", ("cause",), "the node", "see graph")
    store.feedback.withdraw(judged, "U1", "wrong", "reaction", minutes(2))
    assert store.feedback.current(judged) == {}


def test_feedback_on_an_unknown_investigation_is_an_error(store: Store) -> None:
    with pytest.raises(NoSuchRecord):
        store.feedback.record("nobody", "U1", "right", "reaction", NOON)


def test_the_track_record_counts_judged_findings_by_band(store: Store, judged: str) -> None:
    store.feedback.record(judged, "U1", "right", "reaction", NOON)
    for number, (band, votes) in enumerate([("high", ["wrong"]), ("low", ["right", "wrong"]), ("medium", ["unsure"])]):
        made = opened(store, alert(f"g{number}", service=f"s{number}"), ts=f"{number}.0").investigation
        store.investigations.claim(made.id, "offline", NOON)
        store.investigations.finish(made.id, 1, finding(band), NOON)
        for person, vote in enumerate(votes):
            store.feedback.record(made.id, f"U{person}", vote, "reaction", NOON)
    assert store.findings.track_record("acme", "KubePodCrashLooping") == {"high": (1, 2), "low": (0, 1)}
    assert store.findings.track_record("globex", "KubePodCrashLooping") == {}
    store.feedback.withdraw(judged, "U1", "right", "reaction", minutes(1))
    assert store.findings.track_record("acme", "KubePodCrashLooping")["high"] == (0, 1)


def test_guidance_keeps_its_versions_and_their_authors(store: Store) -> None:
    first = store.guidance.add("acme", "KubePod*", {}, "restarts at night are normal", [], "U1", NOON)
    second = store.guidance.edit(first.id, "ask team-cart", [READING], "U2", minutes(1))
    assert (second.id, second.version, second.author, second.alert_type) == (first.id, 2, "U2", "KubePod*")
    assert store.guidance.versions(first.id) == (first, second)
    assert store.guidance.list("acme") == (second,)
    removed = store.guidance.remove(first.id, "U3", minutes(2))
    assert removed.removed
    assert store.guidance.list("acme") == ()
    assert len(store.guidance.versions(first.id)) == 3
    with pytest.raises(NoSuchRecord):
        store.guidance.edit(first.id, "again", [], "U1", NOON)
    with pytest.raises(NoSuchRecord):
        store.guidance.remove("nobody", "U1", NOON)


def test_guidance_matches_by_type_and_labels_the_most_specific_first(store: Store) -> None:
    def add(pattern: str, **labels: str) -> str:
        return store.guidance.add("acme", pattern, labels, pattern, [], "U1", NOON).id

    glob, exact, labelled = add("Kube*"), add("KubePodCrashLooping"), add("KubePodCrashLooping", namespace="shop")
    add("KubePodCrashLooping", namespace="other")
    add("Kube")
    add("[KC]ube*")
    store.guidance.add("globex", "*", {}, "theirs", [], "U1", NOON)
    found = store.guidance.matching("acme", "KubePodCrashLooping", {"namespace": "shop", "pod": "cart-1"})
    assert [g.id for g in found] == [labelled, exact, glob]
    assert [g.id for g in store.guidance.list("acme", "KubeNodeNotReady")] == [glob]


def test_a_proposal_holds_only_once_confirmed_and_only_once(store: Store) -> None:
    proposal = store.guidance.propose("acme", "A", {"x": "y"}, "text", [READING], "U1", NOON)
    assert store.guidance.list("acme") == ()
    assert store.guidance.proposal(proposal).readings == (READING,)
    saved = store.guidance.confirm(proposal, minutes(1))
    assert (saved.version, saved.author, saved.labels, saved.readings) == (1, "U1", {"x": "y"}, (READING,))
    assert store.guidance.confirm(proposal, minutes(2)) == saved
    assert store.guidance.list("acme") == (saved,)
    change = store.guidance.propose("acme", "A", {}, "better", [], "U2", NOON, guidance_id=saved.id)
    assert store.guidance.confirm(change, NOON).version == 2
    assert store.guidance.proposal(change).confirmed_version == 2
    with pytest.raises(NoSuchRecord):
        store.guidance.confirm("nobody", NOON)


def test_a_proposal_is_amended_until_it_is_confirmed(store: Store) -> None:
    proposal = store.guidance.propose("acme", "A", {}, "text", [], "U1", NOON)
    other = store.guidance.propose("acme", "A", {}, "text", [], "U1", NOON)
    assert store.guidance.amend(proposal, [READING])
    assert store.guidance.proposal(proposal).readings == (READING,)
    assert store.guidance.proposal(other).readings == ()
    assert store.guidance.confirm(proposal, minutes(1)).readings == (READING,)
    assert not store.guidance.amend(proposal, [])
    assert store.guidance.proposal(proposal).readings == (READING,)
    assert store.guidance.list("acme")[0].readings == (READING,)
    assert not store.guidance.amend("nobody", [READING])


def test_what_its_author_saw_is_saved_though_it_was_amended_in_that_moment(store: Store) -> None:
    proposal = store.guidance.propose("acme", "A", {}, "text", [], "U1", NOON)
    seen = store.guidance.proposal(proposal).readings
    store.guidance.amend(proposal, [READING])
    assert store.guidance.confirm(proposal, minutes(1), seen).readings == ()


def test_guidance_of_more_than_a_thousand_characters_is_refused(store: Store) -> None:
    with pytest.raises(ValidationError):
        store.guidance.add("acme", "A", {}, "x" * 1001, [], "U1", NOON)


def test_the_last_toggle_of_a_skill_counts_and_all_are_kept(store: Store) -> None:
    store.toggles.set("acme", "golang", True, "U1", NOON)
    store.toggles.set("acme", "golang", False, "U2", minutes(1))
    store.toggles.set("globex", "golang", True, "U3", minutes(1))
    assert store.toggles.current("acme") == {"golang": False}
    assert [t.author for t in store.toggles.history("acme")] == ["U1", "U2"]


def test_a_mute_holds_until_its_time_for_its_type_and_customer(store: Store) -> None:
    store.mutes.add("acme", "Kube*", minutes(10), "U1", NOON)
    store.mutes.add("acme", "Kube*", minutes(20), "U2", minutes(1))
    assert [m.author for m in store.mutes.active("acme", minutes(19))] == ["U2"]
    assert store.mutes.is_muted("acme", "KubePodCrashLooping", minutes(19))
    assert not store.mutes.is_muted("acme", "KubePodCrashLooping", minutes(20))
    assert not store.mutes.is_muted("acme", "HighErrorRate", NOON)
    assert not store.mutes.is_muted("globex", "KubePodCrashLooping", NOON)
    assert store.mutes.is_muted("globex", "Watchdog", NOON, file_globs=("Watch?og",))
    assert store.mutes.remove("acme", "Kube*")
    assert not store.mutes.remove("acme", "Kube*")


def test_an_event_is_new_once(store: Store) -> None:
    assert store.seen.first_time("Ev1", NOON)
    assert not store.seen.first_time("Ev1", minutes(1))
    assert store.seen.forget(NOON + timedelta(seconds=1)) == 1
    assert store.seen.first_time("Ev1", minutes(2))


def test_a_note_is_replaced_and_removed(store: Store) -> None:
    assert store.notes.get("welcome") is None
    store.notes.put("welcome", "one", NOON)
    store.notes.put("welcome", "two", NOON)
    assert store.notes.get("welcome") == "two"
    assert store.notes.remove("welcome")
    assert not store.notes.remove("welcome")


def test_what_was_ignored_is_told_the_newest_first(store: Store) -> None:
    for minute in (1, 3, 2):
        row = Ignored(customer="acme", at=minutes(minute), what=f"m{minute}", reason="unknown_channel", channel="C1")
        store.ignored.record(row)
    assert [row.what for row in store.ignored.recent("acme", 2)] == ["m3", "m2"]


def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    with pytest.raises(Exception, match="no time zone"):
        store.seen.first_time("Ev1", NOON.replace(tzinfo=None))
