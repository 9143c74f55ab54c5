"""`gumshoe investigate`: the one path that production takes, for one alert, without Slack and queue."""

from __future__ import annotations

import atexit
import gc
import json
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from bot.intake import read_bytes
from config.customers import load_file
from config.settings import ConfigError, load
from skills import registry
from workers import agent
from workers.domain import Finding, Instructions, Progress
from workers.llm.choose import pick
from workers.trace import Span


@click.command()
@click.option(
    "--alert",
    "alert_file",
    required=True,
    metavar="FILE",
    help="Anything that `gumshoe alerts parse` reads; - for standard input. A group is one incident.",
)
@click.option(
    "--customer",
    "customer_file",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The customer's file: its systems, skills and budget.",
)
@click.option(
    "--model",
    default=None,
    metavar="NAME",
    help="offline, or the id of a Claude model. Default: the customer's, else Claude when there is a key.",
)
@click.option(
    "--now",
    default=None,
    metavar="ISO",
    help="The time to take for now, e.g. 2026-11-25T12:00:00Z; for systems that were recorded.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    metavar="FILE",
    help="Where the finding is written as JSON (schema: `gumshoe schema finding`). Default: standard output.",
)
@click.option(
    "--trace",
    "trace_file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    metavar="FILE",
    help="Write every step with its input and output, one JSON object a line.",
)
@click.option("--quiet", is_flag=True, help="No progress on standard error.")
def command(
    alert_file: str,
    customer_file: Path,
    model: str | None,
    now: str | None,
    out: Path | None,
    trace_file: Path | None,
    quiet: bool,
) -> None:
    """Find the root cause of one alert, without Slack and queue.

    \b
    gumshoe simulate oom-after-deploy --serve            a company to try it on
    gumshoe investigate --alert alert.json --customer acme.yaml --model offline

    Exit code 0 with a finding, whatever it says; 2 when the configuration cannot be used; 3 when FILE is no alert.
    """
    # Most of what a process of a second makes, it keeps to its end: to look for garbage in it is a tenth of its time.
    gc.set_threshold(20_000, 20, 50)
    atexit.register(gc.freeze)
    settings = load()
    customer = load_file(customer_file)
    registry.validate(customer, str(customer_file))
    at = _moment(now) if now else datetime.now(UTC)
    read = read_bytes(_bytes(alert_file))
    if not read.alerts:
        click.echo(f"gumshoe: {alert_file}: no alert: {read.reason}", err=True)
        sys.exit(3)
    with _blocking_clients_alone():
        chosen = pick(
            model or customer.model or settings.model,
            api_key=settings.anthropic_api_key,
            base_url=settings.anthropic_base_url,
        )
        skills = agent.connect_all(customer, registry.toggles(customer), settings.secret)
    request = agent.Request(
        customer=customer,
        incident_id="cli",
        investigation_id="cli",
        trace_id=uuid.uuid4().hex,
        alerts=read.alerts,
        now=at,
        question=read.alerts[0].asked,
    )
    journal = MemoryJournal(quiet)
    finding = agent.investigate(
        request, chosen, skills, journal, clock=lambda: datetime.now(UTC), monotonic=time.monotonic
    )
    _write(finding, out)
    if trace_file:
        trace_file.write_text("".join(span.model_dump_json() + "\n" for span in journal.spans), encoding="utf-8")


@contextmanager
def _blocking_clients_alone() -> Iterator[None]:
    """While the vendors' clients are imported: without aiohttp they leave out their asynchronous halves, which nobody
    here uses and which cost this process a tenth of a second and 9 MB."""
    if "aiohttp" in sys.modules:
        yield
        return
    sys.modules["aiohttp"] = None  # type: ignore[assignment]  # so the import system writes "not to be found"
    try:
        yield
    finally:
        del sys.modules["aiohttp"]


class MemoryJournal:
    """The record of a run that nobody resumes."""

    def __init__(self, quiet: bool) -> None:
        self.spans: list[Span] = []
        self._quiet = quiet
        self._said = ""

    def recorded(self) -> Sequence[Span]:
        return ()

    def record(self, span: Span) -> None:
        self.spans.append(span)

    def progress(self, progress: Progress) -> None:
        line = f"{progress.phase}: {progress.doing}" if progress.doing else progress.phase
        if not self._quiet and line != self._said:
            click.echo(line, err=True)
            self._said = line

    def instructions(self) -> Instructions:
        return Instructions()


def _write(finding: Finding, out: Path | None) -> None:
    text = json.dumps(finding.model_dump(mode="json", by_alias=True), indent=2, ensure_ascii=False) + "\n"
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{out}: cannot be written: {error.strerror}") from None
    band = f" ({finding.causes[0].confidence.band})" if finding.causes else ""
    click.echo(f"{finding.verdict}{band}: {finding.headline.text}")


def _bytes(name: str) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise ConfigError(f"{name}: cannot be read: {error.strerror}") from None


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise ConfigError(f"--now is {text!r}: use ISO 8601, e.g. 2026-11-25T12:00:00Z") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
