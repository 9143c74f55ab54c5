"""`gumshoe eval run`: cases × models × skill toggles × guidance × repeats, into one file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click

from bot.cli.eval._bar import Bar
from bot.cli.eval._intake import alerts
from bot.cli.eval._past import corrected, is_corrected, taught
from config.customers import Budget
from config.settings import Settings, load
from skills import registry
from workers.evaluation import estimate, ledger, recorded, runner
from workers.evaluation.cases import FRESH, CaseError, chosen
from workers.evaluation.notebooks import NotebookError, notebook
from workers.evaluation.results import ResultsError
from workers.evaluation.staging import Stage
from workers.evaluation.variants import Notebook, Toggle, Variant, crossed
from workers.llm.base import Model
from workers.llm.choose import pick


@click.command()
@click.option(
    "--cases",
    "globs",
    multiple=True,
    metavar="GLOB",
    help="Default: all. @slice, @corrected (what people corrected in Slack; past-INVESTIGATION: one), FILE.case.json.",
)
@click.option("--model", "models", multiple=True, metavar="NAME", help="offline (default) or a model id; repeatable.")
@click.option("--skills", "only", multiple=True, metavar="A,B", help="A variant with only these on; repeatable.")
@click.option("--without", multiple=True, metavar="A,B", help="A variant with these off; repeatable.")
@click.option("--toggles", is_flag=True, help="All skills on, and each of them off in turn.")
@click.option(
    "--guidance",
    "books",
    multiple=True,
    metavar="FILE",
    help="A variant with this guidance (YAML: alert_type, text; @CUSTOMER: what its people have taught); repeatable. "
    "`none` for one without.",
)
@click.option("--repeats", default=1, type=click.IntRange(1, 100), show_default=True)
@click.option("--jobs", default=2, type=click.IntRange(1, 64), show_default=True, help="Processes.")
@click.option("--limit-dollars", type=click.FloatRange(min=0), help="Hard limit; needed for a model that costs.")
@click.option("--fresh", is_flag=True, help="Begin anew where a run was broken off.")
@click.option("--no-guessers", is_flag=True, help="Do not ask the guessers.")
@click.option("--quiet", is_flag=True, help="No progress on standard error.")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")
def command(
    globs: tuple[str, ...],
    models: tuple[str, ...],
    only: tuple[str, ...],
    without: tuple[str, ...],
    toggles: bool,
    books: tuple[str, ...],
    repeats: int,
    jobs: int,
    limit_dollars: float | None,
    fresh: bool,
    no_guessers: bool,
    quiet: bool,
    out: Path,
) -> None:
    """Run cases through the same path as production and grade them.

    A run that was killed goes on where it was when the same command is given again.

    \b
    gumshoe eval run --out run.json
    gumshoe eval run --cases fresh:100 --out fresh.json      scenarios that nobody wrote
    gumshoe eval run --cases 'oom-*' --model claude-sonnet-5-5 --repeats 3 --limit-dollars 2 --out claude.json

    ANTHROPIC_BASE_URL leads a model that costs elsewhere; `python -m tests.llm.rehearsal` plays the API on loopback.

    Exit code 0 when everything ran, whatever came of it; 4 when the limit of dollars ended it.
    """
    settings = load()
    try:
        variants = crossed(models or ("offline",), _toggles(only, without, toggles), _notebooks(books, settings))
        if any(FRESH.search(glob) for glob in globs) and not quiet:
            click.echo("composing scenarios, about a second each ...", err=True)
        plan = _plan(globs, variants, repeats, jobs, limit_dollars, settings)
    except (CaseError, NotebookError) as error:
        raise click.UsageError(str(error)) from None
    budget = Budget()
    _say_cost(plan, settings, budget, limit_dollars)
    if fresh:
        ledger.path_of(out).unlink(missing_ok=True)
    stage = Stage(_maker(settings), alerts, budget, guess=not no_guessers)
    try:
        ran = runner.run(plan, stage, out, tell=(lambda _: None) if quiet else Bar())
    except ResultsError as error:
        raise click.UsageError(str(error)) from None
    right = sum(r.passed for r in ran.results)
    broken = [r for r in ran.results if r.error]
    for result in broken:
        click.echo(f"broken: {result.key}: {result.error}", err=True)
    said = f"{right:g} of {len(ran.results)} right, findings {ran.digest}"
    click.echo(f"{said}{f', {len(broken)} broken' if broken else ''}, {out}")
    if ran.stopped:
        click.echo(f"{ran.stopped}; give the same command with more to go on", err=True)
        sys.exit(4)


def _plan(
    globs: tuple[str, ...],
    variants: tuple[Variant, ...],
    repeats: int,
    jobs: int,
    limit: float | None,
    settings: Settings,
) -> runner.Plan:
    """Scenarios by glob, past investigations by file or out of the store."""
    past = tuple(recorded.read(Path(g)) for g in globs if g.endswith(recorded.SUFFIX))
    past += corrected(tuple(g for g in globs if is_corrected(g)), settings)
    named = tuple(g for g in globs if not g.endswith(recorded.SUFFIX) and not is_corrected(g))
    scenarios = chosen(named) if named or not past else ()
    return runner.Plan((*scenarios, *(p.name for p in past)), variants, repeats, jobs, limit, past)


def _toggles(only: tuple[str, ...], without: tuple[str, ...], each: bool) -> tuple[Toggle, ...]:
    found = [Toggle(only=_skills(names)) for names in only] + [Toggle(without=_skills(names)) for names in without]
    if each:
        found = [Toggle(), *found, *(Toggle(without=(skill,)) for skill in registry.names())]
    return tuple(dict.fromkeys(found))


def _skills(names: str) -> tuple[str, ...]:
    given = tuple(name.strip() for name in names.split(",") if name.strip())
    for name in given:
        if name not in registry.names():
            raise click.UsageError(f"there is no skill called {name!r}; there are {', '.join(registry.names())}")
    return given


def _notebooks(books: tuple[str, ...], settings: Settings) -> tuple[Notebook, ...]:
    return tuple(
        Notebook() if book == "none" else taught(book[1:], settings) if book.startswith("@") else notebook(Path(book))
        for book in books
    )


def _say_cost(plan: runner.Plan, settings: Settings, budget: Budget, limit: float | None) -> None:
    dear = runner.paid(plan.variants)
    if not dear:
        return
    for model in dear:
        pick(model, api_key=settings.anthropic_api_key, base_url=settings.anthropic_base_url)
    expected = estimate.estimate(plan.jobs, runner.FREE, budget.dollars)
    click.echo(
        f"{expected.investigations} investigations with {', '.join(dear)}: about ${expected.dollars:.2f}, "
        f"at most ${expected.most:.2f}",
        err=True,
    )
    if limit is None:
        raise click.UsageError("say what it may cost: --limit-dollars")


def _maker(settings: Settings) -> Callable[[str], Model]:
    def make(name: str) -> Model:
        return pick(name, api_key=settings.anthropic_api_key, base_url=settings.anthropic_base_url)

    return make
