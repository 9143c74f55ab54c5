"""`gumshoe schema finding`: the public schema of a finding."""

from __future__ import annotations

import json

import click

from workers.domain import Alert, Finding, Record

RECORDS: dict[str, type[Record]] = {"finding": Finding, "alert": Alert}


@click.command()
@click.argument("record", type=click.Choice(sorted(RECORDS)))
def command(record: str) -> None:
    """Print the JSON schema of a public record.

    \b
    finding   what `gumshoe investigate --out FILE` writes
    alert     an element of what `gumshoe alerts parse FILE` prints
    """
    schema = RECORDS[record].model_json_schema(by_alias=True, mode="serialization")
    click.echo(json.dumps(schema, indent=2, ensure_ascii=False))
