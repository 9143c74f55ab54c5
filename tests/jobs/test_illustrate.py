"""The series that an investigation kept becomes a picture in its trace, once, and a post of its own."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from skills.contract import Chart
from tests.bot import records
from workers import agent, jobs
from workers.domain import Investigation, Place
from workers.runtime import Runtime
from workers.store import Store, open_store
from workers.trace import PICTURE, Span, Trace

POINTS = tuple((records.AT + timedelta(seconds=30 * i), float(i > 20)) for i in range(40))
ERRORS = Chart("share of requests that fail", "ratio", POINTS, POINTS[21][0], 0.05)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path / 'gumshoe.db'}")
    yield store
    store.close()


def claimed(store: Store, chart: Chart | None) -> tuple[Investigation, jobs.StoreJournal]:
    """A running investigation in a thread whose trace has kept this series."""
    place = Place(team_id="T0ACME", channel="C0ALERTS")
    opened = store.incidents.open("acme", [records.alert()], records.AT, place=place, message_ts="1.0", event_key="e1")
    assert opened.investigation
    run = store.investigations.claim(opened.investigation.id, "offline", records.AT)
    assert run
    trace = Trace(
        id=run.trace_id, investigation_id=run.id, incident_id=run.incident_id, customer="acme", alert_type="a",
        service="cart", task="alert", agent_version="test", model="offline", t0=records.AT,
    )  # fmt: skip
    store.traces.start(trace, run.attempt)
    if chart is not None:
        kept = Span(
            id="3" * 16, trace_id=trace.id, sequence=9, op="evaluate", name=agent.charts.NAME, step_state="report",
            t0=records.AT, t1=records.AT, attempt=run.attempt, output=agent.charts.written(chart),
        )  # fmt: skip
        store.traces.add(kept, run.attempt)
    runtime = cast(Runtime, SimpleNamespace(store=store))
    return run, jobs.StoreJournal(runtime, run, trace.id)


def test_the_series_is_drawn_and_kept_and_a_second_run_draws_no_other(store: Store) -> None:
    run, journal = claimed(store, ERRORS)
    for _ in range(2):
        jobs._illustrate(store, run, journal)
    drawn = [s for s in store.traces.spans(run.trace_id) if s.name == PICTURE]
    assert len(drawn) == 1
    assert base64.b64decode(drawn[0].output["png"]).startswith(b"\x89PNG")
    assert drawn[0].output["text"] == "share of requests that fail: 0 % before 14:15, 100 % since; threshold 5 %"
    store.investigations.finish(run.id, run.attempt, records.finding(), records.AT)
    kinds = [post.kind for post in store.outbox.of_incident(run.incident_id)]
    assert kinds[-2:] == ["detail", "picture"]


@pytest.mark.parametrize("chart", [None, Chart("flat", "ratio", POINTS[:1])])
def test_without_a_series_that_can_be_drawn_there_is_no_picture_and_no_post(store: Store, chart: Chart | None) -> None:
    run, journal = claimed(store, chart)
    jobs._illustrate(store, run, journal)
    store.investigations.finish(run.id, run.attempt, records.finding(), records.AT)
    assert store.traces.last(run.id, PICTURE) is None
    assert "picture" not in [post.kind for post in store.outbox.of_incident(run.incident_id)]
