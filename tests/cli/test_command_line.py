"""`gumshoe` as a person types it: help that teaches, and errors that are one line with exit code 2."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bot.cli._alertmanager_slack import as_slack_message


def gumshoe(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot.cli.main", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **environment},
        check=False,
    )


def test_help_lists_every_command_with_a_line_of_its_own() -> None:
    shown = gumshoe("--help")
    assert shown.returncode == 0
    for command in ("alerts", "demo", "doctor", "investigate", "run", "schema", "simulate"):
        assert f"\n  {command}" in shown.stdout


def test_the_schema_of_a_finding_is_public() -> None:
    schema = json.loads(gumshoe("schema", "finding").stdout)
    assert {"schema", "verdict", "headline", "causes", "chain", "gaps", "next", "evidence", "used"} <= set(
        schema["properties"]
    )
    assert "from" in schema["$defs"]["ChainLink"]["properties"]


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        (
            ("investigate", "--alert", "nowhere.json", "--customer", "nowhere.yaml"),
            {},
            "nowhere.yaml: no such customer",
        ),
        (("demo", "--scenario", "volcano"), {}, "oom-after-deploy"),
        (("run", "worker"), {"GUMSHOE_CUSTOMERS": "/nonexistent/customers"}, "GUMSHOE_CUSTOMERS"),
        (("run", "clock"), {"GUMSHOE_WORKERS": "many"}, "GUMSHOE_WORKERS"),
        (("run", "bot"), {}, "SLACK_BOT_TOKEN"),
        (
            ("run", "bot"),
            {"SLACK_BOT_TOKEN": "made-up"},
            "set SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (Slack by HTTP)",
        ),
    ],
)
def test_a_wrong_configuration_is_one_line(
    arguments: tuple[str, ...], environment: dict[str, str], words: str, tmp_path: Path
) -> None:
    ended = gumshoe(*arguments, GUMSHOE_STATE=str(tmp_path), **environment)
    assert ended.returncode == 2, ended.stderr
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1


def test_a_file_that_is_no_alert_ends_with_three(tmp_path: Path) -> None:
    alert = tmp_path / "chatter.json"
    alert.write_text(json.dumps({"type": "message", "user": "U1", "text": "lunch?", "ts": "1.2"}))
    customer = tmp_path / "acme.yaml"
    customer.write_text("name: acme\n")
    ended = gumshoe("investigate", "--alert", str(alert), "--customer", str(customer))
    assert ended.returncode == 3, ended.stderr
    assert "no alert" in ended.stderr


def test_without_any_system_the_finding_says_that_nothing_could_be_seen(tmp_path: Path) -> None:
    alert = tmp_path / "alert.json"
    alert.write_text(
        json.dumps(
            {
                "version": "4",
                "groupKey": "{}",
                "status": "firing",
                "alerts": [
                    {
                        "status": "firing",
                        "labels": {"alertname": "HighErrorRate", "service": "checkout", "namespace": "shop"},
                        "annotations": {},
                        "startsAt": "2026-11-25T10:00:00Z",
                        "endsAt": "0001-01-01T00:00:00Z",
                        "fingerprint": "e0cd92e2ee4b312c",
                    }
                ],
            }
        )
    )
    customer = tmp_path / "acme.yaml"
    customer.write_text("name: acme\n")
    out = tmp_path / "finding.json"
    ended = gumshoe(
        "investigate",
        "--alert",
        str(alert),
        "--customer",
        str(customer),
        "--now",
        "2026-11-25T10:10:00Z",
        "--out",
        str(out),
    )
    assert ended.returncode == 0, ended.stderr
    finding = json.loads(out.read_text())
    assert finding["verdict"] == "inconclusive"
    assert finding["gaps"]
    assert finding["causes"] == []


def test_alertmanagers_slack_message_has_its_default_templates_shape() -> None:
    """Against a message captured from Alertmanager 0.25's own notifier (tests/intake/payloads)."""
    shared = {"alertname": "HighErrorRate", "namespace": "shop"}
    more = {
        "cluster": "prod-eu1",
        "instance": "10.0.3.4:9090",
        "job": "app",
        "service": "checkout",
        "severity": "critical",
        "team": "payments",
    }
    body = {
        "receiver": "both",
        "externalURL": "http://alertmanager.example.com:9093",
        "alerts": [{"status": "firing"}, {"status": "firing"}],
        "groupLabels": shared,
        "commonLabels": {**shared, **more},
    }
    (attachment,) = as_slack_message(body)["attachments"]
    assert (
        attachment["title"] == "[FIRING:2] HighErrorRate shop (prod-eu1 10.0.3.4:9090 app checkout critical payments)"
    )
