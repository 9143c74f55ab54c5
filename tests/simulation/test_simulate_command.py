"""`gumshoe simulate`: a list, an alert, the truth, and one clear line for what cannot be."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import urlopen

import yaml
from click.testing import CliRunner

from bot.cli import _exploring
from bot.cli.simulate import command
from config.customers import parse
from workers.simulation import Running, start
from workers.simulation.cassette import load


def test_list_names_scenarios_with_what_happens() -> None:
    result = CliRunner().invoke(command, ["--list"])
    assert result.exit_code == 0
    assert "oom-after-deploy" in result.output
    assert "lowered its memory limit" in result.output


def test_alert_is_a_webhook_body_and_follows_the_given_time() -> None:
    result = CliRunner().invoke(command, ["oom-after-deploy", "--alert", "--at", "2027-03-02T09:41:08Z"])
    assert result.exit_code == 0
    body = json.loads(result.output)
    assert body["version"] == "4"
    assert body["alerts"][0]["startsAt"].startswith("2027-03-02T09:3")


def test_a_composed_scenario_is_told_like_one_of_the_library() -> None:
    result = CliRunner().invoke(command, ["fresh-4", "--truth"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.output)["verdict"] == "incident"


def test_the_world_may_be_at_this_moment() -> None:
    result = CliRunner().invoke(command, ["oom-after-deploy", "--alert", "--at", "now"])
    began = datetime.fromisoformat(json.loads(result.output)["alerts"][0]["startsAt"])
    assert timedelta(0) < datetime.now(UTC) - began < timedelta(minutes=20)
    assert CliRunner().invoke(command, ["oom-after-deploy", "--alert", "--at", "soon"]).exit_code == 2


def test_who_explores_is_told_where_what_time_it_is_and_how_to_ask(oom: Running, tmp_path: Path) -> None:
    running = start("cache-full", skills=_exploring.SKILLS)
    try:
        _exploring.write(running, oom.skills, tmp_path)
        said = "\n".join(_exploring.lines(running, tmp_path, running.now + timedelta(hours=30)))
        close = "\n".join(_exploring.lines(running, tmp_path, running.now + timedelta(minutes=1)))
    finally:
        running.close()
    for face in ("kubernetes", "elasticsearch", "loki", "prometheus", "alertmanager", "github", "argocd", "pagerduty"):
        assert running.urls[face] in said + (tmp_path / "kubeconfig").read_text()
    assert yaml.safe_load((tmp_path / "kubeconfig").read_text())["contexts"][0]["context"]["namespace"] == "shop"
    assert parse(yaml.safe_load((tmp_path / "customer.yaml").read_text()), "customer.yaml").skills == oom.skills
    assert json.loads((tmp_path / "alert.json").read_text()) == running.alert
    assert f"--now {running.now:%Y-%m-%dT%H:%M:%SZ}" in said
    assert "30 h later: add --at now" in said
    assert "--at now" not in close
    assert "cache_unavailable" not in said, "the truth is not told beforehand"


def test_truth_names_the_fault() -> None:
    result = CliRunner().invoke(command, ["selector-mismatch", "--truth"])
    assert json.loads(result.output)["causes"][0]["fault"] == "service_selects_no_pods"


def test_unknown_scenario_and_missing_wish_are_refused_in_one_line() -> None:
    unknown = CliRunner().invoke(command, ["no-such", "--alert"])
    assert unknown.exit_code == 2
    assert "no scenario called 'no-such'" in unknown.output
    assert CliRunner().invoke(command, ["oom-after-deploy"]).exit_code == 2


def test_its_skills_are_a_customer_s_file(oom: Running) -> None:
    customer = parse({"name": "simulated", "skills": oom.skills}, "simulated.yaml")
    assert set(customer.skills) == {"kubernetes", "elasticsearch", "prometheus"}


def test_a_world_that_gives_nothing_away_says_so() -> None:
    result = CliRunner().invoke(command, ["selector-mismatch", "--tells"])
    assert result.exit_code == 0, result.output
    assert "1 scenarios, 0 tells" in result.output


def test_recording_keeps_what_was_read_through_it_and_ends_with_a_whole_cassette(oom: Running, tmp_path: Path) -> None:
    out = tmp_path / "night.jsonl"
    prometheus = oom.urls["prometheus"]
    asked = [sys.executable, "-c", "from bot.cli.main import main; main()", "simulate", "record"]
    asked += [f"prometheus={prometheus}", "--out", str(out), "--mask", "payment=settlement"]
    process = subprocess.Popen(asked, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        url = process.stdout.readline().split()[1]
        assert "Recording" in process.stdout.readline()
        with urlopen(f"{url}/api/v1/query?query=up%7Bjob%3D%22settlement%22%7D&time={oom.now.timestamp()}") as reply:
            body = reply.read()
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=20)
    assert b'"service":"settlement"' in body
    assert b"payment" not in body
    cassette = load(out)
    assert len(cassette) == 1
    assert cassette.of("prometheus")[0].reply.body == body


def test_a_cassette_is_not_written_over_and_addresses_are_checked(tmp_path: Path) -> None:
    there = tmp_path / "there.jsonl"
    there.write_text("")
    assert "exists" in CliRunner().invoke(command, ["record", "loki=http://loki:3100", "--out", str(there)]).output
    new = str(tmp_path / "new.jsonl")
    assert "no http or https address" in CliRunner().invoke(command, ["record", "loki=loki:3100", "--out", new]).output
    assert "must be LEFT=RIGHT" in CliRunner().invoke(command, ["record", "loki", "--out", new]).output
