"""Who may write, what people ask of a run, and that it has one ending."""

from __future__ import annotations

import hashlib
import json

import pytest

from tests.store.samples import NOON, alert, finding, kinds, minutes, opened
from workers.domain import Investigation, Progress
from workers.store import NoSuchRecord, StaleAttempt, Store
from workers.trace import Span, Trace


@pytest.fixture
def made(store: Store) -> Investigation:
    investigation = opened(store).investigation
    assert investigation is not None
    return investigation


def _trace(made: Investigation) -> Trace:
    return Trace(
        id=made.trace_id,
        investigation_id=made.id,
        incident_id=made.incident_id,
        customer="acme",
        alert_type="KubePodCrashLooping",
        service="cart",
        task="alert",
        agent_version="1",
        model="offline",
        thread=made.incident_id,
        t0=NOON,
    )


def _span(made: Investigation, number: int = 0, **changes: object) -> Span:
    values: dict[str, object] = {
        "id": f"{number:016x}",
        "trace_id": made.trace_id,
        "sequence": number,
        "op": "chat",
        "name": "chat offline",
        "step_state": "plan",
        "t0": NOON,
        "t1": minutes(1),
    }
    return Span.model_validate(values | changes)


def test_each_claim_is_a_new_attempt_of_the_one_run(store: Store, made: Investigation) -> None:
    first = store.investigations.claim(made.id, "offline", NOON)
    second = store.investigations.claim(made.id, "offline", minutes(1))
    assert (first.attempt, second.attempt) == (1, 2)
    assert (second.state, second.started_at) == ("running", NOON)
    assert store.investigations.claim("nobody", "offline", NOON) is None


def test_an_older_attempt_cannot_write_anything(store: Store, made: Investigation) -> None:
    store.investigations.claim(made.id, "offline", NOON)
    store.traces.start(_trace(made), 1)
    store.investigations.claim(made.id, "offline", NOON)
    version = store.outbox.by_key(f"status:{made.incident_id}").version
    writes = (
        lambda: store.investigations.progress(made.id, 1, Progress(phase="concluding")),
        lambda: store.investigations.heartbeat(made.id, 1, NOON),
        lambda: store.traces.start(_trace(made), 1),
        lambda: store.traces.add(_span(made), 1),
        lambda: store.investigations.finish(made.id, 1, finding(), NOON),
    )
    for write in writes:
        with pytest.raises(StaleAttempt):
            write()
    assert store.investigations.get_progress(made.id) is None
    assert store.traces.spans(made.trace_id) == ()
    assert store.findings.get(made.id) is None
    assert store.investigations.get(made.id).state == "running"
    assert store.outbox.by_key(f"status:{made.incident_id}").version == version


def test_a_run_that_was_never_claimed_cannot_write(store: Store, made: Investigation) -> None:
    with pytest.raises(StaleAttempt):
        store.investigations.progress(made.id, 0, Progress(phase="queued"))
    with pytest.raises(StaleAttempt):
        store.traces.add(_span(made), 0)


def test_finishing_saves_finding_state_trace_and_posts_together(store: Store, made: Investigation) -> None:
    store.investigations.claim(made.id, "offline", NOON)
    store.traces.start(_trace(made), 1)
    store.investigations.finish(made.id, 1, finding(), minutes(2))
    ended = store.investigations.get(made.id)
    assert (ended.state, ended.ended_at) == ("done", minutes(2))
    assert store.findings.get(made.id) == finding()
    assert store.findings.latest_of_incident(made.incident_id) == finding()
    trace = store.traces.of_investigation(made.id)
    assert (trace.t1, trace.outcome) == (minutes(2), "incident")
    *_, status, detail = store.outbox.of_incident(made.incident_id)
    assert (status.kind, status.version) == ("status", 1)
    assert (detail.kind, detail.place.thread_ts, detail.investigation_id) == ("detail", "100.1", made.id)


