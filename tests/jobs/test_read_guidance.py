"""The job that lets Claude read guidance: the real store, queue and SDK, with a scripted Messages API on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.llm.messages_api import Told, call, error, serve
from workers import jobs, valkey
from workers.agent import teach
from workers.domain import Reading
from workers.guidance import readings_by_rules
from workers.runtime import runtime
from workers.store import Store

AT = datetime(2026, 11, 25, 12, tzinfo=UTC)
WORDS = "owner: team-cart. Nothing to see when the nightly batch runs"
BY_RULES = readings_by_rules(WORDS)
EXPECTED = Reading(kind="expected", window="at night")
ANSWER = Told([call(teach.NAME, {"readings": [{"kind": "expected", "window": "at night"}]})])


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = valkey.start(tmp_path_factory.mktemp("queue"))
    yield server.url
    server.stop()


@pytest.fixture
def store(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The store of this process's runtime, which has one customer and a key for Claude."""
    (tmp_path / "acme.yaml").write_text("name: acme\nslack: {channels: [alerts]}\n", encoding="utf-8")
    for name in ("DATABASE_URL", "GUMSHOE_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GUMSHOE_STATE", str(tmp_path))
    monkeypatch.setenv("GUMSHOE_CUSTOMERS", str(tmp_path))
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "made-up")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:1")
    runtime.cache_clear()
    yield runtime().store
    runtime().store.close()
    runtime().queue.close()
    runtime.cache_clear()


def read(store: Store, monkeypatch: pytest.MonkeyPatch, *script: Told, times: int = 1) -> tuple[str, int]:
    """Proposes, runs the job, and gives the proposal with the number of calls of the API."""
    proposal = store.guidance.propose("acme", "Kube*", {}, WORDS, BY_RULES, "U1", AT)
    with serve(*script) as api:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", api.url)
        runtime.cache_clear()
        for _ in range(times):
            jobs.read_guidance(proposal)
    return proposal, len(api.requests)


def readings(store: Store, proposal: str) -> tuple[Reading, ...]:
    found = store.guidance.proposal(proposal)
    assert found
    return found.readings


def test_claudes_readings_join_those_by_rules(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [r.kind for r in BY_RULES] == ["owner"]
    proposal, calls = read(store, monkeypatch, ANSWER)
    assert (readings(store, proposal), calls) == ((EXPECTED, *BY_RULES), 1)


def test_a_second_run_ends_where_the_first_did(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    proposal, calls = read(store, monkeypatch, ANSWER, times=2)
    assert (readings(store, proposal), calls) == ((EXPECTED, *BY_RULES), 2)


def test_an_api_that_fails_leaves_the_rules_readings_and_a_line_in_the_log(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    proposal, _ = read(store, monkeypatch, error(401, "authentication_error", "invalid x-api-key"))
    assert readings(store, proposal) == BY_RULES
    assert "the readings by rules stay" in caplog.text


def test_what_is_confirmed_is_read_no_more(store: Store) -> None:
    proposal = store.guidance.propose("acme", "Kube*", {}, WORDS, BY_RULES, "U1", AT)
    store.guidance.confirm(proposal, AT)
    with serve(ANSWER) as api:
        jobs.read_guidance(proposal)
        jobs.read_guidance("p-nobody")
    assert api.requests == []
    assert readings(store, proposal) == BY_RULES
