"""`gumshoe eval` whole: served companies, forked processes, files. Few cases, each for several claims."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.llm import rehearsal
from tests.llm.messages_api import Told, call, serve

CASES = ("root-not-allowed", "secret-missing", "selector-mismatch")
UNDECIDED: dict[str, Any] = {
    "verdict": "inconclusive",
    "headline": {"text": "Nothing is concluded.", "evidence": []},
}


def gumshoe(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot.cli.main", "eval", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        env={**clean(), **environment},
    )


def clean() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith(("ANTHROPIC", "GUMSHOE"))}


def run_arguments(out: Path, *more: str) -> list[str]:
    return ["run", *(a for name in CASES for a in ("--cases", name)), "--out", str(out), *more]


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def test_a_run_that_was_killed_goes_on_counts_nothing_twice_and_finds_the_same(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole.json", tmp_path / "killed.json"
    ended = gumshoe(*run_arguments(whole, "--quiet"))
    assert ended.returncode == 0, ended.stderr
    assert [r["case"] for r in read(whole)["results"]] == list(CASES)
    assert all((tmp_path / r["trace"]).is_file() for r in read(whole)["results"])

    ledger = tmp_path / "killed.json.ledger"
    first = subprocess.Popen(
        [sys.executable, "-m", "bot.cli.main", "eval", *run_arguments(killed, "--quiet", "--jobs", "1")], env=clean()
    )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and (not ledger.exists() or b'"result"' not in ledger.read_bytes()):
        time.sleep(0.02)
    first.kill()
    first.wait()
    assert not killed.exists()
    already = ledger.read_bytes().count(b'"kind": "result"')
    assert 1 <= already < len(CASES)

    resumed = gumshoe(*run_arguments(killed))
    assert resumed.returncode == 0, resumed.stderr
    assert f"{already}/{len(CASES)}" in resumed.stderr.splitlines()[0]
    assert [r["case"] for r in read(killed)["results"]] == list(CASES)
    assert not ledger.exists()
    assert gumshoe("compare", "--identical", str(whole), str(killed)).returncode == 0


def test_paid_calls_stop_before_the_limit_and_go_on_when_it_is_raised(tmp_path: Path) -> None:
    out = tmp_path / "paid.json"
    with serve(Told([call("conclude", UNDECIDED)])) as api:
        environment = {"ANTHROPIC_API_KEY": "made-up", "ANTHROPIC_BASE_URL": api.url}
        model = ("--model", "claude-sonnet-5-5", "--jobs", "1")
        unlimited = gumshoe(*run_arguments(out, *model), **environment)
        assert unlimited.returncode == 2
        assert "3 investigations with claude-sonnet-5-5: about $" in unlimited.stderr
        assert "--limit-dollars" in unlimited.stderr
        assert api.requests == []

        # A call reserves its dearest price, about ten cents here, and costs far less: one or two fit, not all.
        stopped = gumshoe(*run_arguments(out, *model, "--limit-dollars", "0.10"), **environment)
        assert stopped.returncode == 4, stopped.stderr
        assert "the limit of 0.1 dollars was reached" in stopped.stderr
        part = read(out)
        assert len(part["results"]) < len(CASES)
        assert part["spent_dollars"] <= 0.10
        asked = len(api.requests)

        went_on = gumshoe(*run_arguments(out, *model, "--limit-dollars", "5"), **environment)
        assert went_on.returncode == 0, went_on.stderr
        done = read(out)
        assert [r["case"] for r in done["results"]] == list(CASES)
        assert done["spent_dollars"] >= part["spent_dollars"]
        assert len(api.requests) > asked

    base, picture, shown = tmp_path / "base.json", tmp_path / "p.png", tmp_path / "p.html"
    assert gumshoe("gate", str(out), "--write", str(base)).returncode == 0
    assert gumshoe("gate", str(out), "--against", str(base)).stdout == "passes: 3 cases compared\n"
    spoilt = json.loads(base.read_text().replace('"passed": 0.0', '"passed": 1.0'))
    base.write_text(json.dumps(spoilt))
    failed = gumshoe("gate", str(out), "--against", str(base), "--strict")
    assert failed.returncode == 1
    assert "worse   selector-mismatch|claude-sonnet-5-5|0" in failed.stdout
    assert gumshoe("compare", str(out), str(out), "--identical").returncode == 0
    assert "smallest set that ranks as the whole" in gumshoe("saturate", str(out)).stdout
    report = gumshoe("report", str(out), "--png", str(picture), "--html", str(shown))
    assert "High and wrong: 0" in report.stdout
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "claude-sonnet-5-5" in shown.read_text()


def test_a_paid_run_can_be_rehearsed_and_its_report_opens_every_trace(tmp_path: Path) -> None:
    out, shown = tmp_path / "rehearsed.json", tmp_path / "report" / "run.html"
    with serve(rehearsal.answer) as api:
        environment = {"ANTHROPIC_API_KEY": "made-up", "ANTHROPIC_BASE_URL": api.url}
        model = ("--model", "claude-sonnet-5-5", "--limit-dollars", "2", "--quiet")
        ran = gumshoe("run", "--cases", "root-not-allowed", "--out", str(out), *model, **environment)
        assert ran.returncode == 0, ran.stderr
        assert api.requests
    (result,) = read(out)["results"]
    assert result["marks"]["passed"] == 1
    assert result["finding"]["used"]["dollars"] > 0
    report = gumshoe("report", str(out), "--html", str(shown))
    assert "scenarios admitted: not known" in report.stdout
    assert "judge suspects_simulation: not usable (no labels)" in report.stdout
    (link,) = re.findall(r'href="(run\.html\.traces/[^"]+)"', shown.read_text())
    assert "root-not-allowed" in (shown.parent / link).read_text()


def test_a_wrong_option_is_one_line(tmp_path: Path) -> None:
    out = str(tmp_path / "x.json")
    nothing = gumshoe("run", "--cases", "no-such-*", "--out", out)
    assert nothing.returncode == 2
    assert "no case matches 'no-such-*'" in nothing.stderr
    skill = gumshoe("run", "--without", "telepathy", "--out", out)
    assert "there is no skill called 'telepathy'" in skill.stderr
    missing = gumshoe("report", str(tmp_path / "nothing.json"))
    assert "nothing.json: cannot be read" in missing.stderr
    (tmp_path / "odd.json").write_text('{"results": 3}')
    odd = gumshoe("report", str(tmp_path / "odd.json"))
    assert "odd.json: began_at: Field required" in odd.stderr
    for it in (nothing, skill, missing, odd):
        assert "Traceback" not in it.stderr
