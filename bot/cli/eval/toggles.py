"""`gumshoe eval toggles`: the effect of each skill, on and off, with intervals."""

from __future__ import annotations

from pathlib import Path

import click

from bot.cli.eval._files import results_of
from workers.evaluation import figures
from workers.evaluation.toggles import worths

SHOWN = ("passed", "precision", "evidence", "change")


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
def command(files: tuple[Path, ...]) -> None:
    """Say what each skill is worth: the same cases with it on and off.

    \b
    gumshoe eval run --toggles --out toggles.json
    gumshoe eval toggles toggles.json
    """
    found = worths([r for file in files for r in results_of(file).results])
    if not found:
        raise click.UsageError("no variant with a skill off beside one with everything on; run with --toggles")
    for it in found:
        click.echo(f"{it.base}, {it.toggle}: {it.pairs} cases, McNemar p {it.p:.3f}")
        for name in SHOWN:
            if name in it.scores:
                click.echo(f"  {name:10} {figures.signed(it.scores[name])} points, n {it.scores[name].n}")
        if it.seconds and it.tokens:
            click.echo(f"  seconds    {it.seconds.value:+.2f}   tokens {it.tokens.value:+.0f}")
        if it.lost:
            click.echo(f"  lost       {', '.join(it.lost)}")
        if it.gained:
            click.echo(f"  gained     {', '.join(it.gained)}")
