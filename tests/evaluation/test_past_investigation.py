"""A past investigation becomes a case: recorded by the real job, corrected by a person, failing until it is taught."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from bot.cli.eval._intake import alerts
from config.customers import Customer
from skills.contract import ToolInput
from tests.evaluation.made import HEALTHY, span
from workers import jobs, simulation, valkey
from workers.domain import Place
from workers.evaluation import recorded, replay
from workers.evaluation.cases import CaseError
from workers.runtime import runtime
from workers.store import Store


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    server = valkey.start(tmp_path / "queue")
    for name in ("DATABASE_URL", "GUMSHOE_MODEL", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GUMSHOE_STATE", str(tmp_path))
    monkeypatch.setenv("GUMSHOE_CUSTOMERS", str(tmp_path))
    monkeypatch.setenv("REDIS_URL", server.url)
    runtime.cache_clear()
    yield tmp_path
    runtime().store.close()
    runtime().queue.close()
    runtime.cache_clear()
    server.stop()


def investigated(folder: Path) -> str:
    """The id of an investigation that the job made of a served incident, in the store."""
    now = datetime.now(UTC)
    world = simulation.start("oom-after-deploy", at=now)
    try:
        customer = {"name": "acme", "slack": {"channels": ["alerts"]}, "skills": world.skills}
        (folder / "acme.yaml").write_text(yaml.safe_dump(customer))
        store: Store = runtime().store
        opened = store.incidents.open(
            "acme",
            alerts(world.alert),
            now,
            place=Place(team_id="T0", channel="alerts"),
            message_ts="1.1",
            event_key=None,
        )
        assert opened.investigation is not None
        jobs.investigate(opened.investigation.id)
        store.feedback.record(opened.investigation.id, "U1", "wrong", "button", now)
        return opened.investigation.id
    finally:
        world.close()


def gumshoe(*arguments: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-m", "bot.cli.main", "eval", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env=dict(os.environ),
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_a_corrected_investigation_fails_as_a_case_until_guidance_with_its_reading_is_added(environment: Path) -> None:
    investigation = investigated(environment)
    case = environment / "nightly.case.json"
    said = gumshoe("case", investigation, "--verdict", "false_alarm", "--name", "nightly", "--out", str(case))
    assert said.startswith("nightly: ")
    book = environment / "cart.yaml"
    book.write_text("alert_type: KubePodCrashLooping\ntext: cart OOM is expected\n")
    before, after = environment / "before.json", environment / "after.json"
    gumshoe("run", "--cases", str(case), "--out", str(before), "--quiet")
    gumshoe("run", "--cases", str(case), "--guidance", str(book), "--out", str(after), "--quiet")
    (first,), (second,) = (json.loads(p.read_text())["results"] for p in (before, after))
    assert (first["marks"]["passed"], first["finding"]["causes"][0]["fault"]) == (0, "memory_limit_too_low")
    assert (second["marks"]["passed"], second["finding"]["verdict"]) == (1, "false_alarm")
    assert (first["source"], first["off_tape"], second["off_tape"]) == ("replay", 0, 0)
    stored = runtime().store.findings.get(investigation)
    assert stored is not None
    assert first["finding"]["headline"] == stored.headline.model_dump(mode="json")
    assert "fixed     nightly" in gumshoe("compare", str(before), str(after))

    picture = environment / "production.png"
    shown = gumshoe("production", "acme", "--png", str(picture))
    alert = next(line for line in shown.splitlines() if line.startswith("KubePodCrashLooping"))
    assert alert.split()[1:3] == ["0%", "(n"]  # a person said that it is wrong
    assert picture.read_bytes().startswith(b"\x89PNG")


CUSTOMER = Customer(name="acme", skills={"kubernetes": {"url": "https://k8s.example.com"}})
LOOK = {"text": "", "symptoms": [], "changes": [], "edges": [], "gaps": [], "evidence": [], "full": None}
ASKED = {"status": "ok", "text": "2 pods", "evidence": [], "symptoms": [], "gaps": [], "full": None}


def tape() -> tuple[replay.Tape, dict[str, object]]:
    look = span("first_look kubernetes", "first_look").model_copy(update={"output": LOOK})
    asked = span("kubernetes_events", "query_kubernetes", given={"name": "cart"}).model_copy(update={"output": ASKED})
    (connected,), made = replay.replayed([look, asked], CUSTOMER, ["kubernetes"], lambda _: None)
    assert connected.skill is not None
    return made, {tool.name: tool for tool in connected.skill.tools}


def answer(tools: dict[str, object], asked: str, **arguments: str) -> object:
    tool = tools[asked]
    given: ToolInput = tool.input.model_validate(arguments)  # type: ignore[attr-defined]
    return tool.run(given, None)  # type: ignore[attr-defined]


def test_a_recorded_call_is_answered_however_its_defaults_are_spelt() -> None:
    made, tools = tape()
    assert answer(tools, "kubernetes_events", name="cart").text == "2 pods"  # type: ignore[attr-defined]
    assert answer(tools, "kubernetes_events", name="cart", namespace="").text == "2 pods"  # type: ignore[attr-defined]
    assert (made.asked, made.missing, made.off) == (2, 0, 0)


def test_a_call_that_was_not_recorded_says_so_and_is_counted() -> None:
    made, tools = tape()
    result = answer(tools, "kubernetes_events", name="pricing")
    assert result.status == "no_data"  # type: ignore[attr-defined]
    assert result.text.startswith("not recorded")  # type: ignore[attr-defined]
    answer(tools, "kubernetes_events", name="cart")
    assert made.off == 0.5


def test_a_skill_that_was_not_reached_then_is_not_reached_now() -> None:
    (connected,), _ = replay.replayed([], CUSTOMER, ["kubernetes"], lambda _: None)
    assert connected.unreachable == "could not be reached when this was recorded"


def test_a_damaged_case_names_file_key_and_reason(tmp_path: Path) -> None:
    path = tmp_path / "x.case.json"
    path.write_text('{"name": "x", "customer": {"name": "NOT A NAME"}}')
    with pytest.raises(CaseError, match=r"x\.case\.json: customer\.name"):
        recorded.read(path)
    with pytest.raises(CaseError, match="is no fault of"):
        recorded.corrected("incident", entity=recorded.Entity(kind="Node", name="n"), fault_name="gremlins")
    with pytest.raises(CaseError, match="needs the true entity"):
        recorded.corrected("incident")
    assert recorded.corrected("false_alarm").verdict == HEALTHY.verdict


def test_the_split_of_an_investigation_never_changes_and_is_as_asked_for() -> None:
    splits = [recorded.split_of(f"inv-{i}") for i in range(2000)]
    assert recorded.split_of("inv-7") == splits[7]
    assert 0.12 < splits.count("train") / 2000 < 0.18
    assert 0.38 < splits.count("test") / 2000 < 0.47
