"""The end-to-end way, seen from the workspace: alert, eyes, living message, finding, votes."""

from __future__ import annotations

from bot.local_slack.control import text_of
from tests.bot import records
from tests.bot.workspace import OOM, Room
from workers.domain import GapRecord, Progress


def test_an_alert_gets_eyes_and_a_living_message_that_becomes_the_finding(room: Room) -> None:
    alert = room.alert()
    room.until(lambda s: "eyes" in s.reactions("alerts", alert["ts"]), "eyes on the alert")
    living = room.says(alert["ts"], "Looking into")
    records.answered(room.store, room.investigation())
    found = room.says(alert["ts"], "its memory limit went from 512Mi to 128Mi")
    assert found["ts"] == living["ts"], "one living message, edited in place"
    detail = room.says(alert["ts"], "From the cause to what alerted")
    assert detail["ts"] != living["ts"]
    assert len(room.replies(alert["ts"])) == 2


def test_progress_is_shown_in_the_same_message(room: Room) -> None:
    alert = room.alert()
    living = room.says(alert["ts"], "Looking into")
    run = room.store.investigations.claim(room.investigation().id, "offline", records.AT)
    assert run
    gap = GapRecord(what="prometheus", why="connection refused")
    progress = Progress(phase="first_look", symptoms=("6 restarts of cart",), unreachable=(gap,))
    room.store.investigations.progress(run.id, run.attempt, progress)
    assert room.says(alert["ts"], "6 restarts of cart")["ts"] == living["ts"]
    assert "Cannot reach prometheus" in "\n".join(room.replies(alert["ts"]))


def test_a_thumb_is_recorded_counted_and_taken_back(room: Room) -> None:
    alert = room.alert()
    investigation = records.answered(room.store, room.investigation())
    finding = room.says(alert["ts"], "its memory limit went")
    room.slack.react("amira", "alerts", finding["ts"], "-1::skin-tone-3")
    room.says(alert["ts"], "1 × wrong")
    room.says(alert["ts"], "no record here yet")
    (vote,) = room.store.feedback.current(investigation.id).values()
    assert (vote.person, vote.vote, vote.via) == ("U0AMIRA", "wrong", "reaction")
    room.slack.unreact("amira", "alerts", finding["ts"], "-1::skin-tone-3")
    room.until(lambda _: not room.store.feedback.current(investigation.id), "the vote withdrawn")
    room.until(lambda s: "× wrong" not in text_of(s.message("alerts", finding["ts"]) or {}), "the count gone")
    assert len(room.replies(alert["ts"])) == 2, "acknowledged quietly"


def test_of_one_persons_reactions_the_last_counts_on_any_part(room: Room) -> None:
    alert = room.alert()
    investigation = records.answered(room.store, room.investigation())
    finding = room.says(alert["ts"], "its memory limit went")
    detail = room.says(alert["ts"], "From the cause to what alerted")
    room.slack.react("amira", "alerts", finding["ts"], "thumbsup")
    room.slack.react("amira", "alerts", detail["ts"], "thinking_face")
    room.slack.react("jonas", "alerts", detail["ts"], "tada")
    room.until(
        lambda _: [f.vote for f in room.store.feedback.current(investigation.id).values()] == ["unsure"], "unsure"
    )


def test_a_wrong_is_stored_before_its_form_and_the_form_adds_to_it(room: Room) -> None:
    alert = room.alert()
    investigation = records.answered(room.store, room.investigation())
    finding = room.says(alert["ts"], "its memory limit went")
    room.slack.press("amira", "alerts", finding["ts"], "vote_wrong")
    room.until(lambda s: s.modal("amira"), "the form")
    assert room.store.feedback.current(investigation.id)["U0AMIRA"].vote == "wrong"
    room.slack.submit("amira", {"true_cause": "the node was full", "parts": ["cause"]})
    explained = room.until(
        lambda _: (f := room.store.feedback.current(investigation.id)["U0AMIRA"]).true_cause and f, "the drill-down"
    )
    assert (explained.vote, explained.parts, explained.true_cause) == ("wrong", ("cause",), "the node was full")


def test_what_it_really_was_is_checked_kept_as_a_sentence_and_acknowledged_as_a_case(room: Room) -> None:
    alert = room.alert()
    investigation = records.answered(room.store, room.investigation())
    finding = room.says(alert["ts"], "its memory limit went")
    room.slack.press("amira", "alerts", finding["ts"], "vote_wrong")
    room.until(lambda s: s.modal("amira"), "the form")
    halves = ({"culprit": "Deployment shop/cart"}, {"culprit": "the cart", "fault": "memory_leak"})
    assert [set(room.slack.submit("amira", half)["errors"]) for half in halves] == [{"fault"}, {"culprit"}]
    whole = {"culprit": "Deployment shop/cart", "fault": "memory_leak", "true_cause": "grows since the upgrade"}
    assert room.slack.submit("amira", whole)["ok"]
    told = room.whispers("amira", "This incident is a case from now on")
    assert "memory_leak of Deployment shop/cart" in told
    assert f"--cases past-{investigation.id}" in told
    ((_, said),) = [row for row in room.store.feedback.corrections() if row[0] == investigation.id]
    assert said.true_cause == "memory_leak of Deployment shop/cart\ngrows since the upgrade"


