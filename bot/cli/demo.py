"""`gumshoe demo`: a company that breaks, a Slack on this machine, and every process of the Procfile.

Everything listens on free ports of the loopback interface, keeps its state in a directory of its own under
.gumshoe/demo, and ends with Ctrl-C.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import yaml

from bot import local_slack
from bot.cli import _processes
from bot.cli._alertmanager_slack import as_slack_message
from config.settings import ConfigError, load
from workers import simulation, valkey
from workers.domain import Finding
from workers.store import Store, open_store

ANSWER_SECONDS = 60.0
START_SECONDS = 30.0


@dataclass(frozen=True)
class Team:
    """One scenario: its company, its channel, its customer."""

    scenario: str
    channel: str
    world: simulation.Running

    @property
    def customer(self) -> str:
        return self.scenario


@click.command()
@click.option("--scenario", default=None, metavar="NAME|all", help="Which incident; see `gumshoe simulate --list`.")
@click.option("--once", is_flag=True, help="End after the final answers: exit 0 when each came.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port of the Slack page. Default: a free one.")
@click.option("--verbose", is_flag=True, help="Show what the processes log.")
def command(scenario: str | None, once: bool, port: int, verbose: bool) -> None:
    """The whole way on this machine: an alert in Slack, an investigation, a finding in the thread.

    No keys and no systems of your own are needed. With ANTHROPIC_API_KEY the answers come from Claude, without it
    from the offline investigator.

    \b
    gumshoe demo                          one incident; open the printed address
    gumshoe demo --scenario all --once    every scenario, then the findings
    """
    names = simulation.names()
    wanted = DEMO if scenario == "all" else (scenario or DEMO[0],)
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise ConfigError(f"--scenario {unknown[0]!r}: there are {', '.join(names)}")
    settings = load()
    state = settings.state_dir / f"demo-{os.getpid()}"
    state.mkdir(parents=True, exist_ok=True)
    try:
        with contextlib.ExitStack() as stack:
            failures = _play(stack, state, wanted, once, port, verbose, settings.environment)
    except KeyboardInterrupt:
        click.echo("\nstopped; nothing is left running")
        failures = []
    finally:
        shutil.rmtree(state, ignore_errors=True)
    for failure in failures:
        click.echo(f"gumshoe demo: {failure}", err=True)
    sys.exit(1 if failures else 0)


DEMO = ("oom-after-deploy", "selector-mismatch", "exception-in-release")


def _play(
    stack: contextlib.ExitStack,
    state: Path,
    wanted: tuple[str, ...],
    once: bool,
    port: int,
    verbose: bool,
    environ: Mapping[str, str],
) -> list[str]:
    now = datetime.now(UTC)
    teams = []
    for index, name in enumerate(wanted):
        world = simulation.start(name, at=now)
        stack.callback(world.close)
        teams.append(Team(name, "alerts" if index == 0 else f"alerts-{name}", world))
    slack = local_slack.start(port=port, channels=[*(team.channel for team in teams), "general"])
    stack.callback(slack.close)
    server = valkey.start(state)
    stack.callback(server.stop)
    environment = _environment(environ, state, slack, server.url)
    _write_customers(state / "customers", teams, slack.team_id)
    store = open_store(environment["DATABASE_URL"])
    stack.callback(store.close)
    log = sys.stderr.buffer if verbose else stack.enter_context((state / "log").open("wb"))
    family = stack.enter_context(_processes.Family(environment, log))
    for name in _processes.procfile():
        family.start(name)
    with_claude = bool(environ.get("ANTHROPIC_API_KEY")) and environ.get("GUMSHOE_MODEL", "auto") != "offline"
    click.echo(f"Slack page     {slack.page_url}")
    click.echo(f"Investigator   {'Claude' if with_claude else 'offline (set ANTHROPIC_API_KEY for Claude)'}")
    control = local_slack.Control(slack.control_url)
    _wait(lambda: control.connected(), START_SECONDS, family, "the bot did not connect to Slack", state)
    failures = []
    for team in teams:
        failures += _one(team, control, store, family, state)
    if not once and not failures:
        click.echo("\nOpen the Slack page to react, ask, add guidance. Ctrl-C ends the demo.")
        while family.ended() is None:
            time.sleep(0.3)
        failures.append(f"process {family.ended()} ended by itself; run with --verbose")
    return failures


def _one(team: Team, control: local_slack.Control, store: Store, family: _processes.Family, state: Path) -> list[str]:
    """Posts the alert, prints the thread as it grows, and the finding. Returns what went wrong."""
    began = time.monotonic()
    ts = control.post_as_app("Alertmanager", team.channel, **as_slack_message(team.world.alert))
    click.echo(f"\n#{team.channel}   {team.world.alert['commonLabels'].get('alertname', '')}   ({team.scenario})")
    said: dict[str, str] = {}
    try:
        _wait(
            lambda: _print_news(control, team.channel, ts, said, began) or _finding(store, team.customer) is not None,
            ANSWER_SECONDS,
            family,
            f"{team.scenario}: no final answer within {ANSWER_SECONDS:g} s",
            state,
        )
    except TimeoutError as late:
        return [str(late)]
    _wait_quietly(lambda: store.outbox.waiting_count() == 0, 10)
    _print_news(control, team.channel, ts, said, began)
    finding = _finding(store, team.customer)
    assert finding is not None
    click.echo(f"finding after {time.monotonic() - began:.1f} s: {_summary(finding)}")
    truth = team.world.truth
    right = bool(finding.causes) and truth.is_right(finding.causes[0].entity, finding.causes[0].fault)
    click.echo(f"the truth of the simulation: {truth.summary}: {'named' if right else 'NOT NAMED'}")
    return [] if right else [f"{team.scenario}: the finding does not name the cause"]


def _summary(finding: Finding) -> str:
    if not finding.causes:
        return f"{finding.verdict}: {finding.headline.text}"
    cause = finding.causes[0]
    return f"{finding.verdict}, {cause.confidence.band}: {cause.entity}: {cause.fault}\n  {finding.headline.text}"


def _finding(store: Store, customer: str) -> Finding | None:
    recent = store.incidents.recent(customer, 1)
    return store.findings.latest_of_incident(recent[0].id) if recent else None


def _print_news(control: local_slack.Control, channel: str, ts: str, said: dict[str, str], began: float) -> bool:
    """Prints messages of the thread that are new or were edited; returns False, so that it can stand in an `or`."""
    for message in control.thread(channel, ts)[1:]:
        text = str(message.get("text", ""))
        if said.get(message["ts"]) != text:
            said[message["ts"]] = text
            lines = text.strip().splitlines() or ["(no text)"]
            click.echo(f"  {time.monotonic() - began:5.1f} s  {lines[0]}")
            for line in lines[1:]:
                click.echo(f"           {line}")
    return False


def _environment(environ: Mapping[str, str], state: Path, slack: Any, redis_url: str) -> dict[str, str]:
    port = _free_port()
    return {
        **environ,
        "GUMSHOE_STATE": str(state),
        "GUMSHOE_CUSTOMERS": str(state / "customers"),
        "DATABASE_URL": f"sqlite:///{state / 'gumshoe.db'}",
        "REDIS_URL": redis_url,
        "SLACK_API_URL": slack.api_url,
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "GUMSHOE_WEB_HOST": "127.0.0.1",
        "GUMSHOE_WEB_PORT": str(port),
        "GUMSHOE_PUBLIC_URL": f"http://127.0.0.1:{port}",
    }


def _write_customers(directory: Path, teams: list[Team], team_id: str) -> None:
    directory.mkdir(parents=True)
    for team in teams:
        customer = {
            "name": team.customer,
            "slack": {"team_id": team_id, "channels": [team.channel]},
            "skills": team.world.skills,
        }
        (directory / f"{team.customer}.yaml").write_text(yaml.safe_dump(customer, sort_keys=False), encoding="utf-8")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(ready: Callable[[], bool], seconds: float, family: _processes.Family, late: str, state: Path) -> None:
    """Raises TimeoutError, or ConfigError with the end of the log when a process ended by itself."""
    deadline = time.monotonic() + seconds
    while not ready():
        if name := family.ended():
            raise ConfigError(f"process {name} ended by itself:\n{_tail(state / 'log')}")
        if time.monotonic() > deadline:
            raise TimeoutError(f"{late}\n{_tail(state / 'log')}")
        time.sleep(0.05)


def _wait_quietly(ready: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not ready() and time.monotonic() < deadline:
        time.sleep(0.05)


def _tail(path: Path) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-15:]) if path.is_file() else ""
