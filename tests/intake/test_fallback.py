"""What reads as an alert although nobody knows its sender, and what does not."""

from __future__ import annotations

from typing import Any

import pytest

from bot.intake import read


def post(
    text: str = "",
    *,
    title: str = "",
    color: str = "",
    att_text: str = "",
    fields: dict[str, str] | None = None,
    blocks: list[Any] | None = None,
    sender: str = "Some App",
) -> dict[str, Any]:
    """A message by an app that no source module knows."""
    named = [{"title": name, "value": value} for name, value in (fields or {}).items()]
    card = {"title": title, "color": color, "text": att_text, "fields": named}
    message: dict[str, Any] = {
        "type": "message",
        "subtype": "bot_message",
        "bot_id": "B1",
        "channel": "C1",
        "username": sender,
    }
    return {**message, "text": text, "blocks": blocks, "attachments": [card] if any(card.values()) else []}


ALERTS: list[tuple[str, dict[str, Any]]] = [
    (
        "uptimerobot down",
        post("Monitor is DOWN: api.example.com (https://api.example.com) - Reason: Connection Timeout"),
    ),
    ("uptimerobot up", post("Monitor is UP: api.example.com (https://api.example.com). It was down for 3 minutes.")),
    (
        "betterstack",
        post(
            "",
            title="Checkout API is down",
            color="danger",
            att_text="*Cause:* Status 503\n*Length:* Ongoing",
            sender="Better Stack",
        ),
    ),
    (
        "betterstack incident",
        post("🔴 New incident: Checkout API – Timeout (no headers received)", sender="Better Uptime"),
    ),
    ("pingdom", post("*Checkout* is DOWN since 2026-11-01 10:00:00 UTC. Cause: HTTP Error 500", sender="Pingdom")),
    ("pingdom up", post("Checkout is UP again at 2026-11-01 10:07:00 UTC, after 7m of downtime.", sender="Pingdom")),
    (
        "newrelic",
        post(
            "",
            title="Critical priority issue is active: High error percentage",
            color="#DF2D24",
            fields={"Policy name": "checkout golden signals", "Condition": "Error percentage"},
            sender="New Relic",
        ),
    ),
    (
        "newrelic closed",
        post(
            "",
            title="Issue closed: High error percentage",
            color="#11A600",
            sender="New Relic",
            fields={"State": "CLOSED"},
        ),
    ),
    (
        "zabbix",
        post(
            "",
            title="PROBLEM: Disk space is critically low on db01 (used > 90%)",
            color="#E45959",
            att_text="Host: db01\nSeverity: Average",
            sender="Zabbix",
        ),
    ),
    ("zabbix ok", post("Resolved in 3m 2s: Disk space is critically low on db01", sender="Zabbix")),
    (
        "nagios",
        post(":rotating_light: PROBLEM - HOST web01 is DOWN: CRITICAL - Host Unreachable (10.1.2.3)", sender="nagios"),
    ),
    ("nagios rec", post("RECOVERY - web01/HTTP is OK: HTTP OK: HTTP/1.1 200 OK", sender="nagios")),
    (
        "robusta",
        post(
            "",
            blocks=[
                {
                    "type": "section",
                    "text": {"type": "mrkdwn", "text": "🔥 *Alert firing* 🔴 *High*\n*KubePodCrashLooping*"},
                },
                {"type": "context", "elements": [{"type": "mrkdwn", "text": "Source: *prod-eu* | Namespace: shop"}]},
            ],
            sender="Robusta",
        ),
    ),
    (
        "robusta crash",
        post(
            "🔴 *Crashing pod checkout-7d9f8c6b5-9k2lm in namespace shop*",
            sender="Robusta",
            color="#d11818",
            att_text="CrashLoopBackOff, 5 restarts",
        ),
    ),
    (
        "kubewatch",
        post(
            "",
            title="kubewatch",
            color="danger",
            att_text="A `pod` in namespace `shop` has been `failed`:\n`checkout-7d9f8c6b5-9k2lm` OOMKilled",
            sender="kubewatch",
        ),
    ),
    (
        "botkube",
        post(
            "",
            title="Pod error",
            color="danger",
            fields={
                "Kind": "Pod",
                "Name": "checkout-7d9f",
                "Namespace": "shop",
                "Reason": "BackOff",
                "Cluster": "prod",
                "Level": "error",
            },
            sender="BotKube",
        ),
    ),
    (
        "uptime kuma",
        post(
            "Uptime Kuma Alert",
            color="#e01e5a",
            att_text="[Checkout] [🔴 Down] connect ECONNREFUSED 10.1.2.3:443",
            sender="Uptime Kuma",
        ),
    ),
    (
        "healthchecks",
        post(
            "",
            title="“nightly-backup” is DOWN (success signal did not arrive on time, grace time passed).",
            color="danger",
            sender="Healthchecks.io",
        ),
    ),
    ("honeycomb", post("*Triggered:* :rotating_light: High p99 latency for checkout", sender="Honeycomb")),
    ("kibana", post("Alert: log errors in checkout above threshold: 231 in 5 minutes", sender="Elastic")),
    ("custom page", post(":fire: *CRITICAL* payments: 5xx ratio 12% (threshold 5%)", sender="ops-bot")),
    ("victorops", post("CRITICAL: checkout/latency - p99 above 2s. Acked by nobody", sender="VictorOps")),
    (
        "argocd degraded",
        post(
            "",
            title="Application checkout has degraded.",
            color="#f4c030",
            fields={"Sync Status": "Synced", "Repository": "https://example.com/repo"},
            sender="Argo CD",
        ),
    ),
    (
        "incident severity",
        post("", title="Queue backlog is growing", fields={"Severity": "SEV2", "Service": "orders"}, sender="monitor"),
    ),
    (
        "statuscake",
        post("Website | Your site shop.example.com went down, the error was 'Connection refused'", sender="StatusCake"),
    ),
    ("cert", post(":warning: TLS certificate of shop.example.com expires in 3 days", sender="certbot-watch")),
    ("healthy again", post("✅ checkout is healthy again after 4 minutes", sender="watchdog")),
]
NEWS: list[tuple[str, dict[str, Any]]] = [
    ("deploy ok", post("✅ Deployed checkout v1.42.0 to production", sender="deploybot", color="good")),
    ("deploy start", post("🚀 Deployment of checkout v1.42.0 to production started by @anna", sender="deploybot")),
    ("deploy failed", post("❌ Deployment failed: checkout v1.42.0", sender="deploybot", color="danger")),
    ("gh pr", post("[acme/shop] Pull request opened by anna: Fix error handling in checkout #1234", sender="GitHub")),
    (
        "ci failed",
        post("", title="Build #1234 of main failed", color="danger", att_text="3 tests failed", sender="Jenkins"),
    ),
    ("gh workflow", post("Workflow run failed: CI on main", sender="GitHub Actions", color="danger")),
    ("jira", post("Anna updated a Bug: SHOP-123 Error when cart is empty. Status: Open → In Progress", sender="Jira")),
    ("weekly", post("Weekly report: 3 incidents, 12 alerts, error budget 97%", sender="SLO bot")),
    ("digest", post("*Daily alert digest* 14 alerts fired, 13 resolved", sender="digest")),
    ("handover", post("On-call handover: Bo is now on call for payments", sender="PagerDuty Schedules")),
    ("standup", post("Time for stand-up! What did you do yesterday?", sender="Geekbot")),
    ("reminder", post("Reminder: rotate the certificate before it expires", sender="reminder")),
    ("maintenance", post("Scheduled maintenance: database upgrade on Sunday 02:00 UTC", sender="Statuspage")),
    ("backup ok", post("", title="Backup completed successfully", color="good", sender="backup")),
    ("hi", post("Hi there! Thanks for sharing the info!", sender="classic-bot")),
    ("poll", post("Poll: where do we eat?", sender="Polly")),
    ("release notes", post("Release v2.3.0: fixes error in login, improves timeout handling", sender="releases")),
    ("postmortem", post("Postmortem for incident 42 is ready for review", sender="Jeli")),
    ("standby", post("Summary of incidents yesterday: none", sender="bot")),
    (
        "argocd synced",
        post("", title="Application checkout is now running new version.", color="#18be52", sender="Argo CD"),
    ),
    ("zendesk", post("New ticket #1234 from jane@example.com: I cannot log in", sender="Zendesk")),
    ("calendar", post("Meeting starting in 5 minutes: Incident review", sender="Google Calendar")),
    ("dependabot", post("Dependabot opened a pull request: bump urllib3", sender="GitHub")),
    ("signup", post("New user signed up: ada@example.com", sender="growth")),
    ("terraform", post("Terraform apply complete! Resources: 1 added, 0 changed, 0 destroyed", sender="Atlantis")),
    ("all ok", post("All systems operational", sender="Statuspage", color="good")),
    ("cost", post("AWS cost report for yesterday: $123.45", sender="cost")),
    ("sales", post("New order 1234: 2 x coffee mug, total 34.00", sender="Shopify")),
]