def test_finishing_twice_gives_one_answer(store: Store, made: Investigation) -> None:
    store.investigations.claim(made.id, "offline", NOON)
    store.investigations.finish(made.id, 1, finding("high"), NOON)
    with pytest.raises(StaleAttempt):
        store.investigations.finish(made.id, 1, finding("low"), NOON)
    assert store.findings.get(made.id) == finding("high")
    assert kinds(store, made.incident_id).count("detail") == 1
    assert store.investigations.claim(made.id, "offline", NOON) is None


def test_a_failed_run_ends_without_a_finding_and_says_so(store: Store, made: Investigation) -> None:
    store.investigations.claim(made.id, "offline", NOON)
    store.investigations.finish(made.id, 1, None, NOON, state="failed", error="the model refused")
    assert store.investigations.get(made.id).error == "the model refused"
    assert store.findings.get(made.id) is None
    assert "detail" not in kinds(store, made.incident_id)
    assert store.outbox.by_key(f"status:{made.incident_id}").version == 1


def test_progress_is_replaced_as_a_whole(store: Store, made: Investigation) -> None:
    store.investigations.claim(made.id, "offline", NOON)
    for calls in (1, 2):
        store.investigations.progress(made.id, 1, Progress(phase="investigating", tool_calls=calls))
    assert store.investigations.get_progress(made.id) == Progress(phase="investigating", tool_calls=2)


def test_a_run_reads_what_people_ask_of_it(store: Store, made: Investigation) -> None:
    assert store.investigations.request_stop(made.id, "U1", NOON)
    assert store.investigations.request_stop(made.id, "U2", NOON)
    for said in ("look at redis", "and at the node"):
        assert store.investigations.steer(made.id, said, "U1", NOON)
    told = store.investigations.instructions(made.id)
    assert (told.stop_by, told.steering) == ("U1", ("look at redis", "and at the node"))
    store.investigations.claim(made.id, "offline", NOON)
    store.investigations.finish(made.id, 1, finding(), NOON, state="stopped")
    assert not store.investigations.request_stop(made.id, "U1", NOON)
    assert not store.investigations.steer(made.id, "too late", "U1", NOON)


def test_a_follow_up_is_a_run_of_its_own_with_its_own_message_in_the_thread(store: Store, made: Investigation) -> None:
    asked = {"follows": made.id, "key": "Ev9"}
    one = store.investigations.start_follow_up(made.incident_id, "was it the deploy?", "U1", minutes(1), **asked)
    two = store.investigations.start_follow_up(made.incident_id, "was it the deploy?", "U1", minutes(1), **asked)
    assert one == two
    assert (one.question, one.follows, one.trace_id != made.trace_id) == ("was it the deploy?", made.id, True)
    assert [i.id for i in store.investigations.of_incident(made.incident_id)] == [made.id, one.id]
    answer = store.outbox.by_key(f"status:{one.id}")
    assert (answer.kind, answer.place.thread_ts) == ("status", "100.1")
    store.investigations.claim(one.id, "offline", NOON)
    store.investigations.progress(one.id, 1, Progress(phase="investigating"))
    assert store.outbox.by_key(f"status:{one.id}").version == 1
    assert store.outbox.by_key(f"status:{made.incident_id}").version == 0
    with pytest.raises(NoSuchRecord):
        store.investigations.start_follow_up("nobody", "?", "U1", NOON, follows=None, key="Ev10")


def test_investigating_again_takes_over_the_living_message(store: Store, made: Investigation) -> None:
    again = store.investigations.again(made.incident_id, "U1", minutes(1), key="button-1")
    status = store.outbox.by_key(f"status:{made.incident_id}")
    assert (status.investigation_id, status.version) == (again.id, 1)
    assert kinds(store, made.incident_id).count("status") == 1
    assert store.investigations.again(made.incident_id, "U1", minutes(1), key="button-1").id == again.id


