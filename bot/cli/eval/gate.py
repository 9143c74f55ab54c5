"""`gumshoe eval gate`: fails when it got worse beyond noise, naming the cases."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bot.cli.eval._files import results_of
from workers.evaluation import gate
from workers.evaluation.results import ResultsError


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--against", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="A baseline, or a run."
)
@click.option("--strict", is_flag=True, help="Any case that passed and no longer does fails the gate.")
@click.option(
    "--write", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Make the run the new baseline."
)
def command(file: Path, against: Path | None, strict: bool, write: Path | None) -> None:
    """Compare the run in FILE with a baseline, case by case.

    Exit code 1 on a regression beyond noise (McNemar, bootstrap), and on any new cause that is High and wrong.
    """
    run = results_of(file)
    if against is None and write is None:
        raise click.UsageError("say what to compare with: --against, or what to --write")
    if against is not None:
        try:
            verdict = gate.judge(run, gate.read_baseline(against), strict=strict)
        except ResultsError as error:
            raise click.UsageError(str(error)) from None
        for key in verdict.cases:
            click.echo(f"worse   {key}")
        for key in verdict.better:
            click.echo(f"better  {key}")
        for reason in verdict.reasons:
            click.echo(f"FAIL    {reason}")
        new = f", {len(verdict.unknown)} new" if verdict.unknown else ""
        click.echo(f"{'passes' if verdict.passes else 'fails'}: {verdict.compared} cases compared{new}")
        if not verdict.passes:
            sys.exit(1)
    if write is not None:
        gate.write_baseline(run, write)
        click.echo(f"baseline of {len(run.results)} results: {write}")