@pytest.mark.parametrize("message", [m for _, m in ALERTS], ids=[n for n, _ in ALERTS])
def test_reads_as_an_alert(message: dict[str, Any]) -> None:
    found = read(message)
    assert found.alerts, found.reason
    assert found.alerts[0].source == "generic"


@pytest.mark.parametrize("message", [m for _, m in NEWS], ids=[n for n, _ in NEWS])
def test_news_and_chatter_of_bots_are_left_alone(message: dict[str, Any]) -> None:
    assert read(message).reason


@pytest.mark.parametrize(
    "name", ["uptimerobot up", "pingdom up", "newrelic closed", "zabbix ok", "nagios rec", "healthy again"]
)
def test_recoveries_read_as_resolved(name: str) -> None:
    assert read(dict(ALERTS)[name]).alerts[0].status == "resolved"


@pytest.mark.parametrize(
    ("down", "up"), [("uptimerobot down", "uptimerobot up"), ("pingdom", "pingdom up"), ("newrelic", "newrelic closed")]
)
def test_down_and_up_are_the_same_alert(down: str, up: str) -> None:
    began, ended = read(dict(ALERTS)[down]).alerts[0], read(dict(ALERTS)[up]).alerts[0]
    assert (began.status, ended.status) == ("firing", "resolved")
    assert began.fingerprint == ended.fingerprint


def test_severity_and_service_are_taken_from_fields() -> None:
    alert = read(dict(ALERTS)["incident severity"]).alerts[0]
    assert (alert.severity, alert.service) == ("high", "orders")
