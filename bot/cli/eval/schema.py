"""`gumshoe eval schema`: the JSON schema of a results file."""

from __future__ import annotations

import json

import click

from workers.evaluation.results import Run


@click.command()
def command() -> None:
    """Print the JSON schema of what `gumshoe eval run` writes."""
    click.echo(json.dumps(Run.model_json_schema(by_alias=True), indent=1))
