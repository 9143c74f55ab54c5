"""Results files as arguments: what is wrong with one is a line, not a traceback."""

from __future__ import annotations

from pathlib import Path

import click

from workers.evaluation.results import ResultsError, Run, read


def results_of(path: Path) -> Run:
    try:
        return read(path)
    except ResultsError as error:
        raise click.UsageError(str(error)) from None
