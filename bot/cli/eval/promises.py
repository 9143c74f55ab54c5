"""`gumshoe eval promises`: can solve, learning, out of reach, from a run or from this version's baseline."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from bot.cli.eval._files import results_of
from workers.evaluation import buckets, figures


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
def command(file: Path | None) -> None:
    """Say what is promised of each alert type and fault group, by the rule in config/buckets.yaml."""
    rows: Sequence[buckets.Graded] = results_of(file).results if file else buckets.shipped()
    by = buckets.rule()
    click.echo(by.words())
    for title, promises in (
        ("alert type", buckets.of_alert_types(rows, by)), ("fault group", buckets.of_groups(rows, by))
    ):  # fmt: skip
        click.echo(f"\n{title}")
        for it in promises:
            click.echo(f"  {it.bucket:13} {it.name:34} {figures.interval(it.right):24} {it.reason}")
