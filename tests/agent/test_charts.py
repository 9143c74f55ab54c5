"""The series that people are shown is about what is blamed, and is kept in the record."""

from datetime import timedelta

from skills.contract import Chart
from tests.agent.company import ONSET, FakeSkill, MemoryJournal, alert, looks, request, run
from tests.agent.test_first_slice import OOM
from workers.agent import charts

POINTS = tuple((ONSET + timedelta(seconds=30 * i), float(i > 0)) for i in range(-5, 10))
ERRORS = Chart("share of requests to web that fail", "ratio", POINTS, ONSET)
MEMORY = Chart("memory of shop/cart-7d9f8c6b5-x2lqp", "bytes", POINTS, ONSET, 128.0)
PLAIN = Chart("requests of cart", "requests/s", POINTS)
OTHER = Chart("disk of worker-2", "bytes", POINTS, ONSET)


def kept(*given, asked=None):
    journal = MemoryJournal()
    sees = looks(OOM)
    sees = sees.__class__(**{**sees.__dict__, "charts": given})
    run(asked or request(), FakeSkill(sees=sees), journal=journal)
    spans = [s for s in journal.spans if s.name == charts.NAME]
    return charts.read(spans[0].output) if spans else None


def test_what_is_about_the_cause_goes_before_what_is_about_a_victim():
    assert kept(ERRORS, PLAIN, MEMORY, asked=request(alert("web"))) == MEMORY


def test_what_changes_goes_before_what_stands_still():
    still = Chart("memory of cart", "bytes", tuple((at, 5.0) for at, _ in POINTS), ONSET, 128.0)
    latency = Chart("p99 of cart", "seconds", POINTS, ONSET)
    assert kept(still, latency) == latency


def test_what_measures_the_fault_goes_before_what_only_suffers_from_it():
    latency = Chart("p99 of cart", "seconds", POINTS, ONSET, 1.0)
    assert kept(latency, MEMORY) == MEMORY


def test_what_is_about_the_victim_is_better_than_nothing():
    assert kept(OTHER, ERRORS, asked=request(alert("web"))) == ERRORS


def test_a_series_about_neither_is_not_shown():
    assert kept(OTHER) is None


def test_a_resumed_run_keeps_the_same_one():
    journal = MemoryJournal()
    sees = looks(OOM)
    sees = sees.__class__(**{**sees.__dict__, "charts": (MEMORY,)})
    run(request(), FakeSkill(sees=sees), journal=journal)
    resumed = MemoryJournal(journal.spans)
    run(request(), FakeSkill(sees=sees), journal=resumed)
    assert resumed.spans == []
