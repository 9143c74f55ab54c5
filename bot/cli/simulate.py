"""`gumshoe simulate`: explore a scenario of the simulated company with kubectl and curl, or print its alert.

`gumshoe simulate record` stands in front of real systems and keeps what is read from them on a cassette.
"""

from __future__ import annotations

import json
import signal
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import yaml

from bot.cli import _exploring
from config.settings import load as load_settings

if TYPE_CHECKING:
    from workers.simulation import Running
    from workers.simulation.improvise import Beyond


class _ScenarioOrCommand(click.Group):
    """What is no command is the name of a scenario."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        asks = args[:1] in (["--help"], ["-h"])
        if not asks and (not args or args[0] not in self.commands):
            args = ["scenario", *args]
        return super().parse_args(ctx, args)


class _Moment(click.DateTime):
    """A time, or `now`."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if value == "now":
            return datetime.now(UTC).replace(microsecond=0)
        found: datetime = super().convert(value, param, ctx)
        return found


@click.group(cls=_ScenarioOrCommand)
def command() -> None:
    """Start the simulated scenario NAME, or `record` real systems.

    \b
    gumshoe simulate --list                          name every scenario and what happens in it
    gumshoe simulate oom-after-deploy --serve        its APIs for kubectl and curl, until Ctrl-C
    gumshoe simulate oom-after-deploy --alert        its alert as an Alertmanager webhook body
    gumshoe simulate oom-after-deploy --customer     a customer's file for it, served until Ctrl-C
    gumshoe simulate oom-after-deploy --truth        what is really wrong
    gumshoe simulate oom-after-deploy --tells        what gives it away; without a name, of all
    gumshoe simulate NAME --serve --at now           at this moment, so that all ages in kubectl are right
    gumshoe simulate NAME --serve --improvise FILE   with a model behind what the APIs do not do
    gumshoe simulate record kubernetes=https://kubernetes.internal:6443 --out night.jsonl
    """


@command.command(hidden=True)
@click.argument("name", required=False)
@click.option("--list", "listing", is_flag=True, help="Name every scenario and what happens in it.")
@click.option("--serve", is_flag=True, help="Serve all its APIs until Ctrl-C, and say how to ask them.")
@click.option("--alert", "only_alert", is_flag=True, help="Print its alert as an Alertmanager webhook body.")
@click.option(
    "--customer", "only_customer", is_flag=True, help="Serve it and print a customer's file for it; until Ctrl-C."
)
@click.option("--truth", "only_truth", is_flag=True, help="Print what is really wrong.")
@click.option("--tells", "only_tells", is_flag=True, help="Print what gives the scenario away; without NAME, of all.")
@click.option(
    "--at",
    type=_Moment(["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S"]),
    metavar="TIME",
    help="The world's time (UTC), or now; default: the scenario's own.",
)
@click.option(
    "--improvise",
    "improvised",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Improvise what no API does, and keep it in this cassette: what it has is given back as it is.",
)
@click.option("--model", default="", help="Who improvises: a model id, or offline for the world's facts alone.")
def scenario(
    name: str | None,
    listing: bool,
    serve: bool,
    only_alert: bool,
    only_customer: bool,
    only_truth: bool,
    only_tells: bool,
    at: datetime | None,
    improvised: Path | None,
    model: str,
) -> None:
    """Start the simulated scenario NAME.

    With --serve: Kubernetes, Prometheus, Alertmanager, Elasticsearch, Loki, GitHub, Argo CD and PagerDuty of a company
    in which something is wrong, as the real APIs. What is printed can be pasted into another terminal.

    \b
    gumshoe simulate --list
    gumshoe simulate oom-after-deploy --serve
    gumshoe simulate oom-after-deploy --serve --at now
    """
    from workers.simulation import SimulationError, names, start  # noqa: PLC0415 (uvicorn costs 0.3 s)
    from workers.simulation.clock import utc  # noqa: PLC0415
    from workers.simulation.library import load  # noqa: PLC0415

    if only_tells:
        _tells([name] if name else list(names()))
        return
    if listing or not name:
        if not listing:
            raise click.UsageError("name a scenario, or ask for the --list")
        for each in names():
            click.echo(f"{each:32} {load(each).title}")
        return
    try:
        beyond = _beyond(improvised, model) if improvised else None
        own = load(name).skills
        more = tuple(dict.fromkeys((*own, *_exploring.SKILLS))) if serve else ()
        running = start(name, at=utc(at) if at else None, skills=more, beyond=beyond)
    except SimulationError as error:
        raise click.UsageError(str(error)) from None
    try:
        if only_alert:
            click.echo(json.dumps(running.alert, indent=1))
        if only_truth:
            click.echo(json.dumps(running.truth.model_dump(), indent=1))
        if only_customer:
            skills = {skill: running.skills[skill] for skill in own}
            click.echo(yaml.safe_dump({"name": "simulated", "skills": skills}, sort_keys=False).rstrip())
        if serve:
            _explore(running, own)
        elif only_customer:
            _wait()
        elif not (only_alert or only_truth):
            raise click.UsageError("say what to do: --serve, --alert, --customer or --truth")
    except KeyboardInterrupt:
        pass
    finally:
        running.close()
        if beyond:
            click.echo(f"{len(beyond.cassette)} improvised replies in {improvised}")


