"""`gumshoe eval saturate`: how many cases are enough to rank variants."""

from __future__ import annotations

from pathlib import Path

import click

from bot.cli.eval._files import results_of
from workers.evaluation.grading.marks import SCORES
from workers.evaluation.saturation import AGREES, POINTS, saturation, table


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--score", default="passed", type=click.Choice(list(SCORES)), show_default=True)
def command(files: tuple[Path, ...], score: str) -> None:
    """Find the smallest set of cases that ranks the variants in FILES as all of them do, and where more cases stopped
    changing the result."""
    rows = table([r for file in files for r in results_of(file).results], score)
    if not rows:
        raise click.UsageError("no case that every variant has this score for")
    found = saturation(rows)
    for name, mean in found.variants.items():
        click.echo(f"{mean:6.1%}  {name}")
    if len(found.variants) == 1:
        click.echo("one variant: there is nothing to rank; only how far its mean moves is told")
    click.echo(f"\n{'cases':>6}  {'agreement (tau)':>16}  {'mean moves by':>14}")
    for step in found.curve:
        tau = "-" if step.tau is None else f"{step.tau:.2f}"
        click.echo(f"{step.size:6}  {tau:>16}  {f'±{step.spread * 100:.1f} points':>14}")
    said = f"tau at least {AGREES}, means within {POINTS * 100:.0f} points"
    if found.enough:
        click.echo(f"\nany {found.enough} of {found.cases} cases are enough ({said})")
    else:
        click.echo(f"\nadding cases still changes the result at {found.cases} ({said})")
    click.echo(f"smallest set that ranks as the whole, {len(found.smallest)} cases:")
    for case in found.smallest:
        click.echo(f"  {case}")
