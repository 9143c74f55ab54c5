"""`gumshoe alerts parse` as a person runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.intake.golden import payload

GUMSHOE = [sys.executable, "-c", "from bot.cli.main import main; main()", "alerts", "parse"]


def run(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*GUMSHOE, *arguments], input=given, capture_output=True, timeout=30, check=False)


def test_an_alert_is_printed_as_json_with_exit_code_0(tmp_path: Path) -> None:
    file = tmp_path / "alert.json"
    file.write_text(json.dumps(payload("am-webhook-resolved-group")))
    done = run(str(file))
    assert done.returncode == 0
    assert [a["status"] for a in json.loads(done.stdout)["alerts"]] == ["resolved", "resolved"]


def test_what_is_no_alert_ends_with_exit_code_3_and_the_reason() -> None:
    done = run("-", given=json.dumps(payload("slack-in-message")).encode())
    assert done.returncode == 3
    assert json.loads(done.stdout) == {"alerts": [], "reason": "a person wrote it"}


def test_an_unreadable_file_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    done = run(str(tmp_path / "nowhere.json"))
    assert done.returncode == 2
    assert done.stdout == b""
    assert done.stderr.decode().count("\n") == 1
    assert "nowhere.json" in done.stderr.decode()


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    assert run(str(tmp_path)).returncode == 2


def test_the_help_teaches_the_exit_codes() -> None:
    assert b"it is no alert, and why" in run("--help").stdout
