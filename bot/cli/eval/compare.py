"""`gumshoe eval compare`: two runs, paired, with what changed case by case."""

from __future__ import annotations

from pathlib import Path

import click

from bot.cli.eval._files import results_of
from workers.evaluation import figures, pairs
from workers.evaluation.results import Run, differing


@click.command()
@click.argument("before", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("after", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--variants", nargs=2, metavar="BEFORE AFTER", help="Compare these variants, of one file or of two.")
@click.option("--identical", is_flag=True, help="Exit code 1 unless every finding is the same, durations apart.")
def command(before: Path, after: Path, variants: tuple[str, str] | None, identical: bool) -> None:
    """Say what is different in the run AFTER, against the run BEFORE."""
    first, second = results_of(before), results_of(after)
    if variants:
        first, second = _only(first, variants[0], before), _only(second, variants[1], after)
    found = pairs.compare(first.results, second.results)
    for effect in found.effects:
        click.echo(f"{effect.kind:9} {effect.key}\n          was {effect.before}\n          is  {effect.after}")
        click.echo(f"          true {effect.truth}")
    for key in found.only_before:
        click.echo(f"only in the first   {key}")
    for key in found.only_after:
        click.echo(f"only in the second  {key}")
    for key in found.new_high_and_wrong:
        click.echo(f"new High and wrong  {key}")
    click.echo(f"{found.pairs} pairs: {found.fixed} fixed, {found.broken} broken, McNemar p {found.p:.3f}")
    if found.unknown:
        click.echo(f"{found.unknown} pairs too far off the tape: their effect is unknown and not counted")
    for name, difference in found.differences.items():
        if difference.value or difference.width:
            click.echo(f"  {name:12} {figures.signed(difference)} points, n {difference.n}")
    same = first.digest == second.digest
    click.echo(f"findings {'identical' if same else 'differ'}: {first.digest} {second.digest}")
    if identical and not same:
        for key in differing(first, second):
            click.echo(f"differs: {key}", err=True)
        raise click.exceptions.Exit(1)


def _only(run: Run, variant: str, path: Path) -> Run:
    if variant not in run.variants:
        raise click.UsageError(f"{path}: has no variant {variant!r}; it has {'; '.join(run.variants)}")
    return run.model_copy(update={"results": tuple(r for r in run.results if r.variant == variant)})
