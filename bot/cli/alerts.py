"""`gumshoe alerts`: what intake makes of a payload. A module of intake alone, so that it starts at once."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from bot.intake import read_bytes
from config.settings import ConfigError

NOT_AN_ALERT = 3


@click.group("alerts", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """See how Gumshoe reads alerts, without Slack and without investigating anything."""


@command.command()
@click.argument("file", metavar="FILE")
@click.option("--channel", default="", help="Slack channel it was posted in, if the payload does not say it.")
@click.option(
    "--own", "own_ids", multiple=True, metavar="ID", help="Bot, user or app id of Gumshoe itself; repeatable."
)
def parse(file: str, channel: str, own_ids: tuple[str, ...]) -> None:
    """Print the alerts in FILE (- reads standard input) as JSON.

    FILE holds what a system sent: a Slack event or message, or the body of a webhook by Alertmanager, Grafana,
    PagerDuty, Datadog, Sentry, CloudWatch (SNS, EventBridge), Opsgenie or another; or a list of such.

    \b
    Output and exit code:
      0  {"alerts": [...]}                 a recovery has "status": "resolved"
      3  {"alerts": [], "reason": "..."}   it is no alert, and why
      2  FILE cannot be read

    \b
    Examples:
      gumshoe alerts parse webhook.json
      curl -s http://localhost:9093/api/v2/alerts | gumshoe alerts parse -
      echo '{"title": "Disk full on db1", "severity": "critical"}' | gumshoe alerts parse -
    """
    found = read_bytes(_bytes_of(file), channel=channel, own_bot_ids=frozenset(own_ids))
    shown: dict[str, object] = {"alerts": [alert.model_dump(mode="json") for alert in found.alerts]}
    if found.reason:
        shown["reason"] = found.reason
    # ASCII: a terminal or pipe in another encoding must not turn an alert into a traceback.
    click.echo(json.dumps(shown, indent=2, ensure_ascii=True))
    if not found.alerts:
        sys.exit(NOT_AN_ALERT)


def _bytes_of(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror or error}") from None
