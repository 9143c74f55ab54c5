"""Where a customer has Claude, it reads guidance beside the rules; nothing is saved that its writer did not see."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from config.customers import Customer
from config.settings import Settings
from tests.bot.workspace import Room, workspace
from workers.domain import Proposal, Reading
from workers.queue import Queue
from workers.store import Store

OWNER = Reading(kind="owner", text="team-cart")
WINDOW = Reading(kind="expected", window="weekends")


@pytest.fixture
def with_claude(settings: Settings, store: Store, queue: Queue, customer: Customer) -> Iterator[Room]:
    with workspace(replace(settings, anthropic_api_key="made-up"), store, queue, {"acme": customer}) as room:
        yield room


def proposed(room: Room) -> Proposal:
    """What Amira is shown to confirm."""
    modal = room.until(lambda s: s.modal("amira"), "the readings")
    assert "Claude is reading it as well" in str(modal)
    proposal = room.store.guidance.proposal(json.loads(modal["private_metadata"])["proposal"])
    assert proposal
    return proposal


def test_readings_that_changed_meanwhile_are_shown_before_they_are_saved(with_claude: Room, queue: Queue) -> None:
    room = with_claude
    waiting = queue.waiting()["study"]
    room.slack.slash("amira", "alerts", "/guidance add Kube* owner: team-cart")
    proposal = proposed(room)
    assert proposal.readings == (OWNER,)
    room.until(lambda _: queue.waiting()["study"] == waiting + 1, "the job for Claude")

    room.store.guidance.amend(proposal.id, (WINDOW, OWNER))
    room.slack.submit("amira")
    again = room.until(lambda s: (m := s.modal("amira")) and "weekends" in str(m) and m, "the other readings")
    assert "Claude is reading" not in str(again)
    assert room.store.guidance.list("acme") == ()

    room.slack.submit("amira")
    (saved,) = room.until(lambda _: room.store.guidance.list("acme"), "the guidance")
    assert saved.readings == (WINDOW, OWNER)


def test_readings_that_stayed_are_saved_at_the_first_confirmation(with_claude: Room) -> None:
    room = with_claude
    room.slack.slash("amira", "alerts", "/guidance add Kube* owner: team-cart")
    proposal = proposed(room)
    room.store.guidance.amend(proposal.id, (OWNER,))
    room.slack.submit("amira")
    (saved,) = room.until(lambda _: room.store.guidance.list("acme"), "the guidance")
    assert saved.readings == (OWNER,)
