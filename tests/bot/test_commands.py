"""Slash commands and their forms: usage for nonsense, a private refusal without the role, and who did what is kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from bot.listeners.commands.until import NotATime, parse_until
from bot.local_slack.control import text_of
from config.customers import Customer
from config.settings import Settings
from tests.bot import records
from tests.bot.workspace import Room, workspace
from workers.queue import Queue
from workers.store import Store

NOW = datetime(2026, 11, 25, 14, 0, tzinfo=UTC)


@pytest.fixture
def strict(settings: Settings, store: Store, queue: Queue, customer: Customer) -> Iterator[Room]:
    """A room whose customer has one editor, Jonas."""
    edited = customer.model_copy(update={"roles": customer.roles.model_copy(update={"editors": ("U0JONAS",)})})
    with workspace(settings, store, queue, {"acme": edited}) as room:
        yield room


@pytest.mark.parametrize(
    ("words", "end"),
    [
        ("", None),
        ("2h", datetime(2026, 11, 25, 16, 0, tzinfo=UTC)),
        ("until 18:00", datetime(2026, 11, 25, 17, 0, tzinfo=UTC)),
        ("until 09:00", datetime(2026, 11, 26, 8, 0, tzinfo=UTC)),
        ("tomorrow", datetime(2026, 11, 25, 23, 0, tzinfo=UTC)),
        ("2026-12-24", datetime(2026, 12, 23, 23, 0, tzinfo=UTC)),
    ],
)
def test_a_mute_ends_when_its_words_say_in_the_customers_zone(words: str, end: datetime | None) -> None:
    assert parse_until(words, NOW, "Europe/Berlin") == end


@pytest.mark.parametrize("words", ["whenever", "25:00", "2020-01-01", "0h", "9999999999d", "9999-99-99"])
def test_words_that_are_no_time_to_come_are_refused(words: str) -> None:
    with pytest.raises(NotATime):
        parse_until(words, NOW, "UTC")


def test_help_status_and_why_answer_privately(room: Room) -> None:
    room.slack.slash("amira", "alerts", "/gumshoe help")
    room.whispers("amira", "finds the root cause")
    alert = room.alert()
    room.says(alert["ts"], "Looking into")
    room.slack.slash("amira", "alerts", "/gumshoe status")
    room.whispers("amira", "1 open incidents")
    room.slack.slash("amira", "alerts", "/gumshoe why")
    room.whispers("amira", "every alert was investigated")


@pytest.mark.parametrize("nonsense", ["/gumshoe frobnicate", "/guidance frob", "/guidance", "/guidance remove"])
def test_nonsense_is_answered_with_the_usage(room: Room, nonsense: str) -> None:
    room.slack.slash("amira", "alerts", nonsense)
    room.whispers("amira", "Usage:")


def test_a_muted_type_is_not_investigated_and_why_says_so(room: Room) -> None:
    room.slack.slash("amira", "alerts", "/gumshoe mute KubePod* until 2h")
    room.whispers("amira", "Muted")
    room.alert()
    room.until(lambda _: [i for i in room.store.ignored.recent("acme") if i.reason == "muted"], "the reason")
    room.slack.slash("amira", "alerts", "/gumshoe why")
    room.whispers("amira", "muted")
    room.slack.slash("amira", "alerts", "/gumshoe unmute KubePod*")
    room.whispers("amira", "investigated again")
    assert room.store.mutes.active("acme", datetime.now(UTC)) == ()


def test_without_the_role_commands_refuse_privately(strict: Room) -> None:
    for command in ("/gumshoe mute Kube*", "/gumshoe unmute Kube*", "/guidance add Kube* it is normal"):
        strict.slack.slash("amira", "alerts", command)
    strict.until(
        lambda s: sum("Only editors" in text_of(m) for m in s.ephemeral("amira")) == 3, "three private refusals"
    )
    assert strict.store.mutes.active("acme", datetime.now(UTC)) == ()
    strict.slack.slash("jonas", "alerts", "/gumshoe mute Kube*")
    strict.whispers("jonas", "Muted")


def test_without_the_role_skills_are_shown_and_not_switched(strict: Room) -> None:
    strict.slack.slash("amira", "alerts", "/skills")
    modal = strict.until(lambda s: s.modal("amira"), "the list")
    assert "Only editors" in str(modal)
    assert "submit" not in modal or not modal["submit"]


def test_stop_by_command_stops_what_runs_here(room: Room) -> None:
    alert = room.alert()
    room.says(alert["ts"], "Looking into")
    room.slack.slash("amira", "alerts", "/gumshoe stop")
    room.whispers("amira", "Stopping")
    assert room.store.investigations.instructions(room.investigation().id).stop_by == "U0AMIRA"


def test_guidance_is_saved_only_after_its_readings_are_confirmed(room: Room) -> None:
    room.slack.slash("amira", "alerts", "/guidance add KubePod* {team=cart} owner: team-cart")
    modal = room.until(lambda s: s.modal("amira"), "the readings")
    assert "team-cart" in str(modal)
    assert room.store.guidance.list("acme") == ()
    assert room.slack.submit("amira")["ok"]
    (saved,) = room.until(lambda _: room.store.guidance.list("acme"), "the guidance")
    assert (saved.alert_type, saved.labels, saved.author, saved.version) == ("KubePod*", {"team": "cart"}, "U0AMIRA", 1)
    room.whispers("amira", "Saved")


def test_other_words_are_read_again_before_they_are_saved(room: Room) -> None:
    room.slack.slash("amira", "alerts", "/guidance add KubePod* it is fine")
    first = room.until(lambda s: s.modal("amira"), "the readings")
    room.slack.submit("amira", {"text": "owner: team-cart"})
    second = room.until(lambda s: (m := s.modal("amira")) and m != first and m, "the new readings")
    assert "team-cart" in str(second)
    assert room.store.guidance.list("acme") == ()
    room.slack.submit("amira")
    (saved,) = room.until(lambda _: room.store.guidance.list("acme"), "the guidance")
    assert saved.text == "owner: team-cart"


def test_guidance_by_form_listed_edited_and_removed(room: Room) -> None:
    room.slack.slash("amira", "alerts", "/guidance add")
    room.until(lambda s: s.modal("amira"), "the form")
    refused = room.slack.submit("amira", {"alert_type": "two words", "labels": "", "text": "x"})
    assert "alert_type" in refused["errors"]
    refused = room.slack.submit("amira", {"alert_type": "Kube*", "labels": "nonsense", "text": "x"})
    assert "labels" in refused["errors"]
    room.slack.submit("amira", {"alert_type": "Kube*", "labels": "team=cart", "text": "owner: team-cart"})
    room.slack.submit("amira")
    (saved,) = room.until(lambda _: room.store.guidance.list("acme"), "the guidance")
    room.slack.slash("jonas", "alerts", "/guidance list")
    assert saved.id in room.whispers("jonas", "owner: team-cart")
    room.slack.slash("jonas", "alerts", f"/guidance edit {saved.id}")
    room.until(lambda s: s.modal("jonas"), "the form")
    room.slack.submit("jonas", {"text": "owner: team-cart, ask jonas"})
    room.slack.submit("jonas")
    second = room.until(lambda _: (g := room.store.guidance.get(saved.id)) and g.version == 2 and g, "version 2")
    assert (second.author, len(room.store.guidance.versions(saved.id))) == ("U0JONAS", 2)
    room.slack.slash("amira", "alerts", f"/guidance remove {saved.id}")
    room.whispers("amira", "Removed")
    assert room.store.guidance.list("acme") == ()


def test_guidance_above_a_thousand_characters_is_refused(room: Room) -> None:
    room.slack.slash("amira", "alerts", "/guidance add Kube* " + "x" * 1001)
    room.whispers("amira", "at most 1,000 characters")


def test_a_skill_is_switched_with_who_and_when(room: Room) -> None:
    room.slack.slash("amira", "alerts", "/skills")
    room.until(lambda s: s.modal("amira"), "the switches")
    room.slack.submit("amira", {"skill-kubernetes": []})
    room.whispers("amira", "kubernetes off")
    (toggle,) = room.store.toggles.history("acme")
    assert (toggle.skill, toggle.enabled, toggle.author) == ("kubernetes", False, "U0AMIRA")
    room.slack.slash("jonas", "alerts", "/skills")
    assert "switched off by <@U0AMIRA>" in str(room.until(lambda s: s.modal("jonas"), "the switches"))


def test_guidance_in_a_finding_is_named_in_its_footer(room: Room) -> None:
    alert = room.alert()
    records.answered(room.store, room.investigation())
    room.says(alert["ts"], 'guidance "cart memory" v2')