def _beyond(path: Path, model: str) -> Beyond:
    """Raises SimulationError, when the cassette is damaged, and ConfigError."""
    from workers.llm.choose import pick  # noqa: PLC0415
    from workers.simulation.cassette import Cassette, load  # noqa: PLC0415
    from workers.simulation.improvise import Beyond  # noqa: PLC0415

    settings = load_settings()
    chosen = pick(model or settings.model, api_key=settings.anthropic_api_key, base_url=settings.anthropic_base_url)
    before = load(path) if path.exists() else Cassette(name=path.name)
    return Beyond(before, None if chosen.name == "offline" else chosen, path)


def _tells(wanted: list[str]) -> None:
    """Exit code 1 when anything is found."""
    from workers.simulation import SimulationError  # noqa: PLC0415
    from workers.simulation.realism import tells  # noqa: PLC0415
    from workers.simulation.running import stage  # noqa: PLC0415
    from workers.simulation.sampling import sample  # noqa: PLC0415

    count = 0
    for name in wanted:
        try:
            found = tells(sample(stage(name)))
        except SimulationError as error:
            raise click.UsageError(str(error)) from None
        count += len(found)
        for tell in found:
            click.echo(f"{name}: {tell}")
    click.echo(f"{len(wanted)} scenarios, {count} tells")
    if count:
        raise SystemExit(1)


@command.command()
@click.argument("systems", nargs=-1, required=True, metavar="SYSTEM=URL...")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The cassette; must not exist."
)
@click.option("--mask", "masked", multiple=True, metavar="NAME=INSTEAD", help="A name that must not be on it; repeat.")
@click.option(
    "--mask-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="NAME=INSTEAD, one a line."
)
def record(systems: tuple[str, ...], out: Path, masked: tuple[str, ...], mask_file: Path | None) -> None:
    """Stand in front of real systems and keep what is read from them, until Ctrl-C.

    Point kubectl, curl or `gumshoe investigate` at the addresses that are printed. Nothing but reading is passed on;
    secrets and the names given by --mask are masked before anything is kept.
    """
    from workers.simulation import SimulationError  # noqa: PLC0415
    from workers.simulation.cassette import Cassette, Recorder  # noqa: PLC0415
    from workers.simulation.faces.serve import Served  # noqa: PLC0415
    from workers.simulation.live import Live, masks  # noqa: PLC0415

    if out.exists():
        raise click.UsageError(f"{out} exists; a cassette is not written over")
    lines = mask_file.read_text(encoding="utf-8").split("\n") if mask_file else []
    try:
        hiding = masks(_pairs((*masked, *(line for line in lines if line.strip())), "--mask"))
        doors = {name: Live(url, hiding) for name, url in _pairs(systems, "SYSTEM=URL").items()}
    except SimulationError as error:
        raise click.UsageError(str(error)) from None
    cassette = Cassette(name=out.name)
    served = Served({name: Recorder(door, cassette, name) for name, door in doors.items()})
    for name, url in served.urls.items():
        click.echo(f"{name:14} {url}")
    click.echo("Recording what is read; Ctrl-C ends it.")
    try:
        _wait()
    except KeyboardInterrupt:
        pass
    finally:
        served.close()
        cassette.write(out)
        refused = sum(sum(door.refused.values()) for door in doors.values())
        click.echo(
            f"{len(cassette)} exchanges in {out}" + (f"; {refused} not passed on or not answered" if refused else "")
        )


def _pairs(given: tuple[str, ...], what: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in given:
        left, equals, right = each.strip().partition("=")
        if not equals or not left or not right:
            raise click.UsageError(f"{what}: {each!r} must be LEFT=RIGHT")
        found[left] = right
    return found


def _wait() -> None:
    """Until Ctrl-C or SIGTERM, as a KeyboardInterrupt: what is kept at the end is kept in either case. A shell starts
    what it sends to the background with SIGINT ignored."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    threading.Event().wait()


def _explore(running: Running, own: tuple[str, ...]) -> None:
    with tempfile.TemporaryDirectory(prefix="gumshoe-") as name:
        folder = Path(name)
        _exploring.write(running, {skill: running.skills[skill] for skill in own}, folder)
        for line in _exploring.lines(running, folder, datetime.now(UTC)):
            click.echo(line)
        _wait()
