"""`gumshoe eval production`: the same matrices over what really happened, from the stored traces."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from config.settings import load
from workers.evaluation import heatmap, text
from workers.evaluation.matrices import heat_map, transitions
from workers.evaluation.production import observed
from workers.store import open_store


@click.command()
@click.argument("customer")
@click.option("--days", default=30, type=click.IntRange(1, 3650), show_default=True)
@click.option("--png", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Both matrices.")
def command(customer: str, days: int, png: Path | None) -> None:
    """Show tasks by metrics, and where investigations of CUSTOMER failed first.

    Success is what people said of the findings; evidence is what is cited and stands in the trace.
    """
    store = open_store(load().database_url)
    try:
        seen = observed(store, customer, datetime.now(UTC) - timedelta(days=days))
    finally:
        store.close()
    if not seen:
        raise click.UsageError(f"no investigation of {customer} in {days} days")
    rows, moves = heat_map(seen), transitions(seen)
    click.echo("\n".join((*text.heat(rows), "", *text.moves_in_words(moves))))
    if png:
        png.write_bytes(heatmap.png(f"{customer}: {len(seen)} investigations in {days} days", rows, moves))
