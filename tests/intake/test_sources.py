"""What the records hang on: a firing and its recovery are one thing, and each source's own rules."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from bot.intake import read, words
from bot.intake.labelled import fingerprint_of
from tests.intake.golden import payload


def one(name: str) -> Any:
    found = read(payload(name), channel="C0ALERTS")
    assert len(found.alerts) == 1, found
    return found.alerts[0]


@pytest.mark.parametrize(
    ("firing", "resolved"),
    [
        ("am-slack-default-firing-group", "am-slack-default-resolved-group"),
        ("am-slack-default-firing-pair", "am-slack-default-resolved-pair"),
        ("am-slack-default-firing-group", "am-slack-titled-resolved-4"),
        ("own-pagerduty-v3-triggered", "own-pagerduty-v3-resolved"),
        ("own-datadog-slack-triggered", "own-datadog-slack-recovered"),
        ("own-sentry-webhook-event-alert", "own-sentry-webhook-issue-resolved"),
    ],
)
def test_a_recovery_has_the_type_and_fingerprint_of_its_firing(firing: str, resolved: str) -> None:
    began, ended = one(firing), one(resolved)
    assert (began.alert_type, began.fingerprint, began.group_key) == (
        ended.alert_type,
        ended.fingerprint,
        ended.group_key,
    )
    assert (began.status, ended.status) == ("firing", "resolved")


def test_a_webhook_group_gives_one_alert_each_with_the_status_of_its_own() -> None:
    body = payload("am-webhook-firing-group")
    body["alerts"][1]["status"] = "resolved"
    assert [a.status for a in read(body).alerts] == ["firing", "resolved"]
    assert len({a.fingerprint for a in read(body).alerts}) == 2
    assert len({a.group_key for a in read(body).alerts}) == 1


def test_alerts_that_alertmanager_left_out_are_counted_on_the_first() -> None:
    body = {**payload("am-webhook-firing-group"), "truncatedAlerts": 7}
    assert read(body).alerts[0].labels["gumshoe_alerts_left_out"] == "7"


def test_labels_listed_in_slack_give_the_fingerprint_of_alertmanager() -> None:
    for alert in payload("am-webhook-firing-group")["alerts"]:
        assert fingerprint_of(alert["labels"]) == alert["fingerprint"]


def test_a_template_that_lists_labels_gives_every_alert_with_its_links() -> None:
    found = read(payload("own-am-slack-details")).alerts
    assert [a.labels["pod"] for a in found] == ["cart-0", "cart-1"]
    assert found[0].summary == "Pod cart-0 restarts > 5 times"
    assert {link.kind for link in found[0].links} >= {"runbook", "source", "alert"}


def test_a_default_title_is_one_alert_that_says_how_many_it_stands_for() -> None:
    alert = one("am-slack-default-firing-group")
    assert alert.labels["gumshoe_alerts"] == "3"
    assert alert.labels["gumshoe_values"].split() == [
        "KubePodCrashLooping",
        "checkout",
        "eu-1",
        "app",
        "production",
        "shop",
        "critical",
    ]
    assert (alert.severity, alert.environment) == ("critical", "production")
    assert alert.service == "", "unnamed values must not be guessed into a service"


def test_a_default_title_that_slack_changed_on_the_way_is_the_same_alert() -> None:
    assert one("own-am-slack-read-back").fingerprint == one("am-slack-default-firing-pair").fingerprint


def test_an_alertname_in_the_brackets_is_found_when_the_group_has_none() -> None:
    message = {
        "username": "Alertmanager",
        "attachments": [{"title": "[FIRING:2] shop (KubePodCrashLooping eu-1 warning)"}],
    }
    assert read(message).alerts[0].alert_type == "KubePodCrashLooping"


def test_grafana_tells_firing_and_resolved_apart_in_one_message() -> None:
    found = read(payload("own-grafana-slack-mixed")).alerts
    assert [(a.service, a.status) for a in found] == [("cart", "firing"), ("search", "resolved")]


def test_grafana_before_unified_alerting_is_read_as_well() -> None:
    body = {
        "title": "[Alerting] Cart p99",
        "ruleId": 5,
        "ruleName": "Cart p99",
        "state": "alerting",
        "evalMatches": [{"metric": "p99", "value": 2.5, "tags": None}],
        "ruleUrl": "https://grafana.example.com/d/1",
    }
    firing, ok = read(body).alerts[0], read({**body, "state": "ok", "title": "[OK] Cart p99"}).alerts[0]
    assert (firing.alert_type, firing.status, ok.status) == ("Cart p99", "firing", "resolved")
    assert firing.fingerprint == ok.fingerprint == "rule:5"


@pytest.mark.parametrize(
    "kind", ["incident.custom_field_values.updated", "incident.invented", "service.updated", "pagey.ping"]
)
def test_pagerduty_types_that_change_no_incident_are_accepted_and_left_alone(kind: str) -> None:
    body = payload("own-pagerduty-v3-triggered")
    body["event"]["event_type"] = kind
    assert read(body).reason


def test_pagerduty_unacknowledged_fires_again() -> None:
    body = payload("own-pagerduty-v3-acknowledged")
    body["event"]["event_type"] = "incident.unacknowledged"
    assert read(body).alerts[0].status == "firing"


@pytest.mark.parametrize(
    ("title", "name", "group", "status"),
    [
        ("Triggered: CPU on host:web-1", "CPU", "host:web-1", "firing"),
        ("Re-Triggered: CPU on host:web-1", "CPU", "host:web-1", "firing"),
        ("Recovered: CPU on {host:web-1,env:prod}", "CPU", "env:prod,host:web-1", "resolved"),
        ("[Warn on {host:web-1}] CPU", "CPU", "host:web-1", "firing"),
        ("No data: CPU", "CPU", "", "firing"),
        ("[P1] [Recovered] CPU on call path", "CPU on call path", "", "resolved"),
    ],
)
def test_datadog_titles_give_name_group_and_status(title: str, name: str, group: str, status: str) -> None:
    link = "https://app.datadoghq.com/monitors/9"
    alert = read({"bot_id": "B1", "username": "Datadog", "attachments": [{"title": title, "title_link": link}]}).alerts[
        0
    ]
    assert (alert.alert_type, alert.status) == (name, status)
    assert alert.fingerprint == (f"9:{group}" if group else "9")


def test_a_cloudwatch_recovery_is_told_by_its_state_and_not_by_the_word_triggered() -> None:
    assert one("cloudwatch-slack-alarm").status == "resolved"


def test_a_failed_backup_is_an_alert_and_a_good_one_is_not() -> None:
    assert [a.labels["State"] for a in read(payload("aws-sns-backup")).alerts] == ["FAILED", "EXPIRED", "FAILED"]
    assert read(payload("aws-slack-backup-0")).reason
    assert read(payload("aws-slack-backup-2")).alerts


def test_sns_carries_any_json_alert() -> None:
    import json

    inner = json.dumps(payload("am-webhook-firing-single"))
    assert read({"Type": "Notification", "TopicArn": "arn:x", "Message": inner}).alerts[0].source == "alertmanager"
    assert (
        "SubscriptionConfirmation" in read({"Type": "SubscriptionConfirmation", "TopicArn": "a", "Message": "m"}).reason
    )


def test_opsgenie_notes_change_nothing() -> None:
    body = copy.deepcopy(payload("own-opsgenie-webhook-close"))
    body["action"] = "AddNote"
    assert read(body).reason


def test_our_documented_json_needs_no_more_than_a_title() -> None:
    alert = read({"title": "Queue grows"}).alerts[0]
    assert (alert.source, alert.status, alert.alert_type) == ("generic", "firing", "Queue grows")


def test_our_documented_json_keeps_what_it_says() -> None:
    body = {
        "title": "Disk full on db1",
        "status": "resolved",
        "severity": "critical",
        "service": "db",
        "environment": "prod",
        "alert_type": "DiskFull",
        "fingerprint": "disk-db1",
        "group_key": "disks",
        "started_at": "2026-11-01T10:00:00Z",
        "summary": "97 %",
        "labels": {"host": "db1"},
        "links": [{"kind": "runbook", "url": "https://wiki.example.com/disk"}],
    }
    alert = read(body).alerts[0]
    assert (alert.alert_type, alert.status, alert.severity, alert.service) == ("DiskFull", "resolved", "critical", "db")
    assert (alert.fingerprint, alert.group_key, alert.labels["host"]) == ("disk-db1", "disks", "db1")
    assert alert.links[0].kind == "runbook"
    assert alert.started_at is not None


def test_webhooks_of_code_hosts_are_no_alerts() -> None:
    assert "code host" in read({"action": "opened", "issue": {"title": "Error"}, "repository": {}, "sender": {}}).reason


def test_types_by_any_other_source_belong_to_a_channel() -> None:
    post = {"bot_id": "B1", "text": "CRITICAL: queue is stuck"}
    here, there = read(post, channel="C1").alerts[0], read(post, channel="C2").alerts[0]
    assert here.alert_type == there.alert_type
    assert here.fingerprint != there.fingerprint


def test_the_example_in_the_readme_is_read_as_it_says() -> None:
    import json
    import re
    from pathlib import Path

    import bot.intake

    text = (Path(bot.intake.__file__).parent / "README.md").read_text(encoding="utf-8")
    written = json.loads(re.findall(r"```json\n(.*?)```", text, re.S)[0])
    alert = read(written).alerts[0].model_dump(mode="json")
    assert {name: alert[name] for name in written} == written


def test_rules_over_kube_state_metrics_are_about_the_deployment_and_not_about_who_measured() -> None:
    measured = {"service": "monitoring-kube-state-metrics", "job": "kube-state-metrics", "deployment": "cart"}
    assert words.service(measured) == "cart"
    assert words.service({"job": "kube-state-metrics"}) == "kube-state-metrics"
    assert words.service({"service_name": "checkout"}) == "checkout"
