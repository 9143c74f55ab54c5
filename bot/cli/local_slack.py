"""`gumshoe local-slack`: a Slack workspace on this machine, in a process of its own."""

from __future__ import annotations

import json
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import click
import yaml

from config.settings import ConfigError


@click.command("local-slack")
@click.option("--port", default=0, show_default="a free one", help="Port of the page and the Web API.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option(
    "--manifest", type=click.Path(path_type=Path), help="App manifest (YAML or JSON): scopes, events, commands."
)
@click.option("--channel", "channels", multiple=True, help="A channel to have, by name; repeat for more.")
@click.option("--team", default="T0ACME", show_default=True, help="Id of the workspace.")
@click.option("--json", "as_json", is_flag=True, help="Print the addresses as one line of JSON, for a parent process.")
def command(port: int, host: str, manifest: Path | None, channels: tuple[str, ...], team: str, as_json: bool) -> None:
    """A Slack workspace on this machine: Web API, Socket Mode and a page to look at and act in.

    Gumshoe runs against it as it does against Slack. Everything is gone when it ends.
    """
    # The web server is imported only by those who want one.
    from bot.local_slack import Company, LocalSlackError, start  # noqa: PLC0415 - a web server, which --help needs not
    from bot.local_slack.company import CHANNELS  # noqa: PLC0415 - imports the package above
    from bot.local_slack.records import Team  # noqa: PLC0415 - imports the package above

    company = Company(team=Team(team, "Acme", "acme"), channels=channels or CHANNELS)
    try:
        running = start(port, host, company=company, manifest=_read(manifest) if manifest else None)
    except LocalSlackError as problem:
        raise ConfigError(str(problem)) from None
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    addresses = running.addresses()
    if as_json:
        click.echo(json.dumps(addresses))
    else:
        click.echo(f"Local Slack: {addresses['page_url']}\n")
        click.echo(f"  SLACK_BOT_TOKEN={addresses['bot_token']}\n  SLACK_APP_TOKEN={addresses['app_token']}")
        click.echo(f"  SLACK_API_URL={addresses['api_url']}\n\nCtrl-C ends it.")
    sys.stdout.flush()
    stopped.wait()
    running.close()


def _read(path: Path) -> dict[str, Any]:
    try:
        manifest = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as problem:
        raise ConfigError(f"{path}: {problem}") from None
    if not isinstance(manifest, dict):
        raise ConfigError(f"{path}: an app manifest is expected")
    return manifest
