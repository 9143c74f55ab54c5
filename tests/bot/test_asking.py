"""People ask in words: on demand, in the thread, in private, by shortcut."""

from __future__ import annotations

import pytest

from bot.listeners.asking import subject, words
from bot.local_slack import Company
from bot.local_slack.records import Channel
from config.customers import Customer
from config.settings import Settings
from tests.bot import records
from tests.bot.workspace import Room, workspace
from workers.queue import Queue
from workers.store import Store

BOT = "<@U0GUMSHOE>"


@pytest.mark.parametrize(
    ("question", "service"),
    [
        ("look at checkout", "checkout"),
        ("please look into the `cart-api`", "cart-api"),
        ("what is wrong with our service billing?", "billing"),
        ("why is everything slow", ""),
    ],
)
def test_the_service_is_found_in_the_question(question: str, service: str) -> None:
    assert subject(question) == service


def test_a_mention_is_taken_off_the_words() -> None:
    assert words("<@U0GUMSHOE> look at <https://x.example.com|checkout> &amp; cart") == "look at checkout & cart"


def test_a_mention_starts_an_investigation_in_its_thread(room: Room) -> None:
    asked = room.slack.say("amira", "alerts", f"{BOT} look at checkout")
    room.says(asked["ts"], "look at checkout")
    room.until(lambda s: "eyes" in s.reactions("alerts", asked["ts"]), "eyes on the question")
    (alert,) = room.store.incidents.alerts(room.incident().id)
    assert (alert.source, alert.service, alert.asked) == ("person", "checkout", "look at checkout")


def test_in_a_running_thread_a_mention_steers_and_stop_stops(room: Room) -> None:
    alert = room.alert()
    room.says(alert["ts"], "Looking into")
    investigation = room.investigation()
    room.slack.say("amira", "alerts", f"{BOT} also check redis", thread_ts=alert["ts"])
    steering = ("also check redis",)
    room.until(lambda _: room.store.investigations.instructions(investigation.id).steering == steering, "the steering")
    room.slack.say("jonas", "alerts", f"{BOT} stop", thread_ts=alert["ts"])
    room.until(lambda _: room.store.investigations.instructions(investigation.id).stop_by == "U0JONAS", "the stop")
    assert len(room.store.investigations.of_incident(room.incident().id)) == 1


def test_after_the_answer_a_mention_asks_on_and_the_answer_quotes_it(room: Room) -> None:
    alert = room.alert()
    first = records.answered(room.store, room.investigation())
    room.says(alert["ts"], "its memory limit went")
    room.slack.say("amira", "alerts", f"{BOT} could it be the node?", thread_ts=alert["ts"])
    room.until(lambda _: len(room.store.investigations.of_incident(room.incident().id)) == 2, "the follow-up")
    follow_up = room.investigation()
    assert (follow_up.question, follow_up.follows) == ("could it be the node?", first.id)
    records.answered(room.store, follow_up)
    room.says(alert["ts"], "&gt; could it be the node?")


def test_stop_where_nothing_runs_is_a_private_word(room: Room) -> None:
    room.slack.say("amira", "alerts", f"{BOT} stop")
    room.whispers("amira", "no investigation in this thread")
    assert room.store.incidents.recent("acme") == ()


def test_a_bare_mention_is_answered_with_the_usage(room: Room) -> None:
    room.slack.say("amira", "alerts", BOT)
    room.whispers("amira", "Mention me with a question")


def test_the_shortcut_investigates_an_alert_that_was_left_alone(room: Room) -> None:
    alert = room.alert(channel="general")
    room.until(lambda _: room.store.ignored.recent("acme"), "left alone")
    room.slack.shortcut("amira", "investigate_message", "general", alert["ts"])
    room.until(lambda s: s.replies("general", alert["ts"]), "a living message")
    assert room.incident().alert_type == "KubePodCrashLooping"
    room.slack.shortcut("amira", "investigate_message", "general", alert["ts"])
    room.whispers("amira", "There is an investigation of this already")


def test_the_shortcut_on_a_persons_words_asks_their_question(room: Room) -> None:
    said = room.slack.say("jonas", "alerts", "checkout feels slow to me")
    room.slack.shortcut("amira", "investigate_message", "alerts", said["ts"])
    room.says(said["ts"], "checkout feels slow to me")


def test_a_direct_message_is_a_question(room: Room) -> None:
    channel = room.slack.open_home("amira", "messages")
    said = room.slack.say("amira", channel, "look at checkout")
    room.until(lambda s: s.replies(channel, said["ts"]), "a living message")
    assert room.incident().service == "checkout"


def test_an_invitation_is_answered_with_what_happens_here(
    settings: Settings, store: Store, queue: Queue, customer: Customer
) -> None:
    with_new_room = Company(channels=("alerts", Channel("C0NEWROOM", "new-room", members=frozenset({"U0AMIRA"}))))
    with workspace(settings, store, queue, {"acme": customer}, company=with_new_room) as room:
        room.slack.invite("amira", "new-room", "gumshoe")
        room.until(lambda s: any("I do not watch this channel" in m["text"] for m in s.messages("new-room")), "hello")


def test_app_home_shows_incidents_and_skills(room: Room) -> None:
    alert = room.alert()
    records.answered(room.store, room.investigation())
    room.says(alert["ts"], "its memory limit went")
    room.slack.open_home("amira")
    home = room.until(lambda s: s.home("amira"), "the home tab")
    assert "its memory limit went" in str(home)
    assert "kubernetes" in str(home)