def test_a_thumb_down_is_offered_the_form_by_a_button_that_only_its_giver_sees(room: Room) -> None:
    alert = room.alert()
    investigation = records.answered(room.store, room.investigation())
    finding = room.says(alert["ts"], "its memory limit went")
    room.slack.person("amira").reacts({**finding, "channel": "alerts"}, "thumbsdown")
    room.whispers("amira", "What was it really?")
    assert not room.slack.state().ephemeral("jonas")
    offer = room.until(lambda s: next((m for m in s.ephemeral("amira") if "really" in text_of(m)), None), "the offer")
    room.slack.press("amira", "alerts", offer["ts"], "explain_wrong")
    room.until(lambda s: s.modal("amira"), "the form")
    assert room.slack.submit("amira", {"verdict": "false_alarm"})["ok"]
    room.until(lambda _: investigation.id in dict(room.store.feedback.corrections()), "the correction")


def test_a_correction_that_was_taken_back_is_none(room: Room) -> None:
    alert = room.alert()
    investigation = records.answered(room.store, room.investigation())
    finding = room.says(alert["ts"], "its memory limit went")
    room.slack.press("amira", "alerts", finding["ts"], "vote_wrong")
    room.until(lambda s: s.modal("amira"), "the form")
    room.slack.submit("amira", {"verdict": "false_alarm"})
    room.until(lambda _: investigation.id in dict(room.store.feedback.corrections()), "the correction")
    room.slack.press("amira", "alerts", finding["ts"], "vote_right")
    room.until(lambda _: investigation.id not in dict(room.store.feedback.corrections()), "no correction any more")


def test_a_second_alert_of_the_incident_gets_one_pointer_to_the_thread(room: Room) -> None:
    first = room.alert()
    room.says(first["ts"], "Looking into")
    second = room.alert()
    pointer = room.says(second["ts"], "Belongs to an open incident")
    assert first["ts"].replace(".", "") in text_of(pointer)
    assert len(room.store.incidents.recent("acme")) == 1


def test_a_recovery_updates_the_finding_and_opens_nothing(room: Room) -> None:
    alert = room.alert()
    records.answered(room.store, room.investigation())
    room.says(alert["ts"], "its memory limit went")
    room.alert(OOM.replace("[FIRING:1]", "[RESOLVED]"))
    room.says(alert["ts"], "alert resolved")
    assert len(room.store.incidents.recent("acme")) == 1


def test_people_replies_and_unwatched_channels_start_nothing(room: Room) -> None:
    room.slack.say("amira", "alerts", "is checkout down? [FIRING:1] looks bad")
    other = room.alert(channel="general")
    first = room.slack.say("amira", "alerts", "a thread")
    room.alert(thread_ts=first["ts"])
    room.until(lambda _: room.store.ignored.recent("acme"), "the reason written down")
    (left,) = [i for i in room.store.ignored.recent("acme") if i.reason == "unknown_channel"]
    assert left.channel == other["channel"]
    assert room.store.incidents.recent("acme") == ()


def test_the_same_event_delivered_twice_is_one_incident(room: Room) -> None:
    room.slack.disturb_deliveries("duplicate", times=1)
    alert = room.alert()
    room.says(alert["ts"], "Looking into")
    assert len(room.store.incidents.recent("acme")) == 1
    assert len(room.replies(alert["ts"])) == 1


def test_the_stop_button_asks_the_run_to_stop(room: Room) -> None:
    alert = room.alert()
    living = room.says(alert["ts"], "Looking into")
    room.slack.press("amira", "alerts", living["ts"], "stop")
    investigation = room.investigation()
    room.until(lambda _: room.store.investigations.instructions(investigation.id).stop_by == "U0AMIRA", "the stop")
    room.whispers("amira", "Stopping")


def test_slacks_own_stop_button_does_the_same(room: Room) -> None:
    alert = room.alert()
    room.until(lambda s: (s.session("alerts", alert["ts"]) or {}).get("status") == "processing", "the native status")
    room.slack.stop("amira", "alerts", alert["ts"])
    investigation = room.investigation()
    room.until(lambda _: room.store.investigations.instructions(investigation.id).stop_by == "U0AMIRA", "the stop")
