"""`gumshoe eval judge`: a model's opinion of a run's transcripts, only as far as it was measured against people."""

from __future__ import annotations

from multiprocessing import get_context
from pathlib import Path

import click

from bot.cli.eval._files import results_of
from config.settings import load
from workers.evaluation import figures, judging, tape
from workers.evaluation.purse import Metered, Purse
from workers.llm.base import ModelError
from workers.llm.choose import pick


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--criterion", default="suspects_simulation", type=click.Choice(sorted(judging.CRITERIA)), show_default=True
)
@click.option(
    "--labels",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="JSONL",
    help="What people judged: id, text, passes, split (train, dev, test).",
)
@click.option("--model", required=True, metavar="NAME", help="The judge; pin its version.")
@click.option("--limit-dollars", required=True, type=click.FloatRange(min=0), help="Hard limit.")
def command(file: Path, criterion: str, labels: Path, model: str, limit_dollars: float) -> None:
    """Judge the transcripts of the run in FILE by one binary criterion.

    The judge is measured on the held-out split of the labels first; its rate is corrected for its own errors
    (Rogan-Gladen), or it is shown as not usable.
    """
    settings = load()
    run = results_of(file)
    chosen = pick(model, api_key=settings.anthropic_api_key, base_url=settings.anthropic_base_url)
    purse = Purse(get_context("fork").Value("d", 0.0), limit_dollars, file.with_name(file.name + ".judge"))
    try:
        known = judging.items(labels)
        texts = [judging.written(tape.read(file.parent / r.trace)) for r in run.results if r.trace]
        found = judging.rate(Metered(chosen, purse, lambda: None), judging.CRITERIA[criterion], texts, known)
    except (judging.LabelError, tape.TapeError, ModelError) as error:
        raise click.ClickException(str(error)) from None
    it = found.quality
    click.echo(f"judge of {criterion}: {it.state} ({it.why})")
    click.echo(f"TPR {figures.interval(it.tpr)}, TNR {figures.interval(it.tnr)}, {it.labels} held-out labels")
    if found.corrected is not None:
        said = f"{found.observed:.0%} pass as judged, corrected {figures.interval(found.corrected)}"
        click.echo(f"{len(texts)} transcripts: {said}; ${purse.held:.2f}")
