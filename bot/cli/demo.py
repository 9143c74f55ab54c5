"""`gumshoe demo`: an alert in Slack, an investigation, a finding in the thread, all on this machine."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import sys
import time
from html import unescape

import click

from bot.cli._house import House, Team
from config.settings import ConfigError, Settings, load
from workers import simulation
from workers.domain import Finding

ANSWER_SECONDS = 60.0
_LINK = re.compile(r"<https?://[^|>]*\|([^>]*)>")
"""A labelled link as Slack writes it; a terminal shows the label."""
SCENARIOS = ("oom-after-deploy", "selector-mismatch", "exception-in-release")
"""What `all` means: one scenario each of resources, routing and code."""


@click.command()
@click.option(
    "--scenario", default=SCENARIOS[0], metavar="NAME|all", help="Which incident; see `gumshoe simulate --list`."
)
@click.option("--once", is_flag=True, help="End after the final answers; exit 0 when each came and named the cause.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port of the Slack page. Default: a free one.")
@click.option("--verbose", is_flag=True, help="Show what the processes log.")
def command(scenario: str, once: bool, port: int, verbose: bool) -> None:
    """The whole way on this machine: an alert in Slack, an investigation, a finding in the thread.

    No keys and no systems of your own are needed. With ANTHROPIC_API_KEY the answers come from Claude, without it
    from the offline investigator.

    \b
    gumshoe demo                          one incident; open the printed address
    gumshoe demo --scenario all --once    every scenario, then the findings
    """
    wanted = SCENARIOS if scenario == "all" else (scenario,)
    unknown = [name for name in wanted if name not in simulation.names()]
    if unknown:
        raise ConfigError(f"--scenario {unknown[0]!r}: use all or one of {', '.join(simulation.names())}")
    settings = load()
    state = settings.state_dir / f"demo-{os.getpid()}"
    failures: list[str] = []
    # A terminated demo cleans up like an interrupted one.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with House(state, wanted, settings.environment, port=port, verbose=verbose) as house:
            failures = _play(house, settings, once)
    except KeyboardInterrupt:
        click.echo("\nstopped; nothing is left running")
    except (TimeoutError, OSError) as problem:
        failures.append(str(problem))
    finally:
        shutil.rmtree(state, ignore_errors=True)
    for failure in failures:
        click.echo(f"gumshoe demo: {failure}", err=True)
    sys.exit(1 if failures else 0)


def _play(house: House, settings: Settings, once: bool) -> list[str]:
    with_claude = settings.anthropic_api_key and settings.model != "offline"
    click.echo(f"Slack page     {house.slack.page_url}")
    click.echo(f"Investigator   {'Claude' if with_claude else 'offline (set ANTHROPIC_API_KEY for Claude)'}")
    failures = [failure for team in house.teams for failure in _one(house, team)]
    if once or failures:
        return failures
    click.echo("\nOpen the Slack page to react, ask, or add guidance. Ctrl-C ends the demo.")
    click.echo("Press Wrong beneath the answer and say what it really was: it becomes a case. In another terminal:")
    kept = ("GUMSHOE_STATE", "DATABASE_URL", "GUMSHOE_CUSTOMERS")
    click.echo(f"  export {' '.join(f'{name}={shlex.quote(house.environment[name])}' for name in kept)}")
    click.echo("  gumshoe eval case                                               what was corrected")
    click.echo("  gumshoe eval run --cases @corrected --out run.json               whether they are answered rightly")
    click.echo("And after `/guidance add`, with what you taught:")
    click.echo(f"  gumshoe eval run --cases @corrected --guidance @{house.teams[0].customer} --out taught.json")
    while house.family.ended() is None:
        time.sleep(0.3)
    return [f"process {house.family.ended()} ended by itself\n{house.log_tail()}"]


def _one(house: House, team: Team) -> list[str]:
    """Posts the alert, prints the thread as it grows, then the finding. Returns what went wrong."""
    began = time.monotonic()
    ts = house.post_alert(team)
    click.echo(f"\n#{team.channel}   {team.world.alert['commonLabels'].get('alertname', '')}   ({team.scenario})")
    thread = _Thread(house, team.channel, ts, began)
    try:
        house.wait(
            lambda: thread.print_news() or house.finding(team),
            ANSWER_SECONDS,
            f"{team.scenario}: no final answer within {ANSWER_SECONDS:g} s",
        )
        answered = time.monotonic() - began
        house.wait(house.quiet, 20, f"{team.scenario}: the answer was not posted")
    except TimeoutError as late:
        return [str(late)]
    thread.print_news()
    finding = house.finding(team)
    assert finding is not None, "waited for above"
    click.echo(f"Finding after {answered:.1f} s: {_summary(finding)}")
    right = team.is_named_by(finding)
    click.echo(f"The truth of the simulation: {team.truth} -- {'named' if right else 'NOT NAMED'}")
    return [] if right else [f"{team.scenario}: the finding does not name the cause"]


def _summary(finding: Finding) -> str:
    if not finding.causes:
        return f"{finding.verdict}: {finding.headline.text}"
    cause = finding.causes[0]
    return f"{finding.verdict}, {cause.confidence.band}: {cause.fault} of {cause.entity}\n  {finding.headline.text}"


class _Thread:
    """Prints messages of a thread that are new or were edited."""

    def __init__(self, house: House, channel: str, ts: str, began: float) -> None:
        self._house, self._channel, self._ts, self._began = house, channel, ts, began
        self._said: dict[str, str] = {}

    def print_news(self) -> bool:
        """Returns False, so that it can stand in an `or`."""
        for message in self._house.control.thread(self._channel, self._ts)[1:]:
            text = unescape(_LINK.sub(r"\1", str(message.get("text", "")))).strip()
            if self._said.get(message["ts"]) == text:
                continue
            self._said[message["ts"]] = text
            lines = text.splitlines() or ["(no text)"]
            click.echo(f"  {time.monotonic() - self._began:5.1f} s  {lines[0]}")
            for line in lines[1:]:
                click.echo(f"           {line}")
        return False
