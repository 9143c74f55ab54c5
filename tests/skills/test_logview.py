"""One question is asked once, whoever asks it, and a failure is asked again."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from skills.contract import Entity, LogLine, LogQuery, ToolError, Window
from skills.logview.reading import Once, Read, risen, with_traces

AT = datetime(2026, 11, 24, 14, tzinfo=UTC)
WINDOW = Window(AT, AT + timedelta(minutes=10))
BEFORE = WINDOW.before(3600)
POD = Entity(kind="Pod", namespace="shop", name="cart-0")


def test_a_question_that_two_ask_at_once_is_asked_once() -> None:
    once, asked, both = Once(), [], threading.Barrier(2)

    def slow(query: LogQuery) -> Read:
        asked.append(query)
        return Read((LogLine(AT, "said"),), 1)

    found: list[Read] = []

    def ask() -> None:
        both.wait(5)
        found.append(once.get(LogQuery(WINDOW, namespace="shop"), slow))

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert len(asked) == 1
    assert [read.lines[0].text for read in found] == ["said", "said"]
    once.get(LogQuery(WINDOW, namespace="other"), slow)
    assert len(asked) == 2


def test_a_failure_is_not_kept_and_neither_are_very_many_lines() -> None:
    once, asked = Once(most_lines=2), 0

    def fails(query: LogQuery) -> Read:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise ToolError("refused")
        return Read(tuple(LogLine(AT, str(i)) for i in range(3)), 3)

    with pytest.raises(ToolError):
        once.get(LogQuery(WINDOW), fails)
    once.get(LogQuery(WINDOW), fails)
    once.get(LogQuery(WINDOW), fails)
    assert asked == 3


def test_what_was_asked_longest_ago_is_forgotten_first() -> None:
    once, asked = Once(kept=2), []

    def answer(query: LogQuery) -> Read:
        asked.append(query.namespace)
        return Read((), 0)

    for name in ("a", "b", "c", "c", "b", "a"):
        once.get(LogQuery(WINDOW, namespace=name), answer)
    assert asked == ["a", "b", "c", "a"]


def test_rows_of_a_torn_trace_are_fetched_once_each_and_a_failure_to_do_so_costs_nothing() -> None:
    head = LogLine(AT, "Traceback (most recent call last):", POD)
    rows = [head, *(LogLine(AT + timedelta(milliseconds=i), f"  row {i}", POD) for i in (1, 2))]
    asked: list[LogQuery] = []

    def near(query: LogQuery) -> list[LogLine]:
        asked.append(query)
        return rows

    assert with_traces([head, head], near) == rows
    assert [(q.namespace, q.service) for q in asked] == [("shop", "cart-0")]

    def refuses(query: LogQuery) -> list[LogLine]:
        raise ToolError("refused")

    assert with_traces([head], refuses) == [head]


@pytest.mark.parametrize(
    ("minutes", "was", "since"),
    [
        ({2: 1, 4: 9, 5: 9}, 0, 4),
        ({2: 1, 4: 9, 5: 9}, 600, None),  # ten a minute before
        ({0: 9, 1: 9}, 0, None),  # it may always have been so
        ({3: 2}, 0, None),
    ],
)
def test_a_rise_has_a_minute_unless_it_may_always_have_been_so(
    minutes: dict[int, int], was: int, since: int | None
) -> None:
    counts = {AT + timedelta(minutes=minute): count for minute, count in minutes.items()}
    expected = None if since is None else AT + timedelta(minutes=since)
    assert risen(counts, was, BEFORE, WINDOW) == expected
