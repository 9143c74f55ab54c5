"""`gumshoe eval report`: what a run says, as text, page, picture or JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from bot.cli.eval._files import results_of
from workers.evaluation import buckets, heatmap, page, register, text, trace_page
from workers.evaluation.matrices import heat_map, of_results, transitions
from workers.evaluation.results import ResultsError, Run, write_whole
from workers.evaluation.summary import summaries

BEGIN, END = "<!-- results: written by `gumshoe eval report --markdown` -->", "<!-- end of results -->"


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="One page, self-contained; the traces in FILE.traces.",
)
@click.option("--png", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Both matrices.")
@click.option("--json", "as_json", is_flag=True, help="Everything as JSON on standard output.")
@click.option(
    "--markdown",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="README",
    help="Put the table of results between its marks in this file.",
)
@click.option(
    "--admission",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The register of `gumshoe eval admit --out`: how many of the scenarios are admitted.",
)
def command(
    file: Path, html: Path | None, png: Path | None, as_json: bool, markdown: Path | None, admission: Path | None
) -> None:
    """Say what came of the run in FILE: where it is good, where it is learning, where it is out of reach; averages with
    intervals, against the guessers, the worst defect first."""
    run = results_of(file)
    admitted = _admitted(run, admission)
    parts = []
    for summary in summaries(run, buckets.rule()):
        those = of_results(r for r in run.results if r.variant == summary.variant)
        parts.append((summary, heat_map(those), transitions(those)))
    if html:
        write_whole(html, page.page(run, parts, admitted, trace_page.write_all(run.results, file, html)))
    if png:
        for number, (summary, rows, moves) in enumerate(parts):
            path = png if number == 0 else png.with_stem(f"{png.stem}-{number + 1}")
            path.write_bytes(heatmap.png(f"{summary.variant}: {summary.investigations} investigations", rows, moves))
    if markdown:
        _between(markdown, text.markdown(run, [summary for summary, _, _ in parts], admitted))
    if as_json:
        whole = [
            {"summary": asdict(s), "heat_map": [asdict(r) for r in rows], "transitions": [asdict(m) for m in moves]}
            for s, rows, moves in parts
        ]
        click.echo(
            json.dumps(
                {"digest": run.digest, "stopped": run.stopped, "admitted": admitted, "variants": whole}, indent=1
            )
        )
    elif not markdown:
        click.echo(text.report(run, parts, admitted), nl=False)


def _admitted(run: Run, admission: Path | None) -> str:
    try:
        known = register.entries(admission) if admission else None
    except ResultsError as error:
        raise click.UsageError(str(error)) from None
    return register.in_words(known, (r.case for r in run.results if r.source == "scenario"))


def _between(readme: Path, table: str) -> None:
    whole = readme.read_text(encoding="utf-8")
    head, begin, rest = whole.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise click.UsageError(f"{readme}: it has no {BEGIN} … {END}")
    write_whole(readme, f"{head}{BEGIN}\n{table}{END}{tail}")
