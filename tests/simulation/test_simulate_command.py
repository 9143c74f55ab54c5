"""`gumshoe simulate`: a list, an alert, the truth, and one clear line for what cannot be."""

from __future__ import annotations

import json

from click.testing import CliRunner

from bot.cli.simulate import command
from config.customers import parse
from workers.simulation import Running


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
