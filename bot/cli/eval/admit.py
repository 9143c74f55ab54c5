"""`gumshoe eval admit`: which scenarios may enter the library, and why others may not."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from bot.cli.eval._bar import Bar
from bot.cli.eval._intake import alerts
from workers.evaluation import exhibits, figures, ledger, register
from workers.evaluation.admission import Admission, Library, library
from workers.evaluation.cases import CaseError, chosen
from workers.evaluation.results import ResultsError
from workers.evaluation.runner import Progress


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--jobs", default=2, type=click.IntRange(1, 64), show_default=True, help="Processes.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Keep the register here.")
@click.option("--fresh", is_flag=True, help="Begin anew where a run was broken off.")
@click.option("--verbose", is_flag=True, help="Say of each what the oracle needed.")
@click.option("--quiet", is_flag=True, help="No progress on standard error.")
def command(names: tuple[str, ...], jobs: int, out: Path | None, fresh: bool, verbose: bool, quiet: bool) -> None:
    """Test scenarios NAME (globs; default: all) for admission to the library.

    A scripted oracle must reach the truth through the skills alone, its evidence must not be seen with other faults,
    and the guessers must be wrong often enough over all of them. With --out the same command goes on where it was
    killed; scenarios that are not tested now stay in FILE as they were judged, and what the skills showed of each is
    in FILE.seen. Exit code 1 when anything is refused.

    \b
    gumshoe eval admit --out admission.json
    gumshoe eval admit 'oom-*' --verbose
    """
    try:
        cases = chosen(names)
    except CaseError as error:
        raise click.UsageError(str(error)) from None
    bar = Bar(good="admitted")

    def tell(at: register.At) -> None:
        if not quiet:
            bar(Progress(at.done, at.total, at.admitted, at.seconds, 0))

    with tempfile.TemporaryDirectory() as nowhere:
        kept = out or Path(nowhere) / "admission.json"
        if fresh:
            ledger.path_of(kept).unlink(missing_ok=True)
        try:
            made = register.run(cases, alerts, kept, jobs, tell=tell)
        except ResultsError as error:
            raise click.UsageError(str(error)) from None
    now = [it for it in made.cases if it.case in set(cases)]
    for it in now if verbose else ():
        if not it.refusals:
            right = [name for name, guess in it.guesses.items() if guess.right]
            click.echo(f"{it.case}: admitted, {it.calls} questions, guessed by {', '.join(right) or 'nobody'}")
    found = library(now)
    for line in (*_table(found.refused), *_said(found)):
        click.echo(line)
    if out is not None:
        whole = library(made.cases)
        if len(made.cases) > len(now):
            click.echo(f"{len(whole.admitted)} of {len(made.cases)} in {out}")
        click.echo(f"{out}; what the skills showed: {exhibits.folder_of(out)}")
    if found.refused:
        sys.exit(1)


def _table(refused: Sequence[Admission]) -> Iterator[str]:
    """file, key, reason"""
    rows = [(r.file, r.key, r.reason) for it in refused for r in it.refusals]
    if not rows:
        return
    wide = [max(len(row[i]) for row in rows) for i in (0, 1)]
    yield f"{'file':{wide[0]}}  {'key':{wide[1]}}  reason"
    for file, key, reason in rows:
        yield f"{file:{wide[0]}}  {key:{wide[1]}}  {reason}"
    yield ""


def _said(it: Library) -> Iterator[str]:
    for guesser, rate in it.guessers.items():
        easy = "  TOO OFTEN" if guesser in it.too_easy else ""
        yield f"guesser {guesser:18} right {figures.interval(rate)}{easy}"
    if it.chance is not None:
        yield f"chance                     {it.chance:.1%}"
    yield "group      " + "  ".join(f"{letter} {n}/{of}" for letter, (n, of) in it.groups.items())
    yield (
        f"{len(it.admitted)} of {len(it.admitted) + len(it.refused)} admitted, over {len(it.leaves)} faults"
        f" and {len(it.kinds)} kinds of group L"
    )