def test_what_people_ask_does_not_use_up_the_limit_for_alerts(store: Store, made: Investigation) -> None:
    store.investigations.again(made.incident_id, "U1", NOON, key="k")
    came = opened(store, alert("f2", service="search"), per_hour=2, ts="200.2")
    assert came.investigation is not None


def test_the_sweep_finds_what_is_silent_and_nothing_that_is_alive_or_over(store: Store, made: Investigation) -> None:
    alive = opened(store, alert("f2", service="search"), ts="2.0").investigation
    over = opened(store, alert("f3", service="pay"), ts="3.0").investigation
    for one in (alive, over):
        store.investigations.claim(one.id, "offline", NOON)
    store.investigations.heartbeat(alive.id, 1, minutes(5))
    store.investigations.finish(over.id, 1, finding(), NOON)
    assert [i.id for i in store.investigations.unfinished(minutes(5), 60)] == [made.id]
    assert {i.id for i in store.investigations.unfinished(minutes(6), 60)} == {made.id, alive.id}


def test_money_is_counted_by_customer_and_time_and_never_twice(store: Store, made: Investigation) -> None:
    store.investigations.claim(made.id, "offline", NOON)
    store.traces.start(_trace(made), 1)
    store.traces.add(_span(made, 0, op="invoke_agent", dollars=0.5), 1)
    store.traces.add(_span(made, 1, dollars=0.2), 1)
    store.traces.add(_span(made, 2, dollars=0.3), 1)
    assert store.investigations.spent("acme", NOON) == pytest.approx(0.5)
    assert store.investigations.spent("acme", minutes(1)) == 0
    assert store.investigations.spent("globex", NOON) == 0


def test_spans_come_back_whole_in_order_and_large_ones_are_kept_once(store: Store, made: Investigation) -> None:
    store.investigations.claim(made.id, "offline", NOON)
    store.traces.start(_trace(made), 1)
    large = {"text": "log line, half a pair \ud800, nul \x00\n" * 5000}
    spans = [
        _span(made, 2, output=large, attempt=1),
        _span(made, 1, output=large, input="sha256:" + "a" * 64, attempt=1),
        _span(made, 0, input={"namespace": "shop"}, output=None, error_type="timeout", status="error", attempt=1),
    ]
    for span in [*spans, spans[0]]:
        store.traces.add(span, 1)
    found = store.traces.spans(made.trace_id)
    assert [s.sequence for s in found] == [0, 1, 2]
    assert found[0] == spans[2]
    assert found[1].input == spans[1].input, "a value that looks like an attachment's name is none"
    assert found[1].output == found[2].output
    assert found[1].output["text"].count("log line") == 5000


def test_a_later_attempt_goes_on_with_the_trace(store: Store, made: Investigation) -> None:
    store.investigations.claim(made.id, "offline", NOON)
    store.traces.start(_trace(made), 1)
    store.traces.add(_span(made, 0, status="error", error_type="timeout", attempt=1), 1)
    store.investigations.claim(made.id, "claude-1", NOON)
    store.traces.start(_trace(made).model_copy(update={"t0": minutes(3), "model": "claude-1"}), 2)
    store.traces.add(_span(made, 99, sequence=0, attempt=2), 2)
    trace = store.traces.get(made.trace_id)
    assert (trace.t0, trace.model) == (NOON, "claude-1")
    assert [(s.sequence, s.attempt) for s in store.traces.spans(made.trace_id)] == [(0, 1), (0, 2)]


def test_a_large_result_is_found_by_its_hash(store: Store, made: Investigation) -> None:
    store.investigations.claim(made.id, "offline", NOON)
    store.traces.start(_trace(made), 1)
    store.traces.add(_span(made, 0, output="x" * 9000), 1)
    expected = json.dumps("x" * 9000).encode()
    assert store.traces.attachment(hashlib.sha256(expected).hexdigest()) == expected
    assert store.traces.attachment("0" * 64) is None
