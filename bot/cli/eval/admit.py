"""`gumshoe eval admit`: which scenarios may enter the library, and why others may not."""

from __future__ import annotations

import sys

import click

from bot.cli.eval._intake import alerts
from workers.evaluation import figures
from workers.evaluation.admission import Admission, admit, library
from workers.evaluation.cases import CaseError, chosen
from workers.evaluation.pool import Broken, spread


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--jobs", default=2, type=click.IntRange(1, 64), show_default=True, help="Processes.")
@click.option("--verbose", is_flag=True, help="Say of each what the oracle needed.")
def command(names: tuple[str, ...], jobs: int, verbose: bool) -> None:
    """Test scenarios NAME (globs; default: all) for admission to the library.

    A scripted oracle must reach the truth through the skills alone, and the guessers must be wrong often enough over
    all of them. Exit code 1 when anything is refused.
    """
    try:
        cases = chosen(names)
    except CaseError as error:
        raise click.UsageError(str(error)) from None
    found = []
    for name, answer in spread(cases, lambda case: admit(case, alerts), jobs):
        it = answer
        if isinstance(it, Broken):
            it = Admission(name, (f"scenarios/{name}.yaml: {it.why}",), {}, 0, 0, False)
        found.append(it)
        for reason in it.refusals:
            click.echo(reason)
        if verbose and not it.refusals:
            right = [name for name, guess in it.guesses.items() if guess.right]
            click.echo(f"{name}: admitted, {it.calls} questions, guessed by {', '.join(right) or 'nobody'}")
    whole = library(sorted(found, key=lambda a: a.case))
    for guesser, rate in whole.guessers.items():
        easy = "  TOO OFTEN" if guesser in whole.too_easy else ""
        click.echo(f"guesser {guesser:18} right {figures.interval(rate)}{easy}")
    if whole.chance is not None:
        click.echo(f"chance                     {whole.chance:.1%}")
    click.echo(f"{len(whole.admitted)} of {len(cases)} admitted")
    if whole.refused:
        sys.exit(1)
