"""Several processes at one database, as in production: real processes, both databases."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.store.samples import NOON, alert, finding, minutes, opened
from workers.domain import Place, Progress
from workers.store import StaleAttempt, Store, open_store

FORK = multiprocessing.get_context("fork")


def test_processes_that_see_one_alert_open_one_incident_and_one_investigation(store: Store, database_url: str) -> None:
    answers = _at_once(database_url, 4, _open_one)
    assert len({incident for incident, _, _ in answers}) == 1
    assert sorted(new for _, _, new in answers) == [False, False, False, True]
    assert sum(investigation is not None for _, investigation, _ in answers) == 1
    (incident,) = store.incidents.recent("acme")
    assert len(store.investigations.of_incident(incident.id)) == 1
    assert [p.kind for p in store.outbox.of_incident(incident.id)].count("status") == 1


def test_one_delivery_to_several_processes_gives_all_the_same_answer(store: Store, database_url: str) -> None:
    answers = _at_once(database_url, 4, _open_one_event)
    assert len(set(answers)) == 1
    assert len(store.incidents.recent("acme")) == 1


def test_an_event_is_new_to_one_process(database_url: str) -> None:
    assert sorted(_at_once(database_url, 4, _first_time)) == [False, False, False, True]


def test_posters_share_the_outbox_and_keep_the_order_of_each_channel(store: Store, database_url: str) -> None:
    for number in range(30):
        store.outbox.add("acme", "notice", Place(channel=f"C{number % 3}"), str(number), NOON)
    said = _at_once(database_url, 3, _say_everything)
    everything = sorted((order for part in said for order in part), key=lambda one: one[0])
    assert sorted(key for _, _, key in everything) == sorted(str(n) for n in range(30)), "each once"
    for channel in ("C0", "C1", "C2"):
        order = [int(key) for _, place, key in everything if place == channel]
        assert order == sorted(order)


def test_claims_of_one_run_get_different_tokens_and_only_the_last_may_write(store: Store, database_url: str) -> None:
    made = opened(store).investigation
    attempts = _at_once(database_url, 3, _claim, made.id)
    assert sorted(attempts) == [1, 2, 3]
    for attempt in (1, 2):
        with pytest.raises(StaleAttempt):
            store.investigations.progress(made.id, attempt, Progress(phase="first_look"))
    store.investigations.progress(made.id, 3, Progress(phase="first_look"))


def test_runs_that_finish_together_give_one_answer(store: Store, database_url: str) -> None:
    made = opened(store).investigation
    store.investigations.claim(made.id, "offline", NOON)
    assert sorted(_at_once(database_url, 3, _finish, made.id)) == [False, False, True]
    assert [p.kind for p in store.outbox.of_incident(made.incident_id)].count("detail") == 1


def test_a_person_who_confirms_twice_at_once_gets_one_version(store: Store, database_url: str) -> None:
    proposal = store.guidance.propose("acme", "A", {}, "text", [], "U1", NOON)
    assert len(set(_at_once(database_url, 3, _confirm, proposal))) == 1
    assert len(store.guidance.list("acme")) == 1


def test_children_may_inherit_an_open_store_and_use_it_beside_their_parent(store: Store) -> None:
    store.notes.put("parent", "yes", NOON)
    children = [FORK.Process(target=_count, args=(store, f"child {number}")) for number in range(2)]
    for child in children:
        child.start()
    _count(store, "parent")
    for child in children:
        child.join(20)
    assert [child.exitcode for child in children] == [0, 0]
    assert [store.notes.get(name) for name in ("parent", "child 0", "child 1")] == ["99"] * 3


def test_threads_may_share_a_store(store: Store) -> None:
    news: list[bool] = []
    threads = [threading.Thread(target=lambda: news.append(store.seen.first_time("Ev1", NOON))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(news) == [False] * 7 + [True]


def _at_once(url: str, number: int, work: Callable[..., Any], *args: Any) -> list[Any]:
    """What each of that many processes says, having begun at the same moment with a store of its own."""
    gate, answers = FORK.Barrier(number), FORK.Queue()
    children = [FORK.Process(target=_run, args=(gate, answers, url, work, args)) for _ in range(number)]
    for child in children:
        child.start()
    said = [answers.get(timeout=30) for _ in children]
    for child in children:
        child.join(10)
    failed = [answer for answer in said if isinstance(answer, BaseException)]
    if failed:
        raise failed[0]
    return said


def _run(gate: Any, answers: Any, url: str, work: Callable[..., Any], args: tuple[Any, ...]) -> None:
    try:
        store = open_store(url)
        gate.wait(20)
        answers.put(work(store, *args))
        store.close()
    except BaseException as error:  # noqa: BLE001 - the parent raises it
        answers.put(RuntimeError(f"{type(error).__name__}: {error}"))


def _open_one(store: Store) -> tuple[str, str | None, bool]:
    came = opened(store, alert(), ts=f"{os.getpid()}.1")
    return came.incident.id, came.investigation.id if came.investigation else None, came.new


def _open_one_event(store: Store) -> tuple[str, str, bool]:
    came = opened(store, alert(), event_key="Ev1")
    return came.incident.id, came.investigation.id, came.new


def _first_time(store: Store) -> bool:
    return store.seen.first_time("Ev1", NOON)


def _say_everything(store: Store) -> list[tuple[int, str, str]]:
    said = []
    while store.outbox.waiting_count():
        for post in store.outbox.claim(NOON, limit=2):
            said.append((time.monotonic_ns(), post.place.channel, post.key))
            store.outbox.sent(post.id, f"{post.id}.0")
    return said


def _claim(store: Store, investigation_id: str) -> int:
    return store.investigations.claim(investigation_id, "offline", NOON).attempt


def _finish(store: Store, investigation_id: str) -> bool:
    try:
        store.investigations.finish(investigation_id, 1, finding(), minutes(1))
    except StaleAttempt:
        return False
    return True


def _confirm(store: Store, proposal: str) -> tuple[str, int]:
    saved = store.guidance.confirm(proposal, NOON)
    return saved.id, saved.version


def _count(store: Store, name: str) -> None:
    for number in range(100):
        store.notes.put(name, str(number), NOON)
        assert store.notes.get(name) == str(number)
